"""Access: who calls, by token, site key or session, and what that allows.

A route says which right it needs: `caller: Annotated[Caller, needs(Right.READ)]`. Below `/…/k/{site_key}` the
key in the path is the token.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from experience_runtime.clocks import monotonic
from experience_runtime.domain.access import (
    Right,
    Scope,
    Token,
    new_secret,
    permitted,
    scopes_with,
    token_digest,
)
from experience_runtime.domain.errors import DatabaseUnavailable, Forbidden, Unauthorized, UnknownExecution
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.values import shown
from experience_runtime.engine.keeping import Tokens
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.sites import Site, on_behalf_of
from experience_runtime.log_context import asked
from experience_runtime.web.guard.connections import neighbourhood
from experience_runtime.web.guard.limits import AtOnce, Buckets
from experience_runtime.web.guard.middleware import CSML_APPS, is_own_origin, site_key_in
from experience_runtime.web.guard.problems import Throttled
from experience_runtime.web.guard.session import session_of

RUNS_OF_KEY = 16
"""How many of the runs and calls that are under way at one time may be of one site key."""

RUNS_OF_ADDRESS = 4
"""And how many of those may have come from one address."""

SESSION_LASTS = timedelta(hours=12)

USE_KEPT = timedelta(minutes=1)
"""How often it is written down that a token is used."""

_EVERYTHING = frozenset(Scope)
_NO_TOKEN = "this needs a token; send `Authorization: Bearer exp_…`, made with `experience tokens create`"
_BAD_TOKEN = "the token is not known here, or was revoked; make one with `experience tokens create`"

_OR_AUTHORS = ", or author where authors_may_release = true stands under [serve]"

bearer = HTTPBearer(
    auto_error=False, description="A token of `experience tokens create`; each operation names its scopes."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `token` is None where everything is open. `address` is where the call came from.

    `granted`: what the settings let its scopes do besides.
    """

    name: str
    scopes: frozenset[Scope]
    token: Token | None = None
    address: str = ""
    granted: frozenset[Right] = frozenset()

    def may(self, right: Right) -> bool:
        return right in permitted(self.scopes) or right in self.granted

    @property
    def is_limited(self) -> bool:
        """Whether it runs and tells no more than a site may: such a key is in everybody's hands."""
        return self.may(Right.TELL) and not self.may(Right.RUN_DRAFTS)

    @property
    def shares(self) -> dict[str, int]:
        """How much of the room for runs and calls is this caller's."""
        if not self.is_limited:
            return {}
        key = f"the site key {self.name}"
        return {f"{key} from {self.address}": RUNS_OF_ADDRESS, key: RUNS_OF_KEY}

    def acting(self, request: Request) -> AbstractContextManager[None]:
        """Let what is made meanwhile count as this caller's, where that is limited."""
        quotas = request.app.state.quotas
        return on_behalf_of(Site(self.name, quotas) if self.is_limited else None)

    def visible(self, filter: Filter) -> Filter:
        """The same, of what this caller may see: authors see what experiences made, viewers everything."""
        return filter if self.may(Right.READ) else replace(filter, of_experiences=True)

    def looking(self, request: Request) -> AbstractContextManager[object]:
        """Room to look for executions, of which authors have little: Throttled when there is none.

        How far one of theirs goes would tell of what they do not see: it goes past all of that, however much.
        """
        if self.may(Right.READ):
            return nullcontext()
        searches = request.app.state.searches
        assert isinstance(searches, AtOnce)
        return searches

    def require_visible(self, execution_id: str, read: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        """The document of an execution this caller may see; of another not even whether there is one.

        `read`: see `Lookup.execution`.
        """
        if self.may(Right.READ):
            return read(execution_id)
        try:
            document = read(execution_id, of_experiences=True)
        except UnknownExecution:
            document = {"experience": None}
        if document["experience"] is not None:
            return document
        raise UnknownExecution(
            f"there is no execution {shown(execution_id)} that an experience made; authors see no others"
        )


class Access:
    """Finds the caller of a request. Once a token was seen, nothing is open any more."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Clock,
        *,
        is_open: bool,
        per_second: float,
        per_address: float = 0,
        authors_may_release: bool = False,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._is_open = is_open
        self._granted = frozenset({Right.RELEASE} if authors_may_release else ())
        self._buckets = Buckets(per_second, now=now)
        self._of_address = Buckets(per_address, now=now)
        self._used: dict[bytes, datetime] = {}

    def is_open(self) -> bool:
        """Whether everything may be called without a token."""
        if self._is_open and self._tokens.ever():
            self._is_open = False
        return self._is_open

    def caller(self, request: Request) -> Caller:
        """The caller of a request; Unauthorized, Forbidden from this origin, or Throttled."""
        found = known_caller(request)
        if found is None:
            found = self._find(request)
            granted = self._granted if Scope.AUTHOR in found.scopes else frozenset[Right]()
            found = request.state.caller = replace(found, address=_address(request), granted=granted)
            if (now := asked.get()) is not None:
                now.caller = found.name
                now.address = request.client.host if request.client else ""
            self._admit(found, request)
        return found

    def has_let_in(self, request: Request) -> bool:
        """Whether one who shows the same was let in before, here; asked again, they may not be."""
        text = site_key_in(request.scope["path"])
        if text is None:
            scheme, _, text = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                return self._is_open
        return token_digest(text.strip()) in self._used

    def is_still_good(self, caller: Caller) -> bool:
        """Whether a caller would be let in again, whose answer lasts for long."""
        if caller.token is None:
            return self.is_open()
        kept = self._tokens.token(caller.token.digest)
        return kept is not None and self._is_good(kept)

    def may_call(self, origin: str, site_key: str | None) -> bool:
        """Whether a page of this origin may call with a token: this site key, or any when none is named."""
        if site_key is None:
            return any(self._is_good(token) and origin in token.origins for token in self._tokens.all())
        token = self._tokens.token(token_digest(site_key))
        return token is not None and self._is_good(token) and origin in token.origins

    def begin_session(self, text: str, request: Request) -> str:
        """Take a token for a new session's cookie, which is returned.

        Unauthorized, Forbidden to sites, or Throttled when too many were tried from where it comes from.
        """
        self.throttle(f"login {_address(request)}")
        token = self._tokens.token(token_digest(text))
        if token is None:
            raise Unauthorized(_BAD_TOKEN)
        self._require_good(token)
        if Right.READ_RUNS not in permitted(token.scopes):
            raise Forbidden(
                f"a token of the scope {_joined(token.scopes)} opens no page; make one with "
                "`experience tokens create NAME --scope operator`"
            )
        secret, now = new_secret(), self._clock.now()
        self._tokens.begin_session(
            token_digest(secret), token=token.digest, now=now, expires_at=now + SESSION_LASTS
        )
        return secret

    def end_session(self, secret: str) -> None:
        """Forget a session; nothing when there is none."""
        self._tokens.end_session(token_digest(secret))

    def throttle(self, caller: str) -> None:
        """Count a request of this caller; Throttled when it has made too many."""
        self._take(self._buckets, caller, "per_second")

    def _take(self, buckets: Buckets, caller: str, setting: str, *, leaving: float = 0.0) -> None:
        if wait := buckets.take(caller, leaving=leaving):
            raise Throttled(
                f"too many requests; wait {wait:.1f} s, or raise {setting} under [serve] in experience.toml",
                retry_after=wait,
            )

    def _find(self, request: Request) -> Caller:
        if (site_key := site_key_in(request.scope["path"])) is not None:
            token = self._known(site_key, request)
            if Scope.SITE not in token.scopes:
                raise Forbidden(f"the token {token.name} is no site key; never put it into an address")
            return Caller(token.name, frozenset({Scope.SITE}), token)
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _caller(self._known(text.strip(), request))
        if request.scope["path"] == CSML_APPS and (key := request.headers.get("x-api-key")) is not None:
            return _caller(self._known(key, request))
        if secret := session_of(request):
            session = self._tokens.session(token_digest(secret), now=self._clock.now())
            if session is not None and self._is_good(session):
                return _caller(session)
        if self.is_open():
            return Caller("open", _EVERYTHING)
        raise Unauthorized(_NO_TOKEN)

    def _known(self, text: str, request: Request) -> Token:
        token = self._tokens.token(token_digest(text))
        if token is None:
            self.throttle(f"unknown {_address(request)}")
            raise Unauthorized(_BAD_TOKEN)
        self._require_good(token)
        return token

    def _is_good(self, token: Token) -> bool:
        return not token.is_expired(self._clock.now())

    def _require_good(self, token: Token) -> None:
        if not self._is_good(token):
            raise Unauthorized(
                f"the token {token.name} was good until {token.expires_at:%Y-%m-%d %H:%M} UTC; make another "
                "with `experience tokens create`"
            )

    def _note_use(self, token: Token) -> None:
        """Write down, once a minute, that a token is used."""
        now = self._clock.now()
        last = max(filter(None, (token.used_at, self._used.get(token.digest))), default=None)
        if last is not None and now - last < USE_KEPT:
            return
        self._used[token.digest] = now  # also when it fails: a busy database is asked seldom
        with suppress(DatabaseUnavailable):  # who only reads is answered all the same
            self._tokens.use(token.digest, now=now)

    def _admit(self, caller: Caller, request: Request) -> None:
        if caller.token is None:
            return
        origin = request.headers.get("origin")
        if origin is not None and origin not in caller.token.origins and not is_own_origin(request.headers):
            raise Forbidden(
                f"the token {caller.name} may not be used by pages of {shown(origin)}; "
                "name the origin when you make a token: `experience tokens create NAME --origin URL`"
            )
        self.count(caller)
        self._note_use(caller.token)

    def count(self, caller: Caller) -> None:
        """Count a request of a token, or what is as much; Throttled when it has made too many."""
        leaving = 0.0
        if caller.is_limited:
            # first, and without the key's own: one address uses up nobody else's requests
            place = f"site {caller.name} {caller.address}"
            self._take(self._of_address, place, "per_address")
            # and of many that ask much, the half of the key's own is left to those that ask little
            leaving = 0.0 if self._of_address.is_quiet(place) else 0.5
        self._take(self._buckets, f"token {caller.name}", "per_second", leaving=leaving)


def needs(right: Right) -> Any:
    """The dependency of a route that callers with this right may call."""

    async def find(
        request: Request,
        _: HTTPAuthorizationCredentials | None = Security(bearer),  # noqa: B008 - FastAPI reads it
    ) -> Caller:
        caller = known_caller(request)
        if caller is None:
            find_caller = access_of(request).caller
            if getattr(request.state, _ON_A_THREAD, False):
                caller = find_caller(request)
            else:
                caller = await run_in_threadpool(find_caller, request)
        if not caller.may(right):
            more = "" if right is not Right.RELEASE else _OR_AUTHORS
            raise Forbidden(
                f"the token {caller.name} has the scope {_joined(caller.scopes)}; "
                f"this needs {' or '.join(scopes_with(right))}{more}"
            )
        return caller

    return Depends(find)


_ON_A_THREAD = "on_a_thread"


def find_on_this_thread(request: Request) -> None:
    """Say that a request is answered on a thread already: its caller is found there."""
    setattr(request.state, _ON_A_THREAD, True)


def access_of(request: Request) -> Access:
    """The one Access of the application a request belongs to."""
    access = request.app.state.access
    assert isinstance(access, Access)
    return access


def known_caller(request: Request) -> Caller | None:
    """Who was found to call, if that was asked: a route that answers once asks before its dependency does."""
    found = getattr(request.state, "caller", None)
    return found if isinstance(found, Caller) else None


def caller_of(request: Request) -> Caller:
    """The caller of a request whose route asked for one."""
    return access_of(request).caller(request)


class NotSignedIn(Exception):
    """A page was asked for without a session; answered with the way to the login page."""


def signed_in(right: Right) -> Any:
    """As `needs`, for pages: without a session or token the browser is sent to /login."""
    check: Callable[..., Awaitable[Caller]] = needs(right).dependency

    async def find(request: Request) -> Caller:
        try:
            return await check(request, None)
        except Unauthorized:
            raise NotSignedIn from None

    return Depends(find)


def _address(request: Request) -> str:
    return neighbourhood(request.client.host) if request.client else ""


def _joined(scopes: Iterable[Scope]) -> str:
    return ", ".join(sorted(scopes))


def _caller(token: Token) -> Caller:
    return Caller(token.name, frozenset(token.scopes), token)
