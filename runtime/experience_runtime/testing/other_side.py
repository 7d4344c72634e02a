"""The other side of an integration, played by a real HTTP server on loopback, for tests."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the other side does with a request: it answers, hangs up, or never says a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def mentions(self, text: str) -> bool:
        """Tell whether the text stands in the path, a header or the body."""
        return (
            text in self.path
            or any(text in value for value in self.headers.values())
            or (text.encode() in self.body)
        )


class OtherSide:
    """Answers every request with `reply` and keeps it. `url` has a path nobody else knows."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.requests: list[Request] = []
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/other-side/{secrets.token_hex(8)}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def take(self) -> list[Request]:
        """The requests since this was last asked."""
        taken, self.requests = self.requests, []
        return taken

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                # a fetch of an access token is no call of the receiver, and always succeeds
                is_for_token = b"grant_type=client_credentials" in body
                if not is_for_token:
                    other.requests.append(Request(self.command, self.path, headers, body))
                reply = _TOKEN if is_for_token else other.reply
                if reply.is_silent:
                    other._over.wait()
                if reply.is_silent or reply.hangs_up:
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST

            def log_message(self, *_: object) -> None:
                pass

        return Handler


_TOKEN = Reply(
    body=b'{"access_token": "token-of-the-other-side", "token_type": "Bearer", "expires_in": 3600}',
    headers={"content-type": "application/json"},
)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined by server_close: no thread outlives its test
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        pass  # a caller that went away
