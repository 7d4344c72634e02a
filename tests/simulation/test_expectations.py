# Tables read better unbroken.
# ruff: noqa: E501
"""Stories that prove: everything an expectation may ask, met and not met, and what nobody expected."""

from collections.abc import Mapping
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter

from tests.conftest import Lab

from .test_simulate import RUN, play

TWO = """\
module.exports = async options => {
  const echo = options.integration('echo')
  options.log('plan').warn('about to plan', { n: 2 })
  options.redirectTo('https://shop.example.com/basket')
  options.emitCustomGoal('reached')
  await echo.schedule({ to: options.meta.visitorId, items: [1, 2], gift: true }, { key: 'k', delay: '1 hour' })
  await echo.schedule({ to: options.meta.visitorId, late: 1 }, { key: { n: 2 }, delay: '3 hours' })
  await echo.schedule({}, { delay: '45 days' }).catch(error => options.log.info(error.code))
}
"""
FIRST: dict[str, Any] = {"key": "k"}
SECOND: dict[str, Any] = {"key": {"n": 2}}
BOTH = [FIRST, SECOND]


def _differences(lab: Lab, *expect: Mapping[str, Any], **story: Any) -> list[str]:
    return play(lab, TWO, {"steps": [RUN], "expect": list(expect), **story}).differences


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"payload": {"to": "ada", "gift": True}}, {"payload": {"to": "ada", "gift": 1}}),
        ({"payload": {"items": [1, 2]}}, {"payload": {"items": [1]}}),
        ({"attempts": 1}, {"attempts": 2}),
        ({"local": "18:30"}, {"local": "18:31"}),
        ({"local": "Fri 18:30"}, {"local": "Sat 18:30"}),
        ({"local": "friday 18:30"}, {"local": "2026-03-07 18:30"}),
        ({"local": "2026-03-06 18:30"}, {"local": "17:30"}),
        ({"replaced": False}, {"replaced": True}),
        ({"due_at": "2026-03-06T17:30:00Z"}, {"due_at": "2026-03-06T17:30:00.001Z"}),
    ],
)
def test_a_field_of_an_execution_is_compared(lab: Lab, right: dict[str, Any], wrong: dict[str, Any]) -> None:
    assert _differences(lab, FIRST | right, SECOND) == []

    (difference,) = _differences(lab, FIRST | wrong, SECOND)
    (name,) = wrong
    assert difference.startswith("expect[0]")
    assert f"  - {name}: " in difference
    assert f"  + {name}: " in difference
    assert "key" not in difference.partition("\n")[2]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ({"log": {"text": "to plan"}}, {"log": {"text": "planned"}}, "warn: about to plan"),
        ({"log": {"level": "warn"}}, {"log": {"level": "debug"}}, "info: beyond_limit"),
        ({"log": {"level": "warn"}, "visitor": "ada"}, {"log": {"text": "x"}, "visitor": "ada"}, "about"),
        ({"redirect": "https://shop.example.com/basket"}, {"redirect": "https://x/"}, "shop.example.com"),
        ({"goal": "goalId"}, {"goal": "other"}, "goalId"),
        ({"refused": "beyond_limit"}, {"refused": "in_the_past"}, "beyond_limit"),
        ({"refused": "beyond_limit", "integration": "echo"}, {"refused": "x", "integration": "echo"}, "beyond"),
        ({"log": {"level": "trace"}, "none": True}, {"log": {"level": "warn"}, "none": True}, "1 fits it, not 0"),
        ({"redirect": "https://shop.example.com/basket", "count": 1}, {"redirect": "x", "count": 1}, "nothing fits"),
    ],
)  # fmt: skip
def test_what_is_no_execution_is_expected_too(
    lab: Lab, right: dict[str, Any], wrong: dict[str, Any], told: str
) -> None:
    assert _differences(lab, *BOTH, right) == []

    (difference,) = _differences(lab, *BOTH, wrong)
    assert difference.startswith("expect[2]")
    assert told in difference


def test_so_many_are_expected_no_more_and_no_fewer(lab: Lab) -> None:
    assert _differences(lab, {"integration": "echo", "count": 2}) == []
    assert _differences(lab, {"integration": "echo", "count": 2}, {"status": "failed", "none": True}) == []
    (more,) = _differences(lab, {"visitor": "ada", "count": 1})
    (some,) = _differences(lab, {"status": "succeeded", "none": True})
    assert more.endswith("2 fit it, not 1")
    assert some.endswith("2 fit it, not 0")


def test_an_execution_that_nobody_expects_fails_the_story(lab: Lab) -> None:
    (difference,) = _differences(lab, FIRST)

    assert '"key": {"n": 2}' in difference
    assert "allow_others" in difference
    assert len(_differences(lab, *[])) == 2
    assert _differences(lab, FIRST, allow_others=True) == []
    assert play(lab, TWO, {"steps": [RUN]}).differences == []  # it expects nothing: somebody only looks


def test_the_order_is_expected(lab: Lab) -> None:
    assert _differences(lab, FIRST | {"order": 1}, SECOND | {"order": 2}) == []
    (difference,) = _differences(lab, FIRST | {"order": 2}, SECOND | {"order": 1})
    assert difference.startswith("expect[0]")
    assert "ended before expect[1]" in difference


def test_a_refusal_that_is_expected_fails_no_story(lab: Lab) -> None:
    text = "module.exports = o => o.integration('echo').schedule(1, { delay: '45 days' })"
    steps = [RUN, RUN | {"visitor": "bob"}]

    expected = play(lab, text, {"steps": steps, "expect": [{"refused": "beyond_limit"}]})
    only_one = play(lab, text, {"steps": steps, "expect": [{"visitor": "ada", "refused": "beyond_limit"}]})

    assert not expected.failed
    assert [report.visitor.id for report in only_one.failures] == ["bob"]


class TestAnswers:
    STORY = """\
module.exports = async options => {
  for (const n of [1, 2]) await options.integration('echo').schedule(n, { key: { n }, delay: '1 hour' })
}
"""

    def outcomes(self, lab: Lab, *answers: Mapping[str, Any]) -> list[tuple[str, str | None, int]]:
        simulated = play(lab, self.STORY, {"steps": [RUN], "answers": {"echo": list(answers)}})
        return [(doc["status"], doc["reason"], len(doc["attempts"])) for doc in simulated.documents]

    def test_some_are_for_one_key(self, lab: Lab) -> None:
        for_second = {"status": 500, "key": {"n": 2}}

        assert self.outcomes(lab, for_second, for_second) == [("succeeded", None, 1), ("succeeded", None, 3)]

    @pytest.mark.parametrize(
        ("failure", "reason"), [("timeout", "integration_timeout"), ("network", "integration_failed")]
    )
    def test_a_receiver_may_not_answer_at_all(self, lab: Lab, failure: str, reason: str) -> None:
        never = [{"failure": failure, "key": {"n": 1}}] * 10

        assert self.outcomes(lab, *never) == [("failed", reason, 6), ("succeeded", None, 1)]

    def test_no_answer_has_no_status(self, lab: Lab) -> None:
        with pytest.raises(ValueError, match="leave status"):
            self.outcomes(lab, {"failure": "timeout", "status": 500})


class TestTime:
    TEXT = "module.exports = o => o.log.info(new Date().toISOString())"

    def test_a_plus_counts_from_the_step_before(self, lab: Lab) -> None:
        steps = [
            RUN,
            RUN | {"after": "+1h"},
            RUN | {"after": "+ 30 min"},
            RUN | {"after": "10m"},
            RUN | {"after": "+1m"},
        ]
        simulated = play(lab, self.TEXT, {"steps": steps})

        assert [report.log[0]["at"][11:16] for report in simulated.reports] == [
            "16:30", "16:40", "16:41", "17:30", "18:00",
        ]  # fmt: skip

    def test_a_story_lasts_until_its_last_expectation(self, lab: Lab) -> None:
        text = """\
module.exports = o => o.integration('echo').schedule(1, {
  delay: '30 days', window: { day: 'monday', time: '09:00-10:00' }
})"""
        due_at = "2026-04-06T07:00:00Z"  # 30 days are the Sunday before, and the clocks have changed
        simulated = play(lab, text, {"steps": [RUN], "expect": [{"status": "succeeded", "due_at": due_at}]})

        assert simulated.differences == []
        assert not simulated.is_cut

    def test_what_was_watched_is_told(self, lab: Lab) -> None:
        cut = play(lab, TWO, {"steps": [RUN], "for": "2h"})

        assert cut.is_cut
        assert (cut.watched_until - cut.began_at).total_seconds() == 2 * 3600
        assert not play(lab, TWO, {"steps": [RUN], "for": "3h"}).is_cut


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ({"expect": [{"refused": "beyond_limt"}]}, r'expect\[0\]\.refused "beyond_limt" is not a code; did you mean "beyond_limit"\?'),
        ({"answers": {"ecko": []}}, r'answers\.ecko "ecko" is not an integration; did you mean "echo"\?'),
        ({"expect": [{"integration": "eco"}]}, r'expect\[0\]\.integration "eco" .* "echo"'),
        ({"expect": [{"visitor": "adda"}]}, r'expect\[0\]\.visitor "adda" .* did you mean "ada"'),
        ({"expect": [{"visitor": "zoe"}]}, r'expect\[0\]\.visitor "zoe" .* there are ada'),
        ({"steps": [{"do": "run", "visitor": "aada"}]}, r'steps\[0\]\.visitor "aada" .* "ada"'),
        ({"steps": [RUN, {"do": "cancel", "integration": "ehco", "key": "k"}]}, r'steps\[1\]\.integration'),
    ],
)  # fmt: skip
def test_a_mistyped_name_is_refused_with_the_near_miss(lab: Lab, story: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        play(lab, TWO, {"steps": [RUN]} | story)
