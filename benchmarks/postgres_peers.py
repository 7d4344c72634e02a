"""The peers of `benchmarks/postgres.py`, each on a database of its own; their figures as ratios."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.waiting_environments import environment, last_line
from tests.support.postgres import Server

PEERS: dict[str, tuple[str, ...]] = {
    "procrastinate": ("procrastinate==3.10.0", "psycopg[binary,pool]==3.3.9"),
    "pgqueuer": ("pgqueuer[asyncpg]==1.6.0",),
    "dbos": ("dbos==3.4.0", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9"),
}

FIGURES = {
    "schedule": "schedule, 1 caller, a second",
    "schedule_16": "schedule, 16 callers, a second",
    "cancel": "cancel, 1 caller, a second",
    "burst": "20,000 due at one second, 2 workers, a second",
}


def compare(
    server: Server, ours: Mapping[str, Any], pending: int, *, names: Sequence[str] = tuple(PEERS)
) -> None:
    """Print each peer's figures, and how many times as good ours are."""
    print(f"\npeers, {pending:,} pending")
    for name in names:
        requirements = PEERS[name]
        try:
            told = _contest(server, name, requirements, pending)
        except (subprocess.SubprocessError, OSError, ValueError) as fault:
            print(f"{name}: {last_line(fault)}")
            continue
        print(f"{name} {told['version']}")
        for key, what in FIGURES.items():
            if told[key] is None:
                continue
            print(f"    {what:<54} {told[key]:>10,.0f}   ours x {ours[key] / max(told[key], 0.1):,.1f}")
        late = " / ".join(f"{each:,.0f}" for each in told["late_ms"])
        better = told["late_ms"][1] / max(ours["late_ms"][1], 0.1)
        print(f"    {'late when fired, p50 / p99 / worst, ms':<54} {late:>10}   ours x {better:,.1f} at p99")


def _contest(server: Server, name: str, requirements: tuple[str, ...], pending: int) -> dict[str, Any]:
    script = Path(__file__).with_name("peers") / f"postgres_{name}.py"
    database = f"peer_{name}"
    server.execute(f"CREATE DATABASE {database}")
    words = [environment(*requirements), str(script), "contest", server.address(database), str(pending)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=1200)
    server.execute(f"DROP DATABASE {database} WITH (FORCE)")
    return dict(json.loads(done.stdout.splitlines()[-1]))
