"""A play in its address: what is read back is what was written, and nothing else gets in."""

import base64
import json
import re
import zlib

import httpx
import pytest
from experience_runtime.domain.errors import InvalidParameter, InvalidPayload
from experience_runtime.simulation.story import Story
from experience_runtime.web.pages.playground.form import Play, PlayStep, read_play
from hypothesis import given
from hypothesis import strategies as st

PLAY = Play(
    source="module.exports = o => {}",
    visitor="ada",
    timezone="Europe/Paris",
    at="2026-03-06T15:30:00Z",
    moment=3_600_000,
    steps=(
        PlayStep(after=60_000, do="emit", type="ecView", data='{"a": 1}'),
        PlayStep(after=3_600_000, do="cancel", integration="webhook", key='{"a": 1}', reason="over"),
    ),
)


def test_an_address_reads_back_as_the_play() -> None:
    assert read_play(PLAY.address()) == PLAY


def test_a_play_is_a_story() -> None:
    story = Story.model_validate(PLAY.story())

    assert [step.do for step in story.steps] == ["run", "emit", "cancel"]
    assert story.visitors[0].timezone == "Europe/Paris"


def test_an_address_cannot_hold_more_than_is_read() -> None:
    bomb = zlib.compress(json.dumps({"source": "x" * 50_000_000}).encode(), 9)

    with pytest.raises(InvalidParameter, match="holds no play that can be read"):
        read_play(base64.urlsafe_b64encode(bomb).decode()[:12_000])


@pytest.mark.parametrize(
    "fields",
    [
        {"moment": -1},
        {"moment": 10**15},
        {"steps": [{"after": 0, "do": "delete"}]},
        {"steps": [{"after": 0, "do": "run"}] * 51},
        {"visitor": 5},
        [],
    ],
)
def test_an_address_with_anything_else_in_it_is_refused(fields: object) -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(fields).encode())).decode()

    with pytest.raises(InvalidParameter):
        read_play(packed)


@given(st.text(max_size=200))
def test_any_text_is_a_play_or_is_refused(text: str) -> None:
    try:
        play = read_play(text)
    except InvalidParameter:
        return
    assert isinstance(play, Play)


def test_an_anonymous_play_cannot_convert() -> None:
    play = Play(visitor="", steps=(PlayStep(after=0, do="convert"),))

    with pytest.raises(InvalidParameter, match="a conversion needs a visitor"):
        play.story()


def test_data_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidPayload, match="the data is not JSON"):
        Play(data="{").story()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"variation": " control "}, "It called no integration."),
        ({"variation": "101"}, "has no variation"),
        ({"variation": ""}, "webhook"),
        # which one then stands in the story, and the field is not there to be passed over
        (
            {"variation": "101", "told": '{"steps": [{"do": "run"}], "variation": "control"}'},
            "no integration",
        ),
    ],
)
def test_the_variation_that_is_typed_is_played(
    client: httpx.Client, typed: dict[str, str], shown: str
) -> None:
    page = client.get("/playground").text
    form = {"experience": "reminder", "act": "run", "form_token": _named("form_token", page)}

    answer = client.post("/playground", data=form | typed, follow_redirects=True)

    assert shown in answer.text.partition('id="result"')[2]
    assert ('name="variation"' in answer.text) is ("told" not in typed)


def _named(name: str, page: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]
