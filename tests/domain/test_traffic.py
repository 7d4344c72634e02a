"""Which variation a visitor gets, and how sure a rate is."""

import math
from collections import Counter
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.releases import part_of
from experience_runtime.domain.traffic import Traffic, read_traffic, wilson

SHARES = {"202": 40, "control": 20, "101": 40}


def traffic(shares: object = SHARES) -> Traffic:
    return read_traffic(shares, ["101", "202", "variation"], control="100")


@pytest.mark.parametrize(
    ("visitor", "part", "variation"),
    [
        ("v1", 52, "control"),
        ("v2", 9389, "202"),
        ("v3", 8723, "202"),
        ("ada@example.com", 6279, "202"),
        ("Łucja", 4549, "101"),
    ],
)
def test_the_vectors_of_the_reference(visitor: str, part: int, variation: str) -> None:
    assert part_of("offer", visitor, kind="traffic") == part
    assert traffic().of("offer", visitor) == variation


def test_a_hundred_thousand_visitors_are_split_as_the_shares_say() -> None:
    found = Counter(traffic().of("offer", f"visitor {number}") for number in range(100_000))

    assert all(abs(found[name] - share * 1000) <= 500 for name, share in SHARES.items()), found


def test_the_share_of_a_release_says_nothing_of_the_variation() -> None:
    """Of those who get a release for a tenth, each variation has its share."""
    chosen = [f"v{number}" for number in range(100_000) if part_of("offer", f"v{number}") < 1000]

    found = Counter(traffic().of("offer", visitor) for visitor in chosen)

    assert all(abs(found[name] / len(chosen) - share / 100) < 0.02 for name, share in SHARES.items()), found


def test_a_visitor_keeps_what_they_were_shown_while_it_has_a_share() -> None:
    other = traffic({"101": 1, "variation": 0})

    assert traffic().of("offer", "v1", kept="202") == "202"
    assert {
        other.of("offer", f"v{n}", kept=kept) for n in range(9) for kept in ("202", "variation", None)
    } == {"101"}
    assert other.names == ["101"]


def test_somebody_unknown_gets_the_greatest_share_and_the_control_last() -> None:
    assert traffic({"control": 50, "202": 50}).of("offer", None) == "202"
    assert traffic({"control": 60, "202": 40}).of("offer", None) == "control"
    assert traffic({"control": 20, "202": 40, "101": 40}).of("offer", None) == "101"


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([], "is no object of shares"),
        ({}, "is no object of shares"),
        ({"101": "40"}, 'the share of "101" in "traffic" is "40"; write a number from 0'),
        ({"101": True}, "is true; write a number"),
        ({"101": None}, "is null; write a number"),
        ({"101": -1}, "is -1; write a number"),
        ({"101": 1e7}, "write a number from 0 to 1000000"),
        ({"101": math.inf}, "write a number"),
        ({"101": 10**400}, "write a number"),
        ({"101": 0, "control": 0.0}, "are all 0"),
        ({"110": 1}, 'did you mean "101"?'),
        ({"contrl": 1}, 'did you mean "control"?'),
        ({"variation-202": 1}, 'did you mean "202"?'),
        ({"variation-202.js": 1}, 'did you mean "202"?'),
        ({"100": 1}, 'that is the control, which has no file; write "control"'),
        ({"@": 1}, "there are variation, 101, 202, control"),
    ],
)
def test_what_are_no_shares_is_told(shares: Any, told: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        traffic(shares)

    assert told in refused.value.message


@pytest.mark.parametrize(("successes", "of"), [(100, 400), (0, 10), (10, 10), (1, 10), (3, 100_000)])
def test_a_rate_has_wilsons_interval(successes: int, of: int) -> None:
    """Its ends are the rates from which what was seen is just 1.96 standard deviations away."""
    ends = wilson(successes, of)

    for end, is_certain in zip(ends, (successes == 0, successes == of), strict=True):
        away = abs(successes / of - end)
        assert is_certain or away == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / of), rel=1e-6)
    assert ends[0] <= successes / of <= ends[1]
    assert wilson(0, 0) == (0.0, 1.0)
