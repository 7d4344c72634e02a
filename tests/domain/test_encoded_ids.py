"""Encoded ids: base64 of `propertyId:slug:majorVersion`, as the original client sends it."""

import base64

import pytest
from experience_runtime.domain.encoded_ids import integration_of
from experience_runtime.domain.errors import InvalidParameter
from hypothesis import given
from hypothesis import strategies as st


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_PART = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(_PART, _PART, st.integers(min_value=0, max_value=999))
def test_every_way_to_write_it_names_the_slug(property_id: str, slug: str, version: int) -> None:
    plain = f"{property_id}:{slug}:{version}".encode()

    for text in (base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
        assert integration_of(text.decode()) == slug
        assert integration_of(text.decode().rstrip("=")) == slug


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "slack-update",
        "%%%",
        "é",
        "\ud800",
        encoded("slack-update"),
        encoded("1:slack-update"),
        encoded("1:slack-update:1:2"),
        encoded(":slack-update:1"),
        encoded("1::1"),
        encoded("1:slack-update:"),
        encoded("1:slack-update:x"),
        encoded("1:slack-update:\u0661"),
        base64.b64encode(b"1:\xff:1").decode(),
        encoded("1:slack-update:1") + "\n",
        "A" * 1_000_000,
    ],
)
def test_what_names_nothing_is_refused_briefly(text: str) -> None:
    with pytest.raises(InvalidParameter, match="propertyId:slug:majorVersion") as caught:
        integration_of(text)

    assert len(caught.value.message) < 300
