"""Named zones: those whose names stand in an experience's code or data, for a guest that has no list."""

import json
import re
from functools import cache, lru_cache

from experience_runtime.domain.offset_table import offset_table
from experience_runtime.domain.zones import iana_zone, zone_names

MOST_ZONES = 16
"""Of one run: the table of each is worked out once a process, and told to every run that names it."""

_MOST_LOOKS = 20_000
_REACH = 32
_BEFORE = re.compile(r"[A-Za-z_]{1,32}$")
_AFTER = re.compile(r"([A-Za-z0-9_+-]{1,32})(?:/([A-Za-z0-9_+-]{1,32}))?")


def named_zones(text: str) -> tuple[str, ...]:
    """The names such as Asia/Tokyo in a text, in any case; the first of them where there are too many."""
    found: dict[str, None] = {}
    at = text.find("/")
    for _ in range(_MOST_LOOKS):
        if at < 0 or len(found) == MOST_ZONES:
            break
        before = _BEFORE.search(text[max(0, at - _REACH) : at])
        after = _AFTER.match(text[at + 1 : at + 1 + 2 * _REACH])
        if before is not None and after is not None:
            for end in filter(None, (after[0], after[1])):
                if name := _by_small_letters().get(f"{before[0]}/{end}".lower()):
                    found[name] = None
                    break
        at = text.find("/", at + 1)
    return tuple(found)


@lru_cache(maxsize=256)
def zones_text(names: tuple[str, ...]) -> str:
    """What a guest is told of zones: by each name in small letters, the name and its offset table."""
    told = {name.lower(): [name, *offset_table(iana_zone(name))] for name in names[:MOST_ZONES]}
    return json.dumps(told, separators=(",", ":")) if told else ""


@cache
def _by_small_letters() -> dict[str, str]:
    return {name.lower(): name for name in zone_names() if "/" in name}
