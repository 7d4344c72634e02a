"""Turns: what a worker says -> a Turn. It ran guest code, so nothing about its text is taken on trust."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from experience_runtime.domain.instants import from_ms
from experience_runtime.running.guest import (
    Emitted,
    Limits,
    LogLine,
    Marshalled,
    Redirected,
    Request,
    Thrown,
    Turn,
)

_MOST_LOST = 10
T = TypeVar("T")
Item = LogLine | Emitted | Redirected | Request

_LEVELS = frozenset({"trace", "debug", "info", "warn", "error"})
_VERBS = frozenset({"execute", "schedule", "cancel", "app"})
_MOST_LOST = 10
_TRIGGERS = frozenset({"none", "waiting", "yes", "no", "failed"})
_VARIATION = frozenset({"none", "running", "done", "failed"})
_LIMITS = frozenset(
    {
        *("limit_cpu", "limit_memory", "limit_log", "limit_events"),
        *("limit_calls", "limit_calls_run", "limit_calls_turn"),
    }
)
_NO_LIMIT: Mapping[str, Any] = {"limit": None, "stack": ""}
_LEFT_OUT = Marshalled()
_LEAST_LINE = 60  # characters of a log line's JSON, whatever it says
_BEYOND: Mapping[type[Item], str] = {
    LogLine: "limit_log",
    Emitted: "limit_events",
    Redirected: "limit_events",
    Request: "limit_calls_run",
}
_ROOM_BYTES = 100_000  # what a frame has beside its items
_LATEST_MS = 253_402_300_799_999  # the end of 9999, the last instant a datetime holds


class Allowance:
    """What one run may still hand out. The prelude keeps to it; a worker that was broken into may not."""

    def __init__(self, limits: Limits) -> None:
        self._left = {
            LogLine: limits.log_bytes // _LEAST_LINE,
            Emitted: limits.events,
            Redirected: limits.redirects,
            Request: limits.calls,
        }
        # the prelude counts characters, of which each takes three bytes at most
        self.most_bytes = 3 * (limits.log_bytes + limits.event_bytes + limits.turn_call_bytes) + _ROOM_BYTES
        """What one frame may have."""

    def passes(self, outbox: Sequence[Item]) -> tuple[Sequence[Item], str | None]:
        """The items that are within it, and the limit that the first one beyond it runs into."""
        for at, item in enumerate(outbox):
            self._left[type(item)] -= 1
            if self._left[type(item)] < 0:
                return outbox[:at], _BEYOND[type(item)]
        return outbox, None


def read_turn(frame: bytes, allowance: Allowance) -> Turn:
    """Read a worker's frame of lines: `O`, the microseconds of CPU and what a limit left as JSON; the guest's
    outbox and state; the JSON texts that the outbox names by their number.

    Raises ValueError for anything that is not of this form.
    """
    head, _, rest = frame[1:].partition(b"\n")
    if frame[:1] != b"O":
        _refuse("a frame of another kind")
    try:
        # without a text the limit left no room to say more
        said, *lines = rest.decode("utf-8", "surrogatepass").split("\n")
        state = _object(_DECODE(said)) if said else {}
        used, _, ends = head.partition(b" ")
        return _turn(
            int(used), _object(_DECODE(ends.decode())) if ends else _NO_LIMIT, state, lines, allowance
        )
    except KeyError as missing:
        return _refuse(f"no {missing}")
    except RecursionError:
        return _refuse("a value nested too deeply")


def _turn(
    cpu_us: int, ends: Mapping[str, Any], state: Mapping[str, Any], lines: Sequence[str], allowance: Allowance
) -> Turn:
    thrown, wake_at = state.get("error"), state.get("wakeAt")
    outbox, beyond = allowance.passes(
        [_item(_object(each), lines) for each in _typed(list, state.get("outbox", []))]
    )
    # memory that was short may have spoilt whatever else the guest says
    limit = (
        "limit_memory" if ends["limit"] == "limit_memory" else state.get("limit") or ends["limit"] or beyond
    )
    return Turn(
        outbox=outbox,
        triggers=_one_of(_TRIGGERS, state.get("triggers", "none")),
        variation=_one_of(_VARIATION, state.get("variation", "none")),
        thrown=None if thrown is None else _thrown(_object(thrown)),
        limit=None if limit is None else _one_of(_LIMITS, limit),
        stack=_text(ends["stack"]),
        describing=state.get("phase") == "describing",
        listens=state.get("listeners") is True,
        restarts=state.get("restarts") is True,
        waits=tuple(_text(each)[:100] for each in _typed(list, state.get("waits", []))[:5]),
        unhandled=state.get("unhandled") is True,
        wake_at=None if wake_at is None else _instant(wake_at),
        cpu_seconds=cpu_us / 1e6,
    )


def _item(item: Mapping[str, Any], lines: Sequence[str]) -> Item:
    match item.get("kind"):
        case "log":
            return LogLine(
                at=_instant(item["at"]),
                level=_one_of(_LEVELS, item["level"]),
                logger=_text(item["logger"]),
                message=_text(item["message"]),
                metadata=_whole(item["metadata"]),
            )
        case "event":
            return Emitted(type=_text(item["type"]), data=_whole(item["data"]))
        case "redirect":
            return Redirected(url=_text(item["url"]))
        case "call":
            return Request(
                id=_typed(int, item["id"]),
                verb=_one_of(_VERBS, item["verb"]),
                integration=_text(item["integration"]),
                payload=_marshalled(_object(item["payload"]), lines),
                options=_marshalled(_object(item["options"]), lines),
                defaults=_marshalled(_object(item["defaults"]), lines),
                stack=_text(item["stack"]),
            )
        case kind:
            return _refuse(f"an item of kind {kind!r}")


def _marshalled(part: Mapping[str, Any], lines: Sequence[str]) -> Marshalled:
    if not part:
        return _LEFT_OUT
    if "text" in part:
        # as it is: whether a lone surrogate may stay is for the rules of payloads and keys to say
        number = _typed(int, part["text"])
        if not 0 < number <= len(lines):
            _refuse(f"no line {number}")
        text = lines[number - 1]
        if len(part) == 1:
            return Marshalled(text=text)
        told = [_object(each) for each in _typed(list, part.get("lost", []))[:_MOST_LOST]]
        return Marshalled(
            text=text,
            lost=tuple((_text(each["path"]), _text(each["what"])) for each in told),
            lost_count=_typed(int, part.get("lostCount", 0)),
        )
    return Marshalled(path=_text(part["path"]), what=_text(part["what"]))


def _thrown(thrown: Mapping[str, Any]) -> Thrown:
    return Thrown(**{name: _text(thrown[name]) for name in ("role", "code", "text", "stack")})


def _instant(value: object) -> datetime:
    at_ms = _typed(int, value)
    if not 0 <= at_ms <= _LATEST_MS:
        _refuse("an instant no calendar reaches")
    return from_ms(at_ms)


def _typed(kind: type[T] | Callable[..., T], value: object) -> T:
    # type() and not isinstance(): a bool is no int here
    if type(value) is not kind:
        _refuse(f"a {type(value).__name__}")
    return value


def _object(value: object) -> dict[str, Any]:
    return value if type(value) is dict else _refuse(f"a {type(value).__name__}")


def _one_of(words: frozenset[str], value: object) -> str:
    word = _typed(str, value)
    return word if word in words else _refuse(f"the word {word[:40]!r}")


def _text(value: object) -> str:
    if type(value) is not str:
        return _refuse(f"a {type(value).__name__}")
    return value if value.isascii() else _without_surrogates(value)


def _without_surrogates(text: str) -> str:
    # half a pair from a cut string can be neither printed nor stored
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(value: Any) -> Any:
    """A JSON value with every lone surrogate replaced; the prelude nests less deep than Python recurses."""
    match value:
        case str():
            return _without_surrogates(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {_without_surrogates(name): _whole(each) for name, each in value.items()}
        case _:
            return value


_DECODE = json.JSONDecoder(parse_constant=lambda word: _refuse(word)).decode


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"the worker sent {what}")
