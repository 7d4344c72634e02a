"""Login: a token is taken for a session's cookie, and a form of ours is told from a stranger's."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from experience_runtime.domain.errors import Forbidden, Refusal
from experience_runtime.web.guard.access import SESSION_LASTS, NotSignedIn, access_of
from experience_runtime.web.guard.session import drop_session, session_of, set_session

_SEE_OTHER = 303
_NO_SESSION = secrets.token_hex(32)  # where everything is open, one process serves this machine


Refused = Callable[[Request, Refusal, str], Response]
"""Answers a login that is refused, with where it wanted to go; the application's `state.login_refused`."""

router = APIRouter(include_in_schema=False)


@router.post("/login")
def login(
    request: Request, token: Annotated[str, Form(max_length=200)], to: Annotated[str, Form()] = "/"
) -> Response:
    """Take a token for a session; the page with the form is one of the pages."""
    access = access_of(request)
    try:
        secret = access.begin_session(token.strip(), request)
    except Refusal as refusal:
        answer_refused: Refused = request.app.state.login_refused
        return answer_refused(request, refusal, to)
    answer = RedirectResponse(_own_path(to), status_code=_SEE_OTHER)
    set_session(request, answer, secret, seconds=int(SESSION_LASTS.total_seconds()))
    return answer


def form_token(request: Request) -> str:
    """What a page's form carries in its field `form_token`: made of the session, alike in every process."""
    session = session_of(request) or _NO_SESSION
    return hmac.new(session.encode("utf-8", "replace"), b"form", hashlib.sha256).hexdigest()


async def own_form(request: Request, form_token: Annotated[str, Form(max_length=64)] = "") -> None:
    """A dependency of every route that takes a form: Forbidden when the form is not one of this session's."""
    if not hmac.compare_digest(_expected(request), form_token.encode("utf-8", "replace")):
        raise Forbidden("this form is not from this session; load the page again and send it once more")


@router.post("/logout")
async def logout(request: Request, form_token: Annotated[str, Form(max_length=64)] = "") -> Response:
    """End the session that this form was shown in; without one there is nothing to end."""
    if secret := session_of(request):
        await own_form(request, form_token)
        await run_in_threadpool(access_of(request).end_session, secret)
    answer = RedirectResponse("/login", status_code=_SEE_OTHER)
    drop_session(request, answer)
    return answer


def to_login(request: Request, _: NotSignedIn) -> Response:
    """Send a browser to the login page, and back afterwards."""
    to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?to={quote(to, safe='')}" if request.method == "GET" and to != "/" else ""
    return RedirectResponse(f"/login{back}", status_code=_SEE_OTHER)


def _expected(request: Request) -> bytes:
    return form_token(request).encode()


def _own_path(to: str) -> str:
    """A path of this server; "/" for anything a browser could read as another's address."""
    is_own = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return quote(to, safe="/?&=%:,~+-._@!$'()*;") if is_own and len(to) <= 2000 else "/"
