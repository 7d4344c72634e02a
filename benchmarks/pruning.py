"""What old rows cost those that fire: `.venv/bin/python -m benchmarks.pruning [--file FULL.db]`.

Serves a database of 5,000,000 executions (`benchmarks/questions.py --file FULL.db` fills one; without
`--file` one is filled), and fires 20 executions a second for a while: with nothing to prune, then while the
worker removes what is older than a day. Prints the median and the 99th percentile from due to arrival for
both, and how much was removed. `--address` asks a PostgreSQL database that is filled already.
"""

import argparse
import re
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.questions import _sqlite
from benchmarks.served import served
from benchmarks.soak import SETTINGS, Receiver, send_evenly

KINDS = ("succeeded", "failed", "cancelled", "runs", "events", "answers")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, help="a SQLite file that is filled, and loses rows here")
    parser.add_argument("--address", help="a PostgreSQL database that is filled, and loses rows here")
    parser.add_argument("--rows", type=int, default=5_000_000, help="how many executions, without --file")
    parser.add_argument("--rate", type=float, default=20.0, help="executions a second")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each part")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        database = asked.address or _sqlite(
            asked.file or folder / "full.db", asked.rows, int(time.time() * 1000)
        )
        for name, kept in (("before", "off"), ("pruning", "1 day")):
            fire(name, folder, database, kept=kept, rate=asked.rate, seconds=asked.seconds)


def fire(name: str, folder: Path, database: str, *, kept: str, rate: float, seconds: float) -> None:
    receiver = Receiver()
    retention = "\n".join(f'{kind} = "{kept}"' for kind in KINDS)
    (folder / "experience.toml").write_text(
        f'database = "{database}"\n{SETTINGS.format(url=receiver.url)}\n[retention]\n{retention}\n'
    )
    with served(folder) as (_, port):
        before, since = removed(port), time.time()
        made, refused = send_evenly(port, rate=rate, seconds=seconds)
        time.sleep(5)
        count = removed(port) - before
        took = time.time() - since
    late = sorted(each * 1000 for at, each in receiver.late if at - each >= since) or [float("nan")]
    print(
        f"{name:8} p50 {late[len(late) // 2]:5.0f} ms, p99 {late[int(len(late) * 0.99)]:5.0f} ms, longest "
        f"{late[-1]:5.0f} ms; {made} acknowledged, {refused} refused, {len(receiver.came)} came; "
        f"{count:,.0f} rows removed in {took:.0f} s",
        flush=True,
    )


def removed(port: int) -> float:
    """What was ever removed, as `/metrics` counts it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return sum(map(float, re.findall(r"^experience_pruned_total\{.*?\} (\S+)$", text, re.MULTILINE)))


if __name__ == "__main__":
    main()
