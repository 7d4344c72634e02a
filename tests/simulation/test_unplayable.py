# Guest code reads better unbroken.
"""Stories that cannot be played, and what is said of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, Refusal
from experience_runtime.simulation.story import load_story

from tests.conftest import Lab

from .test_simulate import SCHEDULE, play


class TestAStoryThatCannotBePlayed:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is not JSON"),
            ('{"steps": [{"do": "run", "data": NaN}]}', "NaN is no JSON value"),
            ("[" * 100_000, "is not JSON"),
            ("[]", "the story"),
            ('{"steps": [{"do": "dance"}]}', r"steps\[0\]\.do"),
            ('{"steps": [{"do": "run", "at": "2026-01-01", "after": 1}]}', "`at` or `after`, not both"),
            ('{"expect": [{"status": "completed"}]}', r"expect\[0\]\.status .*succeeded"),
            ('{"stepz": []}', "stepz"),
        ],
    )
    def test_it_is_refused_with_the_place(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "story.json"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(InvalidParameter, match=message) as raised:
            load_story(path)
        assert str(path) in raised.value.message

    def test_one_that_is_not_there_or_not_utf_8(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidParameter, match="cannot be read"):
            load_story(tmp_path / "none.json")
        (tmp_path / "story.json").write_bytes(b'{"\xe9"}')
        with pytest.raises(InvalidParameter, match="not UTF-8"):
            load_story(tmp_path / "story.json")

    @pytest.mark.parametrize(
        "story",
        [
            {"visitors": [{"id": "ada", "timezone": "Mars/Base"}]},
            {"visitors": [{"id": ""}]},
            {"at": "soon"},
            {"for": "ages"},
            {"steps": [{"do": "run", "after": "soon"}]},
            {"steps": [{"do": "cancel", "integration": "echo", "key": 7}]},
        ],
    )
    def test_values_are_refused_by_their_rules(self, lab: Lab, story: Mapping[str, Any]) -> None:
        with pytest.raises(Refusal):
            play(lab, SCHEDULE, story)
