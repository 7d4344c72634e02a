"""Instants and values as the pages say them to people."""

import json
import re
from datetime import datetime
from typing import Any

from experience_runtime.domain.spans import span_text
from experience_runtime.domain.windows import DAYS
from experience_runtime.domain.zones import Zone

_SHORT_CHARS = 80
_LONGEST_INDENTED = 16_000


def day_and_time(text: str) -> str:
    """A local ISO instant as `Mon 2026-03-09 09:00`; seconds only where there are some."""
    local = datetime.fromisoformat(text)
    seconds = f"{local:%S}" if local.second or local.microsecond else ""
    seconds += f".{local.microsecond // 1000:03}" if local.microsecond else ""
    return f"{DAYS[local.weekday()][:3].capitalize()} {local:%Y-%m-%d %H:%M}" + (
        f":{seconds}" if seconds else ""
    )


def clock_of(at: datetime, zone: Zone) -> str:
    """Where the visitor's clock stands: `Fri 18:30 New York`."""
    local = zone.local(at)
    city = zone.name.rpartition("/")[2].replace("_", " ")
    return f"{DAYS[local.weekday()][:3].capitalize()} {local:%H:%M} {city}"


def utc_text(at: datetime) -> str:
    """An instant to the second: `2026-03-09 08:00:00`."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def relative(at: datetime, now: datetime) -> str:
    """How far away an instant is: `in 2 h 5 min`, `3 d ago`, `now`."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"in {span_text(seconds)}" if seconds > 0 else f"{span_text(-seconds)} ago"


def on_page(text: str) -> str:
    """A sentence of the command line as a page says it: with the button, not the command."""
    text = re.sub(r"`experience integrations resume [^`]+` lets", "Resume on its page lets", text)
    text = re.sub(
        r"set it on its page, or with `experience integrations set [^`]+`", "set it under Settings", text
    )
    return text.replace("`experience resume all` lets", "the button on the Overview lets")


def pretty(value: Any) -> str:
    """A JSON value on lines of its own; a large one, or a deep one, on as few as may be."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST_INDENTED:
        return text
    indented = json.dumps(value, ensure_ascii=False, indent=2)
    return indented if len(indented) <= 8 * _LONGEST_INDENTED else text  # blanks, at 500 levels


def short(value: Any) -> str:
    """A JSON value on one line, cut."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT_CHARS else text[: _SHORT_CHARS - 1] + "…"
