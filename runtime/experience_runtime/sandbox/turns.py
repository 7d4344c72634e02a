"""Turns: what a worker says -> a Turn. It ran guest code, so nothing about its text is taken on trust."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from experience_runtime.domain.instants import from_ms
from experience_runtime.running.guest import (
    Emitted,
    LogLine,
    Marshalled,
    Redirected,
    Request,
    Thrown,
    Turn,
)

T = TypeVar("T")

_LEVELS = frozenset({"trace", "debug", "info", "warn", "error"})
_VERBS = frozenset({"execute", "schedule", "cancel", "app"})
_TRIGGERS = frozenset({"none", "waiting", "yes", "no", "failed"})
_VARIATION = frozenset({"none", "running", "done", "failed"})
_LIMITS = frozenset({"limit_cpu", "limit_memory", "limit_calls", "limit_log"})
_LATEST_MS = 253_402_300_799_999  # the end of 9999, the last instant a datetime holds


def read_turn(frame: bytes) -> Turn:
    """Read a worker's frame: a JSON head, a line end, and the guest's outbox and state.

    Raises ValueError for anything that is not of this form.
    """
    head, _, rest = frame[1:].partition(b"\n")
    if frame[:1] != b"O":
        _refuse("a frame of another kind")
    try:
        # without a text the limit left no room to say more
        state = _object(json.loads(rest, parse_constant=_refuse)) if rest else {}
        return _turn(_object(json.loads(head)), state)
    except KeyError as missing:
        return _refuse(f"no {missing}")
    except RecursionError:
        return _refuse("a value nested too deeply")


def _turn(head: Mapping[str, Any], state: Mapping[str, Any]) -> Turn:
    limit = state.get("limit") or head["limit"]
    thrown, wake_at = state.get("error"), state.get("wakeAt")
    return Turn(
        outbox=[_item(_object(each)) for each in _typed(list, state.get("outbox", []))],
        triggers=_one_of(_TRIGGERS, state.get("triggers", "none")),
        variation=_one_of(_VARIATION, state.get("variation", "none")),
        thrown=None if thrown is None else _thrown(_object(thrown)),
        limit=None if limit is None else _one_of(_LIMITS, limit),
        stack=_text(head["stack"]),
        describing=state.get("phase") == "describing",
        listens=state.get("listeners") is True,
        restarts=state.get("restarts") is True,
        wake_at=None if wake_at is None else _instant(wake_at),
        cpu_seconds=_typed(int, head["cpu_us"]) / 1e6,
    )


def _item(item: Mapping[str, Any]) -> LogLine | Emitted | Redirected | Request:
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
                payload=_marshalled(_object(item["payload"])),
                options=_marshalled(_object(item["options"])),
                defaults=_marshalled(_object(item["defaults"])),
            )
        case kind:
            return _refuse(f"an item of kind {kind!r}")


def _marshalled(part: Mapping[str, Any]) -> Marshalled:
    if not part:
        return Marshalled()
    if "text" in part:
        # as it is: whether a lone surrogate may stay is for the rules of payloads and keys to say
        return Marshalled(text=_typed(str, part["text"]))
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
    return _typed(dict, value)


def _one_of(words: frozenset[str], value: object) -> str:
    word = _typed(str, value)
    return word if word in words else _refuse(f"the word {word[:40]!r}")


def _text(value: object) -> str:
    return _without_surrogates(_typed(str, value))


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


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"the worker sent {what}")
