"""Operations: what an operator does to many executions, or to a whole integration."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from experience_runtime.documents.documents import Redact
from experience_runtime.domain.admission import ALL, NO_POLICIES, IntegrationState, Policies, Policy, state_of
from experience_runtime.domain.errors import Conflict, InvalidParameter, Refusal
from experience_runtime.domain.executions import (
    REPLACED,
    Execution,
    Filter,
    NewPayload,
    Status,
    execution_number,
)
from experience_runtime.domain.instants import iso
from experience_runtime.domain.options import Options
from experience_runtime.domain.pace import PaceState
from experience_runtime.domain.payloads import check_payload
from experience_runtime.domain.planning import check_reason, plan_move
from experience_runtime.domain.schedules import Schedule, timing_of
from experience_runtime.engine.claims import made_when_asked_at
from experience_runtime.engine.judging import window_of
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.engine.receivers import pace_key
from experience_runtime.engine.stores import Store

BATCH = 500

Progress = Callable[[int], None]
"""Hears how many of the matching executions have been looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many executions were looked at, the ids of those that changed, and where the next one begins."""

    seen: int
    done: Sequence[str]
    cursor: str | None


def _unheard(_: int) -> None:
    pass


class Operations:
    """Pause and resume an integration; restore and move one execution; change all of a filter."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        integrations: Integrations,
        policies: Policies = NO_POLICIES,
        redact: Redact,
    ) -> None:
        """`redact` takes the secrets out of what is told."""
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._policies = policies
        self._redact = redact

    def pause(self, integration: str, *, reason: str | None = None) -> IntegrationState:
        """Let nothing of this integration start any more; what is due waits. What runs is not stopped.

        Raises UnknownIntegration, or Conflict when it is paused already.
        """
        self._integrations.get(integration)
        reason, now = check_reason(reason), self._clock.now()

        def change(state: IntegrationState) -> IntegrationState:
            if state.paused_at is not None:
                raise Conflict(
                    f"{integration} is paused since {iso(state.paused_at)}; resume it first to pause it anew"
                )
            return replace(state, paused_at=now, pause_reason=reason)

        return self._store.integration_states.change_by_hand("pause", integration, change, now=now)

    def hold_all(self, *, reason: str | None = None) -> IntegrationState:
        """Let nothing start any more, of any integration, by any worker; what is due waits, and is judged by
        its window when it goes on. What runs is not stopped. Raises Conflict when everything is held already.
        """
        reason, now = check_reason(reason), self._clock.now()

        def change(state: IntegrationState) -> IntegrationState:
            if state.paused_at is not None:
                raise Conflict(
                    f"everything is held since {iso(state.paused_at)}; "
                    "`experience resume all` lets it go on, and then it can be held anew"
                )
            return replace(state, paused_at=now, pause_reason=reason)

        return self._store.integration_states.change_by_hand("hold", ALL, change, now=now)

    def resume_all(self) -> IntegrationState:
        """Let what is held go on; a paused integration stays paused. Conflict when nothing is held."""

        def change(state: IntegrationState) -> IntegrationState:
            if state.paused_at is None:
                raise Conflict("nothing is held: deliveries go on")
            return IntegrationState(integration=ALL)

        return self._store.integration_states.change_by_hand("resume", ALL, change, now=self._clock.now())

    def held_since(self) -> datetime | None:
        """Since when everything is held; None when it is not."""
        return self._store.integration_states.of(ALL).paused_at

    def resume(self, integration: str) -> IntegrationState:
        """Let a paused integration go on, with its circuit breaker closed; what is due starts at once.

        One whose circuit breaker is open may be resumed too. Raises Conflict when nothing holds it. An
        integration that is gone may be resumed: its executions then fail with `unknown_integration`.
        """

        if integration == ALL:
            self._integrations.get(integration)  # no integration is named so

        def change(state: IntegrationState) -> IntegrationState:
            if state.paused_at is None and state.opened_at is None:
                raise Conflict(f"{integration} is not paused, and its circuit breaker is closed")
            return IntegrationState(integration=integration, free_at=state.free_at)

        return self._store.integration_states.change_by_hand(
            "resume", integration, change, now=self._clock.now()
        )

    def move(self, execution_id: str, options: Options, *, reason: str | None = None) -> Execution:
        """Let a pending execution run at another instant: `delay` or `time`, and then inside its window.

        Its retries, its key and whom it is for stay. Raises UnknownExecution, Conflict naming the state it is
        in, or the Refusal of what is wrong with the instant.
        """
        number, reason = execution_number(execution_id), check_reason(reason)
        now = made_when_asked_at() or self._clock.now()
        asked = plan_move(options, now=now)
        window, refusal = window_of(self._store.execution(number))
        if refusal is not None:
            raise refusal
        due_at = asked if window is None else window.next_inside(asked)
        moved = self._store.move(number, due_at=due_at, reason=reason, now=now)
        if moved is None:
            status = self._store.execution(number).status
            raise Conflict(f"{execution_id} is {status}; only a pending execution can be moved")
        return moved

    def run_now(self, execution_id: str, *, reason: str | None = None) -> Execution:
        """Let a pending execution run at once; a closed window delays it. Raises what `move` does."""
        return self.move(execution_id, {"delay": 0}, reason=reason or "run now")

    def waits_because(self, executions: Sequence[Execution]) -> dict[str, str]:
        """Tell for each pending execution, by its id, what else than its time it waits for."""
        integration_states, now = self._store.integration_states.all(), self._clock.now()
        paces: dict[tuple[str, str], PaceState] | None = None  # looked up for those that are due, if any are
        told = {}
        for each in executions:
            if each.status is not Status.PENDING:
                continue
            state = state_of(integration_states, each.integration)
            if each.due_at > now and state.paused_at is None:
                continue
            because = state.waits_because(self._policy(each.integration), now=now)
            if because is None:
                if paces is None:
                    paces = {(pace.integration, pace.key): pace for pace in self._paces(now)}
                pace = paces.get((each.integration, each.pace_key))
                because = None if pace is None else pace.because(now=now)
            if because:
                told[each.id] = self._redact(because)
        return told

    def _policy(self, integration: str) -> Policy:
        with suppress(Refusal):  # whether it is broken shows when it is loaded
            self._integrations.get(integration)
        return self._policies.of(integration)

    def holds(self) -> dict[str, str]:
        """Tell for each integration that may not be called now, or not all of its receivers, why.

        Under ALL, why none may.
        """
        now = self._clock.now()
        states = self._store.integration_states.all()
        names = dict.fromkeys((*states, *self._integrations.names()))
        told = {
            name: (states.get(name) or IntegrationState(integration=name)).waits_because(
                self._policy(name), now=now
            )
            for name in names
        }
        for pace in self._paces(now):
            told[pace.integration] = told.get(pace.integration) or pace.because(now=now)
        return {name: self._redact(because) for name, because in told.items() if because}

    def held_by_pace(self) -> Mapping[str, int]:
        """Count for each integration the receivers that are not called now, for their pace."""
        now = self._clock.now()
        return Counter(pace.integration for pace in self._paces(now) if pace.because(now=now))

    def _paces(self, now: datetime) -> Sequence[PaceState]:
        return [pace for pace in self._store.paces.all() if pace.is_current(now)]

    def replay_with(
        self, execution_id: str, payload: object, *, reason: str | None = "replayed"
    ) -> Execution:
        """Run a finished execution again, now, with another payload; its own stands in the history.

        Raises what `Scheduler.replay` does, and what is wrong with the payload for its integration. One that
        is the same as its own is no change.
        """
        number, reason = execution_number(execution_id), check_reason(reason)
        found, text = self._store.execution(number), check_payload(payload)
        parsed = self._integrations.parse_payload(found.integration, json.loads(text))
        changed = None
        if json.loads(text) != json.loads(found.payload):
            key_of_pace = pace_key(self._integrations, found.integration, parsed)
            changed = NewPayload(payload=text, pace_key=key_of_pace)
        replayed = self._store.replay(number, reason=reason, now=self._clock.now(), changed=changed)
        if replayed is None:
            raise Conflict(
                f"{execution_id} is {self._store.execution(number).status}; "
                "only one that failed or succeeded can be replayed"
            )
        return replayed

    def restore(self, execution_id: str, *, reason: str | None = "restored") -> Execution:
        """Take a cancel back: the execution is pending again, at its own time.

        Raises UnknownExecution, AlreadyScheduled while its key is pending, or Conflict naming its state, its
        time that is past, or the conversion.
        """
        number = execution_number(execution_id)
        restored = self._store.restore(number, reason=check_reason(reason), now=self._clock.now())
        if restored is None:
            status = self._store.execution(number).status
            raise Conflict(f"{execution_id} is {status}; only a cancelled execution can be restored")
        return restored

    def restore_schedule(self, name: str) -> Schedule:
        """Take the removal of a schedule back, within a day: it goes on with its next instant from now, and
        what it would have fired meanwhile is not caught up. One that was paused is paused.

        Raises UnknownSchedule, or Conflict when there is one of this name again.
        """
        now = self._clock.now()

        def restored(schedule: Schedule) -> Schedule:
            next_at = None if schedule.paused_at else timing_of(schedule).next_after(now)
            return replace(schedule, next_at=next_at, updated_at=now, version=schedule.version + 1)

        return self._store.schedules.restore(name, restored, now=now)

    def removed_schedules(self) -> Sequence[tuple[Schedule, datetime]]:
        """Those that can be restored, and when each was removed, the last first."""
        return self._store.schedules.removed(now=self._clock.now())

    def cancel_matching(
        self, filter: Filter, *, reason: str | None, progress: Progress = _unheard
    ) -> list[str]:
        """Cancel every pending execution the filter means; return the ids. A batch is a transaction."""
        return _heard(self.batches("cancel", filter, reason=reason), progress)

    def replay_matching(
        self, filter: Filter, *, reason: str | None = "replayed", progress: Progress = _unheard
    ) -> list[str]:
        """Replay what the filter means, and return the ids; see `replayable`. A batch is a transaction.

        Passed over are those whose key is pending again, and those that a conversion since would cancel.
        """
        return _heard(self.batches("replay", filter, reason=reason), progress)

    def restore_matching(
        self, filter: Filter, *, reason: str | None = "restored", progress: Progress = _unheard
    ) -> list[str]:
        """Take the cancels back of what the filter means, and return the ids. A batch is a transaction.

        Passed over are those that cannot be restored, as `restore` says, and those that were replaced, unless
        the filter asks for them.
        """
        return _heard(self.batches("restore", filter, reason=reason), progress)

    def move_matching(
        self, filter: Filter, due_at: datetime, *, reason: str | None, progress: Progress = _unheard
    ) -> list[str]:
        """Move every pending execution the filter means, each inside its window; return the ids."""
        return _heard(self.batches("move", filter, reason=reason, due_at=due_at), progress)

    def batches(
        self,
        verb: str,
        filter: Filter,
        *,
        reason: str | None,
        cursor: str | None = None,
        due_at: datetime | None = None,
    ) -> Iterator[Batch]:
        """Do one of `VERBS` to what a filter means, from a cursor on; each batch is a transaction."""
        reason = check_reason(reason)
        wanted = meant(verb, filter)
        while True:
            page = self._store.find(wanted, cursor=cursor, limit=BATCH)
            done = self._each(verb, filter, page.executions, reason, due_at)
            cursor = page.next
            yield Batch(seen=len(page.executions), done=done, cursor=cursor)
            if cursor is None:
                return

    def _each(
        self,
        verb: str,
        filter: Filter,
        executions: Sequence[Execution],
        reason: str | None,
        due_at: datetime | None,
    ) -> list[str]:
        now, numbers = self._clock.now(), [each.number for each in executions]
        match verb:
            case "cancel":
                return self._store.cancel_each(numbers, reason=reason, now=now)
            case "replay":
                return self._store.replay_each(numbers, reason=reason, now=now)
            case "restore":
                # a later one has taken its place, and may have been delivered since
                again = [each.number for each in executions if filter.reason or each.reason != REPLACED]
                return self._store.restore_each(again, reason=reason, now=now)
        asked = now if due_at is None else max(due_at, now)
        return self._store.move_each(list(_moves(executions, asked)), reason=reason, now=now)


def _moves(executions: Sequence[Execution], asked: datetime) -> Iterator[tuple[int, datetime]]:
    for each in executions:
        window, refusal = window_of(each)
        if refusal is None:
            yield each.number, asked if window is None else window.next_inside(asked)


def _heard(batches: Iterator[Batch], progress: Progress) -> list[str]:
    done: list[str] = []
    seen = 0
    for batch in batches:
        done += batch.done
        seen += batch.seen
        progress(seen)
    return done


DONE: Mapping[str, str] = {
    "cancel": "cancelled",
    "replay": "replayed",
    "restore": "restored",
    "move": "moved",
}
"""What has become of what a verb was done to."""

_STATES: Mapping[str, Sequence[Status]] = {
    "cancel": (Status.PENDING,),
    "replay": (Status.FAILED, Status.SUCCEEDED),
    "restore": (Status.CANCELLED,),
    "move": (Status.PENDING,),
}
"""Which states can be named with a verb; where none is, the first is meant."""


def fitting_verbs(filter: Filter) -> list[str]:
    """Those of `VERBS` that can be done to what a filter means, by the states that it names."""
    return [verb for verb, allowed in _STATES.items() if all(each in allowed for each in filter.statuses)]


def meant(verb: str, filter: Filter) -> Filter:
    """What of a filter one of `VERBS` is done to; InvalidParameter when it names another state."""
    allowed = _STATES[verb]
    return _only(filter, allowed[:1], allowed, DONE[verb])


def _only(filter: Filter, usual: Sequence[Status], allowed: Sequence[Status], verb: str) -> Filter:
    for status in filter.statuses:
        if status not in allowed:
            raise InvalidParameter(
                f"status {status} cannot be {verb}; only {' and '.join(allowed)} executions can be"
            )
    return replace(filter, statuses=filter.statuses or usual)
