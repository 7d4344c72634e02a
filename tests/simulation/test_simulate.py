# Guest code reads better unbroken.
# ruff: noqa: E501
"""Stories on a virtual clock: what happened, what was expected, and that nothing leaves."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.clients import NO_CLIENT
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.guest import Limits
from experience_runtime.settings.load import Settings
from experience_runtime.simulation.simulate import MOST_OPEN_RUNS, simulate
from experience_runtime.simulation.simulated import Simulated, simulated_document
from experience_runtime.simulation.story import Story

from tests.conftest import NOW, Lab

SCHEDULE = (
    "module.exports = options => options.integration('echo').schedule(\n"
    "  { hello: options.meta.visitorId }, { key: 'k', delay: '1 hour', cancelOnConversion: true })"
)
RUN = {"do": "run", "visitor": "ada"}


def play(lab: Lab, variation: str | Mapping[str, str], story: Mapping[str, Any], **how: Any) -> Simulated:
    """Play a story that begins at NOW, for ada of Paris unless it says otherwise."""
    whole = {"at": "2026-03-06T16:30:00Z", "visitors": [{"id": "ada", "timezone": "Europe/Paris"}]} | dict(
        story
    )
    return simulate(
        lab.bundle(variation),
        Story.model_validate(whole),
        sandbox=lab.pool,
        integrations=how.pop("integrations", lab.registry),
        conversions=("ecBasketTransactionSummary",),
        now=NOW - timedelta(days=100),
        client=NO_CLIENT,
        redact=str,
        **how,
    )


def brief(simulated: Simulated) -> list[tuple[str, str | None, int]]:
    return [(doc["status"], doc["reason"], len(doc["attempts"])) for doc in simulated.documents]


def test_what_is_scheduled_runs_at_its_time(lab: Lab) -> None:
    simulated = play(lab, SCHEDULE, {"steps": [RUN]})

    assert brief(simulated) == [("succeeded", None, 1)]
    (document,) = simulated.documents
    assert document["due_at"] == "2026-03-06T17:30:00.000Z"
    assert document["due_local"] == "2026-03-06T18:30:00.000+01:00"
    assert document["payload"] == {"hello": "ada"}
    assert document["attempts"][0]["at"] == document["due_at"]
    assert simulated.ended_at == NOW + timedelta(hours=1)


def test_a_month_passes_in_a_moment(lab: Lab) -> None:
    month = SCHEDULE.replace("'1 hour'", "'30 days'")

    assert brief(play(lab, month, {"steps": [RUN]})) == [("succeeded", None, 1)]
    assert brief(play(lab, month, {"steps": [RUN], "for": "29 days"})) == [("pending", None, 0)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"after": "59m", "do": "convert", "visitor": "ada"}, ("cancelled", "conversion", 0)),
        (
            {"after": "1h", "do": "convert", "visitor": "ada"},
            ("cancelled", "conversion", 0),
        ),  # the step comes first
        ({"after": "61m", "do": "convert", "visitor": "ada"}, ("succeeded", None, 1)),
        ({"after": "1m", "do": "convert", "visitor": "bob"}, ("succeeded", None, 1)),
        (
            {
                "at": "2026-03-06T16:31:00Z",
                "do": "emit",
                "visitor": "ada",
                "type": "shop.ecBasketTransactionSummary",
            },
            ("cancelled", "conversion", 0),
        ),
        ({"after": 60000, "do": "emit", "visitor": "ada", "type": "ecProduct"}, ("succeeded", None, 1)),
        (
            {
                "after": "1m",
                "do": "cancel",
                "visitor": "ada",
                "integration": "echo",
                "key": "k",
                "reason": "bought",
            },
            ("cancelled", "bought", 0),
        ),
        ({"after": "1m", "do": "cancel", "integration": "echo", "key": "k"}, ("succeeded", None, 1)),
    ],
)
def test_a_step_of_the_story_happens_in_time(
    lab: Lab, step: Mapping[str, Any], expected: tuple[str, str | None, int]
) -> None:
    assert brief(play(lab, SCHEDULE, {"steps": [RUN, step]})) == [expected]


def test_what_nobody_listened_for_is_known_later_with_its_own_time_and_place(lab: Lab) -> None:
    script = (
        "module.exports = options => { setTimeout(() => {\n"
        "  options.uv.on(/^shop/, e => options.log.info(`${e.meta.type} ${new Date(e.meta.ts).toISOString()} ${e.n}`)).replay()\n"
        "}, 5000) }"
    )
    steps = [
        RUN,
        {"after": "2 sec", "do": "emit", "visitor": "ada", "type": "shop.seen", "data": {"n": 1}},
        {"after": "3 sec", "do": "emit", "visitor": "ada", "type": "shop.seen", "data": {"n": 2}},
        {"after": "6 sec", "do": "emit", "visitor": "ada", "type": "shop.bought", "data": {"n": 3}},
    ]

    (report,) = play(lab, script, {"steps": steps}).reports

    assert [(line["at"][17:19], line["message"]) for line in report.log] == [
        ("05", "shop.seen 2026-03-06T16:30:02.000Z 1"),
        ("05", "shop.seen 2026-03-06T16:30:03.000Z 2"),
        ("06", "shop.bought 2026-03-06T16:30:06.000Z 3"),
    ]


def test_steps_are_taken_in_the_order_of_time(lab: Lab) -> None:
    simulated = play(lab, SCHEDULE, {"steps": [{"after": "10m"} | RUN, RUN, {"after": "5m"} | RUN]})

    assert brief(simulated) == [
        ("cancelled", "replaced", 0),
        ("cancelled", "replaced", 0),
        ("succeeded", None, 1),
    ]
    assert [report.log[0]["at"] for report in simulated.reports if report.log] == []


def test_a_503_is_retried_inside_the_window(lab: Lab) -> None:
    text = SCHEDULE.replace(
        "delay: '1 hour'", "delay: 0, window: { time: '09:00-17:30', timezoneOffset: -60 }"
    )
    story = {"steps": [RUN], "answers": {"echo": [{"status": 503, "retry_after": 120}]}}
    (document,) = play(lab, text, story).documents

    assert document["status"] == "succeeded"
    first, second = document["attempts"]
    assert (first["at"], first["status"]) == ("2026-03-06T16:30:00.000Z", 503)
    assert second["at"] == "2026-03-07T08:00:00.000Z"  # the retry of 17:32 local waits for the morning


def test_what_does_not_pass_fails_and_what_passes_is_retried_five_times(lab: Lab) -> None:
    gone = play(lab, SCHEDULE, {"steps": [RUN], "answers": {"echo": [{"status": 404}]}})
    down = play(lab, SCHEDULE, {"steps": [RUN], "answers": {"echo": [{"status": 503}] * 9}})

    assert brief(gone) == [("failed", "integration_failed", 1)]
    assert brief(down) == [("failed", "integration_failed", 6)]


def test_execute_answers_what_the_story_scripts_and_then_that_it_is_simulated(lab: Lab) -> None:
    text = (
        "module.exports = async o => { const echo = o.integration('echo'); const say = a => o.log.info(JSON.stringify(a))\n"
        "  say(await echo(1)); await echo(2).catch(e => say(e.code)); say(await echo(3)) }"
    )
    answers = {"echo": [{"body": {"n": 1}}, {"status": 500}]}
    simulated = play(lab, text, {"steps": [RUN], "answers": answers})
    said = [line["message"] for line in simulated.reports[0].log if line["logger"] == "variation"]

    assert said == ['{"n":1}', '"integration_failed"', '{"simulated":true}']


def test_nothing_leaves_and_settings_are_not_needed(lab: Lab) -> None:
    text = "module.exports = o => o.integration('webhook').schedule({ a: 1 }, { delay: 1 })"
    # an address that may not be called, and one that does not exist
    for url in ("http://127.0.0.1:9/", "https://nowhere.invalid/"):
        registry = Registry(Settings(integrations={"webhook": {"url": url}}))
        assert brief(play(lab, text, {"steps": [RUN]}, integrations=registry)) == [("succeeded", None, 1)]

    simulated = play(lab, text, {"steps": [RUN]}, integrations=Registry(Settings()))
    assert brief(simulated) == [("succeeded", None, 1)]
    assert any("not configured" in line["message"] for line in simulated.reports[0].log)


def test_two_simulations_give_the_same_document(lab: Lab) -> None:
    text = (
        "module.exports = o => { o.log.info(Math.random(), Date.now()); o.uv.emit('a', {})\n"
        "  return o.integration('echo').schedule({ r: Math.random() }, { delay: '1 minute' }) }"
    )
    story = {"steps": [RUN, {"after": "1h"} | RUN], "answers": {"echo": [{"status": 503}] * 3}}
    first, second = (simulated_document(play(lab, text, story)) for _ in range(2))

    assert json.dumps(first) == json.dumps(second)
    assert len({line["message"] for line in first["log"] if line["logger"] == "variation"}) == 2


class TestOpenRuns:
    def test_a_listener_hears_an_event_of_the_page_days_later(self, lab: Lab) -> None:
        text = "module.exports = o => o.uv.on('ecView', e => o.log.info(e.page, new Date().toISOString()))"
        steps = [
            RUN,
            {"after": "2d", "do": "emit", "visitor": "ada", "type": "ecView", "data": {"page": "home"}},
        ]
        simulated = play(lab, text, {"steps": steps})

        assert simulated.reports[0].log[0]["message"] == "home 2026-03-08T16:30:00.000Z"

    def test_an_event_reaches_the_visitors_own_runs_only(self, lab: Lab) -> None:
        text = "module.exports = o => o.uv.on('ecView', () => o.log.info(o.meta.visitorId))"
        steps = [
            RUN,
            RUN | {"visitor": "bob"},
            {"after": "1m", "do": "emit", "visitor": "bob", "type": "ecView"},
        ]
        simulated = play(lab, text, {"steps": steps})

        assert [[line["message"] for line in report.log] for report in simulated.reports] == [[], ["bob"]]

    def test_a_later_view_removes_and_runs_again_in_the_visitors_latest_run(self, lab: Lab) -> None:
        text = (
            "module.exports = o => { o.log.info('ran', new Date().getUTCDate())\n"
            "  o.onRemove(() => o.log.info('removed')) }"
        )
        view = {"after": "2d", "do": "emit", "visitor": "ada", "type": "ecView"}
        simulated = play(
            lab,
            text,
            {
                "steps": [
                    RUN,
                    {"after": "1d"} | RUN,
                    view | {"after": "1d"},
                    view,
                    view | {"type": "ecProduct"},
                ]
            },
        )

        assert [[line["message"] for line in report.log] for report in simulated.reports] == [
            ["ran 6"],
            ["ran 7", "removed", "ran 8"],
        ]

    def test_a_timer_within_the_wall_limit_takes_no_time(self, lab: Lab) -> None:
        text = "module.exports = o => setTimeout(() => o.log.info(new Date().toISOString()), 9999)"
        simulated = play(lab, text, {"steps": [RUN]})

        assert simulated.reports[0].outcome == "ran"
        assert simulated.reports[0].log[0]["message"] == "2026-03-06T16:30:09.999Z"

    @pytest.mark.parametrize("ms", [10_001, 30_000, 20 * 864e5])
    def test_a_timer_that_a_run_does_not_live_to_see_fails_as_in_real_life(self, lab: Lab, ms: float) -> None:
        text = f"module.exports = o => setTimeout(() => o.log.info('never'), {ms})"
        simulated = play(lab, text, {"steps": [RUN]})
        error = simulated.reports[0].error

        assert error is not None
        assert error.code == "limit_wall"
        assert "a run may last 10 s" in error.message
        assert "never" not in [line["message"] for line in simulated.reports[0].log]
        assert simulated.ended_at == NOW + timedelta(seconds=10)

    def test_a_chain_of_timers_is_one_run_and_an_event_after_a_rest_begins_anew(self, lab: Lab) -> None:
        text = """module.exports = o => {
          const wait = (n) => setTimeout(() => { o.log.info(n); if (n < 9) wait(n + 1) }, 4000)
          o.uv.on('go', () => wait(8))
          wait(o.data.first)
        }"""
        go = {"after": "1h", "do": "emit", "visitor": "ada", "type": "go"}
        short = play(lab, text, {"steps": [RUN | {"data": {"first": 9}}, go]})
        long = play(lab, text, {"steps": [RUN | {"data": {"first": 7}}, go]})

        assert [line["message"] for line in short.reports[0].log] == ["9", "8", "9"]
        assert [line["message"] for line in long.reports[0].log][:-1] == ["7", "8"]
        assert long.reports[0].error is not None

    @pytest.mark.parametrize("every", [1, 1000, 864e5])
    def test_a_lone_interval_ends_with_limit_wall(self, lab: Lab, every: float) -> None:
        simulated = play(
            lab,
            f"module.exports = () => {{ setInterval(() => {{}}, {every}) }}",
            {"steps": [RUN]},
            limits=Limits(cpu_run_seconds=60),  # ten thousand turns are much for a busy machine
        )
        error = simulated.reports[0].error

        assert error is not None
        assert error.code == "limit_wall"
        assert "clear the timers it does not need" in error.message

    def test_a_loop_of_calls_ends_with_a_limit(self, lab: Lab) -> None:
        text = "module.exports = async o => { for (;;) await o.integration('echo').cancel({ key: 'k' }) }"
        simulated = play(lab, text, {"steps": [RUN]}, limits=Limits(wall_seconds=0.3))
        error = simulated.reports[0].error

        assert error is not None
        assert error.code in ("limit_wall", "limit_cpu")

    def test_so_many_at_once_end_the_first(self, lab: Lab) -> None:
        text = "module.exports = o => o.uv.on('a', () => o.log.info('heard'))"
        visitors = [f"v{index}" for index in range(MOST_OPEN_RUNS + 1)]
        steps = [{"do": "run", "visitor": visitor} for visitor in visitors]
        steps += [{"after": "1m", "do": "emit", "visitor": visitor, "type": "a"} for visitor in visitors]
        simulated = play(lab, text, {"steps": steps})

        first, *others = simulated.reports
        assert first.error is not None
        assert (first.error.code, "split the story" in first.error.message) == ("limit_wall", True)
        assert all(report.outcome == "ran" and len(report.log) == 1 for report in others)


class TestExpectations:
    def expected(self, lab: Lab, *expect: Mapping[str, Any]) -> list[str]:
        steps = [RUN, RUN | {"visitor": "bob"}, {"after": "1m", "do": "convert", "visitor": "bob"}]
        return play(lab, SCHEDULE, {"steps": steps, "expect": list(expect)}).differences

    def test_what_happened_is_met(self, lab: Lab) -> None:
        assert (
            self.expected(
                lab,
                {"visitor": "ada", "integration": "echo", "key": "k", "status": "succeeded", "reason": None},
                {
                    "visitor": "bob",
                    "status": "cancelled",
                    "reason": "conversion",
                    "due_at": "2026-03-06T17:30:00Z",
                },
            )
            == []
        )

    def test_each_has_an_execution_of_its_own_whatever_their_order(self, lab: Lab) -> None:
        assert self.expected(lab, {"integration": "echo"}, {"visitor": "ada"}) == []
        assert self.expected(lab, {"visitor": "ada"}, {"integration": "echo"}) == []

    def test_what_did_not_happen_is_told_with_what_did(self, lab: Lab) -> None:
        (difference,) = self.expected(lab, {"visitor": "ada", "status": "cancelled"})

        assert difference.split("\n") == [
            'expect[0] {"visitor": "ada", "status": "cancelled"} is not met; the nearest execution differs:',
            '  - status: "cancelled"',
            '  + status: "succeeded"',
        ]

    def test_one_too_many_is_told(self, lab: Lab) -> None:
        (difference,) = self.expected(lab, {}, {}, {})

        assert difference == "expect[2] {} is not met; there is no other execution"


class TestTheDocument:
    def test_several_runs_are_one_document(self, lab: Lab) -> None:
        text = "module.exports = o => { if (o.meta.visitorId === 'bob') throw new Error('x') }"
        document = simulated_document(play(lab, text, {"steps": [RUN, RUN | {"visitor": "bob"}]}))

        assert document["outcome"] == "failed"
        assert document["error"]["message"] == "Error: x"
        assert [(run["visitor"]["id"], run["outcome"]) for run in document["runs"]] == [
            ("ada", "ran"),
            ("bob", "failed"),
        ]

    def test_a_story_without_a_run_has_one_too(self, lab: Lab) -> None:
        document = simulated_document(play(lab, SCHEDULE, {"steps": []}))

        assert (document["experience"], document["executions"], document["error"]) == ("experience", [], None)

    def test_an_anonymous_step_has_the_zone_it_is_given(self, lab: Lab) -> None:
        text = "module.exports = o => o.integration('echo').schedule(1, { delay: 1, window: { time: '09:00-17:00' } })"
        nobody = Visitor(id=None, timezone="Asia/Tokyo")
        (document,) = play(lab, text, {"steps": [{"do": "run"}]}, anonymous=nobody).documents

        assert (document["zone"], document["zone_from"]) == ("Asia/Tokyo", "visitor_zone")

    def test_visitors_bring_their_state(self, lab: Lab) -> None:
        text = "module.exports = o => o.log.info(o.getVisitorState().value.country)"
        visitors = [{"id": "ada", "timezone_offset": -60, "state": {"country": "FR"}}]
        simulated = play(lab, text, {"steps": [RUN], "visitors": visitors})

        assert simulated.reports[0].log[0]["message"] == "FR"
        assert simulated.reports[0].visitor == Visitor(id="ada", timezone_offset=-60)


def test_the_store_of_a_simulation_is_its_own(lab: Lab) -> None:
    simulated = play(lab, SCHEDULE, {"steps": [RUN]})

    assert [each.status for each in simulated.executions] == [Status.SUCCEEDED]
    assert lab.executions() == []
    assert replace(lab.visitor) == lab.visitor
