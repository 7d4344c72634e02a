"""Walking: what a filter means, found in steps that an index bounds, however much is stored.

A filter that one index answers is answered by it. What an index makes few of is looked through whole. All
else is walked through in the order that was asked for, so many rows a look; the page says how far that was.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.executions import Execution, Filter, Sort, Status, id_part
from experience_runtime.domain.instants import from_ms
from experience_runtime.domain.places import Page, Place
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.store import rows
from experience_runtime.store.database import Rows
from experience_runtime.store.rows import Values

MOST_SORTED = 50_000
"""How many entries of an index are sorted where nothing else is asked of their rows."""

MOST_LOOKED_THROUGH = 5_000
"""How many rows of a set are read where more is asked of them than its index knows."""

_FIRST_STEP = 1_000  # what is usual is found at once; what is rare is walked to in longer ones
_STEP = 10_000

_SCATTERED = 4  # how much more a row costs that lies anywhere than one beside the last
_LOWERED = 2  # and how much more one whose texts are compared in any case

_PUT_BACK = timedelta(hours=1)  # a clock that was put back further gives numbers that tell no time
_WAITING = frozenset((Status.PENDING, Status.RUNNING))
_ENDED = frozenset((Status.SUCCEEDED, Status.FAILED, Status.CANCELLED))
_NOTHING = Filter()

_SETS: dict[str, dict[str, Any]] = {
    # the criteria that an index of its own answers, and what stands for none of them
    "waiting": {"statuses": (), "integration": None, "due_from": None, "due_until": None},
    "failed": {"failed_from": None, "failed_until": None},
    "finished": {"finished_from": None, "finished_until": None},
    "due": {"due_from": None, "due_until": None},
}
_ALONG = ("visitor", "schedule", "status", "integration")
_ALSO = (*_ALONG, "due_from", "due_until", "finished_from", "finished_until", "failed_from", "failed_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question: `bound` are the values of the whole filter."""

    filter: Filter
    bound: Values
    limit: int


class Walk:
    """Reads one page; only inside `Database.look`. `most`: how many rows it walks through, None for all."""

    def __init__(self, read: Rows, filter: Filter, *, limit: int, most: int | None) -> None:
        self._read = read
        self._filter = filter
        self._bound = rows.conditions(filter)
        self._limit = limit
        # how far a look came would tell of rows that its caller may not see
        self._most = None if filter.of_experiences else most

    # --- newest first

    def newest(self, place: Place | None) -> Page:
        """The page after this place."""
        place = place or Place(number=self._start())
        along = self._along()
        if _is_all(self._filter, along):
            return self._paged(self._rows(place.number, self._of(along)), place)
        if any(map(self._has_set, _SETS)):
            found, below = self._walked(place, along, most=_FIRST_STEP)
            if below is None:  # what is usual is found at once
                return self._paged(found, place)
            for name in _SETS:
                if (numbers := self._numbers(name, place.number)) is not None:
                    return self._paged(self._of_numbers(numbers), place)
        if place.found is not None:
            return self._at_once(place, limit=self._limit)
        found, below = self._walked(place, along, most=self._most_walked(along))
        return self._paged(found, place) if below is None else self._unfinished(found, below, place)

    def _walked(
        self, place: Place, along: str | None, *, most: int | None
    ) -> tuple[list[Execution], int | None]:
        """What is found walking along an index, and where the walk goes on: None when it need not."""
        found: list[Execution] = []
        below, walked, step = place.number, 0, _step(0, most)
        of = self._of(along) | self._past(place.past)
        while step:
            end = self._read("end_of_step", of | {"before": below, "step": step - 1})
            down_to = end[0][0] if end else None
            missing = self._limit + 1 - len(found)
            found += self._rows(below, of | {"down_to": down_to, "limit": missing})
            if down_to is None or len(found) > self._limit:
                return found, None
            below, walked = down_to, walked + step
            step = _step(walked, most)
        return found, below

    def _most_walked(self, along: str | None) -> int | None:
        """How many rows a look may walk through: fewer where each costs more."""
        if self._most is None:
            return None
        costs = (1 if along is None else _SCATTERED) * (1 if self._filter.text is None else _LOWERED)
        return max(1, self._most // costs)

    def _unfinished(self, found: list[Execution], below: int, place: Place) -> Page:
        """A page of what was walked through, and of what an index knows of all the rest."""
        place = replace(place, number=below)
        at = self._read("execution", {"number": place.number})
        searched_to = rows.execution(at[0]).created_at if at else None
        if self._filter.text is None:
            return Page(executions=found, next=str(place), searched_to=searched_to)
        if place.past:
            return Page(executions=found, next=str(place), searched_to=searched_to, past=place.past)
        place = replace(place, past=self._what_is_few(), found=place.number)
        beyond = self._at_once(place, limit=self._limit - len(found))
        return replace(beyond, executions=[*found, *beyond.executions], searched_to=searched_to, past="")

    def _at_once(self, place: Place, *, limit: int) -> Page:
        """What an index knows of a text and lies after where it was walked to; the walk goes on after it."""
        found: list[Execution] = []
        if place.past != "n":
            bound = self._past(place.past) | {"before": place.found, "limit": MOST_LOOKED_THROUGH}
            numbers = list(dict.fromkeys(number for (number,) in self._read("newest_at_once", bound)))
            found = self._of_numbers(numbers, limit=limit + 1)
        shown = found[:limit]
        on = replace(place, found=None)
        if len(found) > limit:
            following = replace(place, found=shown[-1].number if shown else place.found)
        else:
            following = on
        known = frozenset(each.number for each in shown)
        return Page(executions=shown, next=str(following), place=on, at_once=known)

    def _what_is_few(self) -> str:
        """What an index finds of the text: also what begins with it, what is exactly it, or too much."""
        for past in ("p", "e"):
            bound = self._past(past) | {"most": MOST_LOOKED_THROUGH + 1}
            if self._read("count_at_once", bound)[0][0] <= MOST_LOOKED_THROUGH:
                return past
        return "n"

    def _past(self, past: str) -> Values:
        """The values of `at_once`; `p`: with beginnings, `e`: whole ids only."""
        if past not in ("p", "e") or self._filter.text is None:
            return {}
        text = rows.text(self._filter.text)
        ids = [id for (id,) in self._read("ids_of_person", {"visitor": text})] or [text]
        number, length = id_part(text) or (0, 0)
        shift = 5 * (13 - length)
        begins = text if past == "p" else ""
        return {
            "ids": json.dumps(ids),
            "begins": begins,
            "ends": begins + "\U0010ffff" if begins else "",
            "length": len(begins),
            "first_id": min(number << shift, rows.LARGEST) if length else 1,
            "last_id": min(((number + 1) << shift) - 1, rows.LARGEST) if length else 0,
            "is_past_at_once": 1,
        }

    def _start(self) -> int:
        """Above every number that the filter can mean: what ended before an instant was made before it."""
        of = self._filter
        until = [
            each for each in (of.created_until, of.due_until, of.finished_until, of.failed_until) if each
        ]
        if not until:
            return rows.LARGEST
        # the first and the last years have no number that a database holds
        return max(1, min(rows.LARGEST, *(first_number_of(_later(each)) for each in until)))

    # --- by when they are due

    def by_due(self, after: tuple[int, int] | None) -> Page:
        """The page after a place: when what stands there is due, and its number."""
        if replace(self._filter, due_from=None, due_until=None) == _NOTHING:
            return self._paged_by_due(self._rows_by_due(after, self._bound))
        if (numbers := self._few()) is not None:
            bound = self._bound | {"numbers": json.dumps(numbers), "limit": self._limit + 1} | _after(after)
            return self._paged_by_due(self._executions("find_numbers_by_due", bound))
        return self._walked_by_due(after)

    def _few(self) -> list[int] | None:
        """The numbers of what one index makes few of."""
        for name in ("waiting", "failed", "finished"):
            if (numbers := self._numbers(name, rows.LARGEST, by_due=True)) is not None:
                return numbers
        for name in _ALONG:
            if self._has(name):
                bound = self._of(name) | {"before": rows.LARGEST, "limit": MOST_LOOKED_THROUGH + 1}
                found = self._read("newest_along", bound)
                if len(found) <= MOST_LOOKED_THROUGH:
                    return [number for (number,) in found]
        return None

    def _walked_by_due(self, after: tuple[int, int] | None) -> Page:
        found: list[Execution] = []
        most = self._most_walked(None)
        walked, step = 0, _step(0, most)
        of = self._also(("due_from", "due_until"))
        if (since := self._first_waiting()) is not None:
            of["due_from"] = since if of["due_from"] is None else max(since, of["due_from"])
        while True:
            end = self._read("end_of_step_by_due", self._since(after, of) | {"step": step - 1})
            up_to: Values = {"limit": self._limit + 1 - len(found)}
            if end:
                due, number = end[0]
                until = due + 1 if of["due_until"] is None else min(of["due_until"], due + 1)
                up_to |= {"due_until": until, "up_to_due": due, "up_to_number": number}
            found += self._rows_by_due(after, of | up_to)
            if not end or len(found) > self._limit:
                return self._paged_by_due(found)
            after, walked = (due, number), walked + step
            if not (step := _step(walked, most)):
                cursor = str(Place(due=due, number=number))
                return Page(executions=found, next=cursor, searched_to=from_ms(due))

    def _first_waiting(self) -> int | None:
        """When the first of those that wait is due, where only such are meant."""
        if not self._filter.statuses or not _WAITING.issuperset(self._filter.statuses):
            return None
        waits = [due for name, due in self._read("waiting", {}) if self._filter.integration in (None, name)]
        leased = [due for (due,) in self._read("first_leased_due", {}) if due is not None]
        return min([*waits, *leased], default=rows.LARGEST)

    # --- both

    def whole_count(self) -> int:
        """How many there are: of what waits, only that is read, else it may be every row."""
        if self._has_set("waiting"):
            statement = "count_waiting" if self._is_of("waiting") else "count_among_waiting"
            bound = self._bound | self._waiting() | {"most": rows.LARGEST}
            return int(self._read(statement, bound)[0][0])
        return int(self._read("count", self._bound)[0][0])

    def count(self) -> tuple[int, bool]:
        """How many there are, and whether that is all; no more than a page would hold."""
        along, most = self._along(), self._limit
        if self._is_of("waiting"):
            counted = self._read("count_waiting", self._bound | self._waiting() | {"most": most})
        elif _is_all(self._filter, along):
            statement = "count_ended" if along == "status" else "count_up_to"
            counted = self._read(statement, self._of(along) | {"most": most})
        elif alone := [name for name in ("failed", "finished", "due") if self._is_of(name)]:
            counted = self._read(f"count_{alone[0]}", self._bound | {"most": most})
        else:
            of, walked = self._of(along) | {"before": self._start()}, self._most_walked(along)
            end = [] if walked is None else self._read("end_of_step", of | {"step": walked - 1})
            of |= {"down_to": end[0][0] if end else None, "most": most}
            counted = self._read("count_up_to", of)
            return counted[0][0], not end and counted[0][0] < most
        return counted[0][0], counted[0][0] < most

    def _along(self) -> str | None:
        """The criterion whose index is walked along: one that makes few of all, where there is one."""
        there = [name for name in _ALONG if self._has(name)]
        if len(there) > 1:
            for name in there:
                bound = self._of(name) | {"before": rows.LARGEST, "step": _STEP}
                if not self._read("end_of_step", bound):
                    return name
        return there[0] if there else None

    def _has(self, name: str) -> bool:
        if name == "status":
            return len(self._filter.statuses) == 1 and self._filter.statuses[0] in _ENDED
        return self._bound[name] is not None

    def _is_of(self, name: str) -> bool:
        """Whether the filter has the criteria of this set, and no other."""
        return self._has_set(name) and replace(self._filter, **_SETS[name]) == _NOTHING

    def _has_set(self, name: str) -> bool:
        if name == "waiting":
            return bool(self._filter.statuses) and _WAITING.issuperset(self._filter.statuses)
        return any(getattr(self._filter, each) is not None for each in _SETS[name])

    def _numbers(self, name: str, before: int, *, by_due: bool = False) -> list[int] | None:
        """The numbers of a set, the newest first, no more than are shown where all is known of them by it.

        None where the filter has no such criteria, and where there are too many.
        """
        if not self._has_set(name):
            return None
        is_all = self._is_of(name) and not by_due
        bound = self._bound | (self._waiting() if name == "waiting" else {})
        most = MOST_SORTED if is_all else MOST_LOOKED_THROUGH
        if self._read(f"count_{name}", bound | {"most": most + 1})[0][0] > most:
            return None
        limit = self._limit + 1 if is_all else most
        while True:  # what ended several times is found as often
            found = self._read(f"newest_{name}", bound | {"before": before, "limit": limit})
            numbers = list(dict.fromkeys(number for (number,) in found))
            if not is_all or len(found) < limit or len(numbers) > self._limit:
                return numbers
            limit *= 4

    def _waiting(self) -> Values:
        return {
            "waits": int(Status.PENDING in self._filter.statuses),
            "statuses": json.dumps([each.value for each in self._filter.statuses]),
            "status": None,
            **{name: self._bound[name] for name in ("integration", "due_from", "due_until")},
        }

    def _of(self, along: str | None) -> Values:
        """The values with which only this criterion may be looked up in an index."""
        own = 1 if along not in (None, "status") else None  # the others' indexes do not have `attempt`
        plain = () if along is None else (along,)
        return self._also(plain) | {"ended": 1 if along == "status" else None, "is_own_index": own}

    def _also(self, plain: Sequence[str]) -> Values:
        bound = self._bound | {"ended": None}
        for name in _ALSO:
            if name not in plain:
                bound |= {name: None, f"{name}_also": self._bound.get(name)}
        return bound

    def _since(self, after: tuple[int, int] | None, of: Values) -> Values:
        if after is None:
            return of
        since = after[0] if of["due_from"] is None else max(after[0], of["due_from"])
        return of | {"due_from": since} | _after(after)

    def _rows(self, before: int, of: Values) -> list[Execution]:
        return self._executions("find", {"limit": self._limit + 1} | of | {"before": before})

    def _rows_by_due(self, after: tuple[int, int] | None, of: Values) -> list[Execution]:
        return self._executions("find_by_due", {"limit": self._limit + 1} | self._since(after, of))

    def _of_numbers(self, numbers: Sequence[int], *, limit: int | None = None) -> list[Execution]:
        bound = self._bound | {"numbers": json.dumps(numbers), "limit": limit or self._limit + 1}
        return self._executions("find_numbers", bound) if numbers else []

    def _executions(self, statement: str, bound: Values) -> list[Execution]:
        return [rows.execution(row) for row in self._read(statement, bound)]

    def _paged(self, found: list[Execution], place: Place) -> Page:
        shown = found[: self._limit]
        page = Page(executions=shown, next=None, past=place.past)
        return replace(page, next=page.after(shown[-1], Sort.NEWEST)) if len(found) > self._limit else page

    def _paged_by_due(self, found: list[Execution]) -> Page:
        shown = found[: self._limit]
        after = Place.of(shown[-1], Sort.DUE) if len(found) > self._limit else None
        return Page(executions=shown, next=None if after is None else str(after))


def _is_all(filter: Filter, along: str | None) -> bool:
    """Whether a filter asks for this criterion, and nothing else."""
    if along is None:
        return filter == _NOTHING
    return replace(filter, **{"statuses": ()} if along == "status" else {along: None}) == _NOTHING


def _after(after: tuple[int, int] | None) -> Values:
    return {} if after is None else {"after_due": after[0], "after_number": after[1]}


def _step(walked: int, most: int | None) -> int:
    """How many rows are walked through next; 0 when it is enough."""
    step = _STEP if walked else _FIRST_STEP
    return step if most is None else min(step, most - walked)


def _later(instant: datetime) -> datetime:
    """A while later, as far as there are days."""
    return instant if instant.year >= 9999 else instant + _PUT_BACK
