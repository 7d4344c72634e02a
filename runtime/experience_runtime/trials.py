"""Trials: call an integration under every circumstance, and tell what is wrong."""

import contextlib
import io
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from experience_runtime.clocks import SystemClock
from experience_runtime.integration import Answer, Context, Http, IntegrationFailed
from experience_runtime.other_side import OtherSide, Reply, Request
from experience_runtime.outbound import Outbound
from experience_runtime.registry import Registry

SILENCE_SECONDS = 0.3
THREADS = 4

_SECRET_LENGTH = 4  # shorter texts stand in too many innocent places
_LATER = {"retry-after": "7"}
# What happens, what plays it, whether it may pass, the Retry-After to be passed on. Source: contract 4
_FAILURES: Sequence[tuple[str, Reply, bool, float | None]] = (
    ("an answer of 400", Reply(status=400, body=b"no"), False, None),
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
    payload: str
    uses_http: bool
    sends_execution_id: bool
    seen: dict[str, str] = field(default_factory=dict)  # where a secret may not stand -> what stood there

    def problems(self, well: Reply) -> Iterator[str]:
        with self._overhearing():
            yield from self._when_all_is_well(well)
            if self.uses_http:
                for what, reply, may_pass, retry_after in _FAILURES:
                    yield from self._when_it_fails(what, reply, may_pass, retry_after)
                self.other_side.reply = well
            yield from self._in_threads()
        yield from self._leaks()

    def _when_all_is_well(self, well: Reply) -> Iterator[str]:
        self.other_side.reply = well
        http = _Led(self.outbound, self.other_side)
        ended = self._call(0, http)
        requests = self.other_side.take()
        if ended.error is not None:
            yield f"{_replied(well)} makes it raise {_named(ended.error)}; if it wants another, give answer=…"
            return
        try:
            json.dumps(ended.value, default=_plain, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            yield f"it returns {shown_json(ended.value)}, which is not JSON; return text, lists, objects"
        if not self.uses_http:
            return
        if not requests:
            yield "no request reached the other side; call it by context.http, or give uses_http=False"
        elif len(requests) > http.calls:
            yield "it calls the other side past context.http, whose deadline and guards then do not hold"
        if requests and self.sends_execution_id and not _mention(requests, _execution_id(0)):
            yield (
                "the execution id does not reach the other side, which so cannot tell a repeated call; send"
                ' headers={"webhook-id": context.execution_id}, or give sends_execution_id=False'
            )

    def _when_it_fails(
        self, what: str, reply: Reply, may_pass: bool, retry_after: float | None
    ) -> Iterator[str]:
        self.other_side.reply = reply
        http: Http = self.outbound.within(SILENCE_SECONDS) if reply.is_silent else self.outbound
        ended = self._call(0, _Led(http, self.other_side))
        if not self.other_side.take():
            return
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

    def _in_threads(self) -> Iterator[str]:
        """Four calls at once, which meet at each request: what one keeps in `self` another overwrites."""
        gate = threading.Barrier(THREADS)
        ended: dict[int, _Ended] = {}

        def call(number: int) -> None:
            ended[number] = self._call(number, _Led(self.outbound, self.other_side, gate))

        self.other_side.take()
        threads = [threading.Thread(target=call, args=(number,)) for number in range(1, THREADS + 1)]
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

    def _call(self, number: int, http: Http) -> "_Ended":
        """Call it once, as the runtime does."""
        integration = self.registry.get(self.name)
        context = Context(
            settings=self.registry.settings(self.name),
            http=http,
            execution_id=_execution_id(number),
            attempt=1,
            clock=SystemClock(),
            visitor="visitor",
            logger=logging.getLogger(f"experience.integration.{self.name}"),
        )
        try:
            payload = self.registry.parse_payload(self.name, json.loads(self.payload))
            value = integration.call(payload, context)
        except Exception as error:  # noqa: BLE001 a third party's code may raise anything
            self.seen["an error of it"] = f"{self.seen.get('an error of it', '')}\n{error}"
            return _Ended(error=error)
        self.seen["its answer"] = json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)
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
    error: Exception | None = None


class _Led:
    """An Http whose every call arrives at the other side, whatever address it names."""

    def __init__(self, http: Http, other_side: OtherSide, gate: threading.Barrier | None = None) -> None:
        self._http = http
        self._other_side = other_side
        self._gate = gate
        self.calls = 0

    def post(self, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self._http.post(self._led(url), json=json, headers=headers)

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._http.request(method, self._led(url), content=content, headers=headers)

    def _led(self, url: str) -> str:
        self.calls += 1
        if self._gate is not None:
            with contextlib.suppress(threading.BrokenBarrierError):
                self._gate.wait(SILENCE_SECONDS)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or url.startswith(self._other_side.origin):
            return url
        return f"{self._other_side.origin}{parts._replace(scheme='', netloc='').geturl()}"


def shown_json(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _execution_id(number: int) -> str:
    return f"ex_0check0{number:05}"


def _mention(requests: Sequence[Request], text: str) -> bool:
    return any(request.mentions(text) for request in requests)


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
    """The texts that would give it away; of an address the host may be told, its path and query may not."""
    parts = urlsplit(secret)
    forms = (parts.path, parts.query) if parts.scheme in ("http", "https") else (secret,)
    yield from (form for form in forms if len(form) >= _SECRET_LENGTH)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
