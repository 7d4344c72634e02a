# Tables read better unbroken.
# ruff: noqa: E501
"""What is said of a story of the wrong form: the path, the value, the rule and the near miss."""

from datetime import UTC, datetime
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, Refusal
from experience_runtime.simulation.story import check_playable, parse_story, read_story_text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the story [] is not an object: { … }"),
        ({"stepz": []}, 'stepz is not a field; did you mean "steps"?'),
        ({"holidays": []}, "holidays is not a field; no calendar of holidays is known: hand the days to the code as data"),
        ({"caps": {}}, "caps is not a field; no cap of a visitor is known: the code counts, and expect with count proves"),
        ({"release": 1}, "release is not a field; a story is played with the files beside it"),
        ({"browser": {}}, "browser is not a field; a browser belongs to a run"),
        ({"steps": [{"do": "run", "variation": "b"}]}, "steps[0].variation is not a field; the variation is the whole"),
        ({"steps": {}}, "steps {} is not a list: [ … ]"),
        ({"steps": ["run"]}, 'steps[0] "run" is not an object: { … }'),
        ({"steps": [{}]}, 'steps[0] has no "do"; it is one of run, emit, convert, cancel'),
        ({"steps": [{"do": "runn"}]}, 'steps[0].do "runn" is nothing that a step does; did you mean "run"?'),
        ({"steps": [{"do": "run", "visiter": "a"}]}, 'steps[0].visiter is not a field; did you mean "visitor"?'),
        ({"steps": [{"do": "run"}, {"do": "emit"}]}, "steps[1].type is missing; the fields are at, after, visitor"),
        ({"steps": [{"do": "run", "after": 1.5}]}, 'steps[0].after 1.5 is not a duration such as "2 hours"'),
        ({"steps": [{"do": "run", "at": 5}]}, "steps[0].at 5 is not a string"),
        ({"for": []}, 'for [] is not a duration such as "2 hours"'),
        ({"visitors": [{"timezone": "UTC"}]}, "visitors[0].id is missing"),
        ({"visitors": [{"id": "a", "timezone_offset": "1"}]}, 'visitors[0].timezone_offset "1" is not a whole number'),
        ({"answers": {"echo": [{"statuss": 1}]}}, 'answers.echo[0].statuss is not a field; did you mean "status"?'),
        ({"answers": {"echo": {}}}, "answers.echo {} is not a list"),
        ({"answers": {"echo": [{"failure": "timeouts"}]}}, 'answers.echo[0].failure "timeouts" is not known; did you'),
        ({"expect": [{"status": "canceled"}]}, 'expect[0].status "canceled" is not known; did you mean "cancelled"?'),
        ({"expect": [{"log": "Hello"}]}, 'expect[0].log "Hello" is not an object: { … } with level, text'),
        ({"expect": [{"zzz": 1}]}, "expect[0].zzz is not a field; the fields are visitor, integration, key"),
        ({"expect": [{"log": {"levl": "x"}}]}, 'expect[0].log.levl is not a field; did you mean "level"?'),
        ({"expect": [{"log": {}, "status": "failed"}]}, "expect[0]: status stands with an execution, not with log"),
        ({"expect": [{"local": "9am"}]}, 'expect[0]: local "9am" is none of "09:00"'),
        ({"expect": [{"count": -1}]}, "expect[0].count -1 is not greater than or equal to 0"),
        ({"expect": [{"count": 1, "none": True}]}, "expect[0]: count and none contradict each other"),
        ({"allow_others": 1}, "allow_others 1 is not true or false"),
    ],
)  # fmt: skip
def test_a_story_of_the_wrong_form_is_refused_at_its_place(content: Any, message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse_story(content, where="mine.json")

    assert refused.value.message.startswith(f"mine.json: {message}")
    assert "pydantic" not in refused.value.message
    assert "Input" not in refused.value.message


RUN = {"do": "run", "visitor": "ada"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"visitors": [{"id": "ada"}, {"id": "bob", "timezone": "Europe/Pariss"}]}, 'visitors[1]: timezone "Europe/Pariss" is not'),
        ({"visitors": [{"id": "ada"}, {"id": "ada"}]}, 'visitors[1]: "ada" is a visitor already, at visitors[0]'),
        ({"steps": [RUN, {"do": "emit", "type": "ecView", "after": "3 huors"}]}, 'steps[1].after: delay "3 huors" is not'),
        ({"steps": [RUN, RUN | {"after": "+3 huors"}]}, 'steps[1].after: delay "3 huors" is not'),
        ({"steps": [RUN, RUN | {"at": "noon"}]}, 'steps[1].at: time "noon" is not ISO 8601'),
        ({"steps": [RUN, {"do": "emit", "type": ""}]}, "steps[1]: "),
        ({"at": "yesterday"}, 'at: time "yesterday" is not ISO 8601'),
        ({"for": "1 yaer"}, 'for: delay "1 yaer" is not'),
        ({"for": "1d", "expect": [{"due_at": "tomorrow"}]}, 'expect[0].due_at: time "tomorrow" is not ISO 8601'),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_at_its_place(content: dict[str, Any], message: str) -> None:
    story = parse_story({"steps": [RUN]} | content, where="mine.json")

    with pytest.raises(Refusal) as refused:
        check_playable(story, datetime(2026, 3, 6, tzinfo=UTC))

    assert refused.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ('{"steps": [1,\n]}', "a comma stands before ] (line 1, column 13); take the comma out"),
        ('{"a": 1,}', "a comma stands before } (line 1, column 8); take the comma out"),
        ('{"a": [1,, 2]}', "a comma stands where a value should (line 1, column 10); take it out"),
        ("{\n  // why\n}", "JSON has no comments (line 2, column 3); take it out"),
        ("{'a': 1}", "' is no quote of JSON (line 1, column 2); write \""),
        ('{"a": \u201cb\u201d}', '\u201c is no quote of JSON (line 1, column 7); write "'),
        ("{do: 1}", 'a name has to stand in double quotes (line 1, column 2); write "do"'),
        ('{"a": True}', "True is no value of JSON (line 1, column 7); write true"),
        ('{"a": run}', "run is no value of JSON (line 1, column 7); write text in double quotes"),
        ('{"a": 1 "b": 2}', 'a comma is missing before " (line 1, column 9); write , or close what is open'),
        ('{"a" 1}', "a colon is missing before 1 (line 1, column 6); write : between a name and its value"),
        ('{"a": 1', "it ends before it is whole (line 1, column 7); close what is open: a quote, ] or }"),
        ('{"a": "b\n}', 'a text has no closing quote on its line (line 1, column 9); write " where it ends'),
        ('{"a": "\\w"}', "a backslash stands alone in a text (line 1, column 8); write two of them for one"),
        ('{"a": 1}}', "something follows after its end (line 1, column 9); take it out"),
        ('{"a": NaN}', "NaN is no JSON value"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_text_that_is_no_json_is_told_what_to_write(text: str, said: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_story_text(text, where="story.json")

    assert refused.value.message.startswith(f"story.json is not JSON: {said}")
