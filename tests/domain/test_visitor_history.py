"""What a visitor's history tells: how often they came, what they saw, what they bought."""

from datetime import UTC, datetime, timedelta

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitor_history import VisitorHistory, visitor_numbers

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_what_is_not_known_is_left_out() -> None:
    assert visitor_numbers(VisitorHistory()) == {}


def test_views_and_events_are_counted() -> None:
    numbers = visitor_numbers(
        VisitorHistory(moments=[(at(2), "basketChanged"), (at(1), "my-shop.ecView"), (at(0), "ecView")])
    )

    assert numbers["eventNumber"] == 3
    assert numbers["viewNumber"] == numbers["pageViewNumber"] == numbers["sessionViewNumber"] == 2
    assert (numbers["firstViewTs"], numbers["viewTs"], numbers["lastViewTs"]) == (
        to_ms(at(0)),
        to_ms(at(1)),
        to_ms(at(1)),
    )
    assert (numbers["conversionNumber"], numbers["conversionCycleNumber"]) == (0, 1)
    assert "firstConversionTs" not in numbers


def test_a_session_ends_after_half_an_hour_without_anything() -> None:
    numbers = visitor_numbers(
        VisitorHistory(moments=[(at(0), "ecView"), (at(30), "ecView"), (at(60.1), "ecView"), (at(61), "x")])
    )

    assert (numbers["sessionNumber"], numbers["sessionTs"], numbers["sessionViewNumber"]) == (
        2,
        to_ms(at(60.1)),
        1,
    )
    assert (numbers["entranceNumber"], numbers["entranceTs"], numbers["entranceViewNumber"]) == (
        2,
        to_ms(at(60.1)),
        1,
    )


def test_conversions_are_counted_without_events_too() -> None:
    assert visitor_numbers(VisitorHistory(conversions=[at(5), at(1)])) == {
        "conversionNumber": 2,
        "conversionCycleNumber": 3,
        "firstConversionTs": to_ms(at(1)),
        "lastConversionTs": to_ms(at(5)),
    }
