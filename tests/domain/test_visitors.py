"""Visitors: what a caller may say of one, and where the zone comes from when nobody does."""

from collections.abc import Mapping

import pytest
from experience_runtime.domain.errors import InvalidParameter, InvalidWindow
from experience_runtime.domain.visitors import Visitor, in_default_zone, make_visitor


def test_a_visitor_is_made_of_what_is_given() -> None:
    assert make_visitor("ada", timezone="Europe/Paris") == Visitor(id="ada", timezone="Europe/Paris")
    assert make_visitor("ada", timezone_offset=0) == Visitor(id="ada", timezone_offset=0)
    assert make_visitor(None, timezone_offset=-60) == Visitor(id=None, timezone_offset=-60)


def test_of_a_zone_and_an_offset_the_zone_counts_where_it_is_known() -> None:
    known = make_visitor("ada", timezone="Europe/Paris", timezone_offset=300)
    unknown = make_visitor("ada", timezone="Etc/Unknown", timezone_offset=300)

    assert known == Visitor(id="ada", timezone="Europe/Paris")
    assert unknown == Visitor(id="ada", timezone_offset=300)


@pytest.mark.parametrize(
    ("visitor_id", "zone", "offset", "refusal", "shown"),
    [
        ("ada", "Europe/Paris", 841, InvalidWindow, "-840 to 840"),
        ("ada", "Europe/Pariss", None, InvalidWindow, "Europe/Paris"),
        ("ada", None, 841, InvalidWindow, "-840 to 840"),
        ("", None, None, InvalidParameter, "1 to 200"),
        ("a\x00", None, None, InvalidParameter, "control character"),
    ],
)
def test_what_is_wrong_with_a_visitor_is_said(
    visitor_id: str, zone: str | None, offset: int | None, refusal: type[Exception], shown: str
) -> None:
    with pytest.raises(refusal, match=shown):
        make_visitor(visitor_id, timezone=zone, timezone_offset=offset)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"timezoneOffset": -120}, Visitor(id="ada", timezone_offset=-120)),
        ({"timezone": "Asia/Tokyo", "timezoneOffset": 0}, Visitor(id="ada", timezone="Asia/Tokyo")),
        ({"timezoneOffset": "soon"}, Visitor(id="ada")),
        ({"timezone": "Moon/Base"}, Visitor(id="ada")),
        ({"timezoneOffset": 9999}, Visitor(id="ada")),
        ({}, Visitor(id="ada")),
    ],
)
def test_meta_visitor_gives_the_zone_of_last_resort(fields: Mapping[str, object], expected: Visitor) -> None:
    assert in_default_zone(Visitor(id="ada"), fields) == expected


def test_a_known_zone_is_not_replaced() -> None:
    known = Visitor(id="ada", timezone_offset=0)

    assert in_default_zone(known, {"timezone": "Asia/Tokyo"}) == known
