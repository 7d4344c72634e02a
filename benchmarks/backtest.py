"""Print how long `experience backtest` takes for visitors of ten events each.

Goal: 10,000 visitors with 100,000 events in 60 s on two cores.

.venv/bin/python -m benchmarks.backtest [--visitors N]
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.store.opening import open_sqlite

SAMPLE = Path(__file__).resolve().parent.parent / "sample_experiences" / "basket-reminder"
COMMAND = [sys.executable, "-c", "from experience_runtime.cli import main; main(prog_name='experience')"]
UNTIL = datetime(2026, 3, 31, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo")
SHOPPING = ("ecView", "ecBasketSummary", "click", "ecView", "ecBasketSummary")
LEAVING = ("click", "scroll", "ecView", "ecProduct")
DATA = json.dumps({"basket": {"quantity": 2, "subtotal": {"value": 120}}})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "experience.db"
        record(database, asked.visitors)
        words = ["backtest", str(SAMPLE), "--until", UNTIL.isoformat(), "--database", f"sqlite:///{database}"]
        began, before = time.perf_counter(), os.times()
        done = subprocess.run(
            [*COMMAND, *words, "--json"], cwd=folder, capture_output=True, text=True, check=True
        )
        seconds, after = time.perf_counter() - began, os.times()
    document = json.loads(done.stdout)
    processor = sum(after[2:4]) - sum(before[2:4])
    print(
        f"{document['visitors']} visitors, {document['events']} events, "
        f"{document['runs'].get('ran', 0)} runs, {document['delivered']} delivered"
    )
    print(f"{seconds:.1f} s, {processor:.1f} s of processor time in all its processes")


def record(database: Path, visitors: int) -> None:
    """Record visitors who look, fill a basket and leave; every fourth buys."""
    chance, rows = random.Random(5), []
    store = open_sqlite(str(database))
    for number in range(visitors):
        visitor, at = f"v{number:05d}", UNTIL - timedelta(days=chance.uniform(1, 29))
        store.remember_visitor(Visitor(id=visitor, timezone=chance.choice(ZONES)), now=at)
        last = "ecBasketTransactionSummary" if number % 4 == 0 else "scroll"
        for event_type in (*SHOPPING, *LEAVING, last):
            at += timedelta(minutes=chance.choice([1, 2, 5, 90]))
            rows.append((to_ms(at), visitor, event_type, DATA, to_ms(at)))
    with store.database.connection as connection:
        connection.executemany(
            "INSERT INTO events (at, visitor, type, data, received_at) VALUES (?, ?, ?, ?, ?)", sorted(rows)
        )
    store.close()


if __name__ == "__main__":
    main()
