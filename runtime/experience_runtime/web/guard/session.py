"""The cookie of a session; over https under a name that no other host, and no http, may set."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION_COOKIE = "experience_session"
"""Its name over http; over https with `__Host-` before it."""


def session_of(request: HTTPConnection) -> str | None:
    """The secret of a request's session; None when it shows none."""
    return request.cookies.get(_name(request)) or None


def set_session(request: HTTPConnection, answer: Response, secret: str, *, seconds: int) -> None:
    answer.set_cookie(
        _name(request),
        secret,
        max_age=seconds,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="lax",  # a link from a chat reaches the page; what writes is asked where it comes from
    )


def drop_session(request: HTTPConnection, answer: Response) -> None:
    answer.delete_cookie(_name(request), path="/", secure=_is_https(request), httponly=True, samesite="lax")


def _name(request: HTTPConnection) -> str:
    return f"__Host-{SESSION_COOKIE}" if _is_https(request) else SESSION_COOKIE


def _is_https(request: HTTPConnection) -> bool:
    return str(request.scope["scheme"]) == "https"
