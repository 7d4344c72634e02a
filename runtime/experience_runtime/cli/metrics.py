"""The numbers of a worker, over HTTP: for Prometheus, at an address that its operator names."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.domain.values import shown
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.standing import process_of, standing_of
from experience_runtime.web.metrics import CONTENT_TYPE, Metrics

_SECONDS = 10
"""How long whoever asks may take to say what."""

_logger = logging.getLogger(__name__)


def place_of(text: str) -> tuple[str, int]:
    """Read ADDRESS:PORT; InvalidParameter for anything else."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) <= 65535):
        raise InvalidParameter(
            f"--metrics {shown(text)} is not an address and a port; write for instance 127.0.0.1:9464"
        )
    return host.strip("[]"), int(port)


@contextmanager
def serving_numbers(host: str, port: int, runtime: Runtime, metrics: Metrics) -> Iterator[None]:
    """Answer GET /metrics there meanwhile; InvalidParameter where that cannot be listened on."""

    def read() -> bytes:
        return metrics.text(standing_of(runtime), process_of(runtime))

    try:
        server = _Server((host, port), _handler(read))
    except (OSError, UnicodeError) as problem:
        raise InvalidParameter(
            f"{shown(host)} port {port} cannot be listened on ({problem}); name another with --metrics"
        ) from None
    thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # whoever asks slowly holds up no end


def _handler(read: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Numbers(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            try:
                text = read()
            except ExperienceError as error:
                _logger.error("the numbers could not be read: %s", error.message)
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Each is asked again in seconds."""

    return Numbers
