"""Filters: the words that say which executions are meant, for the command line, the API and the pages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import InvalidParameter, InvalidTime, InvalidWindow
from experience_runtime.domain.executions import Filter, Sort, Status
from experience_runtime.domain.moments import read_moment
from experience_runtime.domain.values import nearest, shown
from experience_runtime.domain.zones import UTC, Zone, parse_zone

LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One word of the table: `name` is the API's, `of` the field of a Filter, `kind` how it is written."""

    name: str
    of: str
    kind: str = "text"  # | "states" | "moment"
    metavar: str = "TEXT"
    help: str
    words: str  # before its value, in the sentence that says a whole filter


def _span(name: str, of: str, what: str) -> tuple[Criterion, Criterion]:
    prefix = f"{name}_" if name else ""

    def end(word: str, field: str, said: str, spoken: str) -> Criterion:
        return Criterion(
            name=prefix + word,
            of=f"{of}_{field}",
            kind="moment",
            metavar="TIME",
            help=f"{what} {said}.",
            words=f"{what.lower()} {spoken}",
        )

    return (
        end("since", "from", "at this instant or later", "since"),
        end("until", "until", "before this instant", "before"),
    )


TABLE: Sequence[Criterion] = (
    Criterion(name="status", of="statuses", kind="states", help="In one of these states.", words=""),
    Criterion(name="integration", of="integration", metavar="NAME", help="Of this integration.", words="of"),
    Criterion(name="visitor", of="visitor", metavar="ID", help="Of this visitor.", words="for visitor"),
    Criterion(
        name="experience", of="experience", metavar="NAME", help="Of this experience.", words="of experience"
    ),
    Criterion(
        name="schedule",
        of="schedule",
        metavar="NAME",
        help="Of this recurring schedule.",
        words="of schedule",
    ),
    Criterion(
        name="reason",
        of="reason",
        metavar="REASON",
        help="With this reason: integration_failed, …",
        words="because of",
    ),
    *_span("", "created", "Created"),
    *_span("due", "due", "Due"),
    *_span("finished", "finished", "Succeeded, failed or cancelled"),
    *_span("failed", "failed", "Failed"),
    Criterion(
        name="text",
        of="text",
        help="With this part in the id of its visitor or person, in its key, or in its own id; in any case.",
        words="matching",
    ),
    Criterion(
        name="payload", of="payload", help="With this text in the payload, in any case.", words="with payload"
    ),
)
"""Every criterion; those given must all match. `finished` and `failed` mean every end there was: what was
replayed since is found too."""

NAMES: Sequence[str] = tuple(each.name for each in TABLE)


def read_filter(given: Mapping[str, Any], *, zone: str | None = None, now: datetime) -> Filter:
    """The filter that these words mean; None and an empty list mean nothing.

    A moment that says no offset is by the clock of `zone`, else of UTC. Raises InvalidParameter, InvalidTime.
    """
    refuse_unknown(given, NAMES)
    by = {each.name: each for each in TABLE}
    clock = read_zone(zone)
    fields: dict[str, Any] = {
        by[name].of: _read(by[name], value, clock, now)
        for name, value in given.items()
        if value is not None and value != []
    }
    return Filter(**fields)


def refuse_unknown(given: Collection[str], known: Sequence[str]) -> None:
    """Raise InvalidParameter for a word that is none of these."""
    for name in given:
        if name not in known:
            meant = nearest(name, known)
            raise InvalidParameter(
                f"{shown(name)} is no filter; "
                + (f"did you mean {meant}?" if meant else f"there are {', '.join(known)}")
            )


def read_zone(name: str | None) -> Zone:
    """The zone whose clock is meant; UTC where none is named. Raises InvalidParameter."""
    try:
        return UTC if not name else parse_zone(name)
    except InvalidWindow as error:
        raise InvalidParameter(error.message) from None


def read_sort(name: str | None) -> Sort:
    """The order that a word means; the newest first without one. Raises InvalidParameter."""
    if name and name not in list(Sort):
        raise InvalidParameter(f"sort {shown(name)} is no order; write {' or '.join(Sort)}")
    return Sort(name or Sort.NEWEST)


def _read(criterion: Criterion, value: Any, zone: Zone, now: datetime) -> object:
    if criterion.kind == "states":
        return tuple(_state(each) for each in value)
    if criterion.kind == "text":
        return str(value)
    try:
        return read_moment(value, zone=zone, now=now)
    except InvalidTime as error:
        raise InvalidTime(f"{criterion.name}: {error.message}") from None


def _state(name: str) -> Status:
    if name not in list(Status):
        raise InvalidParameter(f"status {shown(name)} is not a state; choose among {', '.join(Status)}")
    return Status(name)
