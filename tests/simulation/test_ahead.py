"""What no story lets fail is delivered in one go: everything must stand as if it had gone one by one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.clients import NO_CLIENT
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import Story

from tests.conftest import NOW, Lab

RUN = {"do": "run", "visitor": "ada"}
MANY = """module.exports = async options => {
  const echo = options.integration('echo')
  for (let n = 0; n < 12; n++) {
    await echo.schedule({ n }, {
      key: n % 4 ? { n } : undefined, delay: 7 * n % 12 + ' hours', cancelOnConversion: n % 3 === 0,
      window: n % 2 ? { day: 'monday-friday', time: '09:00-17:00' } : undefined })
  }
}"""
TIMERS = """module.exports = options => {
  const echo = options.integration('echo')
  let left = 5
  const again = () => {
    echo.schedule({ left }, { key: 'same', delay: '1500 ms' })
    echo.schedule({ left }, { delay: '2 s' })
    if (--left) setTimeout(again, 2000)
  }
  again()
}"""
STORIES = [
    pytest.param(MANY, {"steps": [RUN]}, id="in windows and outside"),
    pytest.param(MANY, {"steps": [RUN, RUN | {"after": "3 hours"}]}, id="replaced under their keys"),
    pytest.param(
        MANY,
        {"steps": [RUN, {"after": "4 hours", "do": "convert", "visitor": "ada"}]},
        id="a conversion at the instant of one",
    ),
    pytest.param(
        MANY,
        {"steps": [RUN, {"after": "90m", "do": "cancel", "visitor": "ada", "integration": "echo",
                         "key": {"n": 6}, "reason": "bought"}]},
        id="one cancelled between others",
    ),
    pytest.param(MANY, {"steps": [RUN], "for": "5 hours"}, id="some beyond the horizon"),
    pytest.param(TIMERS, {"steps": [RUN]}, id="timers among them"),
]  # fmt: skip


def play(lab: Lab, variation: str, story: Mapping[str, Any], **how: Any) -> Simulated:
    whole = {"at": "2026-03-06T16:30:00Z", "visitors": [{"id": "ada", "timezone": "Europe/Paris"}], **story}
    return simulate(
        lab.bundle(variation),
        Story.model_validate(whole),
        sandbox=lab.pool,
        integrations=lab.registry,
        conversions=("ecBasketTransactionSummary",),
        now=NOW,
        client=NO_CLIENT,
        redact=str,
        **how,
    )


@pytest.mark.parametrize(("variation", "story"), STORIES)
def test_it_is_the_same_as_one_by_one(lab: Lab, variation: str, story: Mapping[str, Any]) -> None:
    one_by_one = {**story, "answers": {"slow": [{"status": 500}]}}  # now one might fail

    ahead, alone = play(lab, variation, story), play(lab, variation, one_by_one)

    assert ahead.documents
    assert (ahead.documents, ahead.histories) == (alone.documents, alone.histories)
    assert ahead.ended_at == alone.ended_at


def test_each_is_called_at_its_own_instant_and_progress_is_told_of_each(lab: Lab) -> None:
    told: list[datetime] = []

    simulated = play(lab, MANY, {"steps": [RUN]}, progress=told.append)

    assert told == sorted(told)
    assert sorted(set(told)) == sorted({NOW, *(each.due_at for each in simulated.executions)})
    for document in simulated.documents:
        assert [attempt["at"] for attempt in document["attempts"]] == [document["due_at"]]


def test_what_an_integration_begins_with_as_its_pace_is_kept(lab: Lab) -> None:
    burst = """module.exports = async options => {
      const slack = options.integration('slack-update')
      for (let n = 0; n < 8; n++) await slack.schedule({ message: 'm' + n }, { delay: '1 hour' })
    }"""

    simulated = play(lab, burst, {"steps": [RUN]})

    assert {execution.status.value for execution in simulated.executions} == {"succeeded"}
    starts = sorted(document["attempts"][0]["at"] for document in simulated.documents)
    assert len(set(starts)) > 2, "four at once, then one a second"
    assert simulated.ended_at >= NOW + timedelta(hours=1, seconds=3)
