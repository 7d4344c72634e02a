"""Numbers of executions: newer means greater."""

import random
from datetime import UTC, datetime, timedelta

from experience_runtime.domain.executions import execution_id, execution_number
from experience_runtime.domain.instants import to_ms
from experience_runtime.engine.numbering import ExecutionNumbers

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_numbers_rise_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    numbers = ExecutionNumbers(random.Random(1))

    given = [
        numbers.next(NOW + timedelta(milliseconds=ahead))
        for ahead in (0, 0, 0, 1, 5, 4, 0, 5, 6)
        for _ in "12"
    ]

    assert given == sorted(set(given))


def test_a_number_holds_its_millisecond_and_fits_63_bits() -> None:
    at = datetime(2159, 1, 1, tzinfo=UTC)

    number = ExecutionNumbers(random.Random(1)).next(at)

    assert number < 2**63
    assert number >> 21 == to_ms(at) - to_ms(datetime(2020, 1, 1, tzinfo=UTC))
    assert execution_number(execution_id(number)) == number


def test_the_same_source_gives_the_same_ids() -> None:
    assert ExecutionNumbers(random.Random(7)).next(NOW) == ExecutionNumbers(random.Random(7)).next(NOW)
    assert ExecutionNumbers(random.Random(7)).next(NOW) != ExecutionNumbers(random.Random(8)).next(NOW)
