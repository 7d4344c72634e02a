"""The host: run one experience for one visitor, and answer what the guest asks.

    script + visitor -> boot message -> guest turn -> outbox (calls, events, log) -> Scheduler -> inbox -> next turn

The guest proposes, the host decides: whether an integration is linked, whether a request is valid, and what time
it is are settled here. Source: contract 1 and 2.
"""

import json
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experience_runtime.answers import Answers, Request, Started, refusal_text
from experience_runtime.domain.errors import ExperienceError, InternalError, ScriptFault
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import from_ms, iso, to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.ports import Clock, Guest, Integrations, Limits, Problem, Sandbox, Script
from experience_runtime.report import Report, call_document
from experience_runtime.scheduler import Scheduler

_LOGGER = logging.getLogger("experience_runtime.host")
_WIRING_CODES = frozenset({"not_linked", "module_not_found"})

CallNow = Callable[[Execution, float], Any]
"""Carry out a started `execute` within so many seconds; return the integration's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a run finds: the page's facts, the events before it, and its chance."""

    visitor: Visitor
    data: Any = None
    visitor_state: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()  # {"type", "data"}
    seed: int | None = None
    is_preview: bool = False


class Run:
    """One experience for one visitor, from its first turn to its report.

    Nobody waits in here: `wake_at` says when a timer is due, `woken` is set when an answer has come, and
    `advance` takes the turns that are ready. With `executor` None, `execute` calls are carried out at once.
    """

    def __init__(
        self,
        *,
        guest: Guest,
        script: Script,
        situation: Situation,
        answers: Answers,
        clock: Clock,
        limits: Limits,
        call_now: CallNow,
        executor: Executor | None,
    ) -> None:
        self.report = Report(experience=script.experience.name, visitor=situation.visitor)
        self.woken = threading.Event()
        self.wake_at: datetime | None = None
        self.timer_turns = 0
        self.real_seconds_left = limits.wall_seconds
        self._guest = guest
        self._script = script
        self._situation = situation
        self._answers = answers
        self._clock = clock
        self._limits = limits
        self._call_now = call_now
        self._executor = executor
        self._lock = threading.Lock()  # answers come from the executor's threads
        self._inbox: deque[dict[str, Any]] = deque()
        self._in_flight: list[Future[None]] = []
        self._calls_in_flight = 0
        self._state: Mapping[str, Any] = {}
        self._ended = False

    @property
    def is_over(self) -> bool:
        """Nothing is left that could take another turn."""
        return self._ended or (self.wake_at is None and not self._inbox and self._calls_in_flight == 0)

    @property
    def has_answers(self) -> bool:
        """Whether a turn is ready now, without waiting for a timer."""
        return bool(self._inbox)

    @property
    def listens(self) -> bool:
        """Whether an event from outside could still start something."""
        return not self._ended and bool(self._state.get("listeners"))

    def start(self) -> None:
        """Take the first turn, and those that follow from it at once."""
        for line in self._script.warnings:
            self.report.write(self._clock.now(), "warn", "repair", line)
        boot = boot_message(self._script, self._situation, self._answers.linked, self._clock.now(), self._limits)
        self._take(lambda deadline: self._guest.start(boot, deadline_seconds=deadline))
        self._advance_inbox()

    def advance(self) -> None:
        """Take the turns that are ready now: answers that came, timers that are due."""
        if self.wake_at is not None and self.wake_at <= self._clock.now() and not self._ended:
            self.timer_turns += 1
            self._step()
        self._advance_inbox()

    def receive(self, event_type: str, data: Any) -> None:
        """Hand the guest an event from outside: the page's, or a story's."""
        if not self._ended:
            self._inbox.append({"kind": "event", "type": event_type, "data": data})
            self._advance_inbox()

    def end_by(self, code: str, message: str) -> None:
        """End the run by a limit; what was handed to the host already is still carried out."""
        self._fail(Problem(code=code, message=message))

    def finish(self) -> Report:
        """Wait for the calls in flight, end the guest, and settle the outcome."""
        for future in self._in_flight:
            future.result()
        self._guest.close()
        self._ended = True
        if self.report.error is None:
            self.report.outcome = self._outcome()
        return self.report

    def _outcome(self) -> str:
        match self._state.get("triggers"), self._state.get("variation"):
            case "no", _:
                return "not_triggered"
            case "waiting", _:
                self.report.write(self._clock.now(), "warn", "triggers", "pending: triggers never called back")
                return "pending"
            case _, "running":
                self.report.write(
                    self._clock.now(), "warn", "variation", "the variation's promise was left unsettled at the end of the run"
                )
        return "ran"

    def _advance_inbox(self) -> None:
        while self._inbox and not self._ended:
            self._step()

    def _step(self) -> None:
        inbox = [self._inbox.popleft() for _ in range(len(self._inbox))]
        message = {"now": to_ms(self._clock.now()), "inbox": inbox}
        self._take(lambda deadline: self._guest.step(message, deadline_seconds=deadline))

    def _take(self, turn: Callable[[float], dict[str, Any]]) -> None:
        try:
            state = turn(max(0.0, self.real_seconds_left))
        except ScriptFault as fault:
            self._fail(Problem(code=fault.code, message=fault.message))
            return
        except InternalError as fault:
            _LOGGER.error("a run of %s ended: %s", self.report.experience, fault.message)
            self._fail(Problem(code=fault.code, message=fault.message))
            return
        self._state = state
        self.report.cpu_seconds += state.get("cpu_seconds", 0.0)
        limit = state.get("limit")
        for item in state.get("outbox", ()):
            if item["kind"] == "log":
                self._log(item)
            elif limit is None:
                self._carry_out(item)
        wake_at = state.get("wakeAt")
        self.wake_at = None if wake_at is None else from_ms(int(wake_at))
        if limit is not None:
            self._fail(self._limit_problem(limit, state))
        elif state.get("error"):
            self._problem(state["error"])

    def _limit_problem(self, limit: str, state: Mapping[str, Any]) -> Problem:
        if limit == "limit_cpu" and state.get("phase") == "describing":
            return Problem(code="script_error", message="threw a value that cannot be read in time")
        error = state.get("error") or {}
        place = self._script.problem(limit, "", error.get("stack", ""))
        return Problem(
            code=limit,
            message=_LIMIT_TEXTS[limit](self._limits),
            file=place.file,
            line=place.line,
            column=place.column,
            stack=place.stack,
        )

    def _problem(self, error: Mapping[str, Any]) -> None:
        text = _clean(error["text"])
        code = "script_error"
        if error["role"] == "load" and text.startswith("SyntaxError"):
            code = "syntax_error"
        elif error["code"] in _WIRING_CODES:
            code = error["code"]
        self.report.error = self._script.problem(code, text, error["stack"])
        self.report.outcome = "failed"

    def _fail(self, problem: Problem) -> None:
        self._ended = True
        self.wake_at = None
        self._inbox.clear()
        self.report.error = problem
        self.report.outcome = "failed"
        self.report.write(self._clock.now(), "error", "run", f"{problem.code}: {problem.message}")

    def _log(self, item: Mapping[str, Any]) -> None:
        metadata = item.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("stack"), str):
            metadata = {**metadata, "stack": self._script.problem("", "", metadata["stack"]).stack}
        self.report.write(
            from_ms(int(item["at"])), item["level"], _clean(item["logger"]), _clean(item["message"]), metadata
        )

    def _carry_out(self, item: Mapping[str, Any]) -> None:
        if item["kind"] == "event":
            self._event(_clean(item["type"]), item["data"])
        elif item["kind"] == "call":
            self._call(
                Request(
                    id=item["id"],
                    verb=item["verb"],
                    integration=_clean(item["integration"]),
                    payload=item["payload"],
                    options=item["options"],
                    defaults=item["defaults"],
                )
            )

    def _event(self, event_type: str, data: Any) -> None:
        now = self._clock.now()
        self.report.events.append({"at": iso(now), "type": event_type, "data": data})
        visitor = self._situation.visitor.id
        if visitor is not None and self._answers.scheduler.is_conversion(event_type):
            cancelled = self._answers.scheduler.convert(visitor, event=event_type)
            self.report.write(now, "info", "conversion", f"{event_type} cancelled {len(cancelled)} pending executions")

    def _call(self, request: Request) -> None:
        logger = f"integration:{request.integration}"
        note = lambda level, text: self.report.write(self._clock.now(), level, logger, text)  # noqa: E731
        try:
            done = self._answers.answer(request, note)
        except ExperienceError as error:
            self._reject(request, error)
            return
        if isinstance(done, Started):
            self._begin(request, done)
            return
        result, made = done
        if made is not None:
            self.report.created.append(made.id)
        self._resolve(request, result)

    def _begin(self, request: Request, started: Started) -> None:
        self.report.created.append(started.execution.id)
        with self._lock:
            self._calls_in_flight += 1
        if self._executor is None:
            self._perform(request, started)
        else:
            self._in_flight.append(self._executor.submit(self._perform, request, started))

    def _perform(self, request: Request, started: Started) -> None:
        try:
            result = self._call_now(started.execution, min(started.timeout_seconds, max(0.001, self.real_seconds_left)))
        except ExperienceError as error:
            self._reject(request, error)
        else:
            self._resolve(request, result)
        finally:
            with self._lock:
                self._calls_in_flight -= 1
            self.woken.set()

    def _resolve(self, request: Request, result: Any) -> None:
        self.report.calls.append(call_document(request.integration, request.verb, {"result": result}))
        self._inbox.append({"kind": "answer", "id": request.id, "ok": True, "text": json.dumps(result)})

    def _reject(self, request: Request, error: ExperienceError) -> None:
        message = refusal_text(request.verb, error)
        self.report.write(self._clock.now(), "error", f"integration:{request.integration}", message)
        self.report.calls.append(
            call_document(request.integration, request.verb, {"error": {"code": error.code, "message": message}})
        )
        self._inbox.append({"kind": "answer", "id": request.id, "ok": False, "text": message, "code": error.code})


def open_run(
    script: Script,
    situation: Situation,
    *,
    sandbox: Sandbox,
    scheduler: Scheduler,
    integrations: Integrations,
    clock: Clock,
    call_now: CallNow,
    executor: Executor | None = None,
    limits: Limits | None = None,
) -> Run:
    """Make a run that has not begun. A folder without `meta.qfns` is linked to every registered integration."""
    limits = limits or Limits()
    linked = script.experience.linked
    return Run(
        guest=sandbox.open(limits),
        script=script,
        situation=situation,
        answers=Answers(
            scheduler=scheduler,
            visitor=situation.visitor,
            experience=script.experience.name,
            linked=tuple(integrations.names()) if linked is None else linked,
        ),
        clock=clock,
        limits=limits,
        call_now=call_now,
        executor=executor,
    )


def check(script: Script, sandbox: Sandbox, limits: Limits | None = None) -> Problem | None:
    """Compile every file of an experience and run none; return the first problem."""
    limits = limits or Limits()
    guest = sandbox.open(limits)
    situation = Situation(visitor=Visitor(id=None))
    boot = boot_message(script, situation, (), from_ms(0), limits) | {"checkOnly": True}
    try:
        state = guest.start(boot, deadline_seconds=limits.wall_seconds)
    except ScriptFault as fault:
        return Problem(code=fault.code, message=fault.message)
    finally:
        guest.close()
    if state.get("limit"):
        return Problem(code=state["limit"], message=_LIMIT_TEXTS[state["limit"]](limits))
    error = state.get("error")
    return None if not error else script.problem("syntax_error", _clean(error["text"]), error["stack"])


def boot_message(
    script: Script, situation: Situation, linked: Sequence[str], now: datetime, limits: Limits
) -> dict[str, Any]:
    """What a guest is started with; the inner texts are JSON that the guest parses anew for each reader."""
    meta = script.experience.meta
    visitor = situation.visitor
    seed = secrets.randbits(128) if situation.seed is None else situation.seed
    data = meta.get("templateData", {}) if situation.data is None else situation.data
    state = {**_object(meta.get("visitor")), **situation.visitor_state}
    if visitor.id is not None:
        state["visitorId"] = visitor.id
    if visitor.timezone_offset is not None:
        state["timezoneOffset"] = visitor.timezone_offset
    return {
        "now": to_ms(now),
        "seed": [(seed >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96)],
        "logBytes": limits.log_bytes,
        "calls": limits.pending_calls,
        "modules": script.modules,
        "globalText": script.global_text,
        "hasTriggers": script.experience.triggers is not None,
        "hasVariation": script.experience.variation is not None,
        "checkOnly": False,
        "linked": list(linked),
        "events": [{"type": event["type"], "data": event.get("data", {})} for event in situation.events],
        "metaText": json.dumps(_meta(script, visitor, situation.is_preview)),
        "dataText": json.dumps(data),
        "solutionText": json.dumps(meta.get("solutionOptions")),
        "visitorStateText": json.dumps(state),
        "browserStateText": json.dumps(_BROWSER),
    }


_BROWSER = {
    "url": "https://example.com/",
    "ua": {"deviceType": "computer", "browserName": "", "browserVersion": "", "osName": ""},
}

_LIMIT_TEXTS: Mapping[str, Callable[[Limits], str]] = {
    "limit_cpu": lambda limits: (
        f"a turn may use {limits.cpu_turn_seconds * 1000:g} ms of CPU and a run {limits.cpu_run_seconds:g} s; "
        "look for a loop that does not end"
    ),
    "limit_memory": lambda limits: f"a run may use {limits.memory_bytes // 2**20} MiB of memory; keep less at a time",
    "limit_calls": lambda limits: f"{limits.pending_calls} calls may wait for an answer at a time; await some first",
    "limit_log": lambda limits: f"a run may write {limits.log_bytes // 1024} KiB of log; write less of it",
}


def _meta(script: Script, visitor: Visitor, is_preview: bool) -> dict[str, Any]:
    meta = script.experience.meta
    variations = _object(meta.get("variations"))
    name = f"variation-{script.experience.master_id}"
    own = _object(variations.get(name))
    return {
        "cookieDomain": meta.get("cookieDomain"),
        "trackingId": meta.get("trackingId"),
        "experienceId": meta.get("experienceId"),
        "experimentId": meta.get("experienceId"),
        "iterationId": meta.get("iterationId"),
        "variationId": own.get("variationId"),
        "variationMasterId": own.get("variationMasterId", script.experience.master_id),
        "variationIsControl": own.get("variationIsControl", script.experience.variation is None),
        "isPreview": is_preview or meta.get("isPreview") is True,
        "vertical": meta.get("vertical"),
        "namespace": meta.get("namespace"),
        "visitorId": visitor.id,
    }


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _clean(text: str) -> str:
    # A lone surrogate cannot be printed or stored as UTF-8.
    return text.encode("utf-8", "replace").decode()
