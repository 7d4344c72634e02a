"""Claiming: which due executions are leased next, by what their integrations and receivers have room for."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.admission import UNLIMITED, Policies
from experience_runtime.domain.errors import Refusal
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.pace import HELD_TOO_LONG, PaceState
from experience_runtime.domain.windows import parse_window_text
from experience_runtime.domain.zones import parse_zone
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.integration_states import SqlIntegrationStates
from experience_runtime.store.paces import SqlPaces
from experience_runtime.store.rooms import SLOW, Candidate, View

CLAIMS = "claims"
"""The name that whoever claims holds."""

_MOST_LOOKS = 8  # at one integration in one claim; the next claim goes on
_AT_ONCE = 100  # of those that a pace has held too long
_BEHIND = 250  # of those that stand behind a receiver that is full, at one look
_AHEAD = timedelta(seconds=60)  # how far `next_wake` walks past what is full; news wakes sooner
_LATE = timedelta(seconds=1)

_HELD_AT = [column.name for column in rows.EXECUTION].index("held_at")
_Row = tuple[Any, ...]
_Due = tuple[int, int, str]  # due_at, number, pace key


class Claiming:
    """Takes what is due; only inside an act of the database."""

    def __init__(self, database: Database, states: SqlIntegrationStates, paces: SqlPaces) -> None:
        self._database = database
        self._states = states
        self._paces = paces

    def claim_due(
        self,
        *,
        now: datetime,
        lease_until: datetime,
        limit: int,
        policies: Policies,
        ahead_until: datetime | None = None,
    ) -> list[Execution]:
        """Lease what is due and has room; inside `Database.write`."""
        # One claims at a time: what limits, rates, paces and breakers leave room for is counted, then taken.
        self._database.hold(CLAIMS)
        found = self._database.execute("waiting", {})
        if ahead_until is not None and self._nothing_holds_back(found, policies, ahead_until):
            now, limit = ahead_until, UNLIMITED
        waiting = [name for name, due_at in found if policies.serves(name) and due_at <= to_ms(now)]
        if not waiting:
            return []
        for integration in waiting:
            if policies.of(integration).rate_count is not None:
                self._states.hold(integration)
        view = self._look(policies, now, to_spend=waiting)
        limit = min(limit, max(0, policies.room(view.of_integrations)))
        chosen: list[Candidate] = []  # rank, due_at, number, integration, pace key
        for integration in waiting:
            state, policy = view.state(integration), policies.of(integration)
            room = state.room(policy, in_flight=view.of_integrations[integration], now=now)
            if state.paused_at is None and policy.broken is None:
                view.too_long += self._held_too_long(integration, view)
            if room:
                chosen += self._candidates(integration, min(limit, room), view)
        chosen = view.fair(chosen, limit)
        self._spend(chosen, view)
        late = to_ms(now - _LATE)
        paced = [(each, view.paces.get((each.integration, each.key))) for each in chosen]
        self._note_held([(c.number, c.due_at, pace) for c, pace in paced if pace and c.due_at <= late])
        numbers = [*(each.number for each in chosen), *view.too_long]
        bound = {"numbers": json.dumps(numbers), "lease_until": to_ms(lease_until)}
        claimed: Sequence[_Row] = self._database.execute("claim", bound) if numbers else []
        if view.too_long or any(row[_HELD_AT] is not None for row in claimed):
            claimed = self._forget_old_holds(claimed, view)
        return sorted(map(rows.execution, claimed), key=lambda each: (each.due_at, each.number))

    def _nothing_holds_back(self, found: Sequence[_Row], policies: Policies, until: datetime) -> bool:
        """Whether all that is due by then may begin, each at its instant, whatever the others come to."""
        if policies.limit_concurrency or self._states.known() or self._paces.known():
            return False
        names = [name for name, due_at in found if policies.serves(name) and due_at <= to_ms(until)]
        return all(policies.of(name).rate_count is None and policies.start(name) is None for name in names)

    def next_wake(self, *, now: datetime, policies: Policies) -> datetime | None:
        """The earliest instant at which something may be claimed or given back; None for never."""
        lapses, first_of_each = self._database.execute_together([("next_lapse", {}), ("waiting", {})])
        found = [from_ms(at) for (at,) in lapses if at is not None]
        if waiting := [(name, due_at) for name, due_at in first_of_each if policies.serves(name)]:
            view = self._look(policies, now)
            if policies.room(view.of_integrations) >= 1:
                for integration, due_at in waiting:
                    found += self._wakes(integration, from_ms(due_at), view)
        return min(found, default=None)

    def _wakes(self, integration: str, due_at: datetime, view: View) -> Sequence[datetime]:
        state, policy = view.state(integration), view.policies.of(integration)
        admitted_at = state.admits_at(policy, in_flight=view.of_integrations[integration], now=view.now)
        if admitted_at is None:
            return []
        full, is_tight = view.full_keys(integration), view.is_tight(integration)
        if not (full or is_tight):
            return [due_at if admitted_at == view.now else max(due_at, admitted_at)]
        admitted = [at for at in full.values() if at is not None]
        if is_tight:
            admitted.append(view.now + SLOW)  # a call that holds it up has left its slot by then, or ends
        look_until = max(admitted_at, min([*admitted, view.now + _AHEAD]))
        if due_at > look_until:
            return [due_at]
        first = self._first_free(integration, full, look_until, view)
        free = [] if first is None else [max(first, admitted_at)]
        return [*free, max(due_at, min(admitted), admitted_at)] if admitted else [*free, look_until]

    def _first_free(
        self, integration: str, full: Collection[str], until: datetime, view: View
    ) -> datetime | None:
        """When the first of one integration is due whose receiver has room."""
        shut = set(full)
        limit = _BEHIND if view.is_tight(integration) else 1
        for _ in range(_MOST_LOOKS):
            bound = {
                "integration": integration,
                "now": to_ms(until),
                "shut": _listed(shut),
                "limit": limit,
            }
            found = self._database.execute("first_due", bound)
            for due_at, key in found:
                if view.room(integration, key):
                    return from_ms(due_at)
            if len(found) < limit:
                break
            shut |= {key for _, key in found}
        return None

    def _look(self, policies: Policies, now: datetime, *, to_spend: Sequence[str] = ()) -> View:
        found = self._database.execute_together([("integration_states", {}), ("paces", {})])
        states, paces = self._states.read(found[0]), self._paces.read(found[1])
        if to_spend and (paces or any(policies.start(integration) for integration in to_spend)):
            self._paces.hold()
            paces = self._paces.known()  # as they are now that nobody else changes them
        paces = {receiver: pace for receiver, pace in paces.items() if pace.is_current(now)}
        view = View(policies=policies, now=now, states=states, paces=paces)
        if (
            policies.limit_concurrency
            or any(state.opened_at for state in states.values())
            or any(pace.probing for pace in paces.values())
        ):
            bound = {"slow_since": to_ms(now - SLOW)}
            for integration, key, count, slow in self._database.execute("in_flight", bound):
                view.count((integration, key), count, slow)
        return view

    def _candidates(self, integration: str, room: int, view: View) -> list[Candidate]:
        """What of one integration might begin now, at most `room`, each with its place in its receiver's."""
        full = set(view.full_keys(integration))
        taken: Counter[str] = Counter()
        found: list[Candidate] = []
        seen: set[int] = set(view.too_long)
        wanted = room
        for _ in range(_MOST_LOOKS):
            bound = {
                "integration": integration,
                "now": to_ms(view.now),
                "limit": wanted + len(seen),  # what was seen, and is not full, comes first again
                "shut": _listed(full),
            }
            due: list[_Due] = [row for row in self._database.execute("due", bound) if row[1] not in seen]
            for due_at, number, key in due:
                seen.add(number)
                if taken[key] < view.room(integration, key):
                    rank = view.of_receivers[integration, key] + taken[key]
                    taken[key] += 1
                    found.append(Candidate(rank, due_at, number, integration, key))
            # A key that alone fills half of the room is left out of the next look: others stand behind it.
            filled = {key for _, _, key in due if taken[key] >= view.room(integration, key)}
            filled |= {key for key, count in taken.items() if key and 2 * count > room}
            if filled <= full:
                break
            full |= filled
            wanted = max(room, _BEHIND)
        return view.fair(found, room)

    def _held_too_long(self, integration: str, view: View) -> list[int]:
        before = view.now - HELD_TOO_LONG
        numbers: list[int] = []
        for (name, key), pace in view.paces.items():
            if name == integration and pace.since is not None and pace.since <= before:
                bound = {
                    "integration": integration,
                    "pace_key": key,
                    "before": to_ms(before),
                    "limit": _AT_ONCE,
                }
                due: list[_Due] = self._database.execute("held_too_long", bound)
                self._note_held([(number, due_at, pace) for due_at, number, _ in due])
                numbers += [number for _, number, _ in due]
        return numbers

    def _note_held(self, late: Sequence[tuple[int, int, PaceState]]) -> None:
        """Keep since when a pace has held each (number, due_at), unless that is known."""
        held = [[number, max(due_at, to_ms(pace.since or pace.seen_at))] for number, due_at, pace in late]
        if held:
            self._database.execute("note_held", {"held": json.dumps(held)})

    def _forget_old_holds(self, claimed: Sequence[_Row], view: View) -> Sequence[_Row]:
        """Nobody was there to call it, or the clock has jumped: it has not been held since then."""
        before = to_ms(view.now - HELD_TOO_LONG)
        old = [
            row[0]
            for row in claimed
            if row[_HELD_AT] is not None
            and row[_HELD_AT] <= before
            and row[0] not in view.too_long
            and _was_left_alone(rows.execution(row), view)
        ]
        if not old:
            return claimed
        self._database.execute("forget_holds", {"numbers": json.dumps(old)})
        return [(*row[:_HELD_AT], None, *row[_HELD_AT + 1 :]) if row[0] in old else row for row in claimed]

    def _spend(self, chosen: Sequence[Candidate], view: View) -> None:
        for integration, taken in Counter(each.integration for each in chosen).items():
            state = view.state(integration)
            spent = state.after_claim(view.policies.of(integration), taken=taken, now=view.now)
            if spent != state:
                self._states.put(spent)
        for receiver, taken in Counter((each.integration, each.key) for each in chosen).items():
            pace = view.pace(receiver)
            if pace is not None and (after := pace.after_claim(taken=taken, now=view.now)) != pace:
                self._paces.put(after)


def _was_left_alone(execution: Execution, view: View) -> bool:
    """Whether nobody can have called it: of one with a window, only its open hours count."""
    if execution.window is None:
        return True
    if (execution.integration, execution.pace_key) in view.paces or execution.held_at is None:
        return False
    try:
        window = parse_window_text(execution.window, parse_zone(execution.zone))
    except Refusal:  # its start refuses it, and says why
        return False
    return window.open_for(execution.held_at, view.now) >= HELD_TOO_LONG


def _listed(keys: Collection[str]) -> str:
    return json.dumps([[key] for key in sorted(keys)])
