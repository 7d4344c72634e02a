"""The machine is driven by seeds: the same ones every time, and new ones in the long run."""

import os
from functools import partial
from random import SystemRandom

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from .machine import Machine
from .parts import STORES

EXAMPLES_A_SEED = 10  # from the eleventh on, five of six examples repeat another with one step changed
STEPS = 50


def fresh_seeds(count: int) -> range:
    """So many that nobody has tried. Longer with MODEL_SEEDS=1000; again with MODEL_FIRST_SEED=n."""
    first = int(os.environ.get("MODEL_FIRST_SEED") or SystemRandom().randrange(2**32))
    return range(first, first + int(os.environ.get("MODEL_SEEDS") or count))


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
