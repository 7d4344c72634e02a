"""Run npm's `promises-aplus-tests` against the sandbox's Promise, inside the sandbox.

.venv/bin/python tests/conformance/promises.py [--spoilt] [--suite FOLDER]

Needs npm and the network, once: the suite goes into a temporary folder and nothing of it is kept. Each of its
files is one run in a real worker, after the real prelude, with timers in virtual time.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.boot import Situation, boot
from experience_runtime.running.guest import Limits, LogLine
from experience_runtime.running.problems import limit_problem, thrown_problem
from experience_runtime.sandbox.pool import Pool
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience

SUITE = "promises-aplus-tests@2.1.2"
LIMITS = Limits(
    cpu_turn_seconds=60,
    cpu_run_seconds=300,
    wall_seconds=300,
    memory_bytes=96 * 1024 * 1024,
    log_bytes=16 * 1024 * 1024,
)
NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)

ADAPTER = """({
  resolved: (value) => Promise.resolve(value),
  rejected: (reason) => Promise.reject(reason),
  deferred () {
    let resolve, reject
    const promise = new Promise((yes, no) => { resolve = yes; reject = no })
    return { promise, resolve, reject }
  }
})"""
# Calls its handlers at once, and twice where it can: a runner that cannot fail would not notice.
SPOILT_ADAPTER = """(() => {
  const settled = (fulfilled, value) => ({
    then (yes, no) {
      const fn = fulfilled ? yes : no
      if (typeof fn !== 'function') return settled(fulfilled, value)
      fn(value)
      return settled(true, fn(value))
    }
  })
  const deferred = () => {
    let inner = null
    const waiting = []
    const settle = (fulfilled, value) => {
      inner = settled(fulfilled, value)
      waiting.forEach(([yes, no]) => inner.then(yes, no))
    }
    const then = (yes, no) => inner === null ? (waiting.push([yes, no]), { then }) : inner.then(yes, no)
    const resolve = (value) => settle(true, value)
    return { promise: { then }, resolve, reject: (reason) => settle(false, reason) }
  }
  return { resolved: (value) => settled(true, value), rejected: (reason) => settled(false, reason), deferred }
})()"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spoilt", action="store_true", help="test a broken promise instead: most must fail")
    parser.add_argument("--suite", type=Path, help="a folder where npm has installed the suite already")
    asked = parser.parse_args()
    adapter = SPOILT_ADAPTER if asked.spoilt else ADAPTER
    with tempfile.TemporaryDirectory() as folder:
        root = asked.suite or install(Path(folder))
        tests = root / "node_modules" / "promises-aplus-tests" / "lib" / "tests"
        passed, failures = run_suite(tests, adapter, Path(folder) / "variation.js")
    for failure in failures[:20]:
        print(f"FAILED {failure}")
    if len(failures) > 20:
        print(f"... and {len(failures) - 20} more")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0


def install(folder: Path) -> Path:
    print(f"npm install {SUITE}", file=sys.stderr, flush=True)
    words = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", SUITE]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return folder


def run_suite(tests: Path, adapter: str, variation: Path) -> tuple[int, list[str]]:
    """Run every file of the suite; return how many tests passed, and what the others said."""
    passed, failures = 0, []
    helpers = {f"helpers/{path.stem}": path for path in sorted((tests / "helpers").glob("*.js"))}
    pool = Pool(spares=1)
    for path in sorted(tests.glob("*.js")):
        variation.write_text(bundled(path, helpers, adapter), encoding="utf-8")
        counted = 0
        for title, outcome in outcomes(pool, Bundle(load_experience(variation))):
            counted += 1
            if outcome == "passed":
                passed += 1
            else:
                failures.append(f"{title}: {outcome}")
        print(f"{path.name}: {counted} tests", file=sys.stderr, flush=True)
    pool.close()
    return passed, failures


def bundled(path: Path, helpers: dict[str, Path], adapter: str) -> str:
    """One file of the suite, its helpers and the harness as one variation."""
    files = [
        f"{json.dumps(name)}: function (module, exports, require) {{\n{source.read_text('utf-8')}\n}}"
        for name, source in {**helpers, path.stem: path}.items()
    ]
    harness = Path(__file__).with_name("harness.js").read_text(encoding="utf-8")
    harness = re.sub(r"\bADAPTER\b", lambda _: adapter, harness)
    return f"const ENTRY = {json.dumps('./' + path.stem)}\nconst FILES = {{\n{','.join(files)}\n}}\n{harness}"


def outcomes(pool: Pool, script: Bundle) -> Iterator[tuple[str, str]]:
    """Run one variation to its end; yield its tests and how each came out."""
    guest = pool.open(LIMITS)
    begin = boot(script, Situation(visitor=Visitor(id="ada"), seed=1), (), NOW, LIMITS)
    turn = guest.start(begin, deadline_seconds=LIMITS.wall_seconds)
    while True:
        for line in turn.outbox:
            if isinstance(line, LogLine) and line.logger == "variation" and line.level == "info":
                yield line.message, line.metadata["outcome"]
        if turn.limit is not None or turn.wake_at is None:
            break
        turn = guest.step({"now": to_ms(turn.wake_at), "inbox": []}, deadline_seconds=LIMITS.wall_seconds)
    guest.close()
    if turn.limit is not None:
        yield "the run", str(limit_problem(script, turn, LIMITS))
    elif turn.thrown is not None:
        yield "the run", str(thrown_problem(script, turn.thrown))
    elif turn.variation != "done":
        yield "the run", f"ended while {turn.variation}"


if __name__ == "__main__":
    sys.exit(main())
