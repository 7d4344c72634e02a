"""Guest calls: one integration call of a guest -> the verb it names -> what its promise settles with."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from experience_runtime.domain.clients import NO_CLIENT, Client
from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidDelay,
    InvalidKey,
    InvalidParameter,
    InvalidPayload,
    InvalidTime,
    InvalidWindow,
    NoDelayOrTime,
    NotLinked,
    PayloadTooLarge,
    Refusal,
)
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso
from experience_runtime.domain.lost import a_lost, fix_of_lost
from experience_runtime.domain.options import (
    check_execute_options,
    chosen,
    defaults_without_effect,
    execute_timeout_seconds,
)
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.app_events import call_app, refused
from experience_runtime.engine.claims import ahead
from experience_runtime.engine.prepared import Cancelled, PreparedCancel, PreparedSchedule, Scheduled
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.running.guest import Marshalled, Request

APP = "app"
"""The verb of `App(…)`; what is called then is a function, not an integration."""

_NOTHING: Mapping[str, object] = MappingProxyType({})

_REFUSALS: Mapping[str, type[Refusal]] = {
    "key": InvalidKey,
    "delay": InvalidDelay,
    "time": InvalidTime,
    "window": InvalidWindow,
}
_DECODE = json.JSONDecoder(parse_constant=refuse_constant).decode  # making one takes longer than a small text
_OPTIONS_OF = {
    "schedule": "{ key: …, delay: … }",
    "cancel": "{ key: … }",
    "execute": "{ timeout: … }, or leave it out",
}
_JSON_VALUES = "text, numbers, true, false, null, lists and objects"

Note = Callable[[str, str], None]
"""Write one line of the integration's logger: (level, message)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An `execute` that is on disk as running; its answer comes from the call itself."""

    execution: Execution
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestCalls:
    """Answers the requests of one run, or of one caller on behalf of a visitor.

    `own_space`: where keys are one for all visitors, whose they are; None: everybody's.
    """

    scheduler: Scheduler
    visitor: Visitor
    experience: str | None
    linked: tuple[str, ...] = ()
    client: Client = NO_CLIENT
    own_space: str | None = None

    def answer(self, request: Request, note: Note) -> tuple[Any, Execution | None] | Started:
        """Carry a request out; return its result and the execution it made, or the `execute` it started.

        Raises the Refusal of the first rule the request breaks; nothing is stored then.
        """
        if request.verb == APP:
            return self._app(request, note)
        self._check_linked(request.integration)
        options = _options(request.options, "options", request.verb)
        defaults = _options(request.defaults, "defaults", "schedule")
        match request.verb:
            case "schedule":
                payload = _payload(request.payload)
                _tell_of_lost(request.payload, note)
                return self.schedule(request.integration, payload, options, note, defaults=defaults)
            case "cancel":
                return self.cancel(request.integration, options, note, defaults=defaults), None
            case "execute":
                payload = _payload(request.payload)
                _tell_of_lost(request.payload, note)
                return self.execute(request.integration, payload, options, note, defaults=defaults)
            case _:
                raise InvalidParameter(f"an integration has no action {shown(request.verb)}")

    def answer_together(
        self, requests: Sequence[Request], note: Callable[[Request], Note]
    ) -> list[tuple[Any, Execution | None] | ExperienceError]:
        """Carry `schedule` and `cancel` requests out in their order, in one transaction.

        For each its result and the execution it made, or the refusal that it alone gets.
        """
        prepared: dict[int, PreparedSchedule | PreparedCancel] = {}
        answers: dict[int, tuple[Any, Execution | None] | ExperienceError] = {}
        for at, request in enumerate(requests):
            try:
                with ahead(len(prepared)):
                    prepared[at] = self._prepare(request)
            except ExperienceError as error:
                answers[at] = error
        done = self.scheduler.carry_out(list(prepared.values()))
        for at, each in zip(prepared, done, strict=True):
            match each:
                case Scheduled():
                    _tell_of_lost(requests[at].payload, note(requests[at]))
                    answers[at] = self.scheduled(each, note(requests[at]))
                case Cancelled():
                    answers[at] = self.cancelled(each, note(requests[at])), None
                case refused:
                    answers[at] = refused
        return [answers[at] for at in range(len(requests))]

    def _prepare(self, request: Request) -> PreparedSchedule | PreparedCancel:
        self._check_linked(request.integration)
        options = _options(request.options, "options", request.verb)
        defaults = _options(request.defaults, "defaults", "schedule")
        if request.verb == "cancel":
            return self.scheduler.prepare_cancel_of(
                request.integration, options, defaults=defaults, visitor=self.visitor
            )
        payload = _payload(request.payload)
        _check_order(payload, options, defaults)
        return self.scheduler.prepare_schedule(
            request.integration,
            payload,
            options,
            defaults=defaults,
            visitor=self.visitor,
            experience=self.experience,
        )

    def schedule(
        self,
        integration: str,
        payload: object,
        options: Mapping[str, object],
        note: Note,
        *,
        defaults: Mapping[str, object] = _NOTHING,
    ) -> tuple[Any, Execution]:
        """What `schedule` resolves with, and the execution it made."""
        done = self.scheduler.schedule(
            integration,
            payload,
            options,
            defaults=defaults,
            visitor=self.visitor,
            experience=self.experience,
            own_space=self.own_space,
        )
        return self.scheduled(done, note)

    @staticmethod
    def scheduled(done: Scheduled, note: Note) -> tuple[Any, Execution]:
        """The same of one that is on disk already; its lines are noted."""
        for line in done.warnings:
            note("warn", line)
        for line in done.notes:
            note("info", line)
        made = done.execution
        result = {
            "id": made.id,
            "key": None if made.key is None else json.loads(made.key),
            "time": iso(made.due_at),
            "requestedTime": iso(made.requested_at),
            "replaced": done.replaced,
        }
        return result, made

    def cancel(
        self,
        integration: str,
        options: Mapping[str, object],
        note: Note,
        *,
        defaults: Mapping[str, object] = _NOTHING,
    ) -> Any:
        """What `cancel` resolves with."""
        done = self.scheduler.cancel(
            integration, options, defaults=defaults, visitor=self.visitor, own_space=self.own_space
        )
        return self.cancelled(done, note)

    @staticmethod
    def cancelled(done: Cancelled, note: Note) -> Any:
        """The same of one that is done already; its lines are noted."""
        for line in done.warnings:
            note("warn", line)
        if done.elsewhere:
            note(
                "info",
                "nothing of this visitor's is pending under this key, but another visitor's is; "
                "scope: 'property' makes a key one for all visitors",
            )
        elif not done.ids:
            note(
                "warn",
                done.doubt
                or "nothing was pending under this key, so nothing was cancelled; the key must be the one it "
                "was scheduled with, of the same types: 7 and '7' differ",
            )
        return {"cancelled": len(done.ids), "ids": list(done.ids)}

    def execute(
        self,
        integration: str,
        payload: object,
        options: Mapping[str, object],
        note: Note,
        *,
        defaults: Mapping[str, object] = _NOTHING,
    ) -> Started:
        """Begin an `execute`; its answer is the call's."""
        for line in (*check_execute_options(options), *defaults_without_effect(defaults)):
            note("warn", line)
        key = chosen(options, defaults, "key")
        timeout_seconds = execute_timeout_seconds(options.get("timeout"))
        execution = self.scheduler.begin_execute(
            integration,
            payload,
            key=key,
            visitor=self.visitor,
            experience=self.experience,
            own_space=self.own_space,
        )
        return Started(execution=execution, timeout_seconds=timeout_seconds)

    def _app(self, request: Request, note: Note) -> tuple[Any, Execution | None]:
        done = call_app(
            self.scheduler,
            request.integration,
            _value(request.payload, InvalidParameter),
            client=self.client,
            experience=self.experience,
        )
        for line in done.warnings:
            note("warn", line)
        return done.answer, done.execution

    def _check_linked(self, integration: str) -> None:
        # The guest checks this too, to throw at once; what the guest says is not relied on.
        if integration not in self.linked:
            raise NotLinked(f'The integration "{integration}" is not linked to this experience')


def refused_message(request: Request, error: ExperienceError) -> dict[str, Any]:
    """What a guest is told of a refusal: its promise rejects; that of `App` resolves with it."""
    if request.verb == APP:
        return {"kind": "answer", "id": request.id, "ok": True, "text": json.dumps(refused(error))}
    text = refusal_text(request.verb, error)
    return {"kind": "answer", "id": request.id, "ok": False, "text": text, "code": error.code}


def refusal_text(verb: str, error: ExperienceError) -> str:
    """The message of the rejected promise, and of the log's line.

    Source: reference/schedule-options#the-three-calls.
    """
    if verb == APP:
        return f"App: {error.message}"
    return f"Failed to perform {verb} action: {error.message}"


def _tell_of_lost(part: Marshalled, note: Note) -> None:
    for path, what in part.lost:
        note("warn", f"{path} is {a_lost(what)}, which goes out as an empty object; {fix_of_lost(what)}")
    if part.lost_count > len(part.lost):
        note(
            "warn", f"{part.lost_count - len(part.lost)} more values of this payload go out as empty objects"
        )


def _payload(part: Marshalled) -> object:
    if part.text is None and part.what == "undefined" and part.path in (None, "payload"):
        raise InvalidPayload(
            "payload is undefined; write what is to be sent as the first value, or null for nothing"
        )
    return _value(part, InvalidPayload)


def _check_order(payload: object, options: Mapping[str, object], defaults: Mapping[str, object]) -> None:
    """Raise NoDelayOrTime for options that stand in the payload; without any it is raised in any case."""
    within = [name for name in ("delay", "time") if isinstance(payload, dict) and name in payload]
    if within and not any(name in each for name in ("delay", "time") for each in (options, defaults)):
        raise NoDelayOrTime(
            f"{within[0]} stands in the payload; options are the second value: "
            f"schedule({{…}}, {{ {within[0]}: … }})"
        )


def _options(part: Marshalled, name: str, verb: str) -> Mapping[str, object]:
    if part == Marshalled():
        return {}
    value = _value(part, _refusal_for((part.path or "").removeprefix(f"{name}.")))
    for path, what in part.lost:
        refusal = _refusal_for(path.removeprefix(f"{name}."))
        if refusal is not InvalidParameter:  # an empty object would be the same for everybody
            raise refusal(f"{path} is {a_lost(what)}; {fix_of_lost(what)}")
    if not isinstance(value, dict):
        if verb == "cancel" and isinstance(value, str):
            raise InvalidParameter(
                f"{name} {shown(value)} is not an object; write {{ key: {shown(value)} }} if it is the key"
            )
        raise InvalidParameter(f"{name} {shown(value)} is not an object; write {_OPTIONS_OF[verb]}")
    return value


def _refusal_for(option: str) -> type[Refusal]:
    """The code that an option's own rule has, for an option that is no JSON value at all."""
    for name, refusal in _REFUSALS.items():
        if option == name or option.startswith((f"{name}.", f"{name}[")):
            return refusal
    return InvalidParameter


def _value(part: Marshalled, refusal: type[Refusal]) -> Any:
    if part.text is None:
        path = part.path or "payload"
        if part.what == "too large":
            raise PayloadTooLarge(f"{path} has more than 256 KiB of JSON; send less, or a link to it")
        if part.what == "an invalid Date":
            raise refusal(
                f"{path.removeprefix('options.')} is an invalid Date: something that it is made of is "
                "missing, or no date; look at that before"
            )
        raise refusal(f"{path} is {part.what}, which JSON cannot carry; use {_JSON_VALUES}")
    try:
        return _DECODE(part.text)
    except (ValueError, RecursionError):
        raise refusal("the value is not JSON, or nested too deeply; send it flatter") from None
