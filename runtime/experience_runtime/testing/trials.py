"""Trials: call an integration under every circumstance, and tell what is wrong."""

import contextlib
import io
import itertools
import json
import logging
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from experience_runtime.clocks import SystemClock
from experience_runtime.integration import Answer, Context, Http, IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.testing.other_side import OtherSide, Reply, Request
from experience_runtime.untrusted import NotJson, as_json, foreign, spell

SILENCE_SECONDS = 0.3
THREADS = 4

_PATH_SECRET_LENGTH = 16
_SECRET_LENGTH = 4  # shorter texts stand in too many innocent places
_LATER = {"retry-after": "7"}
_FINAL = (302, 400, 401, 404)
_PASSING = (500, 504)
# What happens, what plays it, whether it may pass, the Retry-After to be passed on.
# Source: reference/executions#retries
_FAILURES: Sequence[tuple[str, Reply, bool, float | None]] = (
    *((f"an answer of {status}", Reply(status=status, body=b"no"), False, None) for status in _FINAL),
    *((f"an answer of {status}", Reply(status=status, body=b"no"), True, None) for status in _PASSING),
    ("an answer of 429 with Retry-After: 7", Reply(status=429, headers=_LATER), True, 7.0),
    ("an answer of 503 with Retry-After: 7", Reply(status=503, headers=_LATER), True, 7.0),
    ("a connection that is closed", Reply(hangs_up=True), True, None),
    ("an answer that never comes", Reply(is_silent=True), True, None),
)


@dataclass(kw_only=True)
class Trial:
    """Calls an integration under every circumstance and tells what is wrong."""

    name: str
    registry: Registry
    other_side: OtherSide
    outbound: Outbound
    payloads: Sequence[str]
    uses_http: bool
    sends_execution_id: bool
    seen: dict[str, str] = field(default_factory=dict)  # where a secret may not stand -> what stood there
    numbers: Iterator[int] = field(default_factory=itertools.count)  # an execution of its own for each trial

    def problems(self, well: Reply) -> Iterator[str]:
        with self._overhearing():
            reached = False
            for payload in self.payloads:
                problems, has_sent = self._when_all_is_well(well, payload)
                yield from problems
                reached = reached or has_sent
            if self.uses_http and reached:
                for what, reply, may_pass, retry_after in _FAILURES:
                    number = next(self.numbers)
                    failed = list(self._when_it_fails(number, what, reply, may_pass, retry_after))
                    yield from failed or self._after_a_failure(number, what, well)
                self.other_side.reply = well
            yield from self._in_threads()
        yield from self._leaks()

    def _when_all_is_well(self, well: Reply, payload: str) -> tuple[Sequence[str], bool]:
        """What is wrong, and whether a request reached the receiver."""
        self.other_side.reply = well
        number = next(self.numbers)
        http = _Led(self.outbound, self.other_side)
        ended = self._call(number, http, payload=payload)
        requests = self.other_side.take()
        if ended.error is not None:
            wanted = f"{_replied(well)} makes it raise {_named(ended.error)} for the payload {_cut(payload)}"
            return [f"{wanted}; if it wants another, give answer=…"], bool(requests)
        problems: list[str] = []
        try:
            json.dumps(ended.value, default=_plain, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            returned = shown_json(ended.value)
            problems.append(f"it returns {returned}, which is not JSON; return text, lists, objects")
        if self.uses_http:
            problems += self._request_problems(number, requests, http.calls, payload)
        return problems, bool(requests)

    def _request_problems(
        self, number: int, requests: Sequence[Request], calls: int, payload: str
    ) -> Iterator[str]:
        if not requests:
            yield (
                f"no request reached the receiver for the payload {_cut(payload)}; call it by context.http,"
                " or give uses_http=False"
            )
            return
        if len(requests) > calls:
            yield "it calls the receiver past context.http, whose deadline and guards then do not hold"
        if not self.sends_execution_id:
            return
        first = _tokens(requests, _execution_id(number))
        self._call(number, _Led(self.outbound, self.other_side), payload=payload, attempt=2)
        again = self.other_side.take()
        if not first:
            yield (
                "the execution id does not reach the receiver, which cannot recognise a repeated call then; "
                'send headers={"webhook-id": context.execution_id}, or give sends_execution_id=False'
            )
        elif again and not first & _tokens(again, _execution_id(number)):
            yield (
                "the execution id reaches the receiver with something else at every attempt, and so cannot"
                " tell a repeated call; send it as it is"
            )

    def _when_it_fails(
        self, number: int, what: str, reply: Reply, may_pass: bool, retry_after: float | None
    ) -> Iterator[str]:
        self.other_side.reply = reply
        http: Http = self.outbound.within(SILENCE_SECONDS) if reply.is_silent else self.outbound
        ended = self._call(number, _Led(http, self.other_side))
        requests = self.other_side.take()
        if not requests:
            yield f"{what}: nothing was sent for a new execution; keep nothing of a call in self"
            return
        if len(requests) > 1:
            yield (
                f"{what} makes it send {len(requests)} requests in one attempt; send one, and let the runtime"
                " try again"
            )
        error = ended.error
        if error is None:
            yield f"{what} counts as success; raise IntegrationFailed, as answer.require_success() does"
        elif not isinstance(error, IntegrationFailed):
            yield f"{what} makes it raise {_named(error)}; raise IntegrationFailed, or let it pass through"
        elif bool(getattr(error, "may_pass", False)) is not may_pass:
            rule = "may pass and is to be tried again" if may_pass else "will not pass by itself"
            yield f"{what} {rule}; raise IntegrationFailed(…, may_pass={may_pass}), or answer.failure(…)"
        elif retry_after is not None and getattr(error, "retry_after", None) != retry_after:
            yield f"{what}: the wait is lost; give retry_after=answer.retry_after, or use answer.failure(…)"

    def _after_a_failure(self, number: int, what: str, well: Reply) -> Iterator[str]:
        """The next attempt at the same execution, which a retry or a person's replay makes."""
        self.other_side.reply = well
        self._call(number, _Led(self.outbound, self.other_side), attempt=2)
        if not self.other_side.take():
            yield f"after {what} the next attempt sends nothing; keep nothing of a call in self"

    def _in_threads(self) -> Iterator[str]:
        """Four calls at once, which meet at each request: what one keeps in `self` another overwrites."""
        gate = threading.Barrier(THREADS)
        ended: dict[int, _Ended] = {}

        def call(number: int) -> None:
            ended[number] = self._call(number, _Led(self.outbound, self.other_side, gate))

        self.other_side.take()
        threads = [threading.Thread(target=call, args=(next(self.numbers),)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        requests = self.other_side.take()
        errors = [each.error for each in ended.values() if each.error is not None]
        counts = {sum(request.mentions(_execution_id(number)) for request in requests) for number in ended}
        if errors:
            yield f"called from several threads it raises {_named(errors[0])}; keep nothing of a call in self"
        elif len(counts) > 1:
            yield "calls from several threads mix their execution ids; keep nothing of a call in self"

    def _call(self, number: int, http: Http, *, payload: str | None = None, attempt: int = 1) -> "_Ended":
        """Call it once, as the runtime does; with the first payload, unless another is given."""
        integration = self.registry.get(self.name)
        context = Context(
            settings=self.registry.settings(self.name),
            http=http,
            execution_id=_execution_id(number),
            attempt=attempt,
            clock=SystemClock(),
            visitor="visitor",
            logger=logging.getLogger(f"experience.integration.{self.name}"),
        )
        with foreign() as raised:
            parsed = self.registry.parse_payload(self.name, json.loads(payload or self.payloads[0]))
            value = integration.call(parsed, context)
        if raised.error is not None:
            self.seen["an error of it"] = f"{self.seen.get('an error of it', '')}\n{spell(raised.error)}"
            return _Ended(error=raised.error)
        self.seen["its answer"] = f"{self.seen.get('its answer', '')}\n{_told(value)}"
        return _Ended(value=value)

    @contextlib.contextmanager
    def _overhearing(self) -> Iterator[None]:
        """Keep what is printed and logged."""
        printed, logged = io.StringIO(), io.StringIO()
        handler = logging.StreamHandler(logged)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        self.seen |= {"what it prints": printed.getvalue(), "its log": logged.getvalue()}

    def _leaks(self) -> Iterator[str]:
        for path, secret in _secrets(self.registry.settings(self.name), "settings"):
            for where, text in self.seen.items():
                if any(form in text for form in _forms(secret)):
                    yield f"the secret {path} stands in {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    value: Any = None
    error: BaseException | None = None


class _Led(Http):
    """An Http whose every call arrives at the other side, whatever address it names."""

    def __init__(self, http: Http, other_side: OtherSide, gate: threading.Barrier | None = None) -> None:
        self._http = http
        self._other_side = other_side
        self._gate = gate
        self.calls = 0

    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        return self._http.send(method, self._led(url), content=content, headers=headers)

    def connect(self, host: str, port: int) -> socket.socket:
        return self._http.connect(host, port)

    def _led(self, url: str) -> str:
        self.calls += 1
        if self._gate is not None:  # where an access token is fetched first, they meet there
            with contextlib.suppress(threading.BrokenBarrierError):
                self._gate.wait(SILENCE_SECONDS)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or url.startswith(self._other_side.origin):
            return url
        return f"{self._other_side.origin}{parts._replace(scheme='', netloc='').geturl()}"


def shown_json(value: object) -> str:
    try:
        return _cut(json.dumps(value, default=spell, ensure_ascii=False, skipkeys=True))
    except (ValueError, RecursionError):
        return _cut(spell(value))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"


def _execution_id(number: int) -> str:
    return f"ex_0check0{number:05}"


def _tokens(requests: Sequence[Request], text: str) -> set[str]:
    """The words of the requests that hold the text, each as far as it goes."""
    word = re.compile(rf"""[^\s"'&=,;?/]*{re.escape(text)}[^\s"'&=,;?/]*""")
    told = (
        part
        for request in requests
        for part in (request.path, *request.headers.values(), request.body.decode("utf-8", "replace"))
    )
    return {found for part in told for found in word.findall(part)}


def _replied(reply: Reply) -> str:
    return f"an answer of {reply.status} {shown_json(reply.body.decode())}"


def _plain(value: Any) -> Any:
    if isinstance(value, Answer | BaseModel):
        return str(value)
    raise TypeError


def _secrets(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case SecretStr():
            yield path, value.get_secret_value()
        case BaseModel():
            for name, inner in value:
                yield from _secrets(inner, f"{path}.{name}")
        case dict():
            for name, inner in value.items():
                yield from _secrets(inner, f"{path}.{name}")
        case list() | tuple():
            for number, inner in enumerate(value):
                yield from _secrets(inner, f"{path}[{number}]")


def _forms(secret: str) -> Iterator[str]:
    """The texts that would give it away. Of an address the host and a plain path may be told; what stands in
    its query, and a long part of its path, may not."""
    parts = urlsplit(secret)
    if parts.scheme in ("http", "https"):
        yield from (part for part in parts.path.split("/") if len(part) >= _PATH_SECRET_LENGTH)
        secret = parts.query
    if len(secret) >= _SECRET_LENGTH:
        yield secret


def _told(value: object) -> str:
    try:
        return as_json(value)[1]
    except NotJson:  # a rule of its own says so
        return spell(value)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {spell(error)[:200]}"
