"""The machine is driven by seeds: the same ones every time, and new ones in the long run."""

import os
from functools import partial
from random import SystemRandom

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Machine
from .parts import STORES

EXAMPLES_A_SEED = 10  # from the eleventh on, five of six examples repeat another with one step changed
STEPS = 50


def drive(store: str, seeds: range) -> None:
    for number in seeds:
        try:
            run_state_machine_as_test(
                seed(number)(partial(Machine, STORES[store])),  # type: ignore[arg-type] # anything that makes one does
                settings=settings(
                    max_examples=EXAMPLES_A_SEED,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    print_blob=True,
                    phases=[Phase.generate, Phase.shrink],  # to explain a failure takes minutes
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except AssertionError as failure:
            failure.add_note(f"seed {number}; keep the sequence as a test of its own")
            raise


# A server takes some times as long: what differs there is not what one act does, but two at once.
@pytest.mark.parametrize(("store", "seeds"), [("sqlite", range(25)), ("postgresql", range(10))])
def test_whatever_happens_the_runtime_does_what_the_model_says(store: str, seeds: range) -> None:
    drive(store, seeds)


@pytest.mark.slow
@pytest.mark.parametrize(("store", "seeds"), [("sqlite", 50), ("postgresql", 8)])
def test_seeds_that_nobody_has_tried_do_not_find_another_disagreement(store: str, seeds: int) -> None:
    """Longer with MODEL_SEEDS=1000; again from one seed with MODEL_FIRST_SEED=n."""
    first = int(os.environ.get("MODEL_FIRST_SEED") or SystemRandom().randrange(2**32))

    drive(store, range(first, first + int(os.environ.get("MODEL_SEEDS") or seeds)))


@pytest.mark.parametrize("store", STORES)
def test_a_lost_attempt_gives_way_to_what_waits_under_its_key_whichever_id_is_greater(store: str) -> None:
    # The two processes give out ids by the same random numbers, and the second begins anew in the same
    # millisecond: the execution that is scheduled later gets the smaller id.
    machine = Machine(STORES[store])
    machine.schedule(integration="once", name="a", visitor="ada", wait=0)
    machine.the_worker_stalls_and_another_takes_over(lapses=True)
    machine.schedule(integration="patient", name="b", visitor="ada", wait=0)
    machine.crash(at_once=False)

    machine.the_next_is_delivered(
        room=3, before=None, pick=9, outcome="died", retry_after=None, jitter=0.5, meanwhile="schedule"
    )

    lost, waiting = (row for row in machine.model.rows.values() if row.integration == "patient")
    assert waiting.id < lost.id
    assert (lost.state, lost.reason, waiting.state) == ("cancelled", "replaced", "pending")
    machine.the_store_agrees_with_the_model()
    machine.teardown()
