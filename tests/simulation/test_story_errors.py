# Tables read better unbroken.
# ruff: noqa: E501
"""What is said of a story of the wrong form: the path, the value, the rule and the near miss."""

from datetime import UTC, datetime
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, Refusal
from experience_runtime.simulation.story import check_playable, parse_story


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
