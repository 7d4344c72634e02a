"""Alerting: a look at what the rules ask for, and a call of an integration with what is to be told.

Of several processes on one database one looks at a time. An alarm is no execution: a pause, a pace or a
circuit breaker does not hold it up, and its own failure is told in the log and in the list of alerts.
"""

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from experience_runtime.domain.alerts import (
    AlertState,
    Condition,
    Found,
    Kind,
    Rule,
    judge,
    message,
)
from experience_runtime.domain.errors import DatabaseUnavailable, ExperienceError
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso
from experience_runtime.domain.spans import span_text
from experience_runtime.engine.attempt import Outcome, call
from experience_runtime.engine.keeping import Happened
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.engine.standing import Standing
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Http
from experience_runtime.untrusted import Redact

LOOK = timedelta(seconds=5)
"""From one look at a rule to the next."""

_HOLD = timedelta(minutes=2)  # for a look and a call; a process that dies meanwhile is followed by another
_AGAIN = timedelta(seconds=30)  # after a message that did not go

_logger = logging.getLogger("experience_runtime.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free on the disk of the database, and all of it, in bytes."""

    free: int
    whole: int

    @property
    def is_short(self) -> bool:
        """Whether less than a twentieth is free (of a large disk 2 GiB), or 64 MiB."""
        return self.free < max(64 << 20, min(self.whole // 20, 2 << 30))


class Alerting:
    """The rules of one process, looked after when `step` is called."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        store: Store,
        clock: Clock,
        integrations: Integrations,
        http: Http,
        redact: Redact,
        standing: Callable[[], Standing],
        room: Callable[[], Room | None],
        public_url: str | None = None,
    ) -> None:
        """`room` is None for a database that is not on this machine's disk."""
        self._rules = rules
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._http = http
        self._redact = redact
        self._standing = standing
        self._room = room
        self._public_url = public_url
        self._numbers = ExecutionNumbers(random.SystemRandom())
        self._alone: dict[str, AlertState] = {}  # of this process, while the database keeps nothing

    def step(self) -> None:
        """Look after each rule whose time it is. Never raises."""
        for rule in self._rules:
            try:
                self._look_after(rule)
            except DatabaseUnavailable as error:
                self._without_database(rule, error)
            except Exception:  # the other rules, and the next look
                _logger.exception("the alert %s could not be looked after; trying again", rule.name)

    def test(self, rule: Rule) -> Outcome:
        """Call its integration with a text that says that it is a test."""
        return self._send(rule, f"Test ({rule.name})\n- this is how an alarm arrives; nothing is wrong")

    def _look_after(self, rule: Rule) -> None:
        now = self._clock.now()
        held_until = now + _HOLD
        state = self._store.alerts.take(rule.name, now=now, until=held_until)
        if state is None:
            return
        if rule.name in self._alone:
            state = _joined(state, self._alone[rule.name])
        kept = self._tell(rule, state, list(self._found(rule, now)), now)
        rest = LOOK if kept.error is None else _AGAIN
        if self._store.alerts.keep(rule.name, kept, held_until=held_until, next_at=self._clock.now() + rest):
            self._alone.pop(rule.name, None)

    def _without_database(self, rule: Rule, error: DatabaseUnavailable) -> None:
        """Tell of the database itself, as every process on it does that is to tell of `disk`."""
        if not any(each.kind == "disk" for each in rule.on):
            _logger.error("the alert %s waits for the database: %s", rule.name, error.message)
            return
        text = f"the database cannot be used: {self._redact(error.message)}"
        found = Found(kind="disk", subject="database", text=text, page="/")
        state = self._alone.get(rule.name, AlertState())
        self._alone[rule.name] = self._tell(rule, state, [found], self._clock.now())

    def _tell(self, rule: Rule, state: AlertState, found: Sequence[Found], now: datetime) -> AlertState:
        """Send what is to be told; return how the rule stands then. What did not go is told again."""
        telling = judge(rule, state, found, now=now)
        if not telling.tells:
            return telling.state
        outcome = self._send(rule, message(rule, telling, now=now, public_url=self._public_url))
        if outcome.code is None:
            _logger.warning(
                "the alert %s told of %s",
                rule.name,
                ", ".join(
                    [each.found.key for each in telling.alarms]
                    + [f"{each.found.key} (over)" for each in telling.resolved]
                ),
            )
            return telling.state
        error = outcome.error or outcome.code
        _logger.error("the alert %s could not be told by %s: %s", rule.name, rule.integration, error)
        return replace(_untold(telling.state, state), error=error)

    def _send(self, rule: Rule, text: str) -> Outcome:
        now = self._clock.now()
        execution = Execution(
            number=self._numbers.next(now),
            integration=rule.integration,
            payload=json.dumps(rule.payload_with(text)),
            created_at=now,
            requested_at=now,
            due_at=now,
            zone="UTC",
            zone_from="default",
            attempt=1,
            begun=1,
        )
        return call(
            execution,
            clock=self._clock,
            integrations=self._integrations,
            http=self._http,
            redact=self._redact,
        )

    def _found(self, rule: Rule, now: datetime) -> Iterator[Found]:
        standing: Standing | None = None
        for condition in rule.on:
            match condition.kind:
                case "execution_failed" | "run_failed" | "schedule_skipped":
                    yield from self._counted(condition, condition.within or rule.every, now)
                case "disk":
                    yield from self._disk()
                case "breaker_opened":
                    yield from self._breakers()
                case _:
                    standing = standing or self._standing()
                    yield from _late(standing, condition)

    def _counted(self, condition: Condition, within: timedelta, now: datetime) -> Iterator[Found]:
        since = now - within
        match condition.kind:
            case "execution_failed":
                happened, what = self._store.alerts.failed_executions(since), "execution"
            case "run_failed":
                happened, what = self._store.alerts.failed_runs(since), "run"
            case _:
                happened, what = self._store.alerts.skipped(since), "instant"
        by_subject: dict[str, list[Happened]] = {}
        for each in happened:
            by_subject.setdefault(each.subject, []).append(each)
        if sum(each.count for each in happened) <= condition.above:
            return
        for subject, those in by_subject.items():
            count = sum(each.count for each in those)
            verb = "passed without a run" if what == "instant" else "failed"
            those_of = f"{count} {what}{'' if count == 1 else 's'} of {subject or 'no name'}"
            yield Found(
                kind=condition.kind,
                subject=subject,
                text=f"{those_of} {verb} in the last {span_text(within.total_seconds())} ({_how(those)})",
                page=page_of(condition.kind, subject),
            )

    def _breakers(self) -> Iterator[Found]:
        for name, state in self._store.integration_states.all().items():
            if state.opened_at is not None:
                text = f"the circuit breaker of {name} is open since {iso(state.opened_at)}"
                page = page_of("breaker_opened", name)
                yield Found(kind="breaker_opened", subject=name, text=text, page=page)

    def _disk(self) -> Iterator[Found]:
        room = self._room()
        if room is not None and room.is_short:
            text = (
                f"the disk of the database has only {room.free >> 20:,} MiB free of {room.whole >> 20:,} MiB"
            )
            yield Found(kind="disk", subject="", text=text, page="/")


def check_rule(rule: Rule, integrations: Integrations) -> None:
    """Refuse a rule whose integration is not there, or does not take its payload.

    Raises UnknownIntegration or InvalidPayload.
    """
    try:
        integrations.get(rule.integration)
        integrations.parse_payload(rule.integration, rule.payload_with("Test"))
    except ExperienceError as error:
        raise type(error)(f"alerts.{rule.name}: {error.message}") from None


def _late(standing: Standing, condition: Condition) -> Iterator[Found]:
    if condition.kind == "no_worker":
        if standing.workers == 0:
            yield Found(kind="no_worker", subject="", text="no worker delivers", page="/")
            return
        for each in standing.overview.backlog:
            if each.due and standing.held(each.integration) == "no_worker":
                text = f"no worker delivers for {each.integration}, and {each.due} of it are due"
                page = page_of("lag", each.integration)
                yield Found(kind="no_worker", subject=each.integration, text=text, page=page)
        return
    for each in standing.overview.backlog:
        held = standing.held(each.integration)
        late = standing.now - each.first_due_at
        if each.due and late > condition.longer_than and held != "paused":
            because = f", held by {held}" if held else ""
            span = span_text(late.total_seconds())
            yield Found(
                kind="lag",
                subject=each.integration,
                text=f"{each.integration} is {span} late{because}; {each.due} are due",
                page=page_of("lag", each.integration),
            )


def _joined(kept: AlertState, alone: AlertState) -> AlertState:
    """How a rule stands once the database is there again: what was told without it is told to be over."""
    return replace(kept, firing={**kept.firing, **alone.firing}, sent_at=alone.sent_at or kept.sent_at)


def _untold(after: AlertState, before: AlertState) -> AlertState:
    """The state after a look whose message did not go: nobody was told of anything."""
    firing = {
        key: replace(
            each,
            told_at=before.firing[key].told_at if key in before.firing else None,
            is_open=key in before.firing and before.firing[key].is_open,
        )
        for key, each in after.firing.items()
    }
    return replace(after, firing=firing, sent_at=before.sent_at)


def _how(those: Sequence[Happened]) -> str:
    return ", ".join(f"{each.how or 'no reason'} {each.count}" for each in those[:3]) + (
        " …" if len(those) > 3 else ""
    )


def page_of(kind: Kind, subject: str) -> str:
    """Where people see what was found."""
    match kind:
        case "execution_failed":
            return "/executions?" + urlencode({"status": "failed", "integration": subject})
        case "lag":
            return "/executions?" + urlencode({"status": "pending", "integration": subject})
        case "run_failed":
            return f"/experiences/{quote(subject, safe='')}"
        case "breaker_opened":
            return f"/settings/integrations/{quote(subject, safe='')}"
        case _:
            return "/executions?" + urlencode({"schedule": subject})


def rule_document(rule: Rule, state: AlertState) -> Mapping[str, Any]:
    """A rule and how it stands, as `alerts list` shows it."""
    return {
        "name": rule.name,
        "integration": rule.integration,
        "on": [each.words for each in rule.on],
        "every_seconds": rule.every.total_seconds(),
        "firing": [
            {
                "kind": each.found.kind,
                "of": each.found.subject or None,
                "text": each.found.text,
                "since": iso(each.since),
                "told_at": None if each.told_at is None else iso(each.told_at),
            }
            for each in state.firing.values()
            if each.holds
        ],
        "sent_at": None if state.sent_at is None else iso(state.sent_at),
        "error": state.error,
    }
