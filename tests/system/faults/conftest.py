"""A receiver that counts, for one test."""

from collections.abc import Iterator

import pytest

from .receiver import Receiver


@pytest.fixture
def counting() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
