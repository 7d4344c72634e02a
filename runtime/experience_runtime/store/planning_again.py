"""Planning again: what waits for a window, after the rules of the time zones have changed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import to_ms
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_AT_ONCE = 500
_FIRST = (-(2**62), -1)

Place = tuple[int, int]
"""Of a row, in the order in which rows are due: (due_at, number)."""


@dataclass(frozen=True, slots=True)
class PlanningAgain:
    """`zone_rules` is the release to plan by; `due_of` tells when an execution is due by it."""

    database: Database
    zone_rules: str
    due_of: Callable[[Execution], datetime]

    def of(self, integration: str) -> Iterator[list[Execution]]:
        """Plan what waits of one integration, a batch a transaction; give those whose instant changed."""
        place: Place | None = _FIRST
        while place is not None:
            moved, place = self.database.write(partial(self._some, integration, place))
            yield moved

    def _some(self, integration: str, place: Place) -> tuple[list[Execution], Place | None]:
        bound = {
            "integration": rows.text(integration),
            "zone_rules": self.zone_rules,
            "from_due": place[0],
            "from_number": place[1],
            "limit": _AT_ONCE,
        }
        found = [rows.execution(row) for row in self.database.execute("planned_by_others", bound)]
        moved = []
        planned = []
        for before in found:
            after = replace(before, due_at=self.due_of(before), zone_rules=self.zone_rules)
            planned.append([after.number, to_ms(after.due_at)])
            if after.due_at != before.due_at:
                moved.append(after)
        if planned:
            bound = {"planned": json.dumps(planned), "zone_rules": self.zone_rules}
            self.database.execute("plan_again", bound)
        last = (to_ms(found[-1].due_at), found[-1].number) if len(found) == _AT_ONCE else None
        return moved, last
