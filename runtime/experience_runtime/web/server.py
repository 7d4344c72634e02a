"""The server: one FastAPI application of all routers, behind the shields."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route

from experience_runtime import __version__
from experience_runtime.engine.sites import Quotas
from experience_runtime.runtime import Runtime
from experience_runtime.web import health, pages
from experience_runtime.web.api import agenda as api_agenda
from experience_runtime.web.api import audit as api_audit
from experience_runtime.web.api import batch as api_batch
from experience_runtime.web.api import bulk as api_bulk
from experience_runtime.web.api import executions as api_executions
from experience_runtime.web.api import holds as api_holds
from experience_runtime.web.api import integration_calls
from experience_runtime.web.api import integrations as api_integrations
from experience_runtime.web.api import kept_runs as api_kept_runs
from experience_runtime.web.api import releases as api_releases
from experience_runtime.web.api import runs as api_runs
from experience_runtime.web.api import schedules as api_schedules
from experience_runtime.web.api import stream as api_stream
from experience_runtime.web.api import tokens as api_tokens
from experience_runtime.web.api import traffic as api_traffic
from experience_runtime.web.api import visitors as api_visitors
from experience_runtime.web.api.document import ABOUT, TAGS, add_document, operation_id
from experience_runtime.web.api.jobs import Jobs
from experience_runtime.web.api.state_changes import add_webhooks
from experience_runtime.web.bench import Bench
from experience_runtime.web.guard import login
from experience_runtime.web.guard.access import Access, NotSignedIn
from experience_runtime.web.guard.access_log import Observed
from experience_runtime.web.guard.connections import BODY_SECONDS
from experience_runtime.web.guard.limits import AtOnce, BodyLimit, Crowd
from experience_runtime.web.guard.middleware import LoopbackHost, SameSite, SecurityHeaders, SharedOrigins
from experience_runtime.web.guard.pressure import Queue
from experience_runtime.web.guard.problems import Defects, Document, handle_problems
from experience_runtime.web.guard.proxies import Proxied, Trust
from experience_runtime.web.guard.tags import Tagged
from experience_runtime.web.metrics import Metrics
from experience_runtime.web.pages.playground import bench as bench_pages
from experience_runtime.web.pages.playground.progress import UnderWay
from experience_runtime.web.pages.refusals import page_of
from experience_runtime.web.pages.rendering import Rendering
from experience_runtime.web.running import Runs
from experience_runtime.web.simulations import Simulations
from experience_runtime.web.wire import csml, gateway, snippet

MOST_AT_ONCE = 24
"""Runs, simulations and calls of sites: each keeps one of 40 threads, and the other verbs need some too."""

MOST_SEARCHES = 2
SEARCH_PATIENCE_SECONDS = 2.0
"""Of authors: half of the connections that look, whatever they ask; and how long the next one waits."""

_ROUTERS = (
    login.router,
    health.router,
    api_runs.router,
    api_releases.router,
    api_traffic.router,
    api_kept_runs.router,
    api_agenda.router,
    api_executions.router,
    api_bulk.router,
    api_stream.router,
    api_schedules.router,
    api_integrations.router,
    integration_calls.router,
    api_batch.router,
    api_visitors.router,
    api_tokens.router,
    api_audit.router,
    api_holds.router,
    gateway.router,
    csml.router,
    snippet.router,
    pages.router,
)


def make_web(
    runtime: Runtime,
    *,
    is_open: bool = False,
    metrics: Metrics | None = None,
    is_delivered: Callable[[], bool] = lambda: True,
    bench: Bench | None = None,
) -> FastAPI:
    """Make the application; the parts of `runtime` are to be made before (`for_serving`).

    `is_open`: until there is a token, everything may be called without one. `is_delivered` tells whether
    some process delivers. `bench`: where the playground edits files. `web.state.jobs` is to be closed at the
    end. The document of the API is at /v1/openapi.json; there is no page that would load one from elsewhere.
    """
    served, metrics = runtime.settings.served, metrics or Metrics()
    web = FastAPI(
        title="Experience Runtime",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        default_response_class=Document,
        description=ABOUT,
        openapi_tags=[{"name": name, "description": what} for name, what in TAGS],
        generate_unique_id_function=operation_id,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    access = Access(
        runtime.store.tokens,
        runtime.clock,
        is_open=is_open,
        per_second=served.per_second,
        per_address=served.per_address,
        authors_may_release=served.authors_may_release,
    )
    web.state.runtime = runtime
    web.state.access = access
    web.state.clock = runtime.clock
    web.state.jobs = Jobs(runtime.store.jobs, runtime.operations, runtime.clock)
    web.state.metrics = metrics
    web.state.streams = api_stream.Streams()
    web.state.at_once = at_once = AtOnce(MOST_AT_ONCE)
    web.state.searches = AtOnce(
        MOST_SEARCHES, "searches of authors", patience_seconds=SEARCH_PATIENCE_SECONDS
    )
    web.state.runs = Runs(runtime, metrics, at_once)
    web.state.quotas = Quotas(
        runtime.store.usage,
        runtime.clock,
        pending=served.pending_per_key,
        visitors=served.visitors_per_key,
        events=served.events_per_key,
    )
    web.state.probe = health.Probe()
    web.state.bench = bench
    web.state.simulations = Simulations(runtime)
    web.state.under_way = UnderWay()
    web.state.replies = runtime.store.replies
    web.state.redact = runtime.settings.redact
    web.state.is_delivered = is_delivered
    web.state.rendering = Rendering()
    web.state.login_refused = pages.login_refused
    web.state.page_of = page_of
    handle_problems(web)
    web.add_exception_handler(NotSignedIn, login.to_login)  # type: ignore[arg-type]  # its own kind of error
    # the last is the outermost
    web.add_middleware(Tagged)
    web.add_middleware(BodyLimit, largest_bytes=served.largest_body_kib * 1024, seconds=BODY_SECONDS)
    web.add_middleware(SameSite, page=pages.refused)
    web.add_middleware(SharedOrigins, may_call=access.may_call)
    web.add_middleware(LoopbackHost, is_open=access.is_open)
    web.add_middleware(Defects)
    is_proxy = Trust(served.trusted_proxies)
    web.state.queue = Queue()
    web.add_middleware(
        Crowd, per_address=served.connections_per_address, is_proxy=is_proxy, queue=web.state.queue
    )
    web.add_middleware(SecurityHeaders)
    web.add_middleware(Observed, metrics=metrics)
    web.add_middleware(snippet.Renamed, snippet_path=served.snippet_path)
    web.add_middleware(Proxied, is_trusted=is_proxy)
    routers = _ROUTERS if bench is None else (*_ROUTERS, bench_pages.router)
    for router in routers:
        web.include_router(router)
    web.state.routes = [route for router in routers for route in flat(router.routes)]
    add_document(web)
    add_webhooks(web)
    return web


def flat(routes: Sequence[BaseRoute]) -> list[Route]:
    """The routes themselves, out of the routers that hold them."""
    found: list[Route] = []
    for route in routes:
        if isinstance(route, Route):
            found.append(route)
        elif (held := getattr(route, "original_router", None)) is not None:
            found += flat(held.routes)
    return found
