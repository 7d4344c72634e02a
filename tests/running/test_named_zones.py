"""Which zones a text names, and that no text makes it many."""

import pytest
from experience_runtime.domain.zones import zone_names
from experience_runtime.running.named_zones import MOST_ZONES, named_zones


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("timeZone: 'Asia/Tokyo'", ("Asia/Tokyo",)),
        ('"europe/paris","Europe/Paris"', ("Europe/Paris",)),
        ("America/Argentina/Buenos_Aires", ("America/Argentina/Buenos_Aires",)),
        ("Etc/GMT+5 Asia/Tokyo/x", ("Etc/GMT+5", "Asia/Tokyo")),
        ("https://shop.example/Asia/Tokyo2 a / b // Mars/Base", ()),
        ("/" * 100_000 + "Asia/Tokyo", ()),  # past the last look
    ],
)
def test_the_zones_of_a_text(text: str, names: tuple[str, ...]) -> None:
    assert named_zones(text) == names


def test_a_text_that_names_all_of_them_is_told_of_some() -> None:
    assert len(named_zones(" ".join(zone_names()))) == MOST_ZONES
