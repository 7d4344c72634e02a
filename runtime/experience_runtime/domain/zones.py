"""Zones: where a local clock stands, as a fixed offset or as an IANA name that follows daylight saving."""

import re
from dataclasses import dataclass, field
from datetime import UTC as _UTC
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib import import_module
from importlib.resources import files
from zoneinfo import ZoneInfo

from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.values import nearest, shown, whole_number

_MOST_MINUTES = 840
_LONGEST_NAME = 64
_FIXED = re.compile(r"UTC([+-])([0-9]{2}):([0-9]{2})")
_OFFSET = re.compile(r"\s*(?:UTC|GMT)?\s*([+-])\s*([0-9]{1,2})(?::?([0-5][0-9]))?\s*", re.IGNORECASE)
_DAY = timedelta(days=1)
_ABBREVIATIONS = {
    "Z": "UTC",
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("MDT", "MT"), "America/Denver"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"),
    **dict.fromkeys(("EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Anchorage"),
    "BRT": "America/Sao_Paulo",
    "BST": "Europe/London",
    "WEST": "Europe/Lisbon",
    "CEST": "Europe/Paris",
    "EEST": "Europe/Athens",
    "MSK": "Europe/Moscow",
    "SAST": "Africa/Johannesburg",
    "IST": "Asia/Kolkata",
    "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "AWST": "Australia/Perth",
    **dict.fromkeys(("ACST", "ACDT"), "Australia/Adelaide"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    **dict.fromkeys(("NZST", "NZDT"), "Pacific/Auckland"),
}
"""A clock's letters, with a place that has it: they are no names of zones, and some are several zones'."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone under its stored spelling: an IANA name, or `UTC+01:00`. Two of one name are equal."""

    name: str
    rules: tzinfo = field(repr=False, compare=False)

    def local(self, instant: datetime) -> datetime:
        """Tell what the local calendar and clock show, as an aware datetime."""
        return instant.astimezone(self.rules)

    def offset_at(self, instant: datetime) -> timedelta:
        """Tell how far the local clock is ahead of UTC."""
        return instant.astimezone(self.rules).utcoffset() or timedelta()

    def next_change(self, after: datetime, until: datetime) -> datetime | None:
        """Find the first instant in (after, until] at which the clock is put forward or back."""
        if isinstance(self.rules, timezone):
            return None
        for day in range(after.toordinal(), until.toordinal() + 1):
            change = _change_on(self, day)
            if change is not None and after < change <= until:
                return change
        return None


UTC = Zone("UTC", _UTC)
"""What holds when no zone is known."""


def iana_zone(name: object) -> Zone:
    """Read an IANA name, spelled exactly. Raises InvalidWindow, with a suggestion, for any other."""
    if not isinstance(name, str):
        raise InvalidWindow(f'timezone {shown(name)} is not a string; write an IANA name like "Europe/Paris"')
    # the list is asked first: ZoneInfo would open a file named after whatever it is given
    if not is_iana_zone(name):
        raise InvalidWindow(f"timezone {shown(name)} is not an IANA time zone; {_fix(name)}")
    return _iana(name)


def is_iana_zone(name: str) -> bool:
    """Whether `iana_zone` knows this name."""
    return len(name) <= _LONGEST_NAME and name in _names()


def fixed_zone(minutes_behind: object) -> Zone:
    """Make the zone of a fixed offset, in minutes *behind* UTC as JavaScript counts (-60 is UTC+1).

    Raises InvalidWindow outside -840 to 840, and for what is not a whole number.
    Source: reference/schedule-options#windowtimezoneoffset.
    """
    minutes = whole_number(minutes_behind)
    if minutes is None or abs(minutes) > _MOST_MINUTES:
        raise InvalidWindow(
            f"timezoneOffset {shown(minutes_behind)} is not minutes behind UTC; "
            "write a whole number from -840 to 840, such as -60 for UTC+1"
        )
    return _fixed(minutes)


def parse_zone(text: str) -> Zone:
    """Read a stored spelling back. Raises InvalidWindow."""
    if form := _FIXED.fullmatch(text):
        minutes = int(form[2]) * 60 + int(form[3])
        return fixed_zone(-minutes if form[1] == "+" else minutes)
    return iana_zone(text)


def iso_local(dt: datetime, zone: Zone) -> str:
    """Spell an instant as the zone's clock shows it: `2026-03-04T11:30:15.250+01:00`."""
    return zone.local(dt).isoformat(timespec="milliseconds")


def rules_version() -> str:
    """Tell which release of the IANA rules every zone is read from: `2026a`."""
    return str(import_module("tzdata").IANA_VERSION)


def zone_names() -> list[str]:
    """List every IANA name that can be written, in order."""
    return sorted(_names())


@lru_cache(maxsize=4096)
def _change_on(zone: Zone, day: int) -> datetime | None:
    """Find the change after the start of a UTC day (an ordinal) and not after its end.

    zoneinfo lists no transitions, so halve the day: no zone changes twice in one.
    """
    start = datetime.fromordinal(day).replace(tzinfo=_UTC)
    before = zone.offset_at(start)
    if zone.offset_at(start + _DAY) == before:
        return None
    same, changed = 0, 86_400  # changes fall on whole seconds
    while changed - same > 1:
        middle = (same + changed) // 2
        if zone.offset_at(start + timedelta(seconds=middle)) == before:
            same = middle
        else:
            changed = middle
    return start + timedelta(seconds=changed)


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@cache  # bounded by the list of names
def _iana(name: str) -> Zone:
    if name == UTC.name:
        return UTC
    # not ZoneInfo(name): the system's own files would win, and may be years older than those we are locked to
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return Zone(name, ZoneInfo.from_file(rules, key=name))


@cache  # bounded by -840 to 840
def _fixed(minutes_behind: int) -> Zone:
    sign = "-" if minutes_behind > 0 else "+"
    hours, minutes = divmod(abs(minutes_behind), 60)
    return Zone(f"UTC{sign}{hours:02}:{minutes:02}", timezone(timedelta(minutes=-minutes_behind)))


@lru_cache(maxsize=256)  # a visitor's browser sends the same wrong name with every call
def _fix(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        if form := _OFFSET.fullmatch(name):
            minutes = int(form[2]) * 60 + int(form[3] or 0)
            behind = -minutes if form[1] in "+" else minutes
            if abs(behind) <= _MOST_MINUTES:
                return (
                    f'as a fixed offset it is timezoneOffset: {behind}; or write a place like "Europe/Paris"'
                )
        if suggestion := _suggestion(name):
            return f'did you mean "{suggestion}"? (for a fixed offset use timezoneOffset)'
    return 'write one like "Europe/Paris" (for a fixed offset use timezoneOffset)'


def _suggestion(name: str) -> str | None:
    """The name of a place that was meant, perhaps. Never one by its sound alone that is a clock's: CEST is
    seven hours from EST, and Etc/GMT+1 is an hour behind UTC."""
    plain = name.strip().lower().replace(" ", "_")
    if plain.upper() in _ABBREVIATIONS:
        return _ABBREVIATIONS[plain.upper()]
    known = sorted(_names())
    same = next((each for each in known if each.lower() == plain), None)
    if same is not None or not plain:
        return same
    places = [each for each in known if "/" in each and not each.startswith("Etc/")]
    city = plain.rpartition("/")[2]
    named = next((each for each in places if city and each.lower().rpartition("/")[2] == city), None)
    return named or nearest(name, places)
