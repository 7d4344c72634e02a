"""What the machine finds on a file; what it found once, on both databases."""

import pytest

from .driving import drive, fresh_seeds
from .machine import Machine
from .parts import STORES


def test_whatever_happens_the_runtime_does_what_the_model_says() -> None:
    drive("sqlite", range(12))


def test_seeds_that_nobody_has_tried_do_not_find_another_disagreement() -> None:
    drive("sqlite", fresh_seeds(6))


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
