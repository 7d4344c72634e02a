"""What a page's address says: which executions, in which order, by whose clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request

from experience_runtime.domain.executions import Filter, Sort
from experience_runtime.domain.filters import (
    NAMES,
    TABLE,
    read_filter,
    read_sort,
    read_zone,
    refuse_unknown,
)
from experience_runtime.domain.instants import iso
from experience_runtime.domain.zones import Zone
from experience_runtime.web.guard.queries import ReadsQuery

_KNOWN = (*NAMES, "sort", "zone", "cursor")
_MOMENTS = tuple(each.name for each in TABLE if each.kind == "moment")


class Wanted(ReadsQuery):
    """The filter of a list of executions, as its form and its address have it."""

    def __init__(self, given: Sequence[tuple[str, str]]) -> None:
        self._given = [(name, text) for name, text in given if text]
        self._last = dict(self._given)

    def __getitem__(self, name: str) -> str:
        """The text of a field; "" when it was left empty. `status` has several: see `statuses`."""
        return self._last.get(name, "").strip()

    @property
    def statuses(self) -> list[str]:
        return [text for name, text in self._given if name == "status"]

    @property
    def zone_text(self) -> str:
        return self["zone"]

    @property
    def order(self) -> str:
        return self["sort"]

    @property
    def zone(self) -> Zone:
        """Whose clock is meant. Raises InvalidParameter."""
        return read_zone(self["zone"])

    @property
    def sort(self) -> Sort:
        """Raises InvalidParameter."""
        return read_sort(self["sort"])

    def filter(self, *, now: datetime) -> Filter:
        """What it means. Raises InvalidParameter or InvalidTime."""
        refuse_unknown([name for name, _ in self._given], _KNOWN)
        words = {name: self[name] for name in NAMES if self[name]}
        given: Mapping[str, object] = words | ({"status": self.statuses} if self.statuses else {})
        return read_filter(given, zone=self["zone"], now=now)

    @property
    def query(self) -> str:
        """The same as the query of an address, without what is left empty and where in the list."""
        return urlencode([(name, text) for name, text in self._given if name != "cursor"])

    @property
    def is_by_time(self) -> bool:
        """Whether any moment is named: then its zone is not to be changed under it."""
        return any(self[name] for name in _MOMENTS)

    @property
    def words(self) -> str:
        """The filter for people; "" when everything is meant."""
        parts = [" or ".join(self.statuses)] if self.statuses else []
        for each in TABLE:
            if each.name != "status" and self[each.name]:
                clock = f" ({self['zone'] or 'UTC'})" if each.kind == "moment" else ""
                parts.append(f"{each.words} {self[each.name]}{clock}")
        return ", ".join(parts)


def read_query(query: str) -> Wanted:
    """What a query says that a page has sent on."""
    return Wanted(parse_qsl(query[:8000]))


async def _given_wanted(request: Request) -> Wanted:
    return Wanted(request.query_params.multi_items())


GivenWanted = Annotated[Wanted, Depends(_given_wanted)]


def moment_fields(filter: Filter, zone: Zone) -> dict[str, str]:
    """The moments of a filter as the form's fields take them: by the zone's clock."""
    found = {}
    for each in TABLE:
        at = getattr(filter, each.of) if each.kind == "moment" else None
        found[each.name] = "" if at is None else _local(zone.local(at))
    return found


def _local(at: datetime) -> str:
    exact = at.second or at.microsecond
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds" if exact else "minutes")


def link(now: datetime, **given: object) -> str:
    """The address of a list; instants are spelled exactly."""
    texts = [
        (name, iso(value) if isinstance(value, datetime) else str(value))
        for name, value in given.items()
        if value is not None
    ]
    Wanted(texts).filter(now=now)  # a link of ours that is refused is a defect of ours
    return "/executions?" + urlencode(texts)
