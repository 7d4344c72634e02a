"""experience serve: the HTTP API, the pages and the worker in one process."""

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import click

from experience_runtime.cli.collecting import pass_over_what_stays
from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.hold_all import hold_unless_held
from experience_runtime.cli.log import logs
from experience_runtime.cli.stopping import on_stop
from experience_runtime.domain.errors import InvalidParameter, Unauthorized
from experience_runtime.domain.values import shown
from experience_runtime.engine.worker import Worker
from experience_runtime.measured import hear
from experience_runtime.runtime import CONCURRENCY, Runtime
from experience_runtime.runtime.soundness import looked_after
from experience_runtime.runtime.working import is_delivered, make_worker
from experience_runtime.settings.load import Settings

if TYPE_CHECKING:
    import uvicorn
    from starlette.datastructures import State

GRACE_SECONDS = 30
"""How long requests that are being answered may still take once the server is told to stop."""

IDLE_SANDBOXES = 16
"""Processes of some 13 MB that stay after many runs at once."""

MOST_HEAD_BYTES = 64 * 1024
"""Of a request: what browsers and proxies send with many cookies is a fourth of it."""

_BACKLOG = 512

_logger = logging.getLogger("experience_runtime")


@click.command(
    epilog="""\b
Examples:
  experience serve
  experience serve --port 9000 --no-worker
  experience tokens create ops --scope operator && experience serve --host 0.0.0.0

Without any token it is open to this machine, and to nobody else: on another address it needs a token first.
SIGTERM, SIGHUP and Ctrl-C take no new requests and finish what runs."""
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free one."
)
@click.option("--no-worker", is_flag=True, help="Deliver nothing; `experience worker` does, elsewhere.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=CONCURRENCY,
    show_default=True,
    help="Calls at a time.",
)
@click.option("--paused", is_flag=True, help="Hold everything first, until `experience resume all`.")
@everywhere
@logs
def serve(
    host: str,
    port: int,
    no_worker: bool,
    concurrency: int,
    paused: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Serve the API and the pages, and deliver what is due, until stopped."""
    import uvicorn

    from experience_runtime.cli.telemetry import telemetry
    from experience_runtime.cli.telemetry_numbers import exporting_numbers
    from experience_runtime.runtime.alerts import alerting
    from experience_runtime.runtime.webhooks import telling
    from experience_runtime.web.guard.connections import Gate, guarded, room_for_connections
    from experience_runtime.web.guard.hosts import is_loopback
    from experience_runtime.web.guard.proxies import Trust
    from experience_runtime.web.metrics import Metrics
    from experience_runtime.web.server import make_web

    metrics = Metrics()
    hear(metrics)
    serving = Runtime(
        settings,
        upgrades=True,
        concurrency=concurrency,
        attempted=metrics.attempted,
        idle_sandboxes=IDLE_SANDBOXES,
    )
    with telemetry(), serving as runtime, looked_after(runtime):
        has_tokens = runtime.store.tokens.ever()
        if not has_tokens and not is_loopback(host):
            raise Unauthorized(
                f"on {host} others could call, and there is no token yet; make one first: "
                "`experience tokens create NAME --scope operator`, or serve on 127.0.0.1"
            )
        if paused:
            hold_unless_held(runtime)
        runtime.for_serving()  # requests come on many threads
        web = make_web(
            runtime, is_open=is_loopback(host), metrics=metrics, is_delivered=lambda: is_delivered(runtime)
        )
        _tell_of_paths(runtime)
        pass_over_what_stays()
        gate = Gate(
            most=room_for_connections(),
            per_address=settings.served.connections_per_address,
            is_proxy=Trust(settings.served.trusted_proxies),
            is_full=web.state.queue.is_too_long,
        )
        config = uvicorn.Config(
            web,
            log_config=None,
            access_log=False,  # ours has no queries
            server_header=False,
            lifespan="off",
            http=guarded(gate),
            ws="none",
            proxy_headers=False,  # whose are believed, the settings say
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        with listen(host, port) as listener:
            address = _address(listener)
            is_open = not runtime.store.tokens.ever()
            if as_json:
                print_json({"address": address, "open": is_open, "worker": not no_worker})
            else:
                say(f"serving {address}" + (_OPEN if is_open else "; callers need a token"))
            worker = None if no_worker else _worker(runtime)
            try:
                with exporting_numbers(runtime, metrics), alerting(runtime), telling(runtime):
                    _serve(uvicorn.Server(config), listener, worker, web.state, runtime.dispatcher.wake)
            finally:
                web.state.jobs.close()


_OPEN = (
    "; it is open: everything on this machine may call it, a proxy too, until `experience tokens create` "
    "makes a token"
)


def _serve(
    server: "uvicorn.Server",
    listener: socket.socket,
    worker: Worker | None,
    state: "State",
    wake: threading.Event,
) -> None:
    stop: threading.Event = state.streams.ending  # what is open for long ends with the rest

    def end() -> None:
        server.should_exit = True
        stop.set()
        wake.set()

    on_stop(end)
    loops: list[Callable[[], object]] = [
        lambda: server.run(sockets=[listener]),
        lambda: state.jobs.keep_going_on(stop),
    ]
    if worker is not None:
        loops.append(lambda: worker.run(stop))
    # Not in this thread: a signal would find it inside the very Event that its handler sets.
    with ThreadPoolExecutor(len(loops), thread_name_prefix="serve") as threads:
        running = [threads.submit(loop) for loop in loops]
        try:
            wait(running, return_when=FIRST_COMPLETED)
        finally:
            server.should_exit = True
            stop.set()
            wake.set()
    for each in running:
        each.result()
    _logger.info("stopped")


def _tell_of_paths(runtime: Runtime) -> None:
    """Say which experiences are files on disk: a half-saved one reaches the next visitor."""
    live = runtime.live.all()
    for name, path in runtime.settings.served.released.items():
        if name in live:
            _logger.warning("%s under [experiences] is passed over: %s", name, live[name].words)
        else:
            _logger.warning(
                "%s runs from %s as the files stand there, which is for development; "
                "`experience release %s --name %s` keeps them",
                name,
                path,
                path,
                name,
            )


def _worker(runtime: Runtime) -> Worker:
    _logger.info("delivering from %s", runtime.database_name)
    unknown = runtime.settings.unknown_tables(runtime.integrations.names())
    for because in (*unknown, *runtime.operations.holds().values()):
        _logger.warning("%s", because)
    return make_worker(runtime)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; InvalidParameter where that cannot be."""
    try:
        (family, kind, protocol, _, place), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
        # the protocol is told: asyncio sends small answers at once only where it knows that it is TCP
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(place)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as problem:
        raise InvalidParameter(
            f"{shown(host)} port {port} cannot be listened on ({problem}); name another with --host or --port"
        ) from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
