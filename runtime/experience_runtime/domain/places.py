"""Places: where in a list of executions the next page begins, as its cursor spells it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from experience_runtime.domain.errors import InvalidParameter, UnknownExecution
from experience_runtime.domain.executions import Execution, Sort, execution_id, execution_number
from experience_runtime.domain.instants import to_ms

_NEWEST = re.compile(r"(ex_\w{1,13})(?:\.([pen])(?:\.(ex_\w{1,13}))?)?", re.ASCII)
_DUE = re.compile(r"(-?\d{1,15})\.(ex_\w{1,13})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """After the execution of this number, which may be there no more; `due` in a list by when they are due.

    A text that was not found in one look is walked to, while an index tells some of it at once: `past` says
    what it told (p: also ids that begin with the text, e: whole ids, n: nothing), so that the walk leaves
    that out; `found` is the last of it that a page has shown, None when all were.
    """

    number: int
    due: int | None = None
    past: str = ""
    found: int | None = None

    @classmethod
    def of(cls, execution: Execution, sort: Sort) -> Self:
        """That of an execution."""
        return cls(number=execution.number, due=None if sort is Sort.NEWEST else to_ms(execution.due_at))

    @classmethod
    def read(cls, cursor: str, sort: Sort) -> Self:
        """What `str` gave; InvalidParameter for any other text."""
        form = (_NEWEST if sort is Sort.NEWEST else _DUE).fullmatch(cursor)
        try:
            if form is None:
                raise UnknownExecution(cursor)
            if sort is Sort.DUE:
                return cls(number=execution_number(form[2]), due=int(form[1]))
            found = None if form[3] is None else execution_number(form[3])
            return cls(number=execution_number(form[1]), past=form[2] or "", found=found)
        except UnknownExecution:
            raise InvalidParameter(
                f"{cursor[:64]!r} is not a cursor of this order; "
                "pass the `next` of the page before, unchanged"
            ) from None

    def __str__(self) -> str:
        if self.due is not None:
            return f"{self.due}.{execution_id(self.number)}"
        parts = [execution_id(self.number)]
        parts += [self.past] if self.past else []
        parts += [] if self.found is None else [execution_id(self.found)]
        return ".".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Executions in the order asked for; `next` is the cursor of the following page, None at the end.

    `searched_to`: where a search that was not over had come to, the instant that what it saw last was made
    (in a list by when they are due, was due); None when it was over, or the page full. `at_once` has
    the numbers of what lies beyond that, which an index told; `place` is then where the search goes on.
    `past`: see `Place`, of the others.
    """

    executions: Sequence[Execution]
    next: str | None
    searched_to: datetime | None = None
    past: str = ""
    place: Place | None = None
    at_once: frozenset[int] = frozenset()

    def after(self, execution: Execution, sort: Sort) -> str:
        """The cursor of what follows this one of the page."""
        if self.place is not None and execution.number in self.at_once:
            return str(replace(self.place, found=execution.number))
        return str(replace(Place.of(execution, sort), past=self.past))
