"""What the machine finds on a server, slower by some times: what differs there is two acts at once."""

import pytest

from .driving import drive, fresh_seeds

pytestmark = pytest.mark.postgres


def test_whatever_happens_the_runtime_does_what_the_model_says() -> None:
    drive("postgresql", range(5))


def test_seeds_that_nobody_has_tried_do_not_find_another_disagreement() -> None:
    drive("postgresql", fresh_seeds(2))
