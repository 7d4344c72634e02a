"""Mutated hostile scripts: whatever they do, the host carries on, keeps its workers, and does not grow.

HOSTILE_RUNS says how many (500 unless told). For the growth figures run this file in one process, with -s.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from experience_runtime.clocks import VirtualClock, monotonic
from experience_runtime.domain.errors import Refusal
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.running.guest import Limits
from experience_runtime.sandbox.pool import Pool
from experience_runtime.store.opening import open_sqlite

from tests.conftest import NOW, Lab
from tests.support.meter import resident_bytes
from tests.system.hostile.corpus import variation
from tests.system.hostile.mutations import mutated

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")

RUNS = int(os.environ.get("HOSTILE_RUNS", "500"))
LANES = 10
LIMITS = Limits(cpu_turn_seconds=0.05, cpu_run_seconds=0.1, wall_seconds=0.5)
ENDS = {
    *("ran", "pending", "not_triggered"),
    *("script_error", "syntax_error", "module_not_found", "not_linked"),
    *("limit_cpu", "limit_wall", "limit_memory", "limit_calls", "limit_log", "limit_events"),
    *(refusal.code for refusal in Refusal.__subclasses__()),  # of a call that nobody caught
}
HANG_SECONDS = 120.0
GROWTH_BYTES = 64 * 1024 * 1024
_MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def shared_pool() -> Iterator[Pool]:
    opened = Pool(spares=1)
    yield opened
    opened.close()


@pytest.mark.parametrize("lane", range(LANES))
def test_a_mutated_script_hurts_nobody(lab: Lab, shared_pool: Pool, lane: int) -> None:
    lab = replace(lab, pool=shared_pool, limits=LIMITS)
    first, count = lane * RUNS // LANES, RUNS // LANES
    started_with = 0
    worker_peak = 0
    for done, number in enumerate(range(first, first + count)):
        _hurt(lab, number)
        (worker,) = shared_pool.process_ids()
        worker_peak = max(worker_peak, resident_bytes(worker))
        if done == min(50, count // 2):
            started_with = resident_bytes()

    held = resident_bytes()
    print(
        f"\nruns {first}-{first + count - 1}: host {held / _MEBIBYTE:.1f} MiB, "
        f"largest worker {worker_peak / _MEBIBYTE:.1f} MiB"
    )
    assert held - started_with < GROWTH_BYTES
    assert replace(lab, limits=Limits()).says("options.log.info('next')") == ["next"]


def _hurt(lab: Lab, number: int) -> None:
    body = mutated(number)
    fresh = _without_history(lab)
    began = monotonic()

    report = fresh.run(variation(body))

    end = report.error.code if report.error is not None else report.outcome
    assert end in ENDS, f"mutation {number}: {report.error}\n{body}"
    assert monotonic() - began < HANG_SECONDS, f"mutation {number} took too long\n{body}"
    if end == "limit_cpu" and not report.calls:
        assert fresh.executions() == [], f"mutation {number} stored a turn that a limit ended"
    fresh.store.close()


def _without_history(lab: Lab) -> Lab:
    """The same lab with an empty store, so that what is measured is not what was scheduled."""
    clock, store = VirtualClock(NOW), open_sqlite(":memory:")
    scheduler = Scheduler(store=store, clock=clock, integrations=lab.registry, conversions=())
    return replace(lab, clock=clock, store=store, scheduler=scheduler)
