"""How the variations of an experience did, as a JSON document and as CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from experience_runtime.domain.traffic import Tally, wilson

COLUMNS = ("variation", "visitors", "executions", "converted", "rate", "low", "high")


def traffic_document(experience: str, tallies: Sequence[Tally]) -> dict[str, Any]:
    """`rate` is the share of the visitors who converted; `low` and `high` hold it with 95 % confidence."""
    return {"experience": experience, "variations": [_variation(each) for each in tallies]}


def traffic_csv(document: dict[str, Any]) -> str:
    """A line of names, and one for each variation."""
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(document["variations"])
    return text.getvalue()


def _variation(tally: Tally) -> dict[str, Any]:
    low, high = wilson(tally.converted, tally.visitors)
    return {
        "variation": tally.variation,
        "visitors": tally.visitors,
        "executions": tally.executions,
        "converted": tally.converted,
        "rate": round(tally.converted / tally.visitors, 6),
        "low": round(low, 6),
        "high": round(high, 6),
    }
