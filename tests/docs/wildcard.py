"""The wildcard of the documents: … in a line stands for anything, and alone in a line for any lines."""

import re
from collections.abc import Sequence

ANYTHING = "…"


def agrees(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Whether an output is as the document has it."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == ANYTHING else ".*?".join(map(re.escape, line.split(ANYTHING))) + r"\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in actual)) is not None
