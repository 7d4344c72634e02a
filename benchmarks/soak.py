"""`experience serve` for a long time: `.venv/bin/python -m benchmarks.soak [--minutes N] [--rate N]`.

Schedules so many executions a second, each due one to three seconds later, over the gateway's deferred calls;
the receiver notes when each came. Prints, at the start, in the middle and at the end: the median and the 99th
percentile from due to arrival, and the server's resident memory, the sizes of its database and its WAL, its
open descriptors and its threads. What was acknowledged and never came, or came twice, is counted at the end.
"""

import argparse
import json
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.serve import GATEWAY, ask
from benchmarks.served import served

SETTINGS = """[integrations.webhook]
url = "{url}"
[outbound]
allow_private = ["127.0.0.1/32"]
"""


class Receiver:
    """Notes how long after its due instant each call came, by the number in its body."""

    def __init__(self) -> None:
        self.came: Counter[int] = Counter()
        self.late: list[tuple[float, float]] = []  # when it came, and how many seconds late
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["content-length"])))
                now = time.time()
                if body := payload.get("body"):  # else of a database that was full before
                    receiver.came[body["number"]] += 1
                    receiver.late.append((now, now - body["due"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


@dataclass(frozen=True)
class Shape:
    """What a process holds: MiB, counts."""

    rss: float
    database: float
    wal: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int, database: Path) -> "Shape":
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
        )
        wal = database.with_name(database.name + "-wal")
        return cls(
            rss=int(status["VmRSS"].split()[0]) / 1024,
            database=database.stat().st_size / 2**20,
            wal=wal.stat().st_size / 2**20 if wal.exists() else 0.0,
            descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
            threads=int(status["Threads"]),
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=20.0, help="executions a second")
    asked = parser.parse_args()
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "experience.toml").write_text(SETTINGS.format(url=receiver.url))
        with served(folder) as (pid, port):
            soak(receiver, pid, port, folder, rate=asked.rate, seconds=asked.minutes * 60)
        faults = (folder / "log.txt").read_text().count(" ERROR ")
    print(f"{faults} errors in the log")


def soak(receiver: Receiver, pid: int, port: int, folder: Path, *, rate: float, seconds: float) -> None:
    made = refused = 0
    heads = f"{'':8} {'p50':>8} {'p99':>8} {'longest':>8} {'RSS':>7} {'database':>8} {'WAL':>8}"
    print(f"{heads} {'fds':>4} threads")
    for name in ("start", "middle", "end"):
        since = time.time()
        more, other = send_evenly(port, rate=rate, seconds=seconds / 3, first=made)
        made, refused = made + more, refused + other
        (database,) = folder.rglob("experience.db")
        tell(name, receiver, since, Shape.of(pid, database))
    time.sleep(5)
    lost = sum(1 for number in range(made) if not receiver.came[number])
    twice = sum(1 for count in receiver.came.values() if count > 1)
    print(f"{made} acknowledged, {refused} refused, {lost} never came, {twice} came twice")


def send_evenly(port: int, *, rate: float, seconds: float, first: int = 0) -> tuple[int, int]:
    """Schedule so many a second, numbered from `first`; return how many were acknowledged and refused."""
    chance, made, refused = random.Random(first), 0, 0
    next_at = time.monotonic()
    ends_at = next_at + seconds
    with socket.create_connection(("127.0.0.1", port)) as line:
        while next_at < ends_at:
            time.sleep(max(0.0, next_at - time.monotonic()))
            number, delay = first + made, chance.randrange(1000, 3000)
            payload = {"number": number, "due": time.time() + delay / 1000}
            meta = {"source": "soak", "visitorId": f"v{number}", "experience": {"experienceId": 1}}
            body = {"data": {"body": payload}, "delay": delay, "meta": meta}
            status, _ = ask(line, "POST", GATEWAY, body)
            made += status == 200
            refused += status != 200
            next_at += 1 / rate
    return made, refused


def tell(name: str, receiver: Receiver, since: float, shape: Shape) -> None:
    late = sorted(seconds * 1000 for at, seconds in receiver.late if at >= since)
    told = (late[len(late) // 2], late[int(len(late) * 0.99)], late[-1]) if late else ()
    seconds = " ".join(f"{each:5.0f} ms" for each in told) or "    nothing came yet    "
    print(
        f"{name:8} {seconds} {shape.rss:3.0f} MiB "
        f"{shape.database:4.1f} MiB {shape.wal:4.1f} MiB {shape.descriptors:4} {shape.threads:7}",
        flush=True,
    )


if __name__ == "__main__":
    main()
