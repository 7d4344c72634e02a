"""How fast a run is: through the host, in the sandbox alone, and what a fresh scope costs.

.venv/bin/python benchmarks/sandbox_run.py [RUNS]
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import _quickjs
from experience_runtime.boot import Situation, boot_message
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.visitors import Visitor
from experience_runtime.experiences import load_experience
from experience_runtime.host import open_run
from experience_runtime.ports import Limits, Request
from experience_runtime.registry import Registry
from experience_runtime.sandbox import worker
from experience_runtime.sandbox.modules import Bundle
from experience_runtime.sandbox.pool import Pool
from experience_runtime.sandbox.prelude_files import Prelude
from experience_runtime.scheduler import Scheduler
from experience_runtime.settings import Settings
from experience_runtime.store.sqlite import SqliteStore

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
ADA = Visitor(id="ada", timezone="Europe/Paris")
VARIATION = """\
// Remind a visitor of a basket: soon, the next day, and in a week.
module.exports = async function variation (options) {
  const slack = options.integration('slack-update', { cancelOnConversion: true })
  const { log, meta, state } = options
  const basket = { id: meta.visitorId, lines: [], total: 0 }

  const prices = { shoe: 79.9, lace: 2.5, sock: 6 }
  for (const [name, price] of Object.entries(prices)) {
    basket.lines.push({ name, price, quantity: name.length % 3 + 1 })
  }
  basket.total = basket.lines.reduce((sum, line) => sum + line.price * line.quantity, 0)
  state.set('basket', basket)

  const reminders = [
    { name: 'soon', delay: '1 hour' },
    { name: 'tomorrow', delay: '1 day' },
    { name: 'week', delay: 7 * 24 * 60 * 60 * 1000 }
  ]
  const window = { day: 'monday-friday', time: '09:00-17:00' }

  const scheduled = await Promise.all(reminders.map(reminder => slack.schedule(
    { message: `${reminder.name}: ${basket.total.toFixed(2)} EUR wait for ${basket.id}` },
    { key: { basket: basket.id, reminder: reminder.name }, delay: reminder.delay, window }
  ).catch(error => {
    log.error(`could not schedule ${reminder.name}`, error)
    return null
  })))

  log.info('scheduled', { count: scheduled.filter(Boolean).length })
}
"""


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "variation.js"
        path.write_text(VARIATION, encoding="utf-8")
        script = Bundle(load_experience(path))
    _show("a context with the prelude", _times(_fresh_scope(), runs // 4))
    for threads in (1, 2):
        pool = Pool(spares=threads)
        _show(f"sandbox alone, {threads} worker(s)", *_spread(_sandbox_run(pool, script), threads, runs))
        pool.close()
    for threads in (1, 2):
        pool = Pool(spares=threads)
        _show(f"host and store, {threads} worker(s)", *_spread(_host_run(pool, script), threads, runs))
        pool.close()


def _fresh_scope() -> Callable[[], object]:
    prelude = Prelude(str(Path(worker.__file__).parent / "prelude"))

    def make() -> object:
        context = _quickjs.Context()
        context.set_max_stack_size(worker.STACK_BYTES)
        return prelude.install(context)

    return make


def _sandbox_run(pool: Pool, script: Bundle) -> Callable[[], None]:
    limits = Limits()
    answer = json.dumps({"id": "exe_1", "replaced": None})

    def run_once() -> None:
        guest = pool.open(limits)
        boot = boot_message(script, Situation(visitor=ADA, seed=1), ("slack-update",), NOW, limits)
        turn = guest.start(boot, deadline_seconds=5)
        ids = [item.id for item in turn.outbox if isinstance(item, Request)]
        inbox = [{"kind": "answer", "id": each, "ok": True, "text": answer} for each in ids]
        turn = guest.step({"now": boot["now"], "inbox": inbox}, deadline_seconds=5)
        guest.close()
        if len(ids) != 3 or turn.variation != "done":
            raise SystemExit(f"the variation did not do its work: {turn}")

    return run_once


def _host_run(pool: Pool, script: Bundle) -> Callable[[], None]:
    registry = Registry(Settings())
    clock = VirtualClock(NOW)
    scheduler = Scheduler(
        store=SqliteStore(":memory:"), clock=clock, integrations=registry, conversions=("ecView",)
    )

    def run_once() -> None:
        run = open_run(
            script,
            Situation(visitor=ADA, seed=1),
            sandbox=pool,
            scheduler=scheduler,
            integrations=registry,
            clock=clock,
            call_now=lambda _execution, _seconds: None,
        )
        run.start()
        while not run.is_over:
            run.advance()
        report = run.finish()
        if report.outcome != "ran" or len(report.created) != 3:
            raise SystemExit(f"the variation did not do its work: {report}")

    return run_once


def _times(act: Callable[[], object], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return taken


def _spread(act: Callable[[], object], threads: int, runs: int) -> tuple[list[float], float]:
    """The times of all runs, and the runs per second of all threads together."""
    for _ in range(10 * threads):
        act()
    taken: list[float] = []

    def work() -> None:
        taken.extend(_times(act, runs // threads))

    began = time.perf_counter()
    crew = [threading.Thread(target=work) for _ in range(threads)]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    return taken, len(taken) / (time.perf_counter() - began)


def _show(name: str, taken: Sequence[float], per_second: float | None = None) -> None:
    cuts = statistics.quantiles(taken, n=100)
    rate = "" if per_second is None else f"  {per_second:7.0f} runs/s"
    print(f"{name:32} p50 {cuts[49] * 1000:6.2f} ms  p99 {cuts[98] * 1000:6.2f} ms{rate}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
