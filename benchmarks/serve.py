"""What `experience serve` carries on this machine: `.venv/bin/python -m benchmarks.serve [--seconds N]`.

Starts the server as a process, and asks it over 16 connections that stay open. Prints requests a second, the
median, the 99th percentile and errors for a run of an experience that schedules one call, for a deferred call
of the gateway, and for reading one page of executions.
"""

import argparse
import base64
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.served import served

CONNECTIONS = 16
VARIATION = """module.exports = function variation (options) {
  return options.integration('webhook').schedule({ body: { remind: options.meta.visitorId } }, {
    key: { reminder: 'basket' }, delay: '2 hours', window: { day: 'monday-friday', time: '09:00-17:00' },
    cancelOnConversion: true
  })
}
"""
SETTINGS = """[experiences]
reminder = "reminder"
[integrations.webhook]
url = "https://example.com/hook"
"""
GATEWAY = "/integrations/defer/" + base64.b64encode(b"1:webhook:1").decode()

Request = Callable[[int], tuple[str, str, Any]]


def a_run(number: int) -> tuple[str, str, Any]:
    body = {"visitor": f"v{number}", "timezone": "Europe/Paris", "data": {"items": 2}}
    return "POST", "/v1/experiences/reminder/run", body


def a_deferred_call(number: int) -> tuple[str, str, Any]:
    meta = {"source": "benchmark", "visitorId": f"d{number}", "experience": {"experienceId": 1}}
    body = {"data": {"body": {"remind": number}}, "key": {"n": number}, "delay": 7_200_000, "meta": meta}
    return "POST", GATEWAY, body


def a_page(_: int) -> tuple[str, str, Any]:
    return "GET", "/v1/executions?limit=20", None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="for each kind of request")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "reminder").mkdir()
        (folder / "reminder/variation.js").write_text(VARIATION)
        (folder / "experience.toml").write_text(SETTINGS)
        with served(folder) as (_, port):
            print(f"{CONNECTIONS} connections, {seconds:g} s each")
            measure("POST /v1/experiences/…/run", port, a_run, seconds)
            measure("POST /integrations/defer/…", port, a_deferred_call, seconds)
            measure("GET /v1/executions", port, a_page, seconds)


def measure(name: str, port: int, request: Request, seconds: float) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        status, body = ask(line, *request(-1))
    if status != 200:
        raise SystemExit(f"{name} answers {status}: {body[:200]!r}")
    took: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    errors = [0] * CONNECTIONS
    ends_at = time.perf_counter() + seconds

    def call(own: int) -> None:
        number = own
        with socket.create_connection(("127.0.0.1", port)) as line:
            while (began := time.perf_counter()) < ends_at:
                status, _ = ask(line, *request(number))
                took[own].append(time.perf_counter() - began)
                errors[own] += status != 200
                number += CONNECTIONS

    threads = [threading.Thread(target=call, args=(own,)) for own in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(each for own in took for each in own)
    p99 = every[int(len(every) * 0.99)] * 1000
    print(
        f"{name:<32} {len(every) / seconds:7.0f} a second   p50 {statistics.median(every) * 1000:6.1f} ms   "
        f"p99 {p99:6.1f} ms   errors {sum(errors)}"
    )


def ask(line: socket.socket, method: str, path: str, body: Any) -> tuple[int, bytes]:
    """One request over an open connection: status and body."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    line.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(line)
    head_bytes, _, rest = received.partition(b"\r\n\r\n")
    length = next(
        int(field.split(b":")[1])
        for field in head_bytes.split(b"\r\n")
        if field.lower().startswith(b"content-length:")
    )
    while len(rest) < length:
        rest += _more(line)
    return int(head_bytes.split(b" ", 2)[1]), rest


def _more(line: socket.socket) -> bytes:
    part = line.recv(65536)
    if not part:
        raise ConnectionError("the server closed the connection")
    return part


if __name__ == "__main__":
    main()
