"""The server: one FastAPI application of all routers, behind the shields."""

from fastapi import FastAPI

from experience_runtime import __version__
from experience_runtime.app import App
from experience_runtime.web import login
from experience_runtime.web.access import Access, NotSignedIn
from experience_runtime.web.limits import BodyLimit
from experience_runtime.web.problems import Document, handle_problems
from experience_runtime.web.shields import LoopbackHost, SameSite, SecurityHeaders, SharedOrigins


def make_web(app: App, *, is_open: bool = False) -> FastAPI:
    """Make the application. `is_open`: until there is a token, everything may be called without one.

    The document of the API is at /v1/openapi.json; there is no page that would load one from elsewhere.
    """
    served = app.settings.served
    web = FastAPI(
        title="Experience Runtime",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        default_response_class=Document,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    access = Access(app.store.tokens, app.clock, is_open=is_open, per_second=served.per_second)
    web.state.access = access
    web.state.clock = app.clock
    web.state.replies = app.store.replies
    web.state.redact = app.settings.redact
    handle_problems(web)
    web.add_exception_handler(NotSignedIn, login.to_login)  # type: ignore[arg-type]  # its own kind of error
    # the last is the outermost
    web.add_middleware(BodyLimit, largest_bytes=served.largest_body_kib * 1024)
    web.add_middleware(SameSite)
    web.add_middleware(SharedOrigins, may_call=access.may_call)
    web.add_middleware(LoopbackHost, is_open=lambda: access.was_open)
    web.add_middleware(SecurityHeaders)
    web.include_router(login.make_router())
    return web
