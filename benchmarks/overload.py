"""More than `experience serve` can take: `.venv/bin/python -m benchmarks.overload [--rate N] [--seconds N]`.

Offers so many deferred calls a second, from many addresses, whatever becomes of those before (nobody waits).
Prints how many were acknowledged and refused, and with what; the refusals without `Retry-After`; how long an
acknowledgement and a refusal took, counted from the instant at which the request was to be sent; and which
acknowledged executions are not in the store afterwards.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.serve import SETTINGS, VARIATION, a_deferred_call, a_run
from benchmarks.served import served

ADDRESSES = 50  # of loopback: one address alone may have few requests at a time
IDLE_SECONDS = 10.0


@dataclass
class Seen:
    """What became of the requests, each with the seconds since it was to be sent."""

    by_status: Counter[str] = field(default_factory=Counter)
    acknowledged: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    untold: int = 0  # refusals that do not say when to come again
    ids: list[str] = field(default_factory=list)


class Client:
    """Connections that stay open, by address."""

    def __init__(self, port: int, seen: Seen) -> None:
        self._port = port
        self._seen = seen
        self._idle: dict[str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def send(self, number: int, kind: str, due: float) -> None:
        own = f"127.0.0.{2 + number % ADDRESSES}"
        idle = self._idle.setdefault(own, [])
        try:
            while idle and idle[-1][0].at_eof():
                idle.pop()
            if idle:
                reader, writer = idle.pop()
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(own, 0))
            status, headers, body = await self._ask(reader, writer, number, kind)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._seen.by_status[type(error).__name__] += 1
            return
        if b"connection: close" in headers:
            writer.close()
        else:
            idle.append((reader, writer))
        took = monotonic() - due
        self._seen.by_status[str(status)] += 1
        if status == 200:
            self._seen.acknowledged.append(took)
            self._seen.ids += [each["id"] for each in body["executions"]] if kind == "run" else [_id_of(body)]
        else:
            self._seen.refused.append(took)
            self._seen.untold += status in (429, 503) and b"retry-after:" not in headers

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, kind: str
    ) -> tuple[int, bytes, Any]:
        method, path, body = (a_run if kind == "run" else a_deferred_call)(number)
        content = json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        headers = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(headers.partition(b"content-length:")[2].partition(b"\r\n")[0])
        text = await reader.readexactly(length)
        return int(headers.split(b" ", 2)[1]), headers, json.loads(text)


def _id_of(body: Any) -> str:
    return str(body.get("id") or body.get("executionId") or body)


async def offer(port: int, rate: float, seconds: float, kind: str) -> Seen:
    """Send each request at its instant; wait for the answers of all."""
    seen, began = Seen(), monotonic() + 0.5
    client = Client(port, seen)
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - monotonic()) > 0:
                await asyncio.sleep(wait)
            group.create_task(client.send(number, kind, due))
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=500.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kind", choices=["defer", "run"], default="defer")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "reminder").mkdir()
        (folder / "reminder/variation.js").write_text(VARIATION)
        (folder / "experience.toml").write_text(SETTINGS)
        with served(folder) as (_, port):
            seen = asyncio.run(offer(port, asked.rate, asked.seconds, asked.kind))
        tell(seen, folder, asked.rate, asked.seconds)


def tell(seen: Seen, folder: Path, rate: float, seconds: float) -> None:
    statuses = ", ".join(f"{count} × {status}" for status, count in seen.by_status.most_common())
    print(f"{rate:g} a second for {seconds:g} s: {statuses}; {seen.untold} refusals without Retry-After")
    for name, took in (("acknowledged", seen.acknowledged), ("refused", seen.refused)):
        if took:
            told = sorted(took)
            p50, p99 = told[len(told) // 2], told[int(len(told) * 0.99)]
            print(f"{name:<13} p50 {p50:6.3f} s   p99 {p99:6.3f} s   longest {told[-1]:6.3f} s")
    (database,) = folder.rglob("experience.db")
    with sqlite3.connect(database) as connection:
        kept = connection.execute("SELECT count(*) FROM executions").fetchone()[0]
    print(f"{len(seen.ids)} acknowledged, {kept} stored; lost: {max(0, len(set(seen.ids)) - kept)}")


if __name__ == "__main__":
    main()
