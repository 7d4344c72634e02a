"""Kept runs: their ids, and how much of a log stays."""

import json
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, UnknownRun
from experience_runtime.domain.runs import bounded, check_outcome, run_id, run_number, shorter_line


def a_line(level: str, message: str) -> dict[str, Any]:
    return {
        "at": "2026-03-06T15:30:00.000Z",
        "level": level,
        "logger": "v",
        "message": message,
        "metadata": None,
    }


def kept(lines: list[dict[str, Any]], most_bytes: int) -> list[dict[str, Any]]:
    text = bounded(
        lines, most_bytes=most_bytes, is_first=lambda line: line["level"] == "error", shorter=shorter_line
    )
    assert len(text) <= most_bytes + len('{"left_out": 10000}') + 4
    found: list[dict[str, Any]] = json.loads(text)
    return found


@pytest.mark.parametrize("number", [0, 1, 7_777_777_777, 2**63 - 1])
def test_an_id_is_read_back(number: int) -> None:
    assert run_number(run_id(number)) == number


@pytest.mark.parametrize(
    "text", ["", "rn_", "ex_0000000000001", "0000000000001", "rn_000000000000O", "x" * 999]
)
def test_what_is_no_id_is_refused_and_shown(text: str) -> None:
    with pytest.raises(UnknownRun, match="rn_0000000000000") as refused:
        run_number(text)
    assert repr(text[:64]) in refused.value.message


def test_an_outcome_is_one_of_the_four() -> None:
    assert check_outcome(None) is None
    assert check_outcome("failed") == "failed"
    with pytest.raises(InvalidParameter, match=r'"fail".*not_triggered'):
        check_outcome("fail")


def test_a_small_log_is_kept_whole_and_in_its_order() -> None:
    lines = [a_line("info", "one"), a_line("error", "two"), a_line("info", "three")]

    assert kept(lines, 10_000) == lines


def test_of_a_large_log_the_errors_stay_and_the_rest_is_counted() -> None:
    lines = [a_line("info", f"line {n}") for n in range(500)]
    lines.append(a_line("error", "what broke"))

    found = kept(lines, 4_000)

    assert [line["message"] for line in found[:2]] == ["line 0", "line 1"]
    assert found[-2]["message"] == "what broke"
    assert found[-1] == {"left_out": 501 - (len(found) - 1)}


def test_a_line_that_is_too_large_by_itself_is_cut() -> None:
    (line,) = kept([a_line("error", "x" * 500_000)], 64_000)

    assert line["cut"] is True
    assert len(line["message"]) == 1001


def test_a_line_that_cannot_be_cut_far_enough_leaves_room_for_the_others() -> None:
    huge = a_line("error", "x") | {"logger": "l" * 500_000}

    assert kept([huge, a_line("info", "stays")], 4_000) == [a_line("info", "stays"), {"left_out": 1}]
