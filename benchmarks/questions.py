"""What people ask of a full database: `.venv/bin/python benchmarks/questions.py [--rows N] [--postgres]`.

Fills it (5,000,000 executions take about three minutes; `--file` keeps one to ask again), starts
`experience serve` on it, and asks every question of the API and the pages as people do, over loopback.
Prints the median and the slowest of seven times. Goal: 50 ms.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runtime"))

import apsw
import psycopg
from experience_runtime.store.opening import open_sqlite

from benchmarks.questions_fill import POSTGRES, SQLITE, fill

GOAL_MS = 50
NOOP = """
from experience_runtime.integration import Context, Integration


class NoOp(Integration[None, dict]):
    name = {name!r}

    def call(self, payload: dict, context: Context[None]) -> None:
        return None
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000, help="how many executions")
    parser.add_argument("--file", type=Path, help="a SQLite file that stays; filled when it is not there")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL server of its own")
    parser.add_argument("--address", help="a PostgreSQL database that is filled")
    parser.add_argument("--times", type=int, default=7, help="how often each is asked")
    given = parser.parse_args()
    now = int(time.time() * 1000)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        address = given.address or (_postgres(given.rows, now) if given.postgres else "")
        if not address:
            address = _sqlite(given.file or folder / "full.db", given.rows, now)
        ask_everything(folder, address, given.times)


def _sqlite(path: Path, rows: int, now: int) -> str:
    if not path.exists():
        open_sqlite(str(path)).close()
        connection = apsw.Connection(str(path))
        connection.execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000"
        )
        fill(lambda sql: connection.execute(sql).fetchall(), SQLITE, count=rows, now=now)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    print(f"{path.stat().st_size / 1024 / 1024:,.0f} MiB")
    return f"sqlite:///{path}"


def _postgres(rows: int, now: int) -> str:
    from tests.support.postgres import Server

    server = Server(
        durable=True, settings=("shared_buffers=1GB", "maintenance_work_mem=512MB", "max_wal_size=8GB")
    )
    address = server.database()
    with psycopg.connect(address, autocommit=True) as connection:

        def execute(sql: str) -> list[tuple[object, ...]]:
            found = connection.execute(sql)
            return found.fetchall() if found.description else []

        fill(execute, POSTGRES, count=rows, now=now)
        connection.execute("VACUUM ANALYZE")
    print(address, flush=True)
    return address


def questions(now: datetime, visitor: str, execution: str) -> list[tuple[str, str]]:
    """What is asked, and the path that asks it."""

    def at(days: float) -> str:
        return (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%MZ")

    def of(path: str, **by: str) -> str:
        return f"{path}?{urllib.parse.urlencode(by, doseq=True)}"

    found = [
        ("overview", "/"),
        ("integrations", "/settings/integrations"),
        ("one integration", "/settings/integrations/slack-update"),
        ("experiences", "/experiences"),
        ("one experience", "/experiences/welcome"),
        ("one experience, failed", "/experiences/welcome?outcome=failed"),
        ("traffic of one", "/v1/experiences/again/traffic"),
        ("a visitor's page", f"/visitors/{visitor}"),
        ("visitors, found", f"/visitors?id={visitor}"),
        ("why", f"/v1/visitors/{visitor}/why"),
        ("one execution", f"/executions/{execution}"),
        ("runs", "/v1/runs"),
        ("runs, failed", "/v1/runs?outcome=failed"),
        ("agenda", "/agenda"),
        ("agenda, in 10 days", of("/agenda", day=(now + timedelta(days=10)).strftime("%Y-%m-%d"))),
        ("audit", "/settings/audit"),
        ("metrics", "/metrics"),
    ]
    lists: dict[str, dict[str, str | list[str]]] = {
        "all": {},
        "of a visitor": {"visitor": visitor},
        "of an integration": {"integration": "slack-update"},
        "of a rare integration": {"integration": "rare"},
        "of an experience": {"experience": "welcome"},
        "of an experience nobody has": {"experience": "none"},
        "with a reason nobody has": {"reason": "none"},
        "with a usual reason": {"reason": "conversion"},
        "pending": {"status": "pending"},
        "running": {"status": "running"},
        "succeeded": {"status": "succeeded"},
        "failed": {"status": "failed"},
        "failed or cancelled": {"status": ["failed", "cancelled"]},
        "pending of an integration": {"status": "pending", "integration": "email"},
        "failed of an integration": {"status": "failed", "integration": "email"},
        "failed of one that never did": {"status": "failed", "integration": "rare"},
        "created in a day": {"since": at(-40), "until": at(-39)},
        "due in a day": {"due_since": at(-40), "due_until": at(-39)},
        "due ever": {"due_since": at(-400)},
        "finished in a day": {"finished_since": at(-40), "finished_until": at(-39)},
        "finished ever": {"finished_since": at(-400)},
        "failed in a day": {"failed_since": at(-40), "failed_until": at(-39)},
        "failed ever": {"failed_since": at(-400)},
        "failed ever, of an experience": {"failed_since": at(-400), "experience": "welcome"},
        "by due": {"sort": "due"},
        "pending by due": {"sort": "due", "status": "pending"},
        "running by due": {"sort": "due", "status": "running"},
        "pending by due, of one": {"sort": "due", "status": "pending", "integration": "email"},
        "failed by due": {"sort": "due", "status": "failed"},
        "of a visitor by due": {"sort": "due", "visitor": visitor},
        "of nobody by due": {"sort": "due", "experience": "none"},
        "search: a visitor": {"text": visitor},
        "search: a part of many": {"text": "sitor-1"},
        "search: nothing": {"text": "nowhere to be found"},
        "search: a key's part": {"text": "ada.77@"},
        "search: a part of an id": {"text": execution[-7:]},
        "search: a payload": {"payload": "visitor 77"},
        "search: failed, nothing": {"text": "nowhere", "status": "failed"},
        "search by due: nothing": {"text": "nowhere", "sort": "due"},
    }
    for name, by in lists.items():
        found.append((f"list {name}", of("/v1/executions", **by)))  # type: ignore[arg-type]
        found.append((f"page {name}", of("/executions", **by)))  # type: ignore[arg-type]
    return found


def ask_everything(folder: Path, address: str, times: int) -> None:
    """Serve it, and print a line a question."""
    with served(folder, address) as base:
        newest = json.loads(_get(f"{base}/v1/executions?status=failed&limit=400"))["executions"][-1]
        now = datetime.now(UTC)
        late = []
        for name, path in questions(now, newest["visitor"], newest["id"]):
            took = []
            for _ in range(times):
                began = time.perf_counter()
                _get(base + path)
                took.append((time.perf_counter() - began) * 1000)
                if took[0] > 2000:
                    break
            median = statistics.median(took)
            late += [name] if median > GOAL_MS else []
            print(
                f"{name:<38} {median:8.1f} ms  {max(took):8.1f} at most{'  <--' if median > GOAL_MS else ''}",
                flush=True,
            )
        print(f"{len(late)} take more than {GOAL_MS} ms: {', '.join(late) or '-'}")


@contextmanager
def served(folder: Path, address: str) -> Iterator[str]:
    """`experience serve` on it, which delivers nothing; the address it answers at."""
    (folder / "integrations").mkdir()
    for name in ("slack-update", "email", "sms", "webhook", "rare"):
        (folder / f"integrations/of_{name.replace('-', '_')}.py").write_text(NOOP.format(name=name))
    off = "\n".join(
        f'{kind} = "off"' for kind in ("succeeded", "failed", "cancelled", "runs", "events", "answers")
    )
    (folder / "experience.toml").write_text(
        f'database = "{address}"\nintegrations_dir = "integrations"\n[retention]\n{off}\n'
    )
    command = shutil.which("experience", path=str(Path(sys.executable).parent)) or "experience"
    with (
        (folder / "log.txt").open("w") as log,
        subprocess.Popen(
            [command, "serve", "--port", "0", "--json", "--no-worker"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        ) as server,
    ):
        assert server.stdout is not None
        first = server.stdout.readline()
        if not first:
            raise SystemExit((folder / "log.txt").read_text())
        try:
            yield json.loads(first)["address"].rstrip("/")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{url} answers {error.code}: {error.read()[:300]!r}") from None


if __name__ == "__main__":
    main()
