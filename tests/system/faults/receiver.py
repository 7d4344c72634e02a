"""A receiver that counts: what came in, by `webhook-id`."""

import contextlib
import json
import threading
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from experience_runtime.clocks import SystemClock


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a worker that starts sends a burst; with the usual 5 some would be refused
    daemon_threads = True


class Receiver:
    """Answers 200 after a moment, so that calls are in flight; 503 at first when the body asks for it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.arrivals: list[tuple[str, datetime]] = []  # when each had been read
        self.total = 0
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                text = self.rfile.read(length)
                if len(text) < length:  # the sender was killed before it had sent it
                    self.close_connection = True
                    return
                body = json.loads(text)
                count = receiver._count(self.headers["webhook-id"])
                receiver._moment.wait(0.004)
                fails = isinstance(body, dict) and body.get("fails_first") and count == 1
                self.send_response(503 if fails else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the sender was killed
                    super().handle()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._moment = threading.Event()  # never set
        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _count(self, webhook_id: str) -> int:
        with self._changed:
            self.arrivals.append((webhook_id, SystemClock().now()))
            self.counts[webhook_id] += 1
            self.total += 1
            self._changed.notify_all()
            return self.counts[webhook_id]

    def wait_for(self, total: int, *, seconds: float) -> bool:
        """Wait until so many requests came in all; False after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.total >= total, seconds)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
