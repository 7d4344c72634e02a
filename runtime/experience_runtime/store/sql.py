"""The store on SQL: the waiting room in a database, the same acts whichever it is."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from experience_runtime.documents.documents import Redact, Shown, as_it_is
from experience_runtime.domain.admission import NO_POLICIES, Policies
from experience_runtime.domain.errors import ExperienceError, UnknownExecution
from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    IfExists,
    Settling,
    Sort,
    execution_id,
)
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.overview import Ended, Overview
from experience_runtime.domain.places import Page
from experience_runtime.engine.ports import HandOver
from experience_runtime.engine.stores import Added, Adding, Cancelling, Done, RetryAt
from experience_runtime.store import rows
from experience_runtime.store.adding import Adder
from experience_runtime.store.alerts import SqlAlerts
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.by_hand import ByHand
from experience_runtime.store.changing import SqlChanging
from experience_runtime.store.claiming import Claiming
from experience_runtime.store.database import Database
from experience_runtime.store.erasing import SqlErasing
from experience_runtime.store.events import SqlEvents
from experience_runtime.store.exposures import SqlExposures
from experience_runtime.store.feed import SqlFeed
from experience_runtime.store.finding import Finding
from experience_runtime.store.integration_settings import SqlIntegrationSettings
from experience_runtime.store.integration_states import SqlIntegrationStates
from experience_runtime.store.jobs import SqlJobs
from experience_runtime.store.journal import Journal
from experience_runtime.store.overview import read_ended, read_overview
from experience_runtime.store.paces import SqlPaces
from experience_runtime.store.planning_again import PlanningAgain
from experience_runtime.store.pruning import SqlPruning
from experience_runtime.store.releases import SqlReleases
from experience_runtime.store.replies import SqlReplies
from experience_runtime.store.runs import SqlRuns
from experience_runtime.store.schedules import SqlSchedules
from experience_runtime.store.tokens import SqlTokens
from experience_runtime.store.transitions import Transitions
from experience_runtime.store.usage import SqlUsage
from experience_runtime.store.visitor_list import SqlVisitorList
from experience_runtime.store.workers import SqlWorkers

D = TypeVar("D", bound=Database)

_WITH_ATTEMPTS = ("execution", "attempts")
_READ_TOGETHER = 50  # executions; who writes waits meanwhile


class SqlStore(SqlChanging[D]):
    """`ports.Store` over a database; `store.opening` makes one."""

    def __init__(self, database: D, *, redact: Redact = str, shown: Shown = as_it_is) -> None:
        """`redact` takes secrets out of what the audit keeps, `shown` what integrations hide of payloads."""
        self.database = database
        self._journal = Journal(self.database)
        self.audit = SqlAudit(self.database, redact)
        self.integration_states = SqlIntegrationStates(self.database, self._journal, self.audit)
        self.integration_settings = SqlIntegrationSettings(self.database, self._journal, self.audit)
        self._transitions = Transitions(self.database)
        self._by_hand = ByHand(self._transitions, self.audit)
        self.paces = SqlPaces(self.database)
        self._claiming = Claiming(self.database, self.integration_states, self.paces)
        self._adding = Adder(self.database, self._transitions)
        self.schedules = SqlSchedules(self.database, self._journal, self.audit, self._adding.insert, shown)
        self.workers = SqlWorkers(self.database)
        self.tokens = SqlTokens(self.database, self.audit)
        self.replies = SqlReplies(self.database)
        self.jobs = SqlJobs(self.database)
        self.usage = SqlUsage(self.database)
        self.runs = SqlRuns(self.database)
        self.pruning = SqlPruning(self.database, self.audit)
        self.exposures = SqlExposures(self.database, self._transitions)
        self.releases = SqlReleases(self.database, self._journal, self.audit)
        self.alerts = SqlAlerts(self.database)
        self.erasing = SqlErasing(self.database, self._transitions, self.audit)
        self.feed = SqlFeed(self.database, self._adding.insert_all)
        self._finding = Finding(self.database)
        self.visitor_list = SqlVisitorList(self.database)
        self.events = SqlEvents(self.database, self._journal)

    # --- schedule and cancel

    def add(self, execution: Execution, if_exists: IfExists) -> Added:
        adding = Adding(execution=execution, if_exists=if_exists)
        return self._journal.add(adding, lambda: self._adding.add(adding))

    def carry_out(self, acts: Sequence[Adding | Cancelling]) -> list[Done]:
        return self._journal.carry_out(acts, self._adding.carry_out)

    def carry_out_all(self, acts: Sequence[Adding | Cancelling | ExperienceError]) -> list[Done]:
        return self._journal.carry_out_all(acts, self._adding.carry_out)

    def cancel_key(
        self, *, key_digest: bytes, key_owner: str, reason: str | None, now: datetime
    ) -> list[str]:
        cancelling = Cancelling(key_digest=key_digest, key_owner=key_owner, reason=reason, now=now)
        return self._journal.write("cancel", lambda: self._adding.cancel(cancelling))

    def key_pending_elsewhere(self, *, key_digest: bytes, key_owner: str) -> bool:
        bound = {"key_digest": key_digest, "key_owner": rows.text(key_owner)}
        return self.database.read(lambda: bool(self.database.execute("key_pending_elsewhere", bound)))

    def keys_pending(self, keys: Sequence[tuple[bytes, str]]) -> set[tuple[bytes, str]]:
        bounds = [{"key_digest": digest, "key_owner": rows.text(owner)} for digest, owner in keys]
        asked = [("pending_under_key", bound) for bound in bounds]
        found = self.database.read(lambda: self.database.execute_together(asked))
        return {key for key, held in zip(keys, found, strict=True) if held}

    def awaits_conversion(self, visitor: str) -> bool:
        def asks() -> bool:
            ids = self._ids_of(visitor)
            return any(self.database.execute("awaits_conversion", {"visitor": each}) for each in ids)

        return self.database.read(asks)

    def convert(
        self, visitor: str, *, event: str, now: datetime, at: datetime | None = None, by_hand: bool = False
    ) -> list[str]:
        bound = {"visitor": rows.text(visitor), "event": rows.text(event), "now": to_ms(now)}
        before = rows.LARGEST if at is None else to_ms(at)

        def act() -> list[str]:
            ids = self._transitions.hold_person(visitor)
            self.database.execute("record_conversion", bound | {"at": to_ms(at or now)})
            found = []
            for each in ids:
                of = {"visitor": each, "before": before}
                self.database.execute("convert_running", of)
                found += self._transitions.cancel_all("convert", of, "conversion", now)
            if by_hand:
                after = {"visitor": visitor, "event": event, "cancelled": len(found)}
                self.audit.note("visitor", "convert", object="", at=now, after=after)
            return found

        return self._journal.write("conversion", act)

    # --- deliver

    def claim_due(
        self,
        *,
        now: datetime,
        lease_until: datetime,
        limit: int,
        policies: Policies = NO_POLICIES,
        hand_over: HandOver | None = None,
        ahead_until: datetime | None = None,
    ) -> list[Execution]:
        def act() -> list[Execution]:
            claimed = self._claiming.claim_due(
                now=now, lease_until=lease_until, limit=limit, policies=policies, ahead_until=ahead_until
            )
            if claimed and hand_over is not None:
                hand_over(claimed)
            return claimed

        return self.database.write(act)

    def claimed(self, claimed: Collection[tuple[int, int]]) -> list[Execution]:
        attempts = dict(claimed)
        bound = {"numbers": json.dumps(list(attempts))}
        found = self.database.read(lambda: self.database.execute("claimed", bound))
        return [each for each in map(rows.execution, found) if each.attempt == attempts[each.number]]

    def in_flight(self, policies: Policies = NO_POLICIES) -> int:
        leased = self.database.read(lambda: self.database.execute("in_flight", {"slow_since": 0}))
        return sum(count for integration, _, count, _ in leased if policies.serves(integration))

    def unclaim_all(self, claimed: Collection[tuple[int, int]]) -> None:
        def act() -> None:
            for number, attempt in claimed:
                self.database.execute("unclaim", {"number": number, "attempt": attempt})

        self.database.write(act)

    def start_all(
        self,
        claimed: Collection[tuple[int, int]],
        *,
        now: datetime,
        lease_until: datetime,
        at: Mapping[tuple[int, int], datetime] | None = None,
    ) -> set[tuple[int, int]]:
        if not claimed:
            return set()
        starts = {key: now if at is None else at[key] for key in claimed}
        return self.database.write(lambda: self._transitions.start_all(starts, lease_until))

    def plan_again(
        self, zone_rules: str, due_of: Callable[[Execution], datetime]
    ) -> Iterator[list[Execution]]:
        bound = {"zone_rules": zone_rules}
        if not self.database.read(lambda: self.database.execute("are_planned_by_others", bound)):
            return
        waiting = self.database.read(lambda: self.database.execute("waiting", {}))
        planning = PlanningAgain(self.database, zone_rules, due_of)
        for integration, _ in waiting:
            yield from planning.of(integration)

    def postpone_all(self, claimed: Collection[tuple[int, int, datetime]]) -> set[int]:
        def act() -> set[int]:
            bounds = [{"number": n, "attempt": a, "due_at": to_ms(due_at)} for n, a, due_at in claimed]
            return {number for bound in bounds for (number,) in self.database.execute("postpone", bound)}

        return self.database.write(act) if claimed else set()

    def renew(self, held: Collection[tuple[int, int]], *, lease_until: datetime) -> None:
        def act() -> None:
            for number, attempt in held:
                bound = {"number": number, "attempt": attempt, "lease_until": to_ms(lease_until)}
                self.database.execute("renew", bound)

        self.database.write(act)

    def settle_all(self, settlings: Sequence[Settling]) -> list[Execution | None]:
        return self.database.write(lambda: self._transitions.settle_all(settlings))

    def give_back(
        self, *, now: datetime, everything: bool = False, retry_at: RetryAt | None = None
    ) -> list[Execution]:
        statement = "leased" if everything else "lapsed"
        if not self.database.read(lambda: self.database.execute(statement, {"now": to_ms(now)})):
            return []  # the usual answer costs no transaction

        def act() -> list[Execution]:
            lapsed = sorted(self.database.execute(statement, {"now": to_ms(now)}))  # by number
            given_back = (self._transitions.give_back(rows.execution(row), now, retry_at) for row in lapsed)
            return [execution for execution in given_back if execution is not None]

        return self.database.write(act)

    def next_wake(self, *, now: datetime, policies: Policies = NO_POLICIES) -> datetime | None:
        return self.database.read(lambda: self._claiming.next_wake(now=now, policies=policies))

    # --- look

    def execution(self, number: int) -> Execution:
        found = self.database.read(
            lambda: self.database.execute("execution", {"number": rows.bindable(number)})
        )
        if not found:
            raise UnknownExecution(
                f"there is no execution {execution_id(number)} in {self.database.name!r}, or it was kept "
                "long enough; `experience executions list` shows those there are"
            )
        return rows.execution(found[0])

    def history(self, number: int) -> list[Change]:
        bound = {"number": rows.bindable(number)}
        found, changed = self.database.read(
            lambda: (self.database.execute("execution", bound), self.database.execute("history", bound))
        )
        changes = [rows.change(row) for row in changed]
        return [rows.birth(rows.execution(row), changes) for row in found] + changes

    def attempts(self, number: int) -> list[Attempt]:
        found = self.database.read(
            lambda: self.database.execute("attempts", {"number": rows.bindable(number)})
        )
        return [rows.attempt(row) for row in found]

    def stories(self, executions: Sequence[Execution]) -> list[tuple[list[Attempt], list[Change]]]:
        bound = {"numbers": json.dumps([each.number for each in executions])}
        asked = [("attempts_of_each", bound), ("history_of_each", bound)]
        found = self.database.read(lambda: self.database.execute_together(asked))
        attempts: dict[int, list[Attempt]] = {each.number: [] for each in executions}
        changes: dict[int, list[Change]] = {each.number: [] for each in executions}
        for number, *row in found[0]:
            attempts[number].append(rows.attempt(row))
        for number, *row in found[1]:
            changes[number].append(rows.change(row))
        return [
            (attempts[each.number], [rows.birth(each, changes[each.number]), *changes[each.number]])
            for each in executions
        ]

    def with_attempts(self, numbers: Sequence[int]) -> list[tuple[Execution, list[Attempt]]]:
        found: list[list[tuple[Any, ...]]] = []
        for first in range(0, len(numbers), _READ_TOGETHER):
            some = numbers[first : first + _READ_TOGETHER]
            asked = [(what, {"number": rows.bindable(each)}) for each in some for what in _WITH_ATTEMPTS]
            found += self.database.read(partial(self.database.execute_together, asked))
        pairs = zip(found[::2], found[1::2], strict=True)
        return [
            (rows.execution(made[0]), [rows.attempt(row) for row in tried]) for made, tried in pairs if made
        ]

    def find(
        self,
        filter: Filter,
        *,
        sort: Sort = Sort.NEWEST,
        cursor: str | None = None,
        limit: int = 50,
        most: int | None = None,
    ) -> Page:
        return self._finding.find(filter, sort=sort, cursor=cursor, limit=limit, most=most)

    def same_key(
        self, execution: Execution, *, limit: int, of_experiences: bool = False
    ) -> Sequence[Execution]:
        return self._finding.same_key(execution, limit=limit, of_experiences=of_experiences)

    def count(self, filter: Filter) -> int:
        return self._finding.count(filter)

    def count_up_to(self, filter: Filter, most: int, *, walks: int) -> tuple[int, bool]:
        return self._finding.count_up_to(filter, most, walks=walks)

    def pending_by_quarter(self, *, start: datetime, end: datetime) -> Sequence[tuple[str, int, int]]:
        return self._finding.pending_by_quarter(start=start, end=end)

    def overview(
        self, *, now: datetime, failed_since: datetime, next_limit: int, most: int | None = None
    ) -> Overview:
        return self.database.look(
            lambda read: read_overview(
                read, now=now, failed_since=failed_since, next_limit=next_limit, most=most
            )
        )

    def ended_by_hour(self, *, since: datetime, most: int) -> Sequence[Ended]:
        return self.database.look(lambda read: read_ended(read, since=since, most=most))

    def stamp(self) -> str:
        return self.database.stamp()

    # --- marks

    def allow_execute(self, *, key_digest: bytes, key_owner: str, now: datetime, per_seconds: int) -> bool:
        bound = {
            "key_digest": key_digest,
            "key_owner": rows.text(key_owner),
            "now": to_ms(now),
            "free_at": to_ms(now) + per_seconds * 1000,
        }

        def act() -> bool:
            self.database.execute("drop_free_marks", bound)
            return self.database.execute_counted("take_mark", bound) == 1

        return self._journal.write("execute", act, made=bool)

    def close(self) -> None:
        self.database.close()
