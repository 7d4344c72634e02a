"""Untrusted: what an integration's author wrote, asked without being believed."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from experience_runtime.domain.errors import InvalidPayload, Refusal
from experience_runtime.integration import Answer

Redact = Callable[[str], str]


class Foreign:
    """A guard around somebody else's code; `error` is what it raised, None when it came to its end."""

    def __init__(self, passed: tuple[type[BaseException], ...]) -> None:
        self._passed = passed
        self.error: BaseException | None = None

    def __enter__(self) -> "Foreign":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if error is None or isinstance(error, self._passed) or is_ctrl_c(error):
            return False
        self.error = error
        return True


def foreign(*passed: type[BaseException]) -> Foreign:
    """Run somebody else's code inside, and keep whatever it raises: sys.exit and CancelledError too.

    `passed` are raised as they are, and so is Ctrl-C.
    """
    return Foreign(passed)


def plain_refusal(refusal: Refusal, redact: Redact) -> Refusal:
    """Make the refusal of ours that an integration's own subclass stands for, with its text redacted.

    One that stands for none is an InvalidPayload: the list of codes is closed. Source: reference/codes
    """
    kind = next(kind for kind in type(refusal).__mro__ if kind.__module__ == Refusal.__module__)
    message = held(refusal, "message")
    text = redact(message if isinstance(message, str) else spell(refusal))
    return InvalidPayload(text) if kind is Refusal else kind(text)


def spell(value: object) -> str:
    """Spell anything, also what cannot be."""
    with foreign():
        return str(value)
    return f"<{type(value).__name__} that cannot be spelled>"


def raised_at(error: BaseException, kind: type) -> str:
    """Where in the folder of this class's file it was raised: ` at NAME.py:LINE`, or nothing."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if not isinstance(file, str):
        return ""
    folder = os.path.dirname(os.path.abspath(file)) + os.sep
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(name, line) for name, line in places if os.path.abspath(name).startswith(folder)]
    return f" at {os.path.basename(own[-1][0])}:{own[-1][1]}" if own else ""


def is_ctrl_c(error: BaseException) -> bool:
    """Tell whether this is Ctrl-C, which Python raises on the main thread only."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


class NotJson(Exception):
    """What was returned is no JSON value; the text says why."""


def as_json(answer: Any) -> tuple[Any, str]:
    """Make an answer a JSON value, and spell it. Raises NotJson for what JSON cannot write."""
    with foreign() as raised:
        text = _JSON.encode(answer)
        return (None if answer is None else json.loads(text)), text
    raise NotJson(f"a {type(answer).__name__} that is not JSON ({spell(raised.error)[:200]})")


def held(error: BaseException, name: str) -> Any:
    """What an error holds; None when its class lacks it, or raises when it is asked."""
    with foreign():
        # a subclass may have an __init__ that never calls ours
        return getattr(error, name, None)
    return None


def _plain(value: Any) -> Any:
    match value:
        case Answer():
            return {name: told for name, told in asdict(value).items() if name != "is_whole"}
        case BaseModel():
            return value.model_dump(mode="json")
    raise TypeError(f"it holds a {type(value).__name__}")


_JSON = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False)
