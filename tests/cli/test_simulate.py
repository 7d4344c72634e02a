"""experience simulate: stories, and what they may not be."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import CommandLine, variation, write

STORY = {
    "at": "2026-03-06T17:10:00Z",  # a Friday, 18:10 at UTC+1
    "visitors": [{"id": "ada", "timezone_offset": -60}],
    "steps": [{"do": "run", "visitor": "ada"}],
    "expect": [{"visitor": "ada", "status": "succeeded", "due_at": "2026-03-09T08:00:00Z"}],
}


@pytest.fixture(autouse=True)
def experience() -> None:
    options = "{key: 'k', delay: '1h', window: {day: 'monday-friday', time: '09:00-17:00'}}"
    write(Path("my/variation.js"), variation(f"return slack.schedule('hi', {options})"))


def _story(**changes: Any) -> str:
    return str(write(Path("story.json"), json.dumps(STORY | changes)))


def test_a_story_that_is_met_ends_with_0(cli: CommandLine) -> None:
    said = cli("simulate", "my", "--story", _story())

    assert said.code == 0
    assert "expect" in said.out + said.err


def test_a_difference_is_printed_and_ends_with_1(cli: CommandLine) -> None:
    path = _story(expect=[{"visitor": "ada", "status": "cancelled", "reason": "conversion"}])

    said = cli("simulate", "my", "--story", path)
    as_json = cli("simulate", "my", "--story", path, "--json")

    assert (said.code, as_json.code) == (1, 1)
    for text in (said.out + said.err, "".join(as_json.document["differences"])):
        assert "expect" in text
        assert "conversion" in text
        assert "succeeded" in text
    assert as_json.document["outcome"] == "ran"
    assert as_json.err == ""


def test_a_folders_own_story_is_played(cli: CommandLine) -> None:
    write(Path("my/story.json"), json.dumps(STORY))

    assert cli.json("simulate", "my")["visitor"]["id"] == "ada"
    assert cli.json("simulate", "my", "--visitor", "bob")["visitor"]["id"] == "bob"


def test_at_and_for_bound_virtual_time(cli: CommandLine) -> None:
    words = ("--visitor", "v", "--at", "2026-03-06T17:10:00Z", "--timezone-offset", "-60")

    (waiting,) = cli.json("simulate", "my", *words, "--for", "1 day")["executions"]
    (delivered,) = cli.json("simulate", "my", *words, "--for", "7d")["executions"]

    assert waiting["due_at"] == delivered["due_at"] == "2026-03-09T08:00:00.000Z"
    assert (waiting["status"], delivered["status"]) == ("pending", "succeeded")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "story.json"),
        (b"{}", "runs nothing"),
        (b'{"steps": [{"do": "convert", "visitor": "v"}]}', "runs nothing"),
        (b'{"steps": [{"do": "dance"}]}', "dance"),
        (b'{"steps": [{"do": "run", "speed": 3}]}', "speed"),
        (b'{"steps": [{"do": "run", "at": "2026-01-01T00:00:00Z", "after": "1h"}]}', "not both"),
        (b'{"steps": [{"do": "run", "after": "-1d"}]}', "-1d"),
        (b'{"steps": [{"do": "run", "after": "99999999 days"}]}', "9999"),
        (b'{"for": "99999999 days", "steps": [{"do": "run"}]}', "9999"),
        (b'{"at": "9999-12-31T23:59:59Z", "steps": [{"do": "run"}]}', "9999"),
        (b'{"at": "soon", "steps": [{"do": "run"}]}', "soon"),
        (b'{"for": "long", "steps": [{"do": "run"}]}', "long"),
        (b'{"visitors": [{"id": ""}], "steps": [{"do": "run"}]}', "1 to 200"),
        (b'{"visitors": [{"id": "v", "timezone": "X"}], "steps": [{"do": "run"}]}', '"X"'),
        (b'{"visitors": [{"id": "v", "timezone_offset": 9999}], "steps": [{"do": "run"}]}', "9999"),
        (b'{"steps": [{"do": "run"}], "expect": [{"due_at": "soon"}]}', "soon"),
        (b'{"steps": [{"do": "run"}], "expect": [{"key": [1]}]}', "[1]"),
    ],
)
def test_a_broken_story_is_refused(cli: CommandLine, content: bytes, part: str) -> None:
    write(Path("story.json"), content)

    refusal = cli("simulate", "my", "--story", "story.json", "--json").refusal

    assert part in refusal["message"]


@pytest.mark.parametrize("words", [("--visitor", "v"), ("--timezone", "UTC"), ("--timezone-offset", "0")])
def test_a_story_names_its_own_visitors(cli: CommandLine, words: tuple[str, ...]) -> None:
    refusal = cli("simulate", "my", "--story", _story(), *words, "--json").refusal

    assert refusal["message"] == (
        "a story names its own visitors; leave visitor, timezone, data, state, keep_state, events, "
        "browser and cookies out"
    )


def test_nothing_leaves(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("return slack('now').then(options.log.info)"))
    env = {"EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL": "http://127.0.0.1:9/never"}

    said = cli("simulate", "my", "--json", env=env)

    assert [call["result"] for call in said.document["calls"]] == [{"simulated": True}]


@pytest.mark.parametrize(
    ("env", "answers", "said"),
    [
        ({}, {}, ["would fail slack-update", "1 succeeded (1 would fail: not configured)"]),
        ({}, {"slack-update": [{"status": 200}]}, ["delivered  slack-update", "1 succeeded; watched"]),
        (
            {"EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL": "https://hooks.slack.com/services/a"},
            {},
            ["delivered  slack-update", "1 succeeded; watched"],
        ),
    ],
    ids=["not configured", "answered by the story", "configured"],
)
def test_what_would_fail_for_want_of_settings_is_not_called_delivered(
    cli: CommandLine, env: dict[str, str], answers: dict[str, Any], said: list[str]
) -> None:
    path = _story(answers=answers)

    out = cli("simulate", "my", "--story", path, env=env).out
    document = cli("simulate", "my", "--story", path, "--json", env=env).document

    assert [part for part in said if part not in out] == []
    assert document.get("would_fail", []) == (["slack-update"] if "would" in said[0] else [])


TOLD = """module.exports = o => {
  const page = o.uv.events.map(e => e.meta.type + ' ' + JSON.stringify(e.n)).join()
  const { country } = o.getVisitorState().value
  o.log.info([page, country, o.getBrowserState().value.url, o.cookies.get('group')].join('; '))
}"""


@pytest.mark.parametrize("command", ["run", "simulate"])
def test_what_the_page_tells_is_the_same_in_a_run_and_a_simulation(cli: CommandLine, command: str) -> None:
    write(Path("told/variation.js"), TOLD)
    state = write(Path("state.json"), json.dumps({"country": "France"}))
    browser = write(Path("browser.json"), json.dumps({"url": "https://shop.example/"}))
    cookies = write(Path("cookies.json"), json.dumps({"group": "b"}))

    document = cli.json(
        command,
        *("told", "--visitor", "ada", "--event", "ecView", "--event", 'basket={"n": {"a": "="}}'),
        *("--state", str(state), "--browser", str(browser), "--cookies", str(cookies)),
    )

    assert [line["message"] for line in document["log"]] == [
        'ecView undefined,basket {"a":"="}; France; https://shop.example/; b'
    ]


@pytest.mark.parametrize("command", ["run", "simulate"])
@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--event", "ecView={"), "is not JSON after the ="),
        (("--event", "={}"), "event type"),
        (("--event", "a b"), "event type"),
        (("--cookies", "list.json"), "cookies"),
        (("--state", "list.json"), "state"),
        (("--browser", "none.json"), '--browser "none.json" cannot be read'),
    ],
)
def test_what_nobody_can_tell_is_refused(
    cli: CommandLine, command: str, words: tuple[str, ...], rule: str
) -> None:
    write(Path("list.json"), "[1]")

    said = cli(command, "my", *words)

    assert said.code == 2
    assert rule in said.err
