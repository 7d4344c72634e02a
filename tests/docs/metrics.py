"""The metrics of the reference: each name with its labels, as the table on the page of HTTP has them."""

import re

from .stage import ROOT


def reference() -> dict[str, frozenset[str]]:
    """By the name that a query uses."""
    text = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(experience_\w+)` \|([^|]*)\|", text, re.MULTILINE)
    return {name: frozenset(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
