"""The verbs: schedule, cancel, convert, execute. What a caller asks becomes rows at rest."""

import copy
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NoReturn

from experience_runtime.domain.admission import NO_POLICIES, Policies
from experience_runtime.domain.errors import Conflict, ExperienceError, InvalidParameter
from experience_runtime.domain.event_names import is_named
from experience_runtime.domain.executions import (
    LEASE_SECONDS,
    Execution,
    IfExists,
    Status,
    execution_id,
    execution_number,
)
from experience_runtime.domain.keys import canonical_key, key_digest, space_of
from experience_runtime.domain.payloads import check_payload
from experience_runtime.domain.planning import CancelPlan, Plan, check_reason, plan, plan_cancel, visitor_zone
from experience_runtime.domain.state_changes import require_for_callers
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor, check_visitor_id
from experience_runtime.engine.claims import made_when_asked_at, may_still_run
from experience_runtime.engine.execute_gate import NO_INTERVALS, ExecuteGate
from experience_runtime.engine.key_types import key_doubts
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.engine.prepared import (
    Cancelled,
    PreparedCancel,
    PreparedSchedule,
    Scheduled,
    Wanted,
    new_execution,
    owner_id,
    planned_execution,
)
from experience_runtime.engine.receivers import pace_key
from experience_runtime.engine.sites import Kind, acting_site
from experience_runtime.engine.stores import Added, Cancelling, Done, SchedulerStore
from experience_runtime.engine.together import Asked, carried_out, told_again
from experience_runtime.engine.unconfigured import unconfigured_warnings

_NOTHING: Mapping[str, object] = MappingProxyType({})
_UNNAMED_CONVERSION = "conversion"


class Scheduler:
    """The one way in, for HTTP, CLI, JavaScript, `App(…)` and the gateway."""

    def __init__(
        self,
        *,
        store: SchedulerStore,
        clock: Clock,
        integrations: Integrations,
        conversions: Sequence[str],
        execute_every_seconds: Mapping[str, int] = NO_INTERVALS,
        policies: Policies = NO_POLICIES,
        lease_seconds: int = LEASE_SECONDS,
        source: random.Random | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._conversions = tuple(conversions)
        self._gate = ExecuteGate(store=store, every_seconds=execute_every_seconds, policies=policies)
        self._lease = timedelta(seconds=lease_seconds)
        self._source = source or random.SystemRandom()
        self._numbers = ExecutionNumbers(self._source)
        self._release: int | None = None

    def of_release(self, number: int | None) -> "Scheduler":
        """The same for what a release of an experience asks for: its executions carry the number."""
        of_release = copy.copy(self)
        of_release._release = number
        return of_release

    def schedule(
        self,
        integration: str,
        payload: object,
        options: Mapping[str, object],
        *,
        defaults: Mapping[str, object] = _NOTHING,
        visitor: Visitor | None,
        experience: str | None = None,
        own_space: str | None = None,
    ) -> Scheduled:
        """Plan one execution and put it on disk. Raises the Refusal of the first rule it breaks.

        Missing settings of the integration are a warning: the execution can be replayed. With `own_space`, a
        key that is no visitor's is one for those who name this space, and for nobody else.
        Source: reference/schedule-options#schedule.
        """
        prepared = self.prepare_schedule(
            integration,
            payload,
            options,
            defaults=defaults,
            visitor=visitor,
            experience=experience,
            own_space=own_space,
        )
        return self._put(prepared)

    def prepare_schedule(
        self,
        integration: str,
        payload: object,
        options: Mapping[str, object],
        *,
        defaults: Mapping[str, object] = _NOTHING,
        visitor: Visitor | None,
        experience: str | None = None,
        own_space: str | None = None,
    ) -> PreparedSchedule:
        """Do everything of `schedule` but put it on disk; for `carry_out`."""
        wanted = self.want(integration, payload)
        planned = plan(options, defaults=defaults, now=wanted.at, visitor=visitor)
        return self._prepare(wanted, planned, visitor=visitor, experience=experience, own_space=own_space)

    def want(self, integration: str, payload: object) -> Wanted:
        """Check a payload for its integration, at this instant; what is planned for it, `put` takes."""
        require_for_callers(integration)
        found = self._integrations.get(integration)
        text = check_payload(payload)
        # The model reads what will be stored, not the caller's object: what passes now passes at run time.
        parsed = self._integrations.parse_payload(integration, json.loads(text))
        return Wanted(
            integration=integration,
            payload=text,
            pace_key=pace_key(self._integrations, integration, parsed),
            retries=found.retries,
            at=made_when_asked_at() or self._clock.now(),  # what is only told again keeps its instant
        )

    def put(
        self,
        wanted: Wanted,
        planned: Plan,
        *,
        visitor: Visitor | None,
        experience: str | None = None,
        key_space: str | None = None,
    ) -> Scheduled:
        """Put on disk what was planned for its instant.

        Keys are equal within a key space, by default the integration: with one of their own, executions of
        several integrations share their keys.
        """
        return self._put(
            self._prepare(wanted, planned, visitor=visitor, experience=experience, key_space=key_space)
        )

    def _put(self, prepared: PreparedSchedule) -> Scheduled:
        added = self._store.add(prepared.execution, prepared.plan.if_exists)
        return self._scheduled(prepared, added, *key_doubts(self._store, [prepared], [added]))

    def carry_out(
        self, prepared: Sequence[PreparedSchedule | PreparedCancel]
    ) -> list[Scheduled | Cancelled | ExperienceError]:
        """Put several on disk together, in this order; return what each would have returned alone.

        A key that is pending already, under `ifExists: 'reject'`, refuses that one only.
        """
        return [self._told(*each) for each in carried_out(self._store, prepared)]

    def carry_out_all(self, asked: Sequence[Asked]) -> list[Scheduled | Cancelled | ExperienceError]:
        """The same of all that one request asks, with what was refused already in its place."""
        return [self._told(*each) for each in carried_out(self._store, asked, are_all=True)]

    def _told(self, asked: Asked, done: Done, doubt: str | None) -> Scheduled | Cancelled | ExperienceError:
        match asked, done:
            case PreparedSchedule(), Added():
                return self._scheduled(asked, done, doubt)
            case PreparedCancel(), list():
                return self._cancelled(asked, done, doubt)
        return told_again(done)

    def _prepare(
        self,
        wanted: Wanted,
        planned: Plan,
        *,
        visitor: Visitor | None,
        experience: str | None,
        key_space: str | None = None,
        own_space: str | None = None,
    ) -> PreparedSchedule:
        owner = owner_id(visitor)
        key_owner = owner if planned.scope_is_visitor and owner else ""
        space = space_of(key_space or wanted.integration, None if key_owner else own_space)
        site = acting_site()
        if site is not None:
            site.require_room()
        execution = planned_execution(
            wanted,
            planned,
            self._numbers.next(wanted.at),
            owner=owner,
            key_owner=key_owner,
            key_space=space,
            experience=experience,
            release=self._release,
            site=None if site is None else site.name,
        )
        return PreparedSchedule(execution=execution, plan=planned, key_space=space)

    def _scheduled(self, prepared: PreparedSchedule, added: Added, doubt: str | None) -> Scheduled:
        planned, integration = prepared.plan, prepared.execution.integration
        doubts = () if doubt is None else (doubt,)
        return Scheduled(
            execution=added.execution,
            is_new=added.is_new,
            replaced=added.replaced,
            warnings=planned.warnings + doubts + unconfigured_warnings(self._integrations, integration),
            notes=planned.notes,
        )

    def cancel(
        self,
        integration: str,
        options: Mapping[str, object],
        *,
        defaults: Mapping[str, object] = _NOTHING,
        visitor: Visitor | None,
        own_space: str | None = None,
    ) -> Cancelled:
        """Cancel what is pending under a key; nothing pending is not an error.

        Source: reference/schedule-options#cancel.
        """
        return self._cancel(
            self.prepare_cancel_of(
                integration, options, defaults=defaults, visitor=visitor, own_space=own_space
            )
        )

    def prepare_cancel_of(
        self,
        integration: str,
        options: Mapping[str, object],
        *,
        defaults: Mapping[str, object] = _NOTHING,
        visitor: Visitor | None,
        own_space: str | None = None,
    ) -> PreparedCancel:
        """Do everything of `cancel` but the cancelling itself; for `carry_out`."""
        self._integrations.get(integration)
        planned = plan_cancel(options, defaults=defaults, visitor=visitor)
        is_the_visitors = planned.scope_is_visitor and owner_id(visitor)
        space = space_of(integration, None if is_the_visitors else own_space)
        return self.prepare_cancel(space, planned, visitor=visitor)

    def cancel_under(self, key_space: str, planned: CancelPlan, *, visitor: Visitor | None) -> Cancelled:
        """Cancel what is pending under a key of this key space, whatever its integration."""
        return self._cancel(self.prepare_cancel(key_space, planned, visitor=visitor))

    def _cancel(self, prepared: PreparedCancel) -> Cancelled:
        act = prepared.cancelling
        ids = self._store.cancel_key(
            key_digest=act.key_digest, key_owner=act.key_owner, reason=act.reason, now=act.now
        )
        return self._cancelled(prepared, ids, *key_doubts(self._store, [prepared], [ids]))

    def prepare_cancel(
        self, key_space: str, planned: CancelPlan, *, visitor: Visitor | None
    ) -> PreparedCancel:
        """Do everything of `cancel_under` but the cancelling itself; for `carry_out`."""
        owner = owner_id(visitor)
        cancelling = Cancelling(
            key_digest=key_digest(key_space, planned.key),
            key_owner=owner if planned.scope_is_visitor and owner else "",
            reason=planned.reason,
            now=self._clock.now(),
        )
        return PreparedCancel(
            cancelling=cancelling, key_space=key_space, key=planned.key, warnings=planned.warnings
        )

    def _cancelled(self, prepared: PreparedCancel, ids: Sequence[str], doubt: str | None) -> Cancelled:
        act = prepared.cancelling
        elsewhere = not ids and self._store.key_pending_elsewhere(
            key_digest=act.key_digest, key_owner=act.key_owner
        )
        return Cancelled(ids=tuple(ids), elsewhere=elsewhere, doubt=doubt, warnings=prepared.warnings)

    def fresh_name(self) -> str:
        """A name nobody has and nobody can guess: 32 hexadecimal digits."""
        return f"{self._source.getrandbits(128):032x}"

    def cancel_execution(self, execution_id: str, *, reason: str | None) -> None:
        """Cancel one pending execution; the reason has at most 1,000 characters.

        Raises UnknownExecution, or Conflict naming the state it is in.
        """
        number = execution_number(execution_id)
        reason = check_reason(reason)
        if not self._store.cancel(number, reason=reason, now=self._clock.now()):
            self._refuse(number, "only a pending execution can be cancelled")

    def replay(self, execution_id: str, *, reason: str | None = "replayed") -> Execution:
        """Run a finished execution again, now, with all its retries; a closed window delays it.

        Raises UnknownExecution, Conflict naming the state it is in, or AlreadyScheduled while its key is
        pending again.
        """
        number = execution_number(execution_id)
        replayed = self._store.replay(number, reason=check_reason(reason), now=self._clock.now())
        return replayed or self._refuse(number, "only one that failed or succeeded can be replayed")

    def convert(
        self, visitor_id: str, *, event: str | None = None, at: datetime | None = None, by_hand: bool = False
    ) -> list[str]:
        """Record a conversion, by default the first event of the list; return the ids it cancelled.

        `at`: when it happened, where that was said. `by_hand`: see `SchedulerStore.convert`.
        """
        if event is not None and not self.is_conversion(event):
            raise InvalidParameter(
                f"event {shown(event)} is not a conversion; the conversions are "
                f"{', '.join(self._conversions) or 'none'}: name one of them, or add it to the settings"
            )
        named = event or next(iter(self._conversions), _UNNAMED_CONVERSION)
        now, visitor = self._clock.now(), check_visitor_id(visitor_id)
        return self._store.convert(visitor, event=named, now=now, at=at, by_hand=by_hand)

    def is_conversion(self, event_name: str) -> bool:
        """Tell whether this name is in the property's list, namespaces apart.

        Source: reference/conversions#what-counts-as-a-conversion.
        """
        return any(is_named(event_name, name) for name in self._conversions)

    def begin_execute(
        self,
        integration: str,
        payload: object,
        *,
        key: object | None,
        visitor: Visitor | None,
        experience: str | None,
        own_space: str | None = None,
    ) -> Execution:
        """Put an `execute` on disk as running already; pass it to `Dispatcher.call_now`.

        The first try of a request may have done so before it was interrupted: that one is returned, ended.

        One per key and interval: the next is RateLimited; without a key there is no such limit. RateLimited
        too when the integration's rate is used up; Conflict while it is paused.
        """
        wanted = self.want(integration, payload)
        if (site := acting_site()) is not None:
            site.require(Kind.EXECUTION)
        owner = owner_id(visitor)
        canonical = None if key is None else canonical_key(key)
        is_made = made_when_asked_at() is not None
        if not is_made:
            self._gate.admit(integration, wanted.pace_key, wanted.at)
        if canonical is not None:
            space = space_of(integration, None if owner else own_space)
            self._gate.take(
                integration,
                canonical,
                key_digest=key_digest(space, canonical),
                key_owner=owner or "",
                now=wanted.at,
            )
        if is_made and made_when_asked_at() is None:  # only its key was taken
            wanted = replace(wanted, at=self._clock.now())
            self._gate.admit(integration, wanted.pace_key, wanted.at)
        execution = replace(
            new_execution(wanted, self._numbers.next(wanted.at), visitor_zone(visitor, [])),
            experience=experience,
            release=self._release,
            visitor=owner,
            key=canonical,
            key_owner=owner or "",
            asked="execute",
            retries=0,
            status=Status.RUNNING,
            attempt=1,
            begun=1,
            lease_until=wanted.at + self._lease,
        )
        added = self._store.add(execution, IfExists.REPLACE)
        if added.is_told_again and added.execution.status is Status.RUNNING:  # an `execute` has one attempt
            raise may_still_run(added.execution)
        return added.execution

    def _refuse(self, number: int, rule: str) -> NoReturn:
        status = self._store.execution(number).status
        raise Conflict(f"{execution_id(number)} is {status}; {rule}")
