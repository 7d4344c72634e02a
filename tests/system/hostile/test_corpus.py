"""The corpus: every hostile script ends as it should, in time, and leaves the pool whole."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from experience_runtime.clocks import monotonic
from experience_runtime.sandbox.pool import Pool

from tests.conftest import Lab
from tests.support.meter import Meter
from tests.system.hostile.corpus import (
    EXACT_CALL,
    EXACT_KEY,
    EXACT_PAYLOAD,
    POLLUTIONS,
    SCRIPTS,
    Hostile,
    variation,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the CPU time of a process from /proc")

ROOM_SECONDS = 0.15  # beyond the limit itself
WALL_SECONDS = 60.0  # real ones: a busy machine ends nothing early
HANG_SECONDS = 180.0  # a hang has no end at all
MEMORY_BOMBS = [script for script in SCRIPTS if script.file == "bombs.js" and "limit_memory" in script.ends]
# 25 MiB, which is within the limit, and a text long enough to stand in the heap, above all of that
LARGE_RUN = (
    "const a = []; for (let i = 0; i < 1550; i++) a.push(new Array(1000).fill(i))\n"
    "options.log.info('x'.repeat(600))"
)


@pytest.fixture(scope="module")
def shared_pool() -> Iterator[Pool]:
    opened = Pool(spares=1)
    yield opened
    opened.close()


@pytest.fixture
def lab(lab: Lab, shared_pool: Pool) -> Lab:
    """A lab on the one pool of this module, whose worker is waiting."""
    return replace(lab, pool=shared_pool, limits=replace(lab.limits, wall_seconds=WALL_SECONDS))


def test_the_corpus_is_large_and_no_name_stands_twice() -> None:
    names = [(each.file, each.name) for each in SCRIPTS + POLLUTIONS]

    assert len(names) >= 150
    assert len(names) == len(set(names))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.file}-{script.name}")
def test_it_ends_as_expected(lab: Lab, script: Hostile) -> None:
    limits = lab.limits
    bundle = lab.bundle(script.text)
    meter = Meter(lab.pool)
    began = monotonic()

    report = lab.run(bundle)

    real, used = monotonic() - began, meter.worker_seconds()
    end = report.error.code if report.error is not None else report.outcome
    assert end in script.ends, report.error
    assert len(lab.executions()) == script.stored
    is_one_turn = not (report.calls or report.outcome == "ran" or "set" in script.body)
    may_use = limits.cpu_turn_seconds if is_one_turn else limits.cpu_run_seconds
    assert used < may_use + ROOM_SECONDS
    assert real < HANG_SECONDS
    assert lab.says("options.log.info('next')") == ["next"]
    assert len(lab.pool.process_ids()) == 1


@pytest.mark.parametrize("script", MEMORY_BOMBS, ids=lambda script: script.name)
def test_a_bomb_after_a_large_run_on_the_same_worker_ends_as_expected(lab: Lab, script: Hostile) -> None:
    lab.pool.in_force()  # waits until it is ready
    worker = lab.pool.process_ids()
    large = lab.run(variation(LARGE_RUN))
    lab.pool.in_force()
    assert (large.outcome, lab.pool.process_ids()) == ("ran", worker)

    report = lab.run(script.text)

    end = report.error.code if report.error is not None else report.outcome
    assert end in script.ends, report.error


@pytest.mark.parametrize("script", POLLUTIONS, ids=lambda script: script.name)
def test_a_guest_that_spoils_the_language_still_makes_a_right_request(lab: Lab, script: Hostile) -> None:
    lab.run(variation(f"{script.body}\n{EXACT_CALL}"))

    (execution,) = lab.executions()
    assert json.loads(execution.payload) == EXACT_PAYLOAD
    assert execution.key == EXACT_KEY
    assert (execution.due_at - lab.clock.now()).total_seconds() == 1
    assert lab.says("options.log.info('next')") == ["next"]
    assert len(lab.pool.process_ids()) == 1
