"""Lookup: what is stored and registered, read once for the command line, the API and the pages."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from experience_runtime.documents.documents import (
    Redact,
    execution_document,
    instants_document,
    listed_execution_document,
    redacted_value,
    run_document,
    schedule_document,
    visitor_document,
    visitor_event_document,
    whole_execution_document,
)
from experience_runtime.domain.admission import ALL, Policies, Policy, hold_of
from experience_runtime.domain.catalogue import Description, SettingState
from experience_runtime.domain.errors import UnknownVisitor
from experience_runtime.domain.executions import (
    Execution,
    Filter,
    Sort,
    Status,
    execution_number,
)
from experience_runtime.domain.instants import iso
from experience_runtime.domain.runs import run_id
from experience_runtime.domain.schedules import Schedule
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor, check_visitor_id
from experience_runtime.engine.agenda import Agenda
from experience_runtime.engine.audit_lookup import AuditLookup
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.recurring import Recurring, Saved
from experience_runtime.engine.run_lookup import RunLookup
from experience_runtime.engine.stores import Store
from experience_runtime.engine.visitor_list import VisitorLookup

SHOWN_EVENTS = 100
SHOWN_OF_KEY = 10

PAGE_BYTES = 2 * 1024 * 1024
"""How much the payloads and keys of a page's executions may have together; one there is always."""

MOST_WALKED = 20_000
"""How many executions a look of people reads, where no index has what they ask for."""


class Catalogue(Protocol):
    """The registered integrations, as people may see them."""

    def describe(self) -> Sequence[Description]:
        """Every integration, also one that is broken or not configured, by name."""
        ...

    def description(self, name: str) -> Description:
        """One of them; UnknownIntegration when nothing of this name is registered."""
        ...

    def shown(self, name: str, payload: str) -> str:
        """The JSON text of a payload as people may see it; of a name that is not registered, the payload."""
        ...

    def setting_states(self, name: str) -> Sequence[SettingState]:
        """Whether each of its settings is there; UnknownIntegration as above."""
        ...

    def settings_place(self, name: str) -> tuple[str, int]:
        """Where they stand, "file" or "database", and how often they were changed there; as above."""
        ...


class Lookup:
    """Every list and every single thing as its JSON document, secrets redacted."""

    def __init__(
        self,
        *,
        store: Store,
        catalogue: Catalogue,
        operations: Operations,
        recurring: Recurring,
        policies: Policies,
        is_for_sites: Callable[[str], bool],
        redact: Redact,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._operations = operations
        self._recurring = recurring
        self._policies = policies
        self._is_for_sites = is_for_sites
        self._redact = redact
        self.audit = AuditLookup(audit=store.audit, redact=redact)
        self.agenda = Agenda(store=store, schedules=recurring.list, holds=operations.holds, redact=redact)
        self.visitors = VisitorLookup(store.visitor_list)
        self.runs = RunLookup(store=store, operations=operations, redact=redact)

    def executions(
        self, filter: Filter, *, sort: Sort = Sort.NEWEST, cursor: str | None = None, limit: int
    ) -> dict[str, Any]:
        """A page of executions in this order; `next` is the cursor of the following one, or None.

        It has at most `limit`, and fewer where their payloads are large (see PAGE_BYTES) and where the search
        for more was not over after MOST_WALKED: then `searched_to` says how far it came.
        """
        page = self._store.find(filter, sort=sort, cursor=cursor, limit=limit, most=MOST_WALKED)
        fitting = list(_fitting(page.executions))
        is_cut = len(fitting) < len(page.executions)
        return {
            "executions": self.listed(fitting),
            "next": page.after(fitting[-1], sort) if is_cut else page.next,
            "searched_to": None if is_cut or page.searched_to is None else iso(page.searched_to),
        }

    def listed(self, executions: Sequence[Execution]) -> list[dict[str, Any]]:
        """Executions as every list shows them."""
        holds = self._operations.waits_because(executions)
        return [
            listed_execution_document(
                each, held=holds.get(each.id), redact=self._redact, shown=self._catalogue.shown
            )
            for each in executions
        ]

    def execution(self, execution_id: str, *, of_experiences: bool = False) -> dict[str, Any]:
        """One execution with its history and its attempts. Raises UnknownExecution.

        `of_experiences`: beside it only others that an experience made.
        """
        number = execution_number(execution_id)
        execution = self._store.execution(number)
        runs = self._store.runs.of_execution(number)
        return whole_execution_document(
            execution,
            self._store.attempts(number),
            self._store.history(number),
            held=self._operations.waits_because([execution]).get(execution.id),
            redact=self._redact,
            shown=self._catalogue.shown,
        ) | {
            "run": run_id(runs[0]) if runs else None,
            "run_is_kept": bool(runs) and self._store.runs.is_kept(runs[0]),
            "same_key": [
                {"id": each.id, "status": each.status.value, "due_at": iso(each.due_at)}
                for each in self._store.same_key(execution, limit=SHOWN_OF_KEY, of_experiences=of_experiences)
            ],
        }

    def of_run(self, execution_ids: Sequence[str]) -> list[dict[str, Any]]:
        """The executions that a run made, with their attempts, as its author sees them; those still there."""
        numbers = [execution_number(each) for each in dict.fromkeys(execution_ids)]
        return [
            execution_document(execution, attempts, redact=self._redact, shown=self._catalogue.shown)
            for execution, attempts in self._store.with_attempts(numbers)
        ]

    def integrations(self, *, with_schedules: bool = True) -> dict[str, Any]:
        """Every registered integration, by name; without schedules, their count is 0: authors see none."""
        holds = self._operations.holds()
        scheduled = [each.integration for each in self._recurring.list()] if with_schedules else []
        return {
            "integrations": [
                self._line(each, hold_of(holds, each.name)) | {"schedules": scheduled.count(each.name)}
                for each in self._catalogue.describe()
            ]
        }

    def integration(self, name: str) -> dict[str, Any]:
        """One integration with what is set, how it may be called and what waits for it.

        Raises UnknownIntegration.
        """
        holds = self._operations.holds()
        line = self._line(self._catalogue.description(name), hold_of(holds, name))
        hold = self.hold(name)
        state = self._store.integration_states.of(name)
        settings_in, settings_version = self._catalogue.settings_place(name)
        return line | {
            "schedules": sum(each.integration == name for each in self._recurring.list()),
            "site": self._is_for_sites(name),
            "settings": [asdict(each) for each in self._catalogue.setting_states(name)],
            "settings_in": settings_in,
            "settings_version": settings_version,
            "policy": _policy_document(self._policies.of(name)),
            "paused_at": hold["paused_at"],
            "pause_reason": hold["reason"],
            "breaker_opened_at": None if state.opened_at is None else iso(state.opened_at),
            "pending": hold["pending"],
        }

    def hold(self, name: str) -> dict[str, Any]:
        """Whether an integration is paused, and how much waits; also of one that is not registered."""
        state = self._store.integration_states.of(name)
        return {
            "integration": name,
            "paused_at": None if state.paused_at is None else iso(state.paused_at),
            "reason": None if state.pause_reason is None else self._redact(state.pause_reason),
            "pending": self._store.count(Filter(statuses=[Status.PENDING], integration=name)),
        }

    def hold_of_all(self) -> dict[str, Any]:
        """Whether everything is held, and how much waits."""
        state = self._store.integration_states.of(ALL)
        return {
            "held_at": None if state.paused_at is None else iso(state.paused_at),
            "reason": None if state.pause_reason is None else self._redact(state.pause_reason),
            "pending": self._store.count(Filter(statuses=[Status.PENDING])),
        }

    def troubles(self) -> dict[str, list[str]]:
        """What is wrong with each integration that something waits for or that a schedule calls, for people.

        What holds one up is told by its `held`.
        """
        schedules = self._recurring.list()
        told: dict[str, list[str]] = {}
        for each in self._catalogue.describe():
            if each.configured:
                continue
            pending = self._store.count(Filter(statuses=[Status.PENDING], integration=each.name))
            firing = sum(of.integration == each.name and of.paused_at is None for of in schedules)
            if pending or firing:
                why = self._redact(each.why or "")
                told.setdefault(each.name, []).append(_unusable(pending, firing, why, is_broken=each.broken))
        for schedule in schedules:
            if schedule.paused_at is not None:
                since = f"its schedule {schedule.name} is paused since {iso(schedule.paused_at)}"
                told.setdefault(schedule.integration, []).append(since)
        return told

    def schedules(self) -> dict[str, Any]:
        """Every recurring schedule, by name, and those that were removed within a day."""
        return {
            "schedules": [self._schedule(each) for each in self._recurring.list()],
            "removed": [
                {"name": each.name, "integration": each.integration, "removed_at": iso(removed_at)}
                for each, removed_at in self._operations.removed_schedules()
            ],
        }

    def schedule(self, name: str) -> dict[str, Any]:
        """One recurring schedule with its next instants and its last runs. Raises UnknownSchedule."""
        found = self._recurring.show(name)
        return self._schedule(found.schedule) | {
            "next": instants_document(found.next, found.schedule.zone),
            "runs": [run_document(run, redact=self._redact) for run in found.runs],
        }

    def saved(self, saved: Saved, *, dry_run: bool) -> dict[str, Any]:
        """What saving a schedule did, or would do."""
        return {
            "saved": not dry_run,
            "is_new": saved.is_new,
            "schedule": self._schedule(saved.schedule),
            "next": instants_document(saved.next, saved.schedule.zone),
            "warnings": list(saved.warnings),
        }

    def _schedule(self, schedule: Schedule) -> dict[str, Any]:
        return schedule_document(schedule, redact=self._redact, shown=self._catalogue.shown)

    def visitor(self, visitor_id: str) -> dict[str, Any]:
        """One visitor's zone, and the last events and conversions. Raises UnknownVisitor."""
        check_visitor_id(visitor_id)
        known = self._store.visitor(visitor_id)
        events = self._store.events.of(visitor_id, limit=SHOWN_EVENTS)
        conversions = self._store.events.conversions(visitor_id, limit=SHOWN_EVENTS)
        ids = self._store.ids_of_person(visitor_id)
        state = self._store.events.state(visitor_id)
        if known is None and not events and not conversions and not state and ids == [visitor_id]:
            raise UnknownVisitor(f"nothing is known of visitor {shown(visitor_id)}: no event and no zone")
        return visitor_document(known or Visitor(id=visitor_id)) | {
            "state": redacted_value(json.dumps(state), self._redact),
            "events": [visitor_event_document(each, redact=self._redact) for each in events],
            "conversions": [
                {"at": iso(each.at), "received_at": iso(each.received_at), "event": each.event}
                for each in conversions
            ],
            "ids": list(ids),
        }

    def _line(self, description: Description, held: str | None) -> dict[str, Any]:
        why = None if description.why is None else self._redact(description.why)
        return asdict(description) | {"why": why, "held": held}


def _unusable(pending: int, firing: int, why: str, *, is_broken: bool) -> str:
    what = [f"{pending:,} pending execution{'' if pending == 1 else 's'}"] if pending else []
    what += [f"what {firing} schedule{' fires' if firing == 1 else 's fire'}"] if firing else []
    comes = "waits until it is repaired" if is_broken else "fails when it is due"
    return f"it cannot be called ({why}): {' and '.join(what)} {comes}"


def _fitting(executions: Sequence[Execution]) -> Iterator[Execution]:
    size = 0
    for each in executions:
        size += len(each.payload) + len(each.key or "")
        if size > PAGE_BYTES and size > len(each.payload) + len(each.key or ""):
            return
        yield each


def _policy_document(policy: Policy) -> dict[str, Any]:
    rate = None if policy.rate_count is None else {"count": policy.rate_count, "seconds": policy.rate_seconds}
    breaker = {"failures": policy.breaker_failures, "seconds": policy.breaker_seconds}
    return {
        "concurrency": policy.concurrency,
        "rate": rate,
        "breaker": breaker if policy.breaker_failures else None,
    }
