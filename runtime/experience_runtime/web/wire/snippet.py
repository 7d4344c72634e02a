"""/visitor.js, the snippet that a site's pages load, and where it sends what visitors do.

    GET  /visitor.js
    POST /visitors/k/<siteKey>/events      {"visitor", …, "items": [{"key", "age", …}]}, runs among them
    POST /visitors/k/<siteKey>/run/<name>  {"visitor", …, "data", "browser"}

The script finds both below its own address, without its `.js`: Renamed says which addresses that may be. Each
item has a key of its own, so that one sent again after a lost answer counts once. Bodies come as text/plain,
which needs no preflight. Source: reference/http#the-snippet.
"""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import ascii_letters
from typing import Annotated, Any, TypeGuard

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import (
    Conflict,
    ExperienceError,
    Forbidden,
    InvalidParameter,
    MissingParameter,
    Refusal,
    ScriptFault,
)
from experience_runtime.domain.page_facts import read_page_facts
from experience_runtime.domain.values import shown, whole_number
from experience_runtime.domain.visitor_events import happened_at
from experience_runtime.domain.visitors import Visitor, browser_visitor, check_visitor_id
from experience_runtime.engine.claims import in_hand
from experience_runtime.engine.keeping import Reply
from experience_runtime.measured import hearer
from experience_runtime.running.boot import situation_of
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.api.openapi import Name
from experience_runtime.web.given import GivenRuns, GivenRuntime
from experience_runtime.web.guard.access import Access, Caller, access_of, needs
from experience_runtime.web.guard.hosts import host_name, origin_name
from experience_runtime.web.guard.problems import Document
from experience_runtime.web.guard.tags import is_known
from experience_runtime.web.running import Runs
from experience_runtime.web.wire.bodies import Posted, posted_object

MOST_ITEMS = 100
MOST_RUNS = 5
"""How many runs, which nobody waits for any more, one request may ask for."""

OURS = "/visitor"
"""What the script is served as, without its `.js`."""

COOKIE = "experience_visitor"
COOKIE_SECONDS = 400 * 24 * 3600
"""As long as browsers keep any; a cookie that a script sets some of them drop after seven days."""

_LONGEST_NAME = 200
_FILE = Path(__file__).parents[1] / "static" / "visitor.js"
_KEPT_SECONDS = 3600
_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_MARGIN = re.compile(r"^ +|\n(?=\n)|(?<=[{(,\[])\n|\n(?=\s*[})\]])", re.MULTILINE)
_BLANKS = re.compile(
    r" (=>|[=!]==|>>=|\+=|[-+=?:<>*]|&&|\|\|) |(?<=[\w)]) (?=[({])|(?<={) | (?=})|(?<=,) (?=[\w'{.(])"
    r"|(?<=\w:) (?=[\w{])|(?<=\)) (?=return)|(?<=}) (?=catch)"
)
_STRING = re.compile(r"('(?:[^'\\\n]|\\.)*')")
_OWN = re.compile(
    r"^  (?:async )?(?:function|const|let) (?!CONVERSIONS|experience\b|run\b)(\w{2,})", re.MULTILINE
)
_TABLET = re.compile(r"iPad|Tablet|Android(?!.{0,200}Mobi)")
_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where what a page sends is acted on, for whom, and what the page's browser calls itself."""

    runtime: Runtime
    runs: Runs
    access: Access
    caller: Caller
    agent: str


class Renamed:
    """Serves the snippet and what it calls under the operator's name too: block lists match fixed ones."""

    def __init__(self, app: ASGIApp, *, snippet_path: str) -> None:
        self._app = app
        self._names = [OURS, snippet_path] if snippet_path != OURS else [OURS]

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": self._ours(scope["path"])}
        await self._app(scope, receive, send)

    def _ours(self, path: str) -> str:
        for name in self._names:
            if path == f"{name}.js":
                return f"{OURS}.js"
            if path.startswith((f"{name}/k/", f"{name}/events", f"{name}/run/")):
                return "/visitors" + path[len(name) :]
        return path


router = APIRouter(route_class=OnceRoute, include_in_schema=False)


@router.get(f"{OURS}.js")
def script(request: Request, runtime: GivenRuntime) -> Response:
    return _script(request, runtime)


@router.post("/visitors/events")
@router.post("/visitors/k/{site_key}/events")
def receive(
    request: Request,
    runtime: GivenRuntime,
    runs: GivenRuns,
    caller: Annotated[Caller, needs(Right.TELL)],
    body: Posted,
) -> Response:
    sent = posted_object(body)
    place = _Place(runtime, runs, access_of(request), caller, request.headers.get("user-agent", ""))
    answer = Document(_received(place, sent))
    _keep_id(request, answer, sent.get("visitor"), sent.get("domain"))
    return answer


@router.post("/visitors/run/{name}")
@router.post("/visitors/k/{site_key}/run/{name}")
def run(
    name: Name,
    request: Request,
    runtime: GivenRuntime,
    runs: GivenRuns,
    caller: Annotated[Caller, needs(Right.RUN)],
    body: Posted,
) -> Response:
    place = _Place(runtime, runs, access_of(request), caller, request.headers.get("user-agent", ""))
    sent = posted_object(body)
    return Document(_ran(place, name, visitor_of(sent), sent))


@cache
def snippet(conversions: tuple[str, ...] = ()) -> bytes:
    """The script as it is served: small, and with the list of conversions."""
    text = _shortened(_COMMENT.sub("", _FILE.read_text(encoding="utf-8")))
    text = _BLANKS.sub(r"\1", _MARGIN.sub("", text))
    return text.replace("CONVERSIONS=[]", f"CONVERSIONS={json.dumps(conversions)}", 1).encode()


def _shortened(text: str) -> str:
    """The script with a letter for each of its own names; no string and no property is touched."""
    free = (letter for letter in ascii_letters if not re.search(rf"\b{letter}\b", text))
    short = dict(zip(_OWN.findall(text), free, strict=False))
    name = re.compile(rf"(?:(?<![\w.])|(?<=\.\.\.))(?:{'|'.join(short)})\b(?!:)")
    parts = _STRING.split(text)
    parts[::2] = [name.sub(lambda found: short[found[0]], part) for part in parts[::2]]
    return "".join(parts)


@cache
def _packed(text: bytes) -> bytes:
    return gzip.compress(text, 9, mtime=0)


def _script(request: Request, runtime: Runtime) -> Response:
    text = snippet(tuple(runtime.settings.conversions))
    tag = f'"{hashlib.sha256(text).hexdigest()[:16]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={_KEPT_SECONDS}",
        "Vary": "Accept-Encoding",
        # pages of every site load it; it holds nothing of anybody's
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
    }
    if is_known(tag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if re.search(r"\bgzip\b", request.headers.get("accept-encoding", "")):
        text, headers["Content-Encoding"] = _packed(text), "gzip"
    return Response(text, media_type="text/javascript; charset=utf-8", headers=headers)


def _browser(sent: object, agent: str) -> dict[str, Any] | None:
    """What a page says of its browser, and the browser of itself; None when the page says nothing."""
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise InvalidParameter(f"browser {shown(sent)} is not an object; write {{…}} or leave it out")
    return {**sent, "ua": {"deviceType": _device_type(agent), "userAgent": agent}}


def _device_type(agent: str) -> str:
    if _TABLET.search(agent):
        return "tablet"
    return "mobile" if "Mobi" in agent else "computer"


def _keep_id(request: Request, answer: Response, visitor: object, domain: object) -> None:
    """Set the visitor's cookie from here, where the page lies on a host that this server may set one for."""
    origin = origin_name(request.headers.get("origin", ""))
    here = host_name(request.headers.get("host", "")).lower()
    if not isinstance(visitor, str) or not _ID.fullmatch(visitor) or not origin:
        return
    if isinstance(domain, str) and _DOMAIN.fullmatch(domain := domain.lower().lstrip(".")):
        is_ours = all(host == domain or host.endswith(f".{domain}") for host in (origin, here))
    else:
        domain, is_ours = None, origin == here
    if is_ours:
        answer.set_cookie(
            COOKIE,
            visitor,
            max_age=COOKIE_SECONDS,
            domain=domain,
            secure=request.scope["scheme"] == "https",
            samesite="lax",
        )


def _ran(place: _Place, name: str, visitor: Visitor, sent: dict[str, Any]) -> dict[str, Any]:
    facts = read_page_facts(
        events=sent.get("events"),
        state=sent.get("state"),
        browser=_browser(sent.get("browser"), place.agent),
        cookies=sent.get("cookies"),
    )
    runtime, now = place.runtime, place.runtime.clock.now()
    asked_at = happened_at(sent.get("age"), now=now) or now
    runtime.remember(visitor)
    if visitor == Visitor(id=visitor.id):
        visitor = runtime.visitor(visitor.id)
    situation = situation_of(visitor, sent.get("data"), facts)
    return place.runs.run(name, situation, caller=place.caller, asked_at=asked_at)


def _received(place: _Place, sent: dict[str, Any]) -> dict[str, Any]:
    items = sent.get("items")
    if items is None:
        return _happened(place, visitor_of(sent), sent)
    if not isinstance(items, list) or len(items) > MOST_ITEMS or not all(isinstance(i, dict) for i in items):
        raise InvalidParameter(f"items must be a list of at most {MOST_ITEMS} objects; send fewer at once")
    if sum(item.get("run") is not None for item in items) > MOST_RUNS:
        raise InvalidParameter(f"items hold more than {MOST_RUNS} runs; ask for the others at /run/<name>")
    answers: list[dict[str, Any]] = []
    last: _LastRun | None = None
    taken: Conflict | None = None
    for item in items:
        try:
            answers.append(_once(place, sent, item if last is None else last.before(item, place.runtime)))
        except Conflict as conflict:  # another request has it in hand, and may fail: it is to be sent again
            taken = conflict
        if item.get("run") is not None:
            last = _LastRun(age=item.get("age"), ended_at=place.runtime.clock.now())
    if taken is not None:
        raise taken
    return {"items": answers}


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastRun:
    """A run that was waited for in vain: carried out now, though it was asked for `age` milliseconds ago."""

    age: object
    ended_at: datetime

    def before(self, item: dict[str, Any], runtime: Runtime) -> dict[str, Any]:
        """An item; what happened after the run was asked for comes after all that the run has scheduled."""
        age, since = item.get("age"), (runtime.clock.now() - self.ended_at) / timedelta(milliseconds=1)
        if not _is_number(age) or not _is_number(self.age) or age > self.age:
            return item
        return {**item, "age": min(age, max(0, int(since)))}


def _is_number(age: object) -> TypeGuard[float]:
    return isinstance(age, int | float) and not isinstance(age, bool)


def _once(place: _Place, sent: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Take one item, or give the answer that it got before. One that is refused holds up no other."""
    key = item.get("key")
    if not isinstance(key, str) or not 16 <= len(key) <= 100:
        return _refused(InvalidParameter(f"key {shown(key)} is not one; write 16 to 100 random characters"))
    # its age is another each time it is sent
    told = {name: value for name, value in item.items() if name != "age"}
    request = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()
    token, runtime = place.caller.token, place.runtime
    named = {"caller": "" if token is None else token.digest.hex(), "key": f"item {key}"}
    replies = runtime.store.replies
    claim = replies.claim(**named, request=request, now=runtime.clock.now())
    if isinstance(claim, Reply):
        found: dict[str, Any] = json.loads(claim.body)
        return found
    try:
        with in_hand(claim):
            answer = _happened(place, visitor_of({**sent, **item}), item)
    except (Refusal, ScriptFault) as refusal:
        answer = _refused(refusal)
    except BaseException:
        replies.release(claim)
        raise
    body = json.dumps(answer).encode()
    replies.keep(Reply(status=200, media_type="application/json", body=body), claim)
    return answer


def _happened(place: _Place, visitor: Visitor, item: dict[str, Any]) -> dict[str, Any]:
    """Act on one item: an event, an identification, a run that nobody waits for, or nothing but the zone."""
    runtime, event_type, person, name = place.runtime, item.get("type"), item.get("identify"), item.get("run")
    if event_type is not None and not isinstance(event_type, str):
        raise InvalidParameter(f"type {shown(event_type)} is not a string; write it in quotes")
    cancelled = None
    if event_type is not None:
        cancelled = runtime.receive(str(visitor.id), event_type, item.get("data"), age_ms=item.get("age"))
    if name is not None:
        _run_unheard(place, name, visitor, item)
    runtime.remember(visitor)
    if person is not None:
        runtime.identify(str(visitor.id), check_visitor_id(person))
    return {"conversion": cancelled is not None, "cancelled": len(cancelled or ())}


def _run_unheard(place: _Place, name: object, visitor: Visitor, item: dict[str, Any]) -> None:
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise InvalidParameter(f"run {shown(name)} is not the name of an experience; write it in quotes")
    if not place.caller.may(Right.RUN):
        raise Forbidden(f"the token {place.caller.name} runs nothing")
    if place.caller.token is not None:
        place.access.count(place.caller)  # each is as much as a request of its own
    _ran(place, name, visitor, item)


def _refused(refusal: ExperienceError) -> dict[str, Any]:
    hearer().refused_request(refusal.code)
    return {"code": refusal.code, "detail": refusal.message}


def visitor_of(sent: dict[str, Any]) -> Visitor:
    """Who a body is about, with the browser's zone. MissingParameter without an id."""
    if sent.get("visitor") is None:
        raise MissingParameter('visitor is missing; send the id of the visitor, {"visitor": …}')
    return browser_visitor(
        check_visitor_id(sent["visitor"]), sent.get("timezone"), whole_number(sent.get("timezone_offset"))
    )
