"""The host: run one experience for one visitor, and answer what the guest asks.

    script + visitor -> boot message -> turn -> outbox (calls, events, log) -> Scheduler -> inbox -> turn

The guest proposes, the host decides: whether an integration is linked, whether a request is valid, and what
time it is are settled here. Source: reference/experiences#when-a-run-ends.
"""

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import (
    ExperienceError,
    InternalError,
    LimitWall,
    ScriptFault,
)
from experience_runtime.domain.event_names import is_view
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.engine.ports import Clock
from experience_runtime.running.boot import Situation, boot, json_of
from experience_runtime.running.guest import (
    Emitted,
    Guest,
    Limits,
    LogLine,
    Problem,
    Redirected,
    Request,
    Sandbox,
    Script,
    Turn,
)
from experience_runtime.running.guest_calls import GuestCalls, Note, Started, refusal_text, refused_message
from experience_runtime.running.inbox import Inbox
from experience_runtime.running.problems import (
    first_place,
    limit_problem,
    pending_text,
    thrown_problem,
    wall_text,
)
from experience_runtime.running.report import Report, call_document

__all__ = ["CallNow", "ExperienceRun", "Situation"]

_LOGGER = logging.getLogger(__name__)
_MOST_TOGETHER = 100
"""Calls in one transaction; the clock is looked at between two of them."""

CallNow = Callable[[Execution, float], Any]
"""Carry out a started `execute` within so many seconds; return the integration's answer."""


class ExperienceRun:
    """One experience for one visitor, from its first turn to its report.

    Nobody waits in here: `wake_at` says when a timer is due, `woken` is set when an answer has come, and
    `advance` takes the turn that is ready, so that whoever drives can watch the real seconds in between. With
    `executor` None, `execute` calls are carried out at once.
    """

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        script: Script,
        situation: Situation,
        answers: GuestCalls,
        clock: Clock,
        limits: Limits,
        call_now: CallNow,
        executor: Executor | None,
    ) -> None:
        self.report = Report.of(script.experience, situation.visitor)
        self.woken = threading.Event()
        self.wake_at: datetime | None = None
        self.timer_turns = 0
        self.turns = 0
        self.real_seconds_left = limits.wall_seconds
        self._sandbox = sandbox
        self._guest: Guest | None = None
        self._script = script
        self._situation = situation
        self._answers = answers
        self._clock = clock
        self._limits = limits
        self._call_now = call_now
        self._executor = executor
        self._lock = threading.Lock()  # answers come from the executor's threads
        self._inbox = Inbox(page_was_viewed=any(is_view(event["type"]) for event in situation.events))
        self._in_flight: list[Future[None]] = []
        self._calls_in_flight = 0
        self._last = Turn()
        self._ended = False
        self._has_converted = False

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
        """Whether any event from outside could still start something."""
        return not self._ended and self._last.listens

    @property
    def restarts(self) -> bool:
        """Whether a later view runs the experience again."""
        return not self._ended and self._last.restarts

    def start(self) -> None:
        """Take the first turn."""
        for line in self._script.warnings:
            self._write("warn", "repair", line)
        begin = boot(self._script, self._situation, self._answers.linked, self._clock.now(), self._limits)
        guest = self._guest = self._sandbox.open(self._limits)
        self._take(lambda deadline: guest.start(begin, deadline_seconds=deadline))

    def advance(self) -> None:
        """Take one turn, when one is ready: with the answers that came, and the timers that are due."""
        timer_is_due = self.wake_at is not None and self.wake_at <= self._clock.now()
        if self._ended or not (timer_is_due or self._inbox):
            return
        self.timer_turns += timer_is_due
        self._step()

    def receive(self, event_type: str, data: Any) -> None:
        """Hand the guest an event from outside: the page's, or a story's. A later view runs it again.

        What nobody listens for is handed over with the next turn: until then no code of the guest's runs.
        """
        if self._ended:
            return
        json_of(data, "the event's data")
        if self._inbox.hear(event_type, data, at_ms=to_ms(self._clock.now()), listens=self._last.listens):
            self._step()

    def end_by(self, code: str, message: str) -> None:
        """End the run by a limit; what was handed to the host already is still carried out."""
        self._fail(Problem(code=code, message=message))

    def finish(self) -> Report:
        """Wait for the calls in flight, end the guest, and settle the outcome."""
        for future in self._in_flight:
            future.result()
        self._end()
        if self._guest is not None:
            self._guest.close()
        if not self._ended and self.report.error is None:
            self.report.outcome = self._outcome()
        self._ended = True
        return self.report

    def _end(self) -> None:
        """Let the guest tell the rejections that nobody has handled: each is logged, the first is the run's
        error."""
        guest = self._guest
        if guest is None or self._ended or not self._last.unhandled:
            return
        message = {"now": to_ms(self._clock.now()), "inbox": [{"kind": "end"}]}
        self._take(lambda deadline: _told(guest.step(message, deadline_seconds=deadline)))

    def _outcome(self) -> str:
        match self._last.triggers, self._last.variation:
            case "no", _:
                return "not_triggered"
            case "waiting", _:
                self.report.waits = self._last.waits
                self._write("warn", "triggers", pending_text(self._last.waits))
                return "pending"
            case _, "running":
                self._write(
                    "warn", "variation", "the variation's promise was left unsettled at the end of the run"
                )
        return "ran"

    def _step(self) -> None:
        message = {"now": to_ms(self._clock.now()), "inbox": self._inbox.take()}
        guest = self._guest
        if guest is not None:
            self._take(lambda deadline: guest.step(message, deadline_seconds=deadline))

    def _take(self, take: Callable[[float], Turn]) -> None:
        ends_at = monotonic() + max(0.0, self.real_seconds_left)
        try:
            turn = take(max(0.0, self.real_seconds_left))
        except ScriptFault as fault:
            self._fail(Problem(code=fault.code, message=fault.message))
            return
        except InternalError as fault:
            _LOGGER.error("a run of %s ended: %s", self.report.experience, fault.message)
            self._fail(
                Problem(
                    code=fault.code,
                    message="the sandbox failed; what this turn asked for was not carried out. Try again",
                )
            )
            return
        self._last = turn
        self.turns += 1
        self.report.cpu_seconds += turn.cpu_seconds
        is_in_time = self._carry_out(turn, ends_at)
        self.wake_at = turn.wake_at
        if turn.limit is not None:
            self._fail(limit_problem(self._script, turn, self._limits))
        elif not is_in_time:
            self.end_by(LimitWall.code, wall_text(self._limits.wall_seconds, len(self.report.calls)))
        elif turn.thrown is not None and self.report.error is None:
            self.report.error = thrown_problem(self._script, turn.thrown, self._answers.linked)
            self.report.outcome = "failed"

    def _carry_out(self, turn: Turn, ends_at: float) -> bool:
        """Do what a turn asks for, in its order; False when the time was up first, and the rest was left
        undone. Of a turn that a limit ended only the log is taken.
        """
        self._has_converted = False
        together: list[Request] = []
        for item in turn.outbox:
            if isinstance(item, LogLine):
                self._log(item)
            elif turn.limit is None:
                if len(together) == _MOST_TOGETHER or not _goes_together(item):
                    self._call_together(together)
                if monotonic() >= ends_at:
                    return False
                self._carry_out_one(item, together)
        self._call_together(together)
        return True

    def _carry_out_one(self, item: Emitted | Redirected | Request, together: list[Request]) -> None:
        match item:
            case Emitted():
                self._event(item)
            case Redirected():
                self.report.redirects.append(item.url)
            case Request() if _goes_together(item):
                together.append(item)
            case Request():
                self._call(item)

    def _fail(self, problem: Problem) -> None:
        self._ended = True
        self.wake_at = None
        self._inbox.clear()
        self.report.error = problem
        self.report.outcome = "failed"
        self._write("error", "run", f"{problem.code}: {problem.message}")

    def _write(self, level: str, logger: str, message: str, metadata: Any = None) -> None:
        self.report.write(self._clock.now(), level, logger, message, metadata)

    def _log(self, line: LogLine) -> None:
        metadata = line.metadata
        if isinstance(metadata, dict) and isinstance(metadata.get("stack"), str):
            metadata = {**metadata, "stack": self._script.problem("", "", metadata["stack"]).stack}
        message = self._script.in_own_places(line.message)  # an author may log a stack as a text
        self.report.write(line.at, line.level, line.logger, message, metadata)

    def _event(self, event: Emitted) -> None:
        now = self._clock.now()
        self.report.events.append({"at": iso(now), "type": event.type, "data": event.data})
        if self._inbox.is_own_view_for_nothing(event.type) and self._last.restarts:
            said = (
                f"the experience emitted {event.type} itself, which does not run it again; a page's view does"
            )
            self._write("warn", "run", said)
        visitor = self._situation.visitor.id
        if visitor is None or not self._answers.scheduler.is_conversion(event.type):
            return
        # one more changes nothing until something is scheduled again
        if not self._has_converted:
            cancelled = self._answers.scheduler.convert(visitor, event=event.type)
            self._has_converted = True
            self._write("info", "conversion", f"{event.type} cancelled {len(cancelled)} pending executions")

    def _call(self, request: Request) -> None:
        try:
            done = self._answers.answer(request, self._note(request))
        except ExperienceError as error:
            self._reject(request, error)
        except Exception:  # noqa: BLE001 - a full disk, say: this call failed, the host carries on
            self._reject(request, _our_fault(request))
        else:
            if isinstance(done, Started):
                self._begin(request, done)
            else:
                self._answer(request, done)

    def _call_together(self, requests: list[Request]) -> None:
        """Carry out what was gathered, in one transaction, and empty the list."""
        if not requests:
            return
        try:
            answers = self._answers.answer_together(requests, self._note)
        except ExperienceError as error:
            answers = [error] * len(requests)
        except Exception:  # noqa: BLE001 - as above; nothing of them is stored
            answers = [_our_fault(requests[0])] * len(requests)
        for request, done in zip(requests, answers, strict=True):
            if isinstance(done, ExperienceError):
                self._reject(request, done)
            else:
                self._answer(request, done)
        requests.clear()

    def _answer(self, request: Request, done: tuple[Any, Execution | None]) -> None:
        result, made = done
        self._has_converted = self._has_converted and made is None
        if made is not None:
            self.report.add_created(made.id)
        self._resolve(request, result)

    def _note(self, request: Request) -> Note:
        logger = f"integration:{request.integration}"

        def note(level: str, text: str) -> None:
            stack = self._script.problem("", "", request.stack).stack if level == "warn" else ""
            self._write(level, logger, text, {"stack": stack} if stack else None)

        return note

    def _begin(self, request: Request, started: Started) -> None:
        self.report.add_created(started.execution.id)
        with self._lock:
            self._calls_in_flight += 1
        # what is left when it is handed over: a call that waits for a thread keeps its time
        seconds = min(started.timeout_seconds, max(0.001, self.real_seconds_left))
        if self._executor is None:
            self._perform(request, started, seconds)
        else:
            self._in_flight.append(self._executor.submit(self._perform, request, started, seconds))

    def _perform(self, request: Request, started: Started, seconds: float) -> None:
        try:
            result = self._call_now(started.execution, seconds)
        except ExperienceError as error:
            self._reject(request, error)
        except Exception:  # noqa: BLE001 - as above; a thread of the executor has nobody to tell
            self._reject(request, _our_fault(request))
        else:
            self._resolve(request, result)
        finally:
            with self._lock:
                self._calls_in_flight -= 1
            self.woken.set()

    def _resolve(self, request: Request, result: Any) -> None:
        self.report.calls.append(call_document(request.integration, request.verb, {"result": result}))
        self._inbox.put({"kind": "answer", "id": request.id, "ok": True, "text": json.dumps(result)})

    def _reject(self, request: Request, error: ExperienceError) -> None:
        message = refusal_text(request.verb, error)
        stack = self._script.problem("", "", request.stack).stack
        metadata = {"stack": stack} if stack else None
        self._write("error", f"integration:{request.integration}", message, metadata)
        told = {"error": {"code": error.code, "message": message}}
        call = call_document(request.integration, request.verb, told)
        self.report.refusals.append((call, first_place(stack)))
        self.report.calls.append(call)
        self._inbox.put(refused_message(request, error))


def _goes_together(item: Emitted | Redirected | Request) -> bool:
    return isinstance(item, Request) and item.verb in ("schedule", "cancel")


def _told(turn: Turn) -> Turn:
    """What a run's last turn says; what it asks for comes too late."""
    return replace(turn, outbox=[item for item in turn.outbox if isinstance(item, LogLine)], wake_at=None)


def _our_fault(request: Request) -> InternalError:
    _LOGGER.exception("%s of %s failed", request.verb, request.integration)
    return InternalError("something went wrong on our side, and its log says what; try again later")
