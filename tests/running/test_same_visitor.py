# Guest code reads better unbroken.
# ruff: noqa: E501
"""The same visitor in simulation and for real: what fires in the one fires in the other."""

import json
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.clients import NO_CLIENT
from experience_runtime.domain.errors import InvalidParameter, MissingParameter
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.domain.page_facts import MOST_EVENTS, read_page_facts
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.boot import situation_of
from experience_runtime.running.report import Report
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.story import check_playable, parse_story

from tests.conftest import ADA, NOW, Lab

BOUGHT = "ecBasketTransactionSummary"
VARIATION = "module.exports = o => { o.log.info('fired') }"


def happened(lab: Lab, event_type: str, data: Any = None, *, minutes_ago: float = 0, by: str = "ada") -> None:
    at = lab.clock.now() - timedelta(minutes=minutes_ago)
    lab.store.events.record(
        VisitorEvent(visitor=by, type=event_type, data=json.dumps(data or {}), at=at, received_at=at)
    )


def fired(report: Report) -> bool:
    return "fired" in [line["message"] for line in report.log]


TRIGGERS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "an event of the page before": (
        "(o, cb) => { o.uv.on('ecView', () => cb()).replay() }",
        {"events": [{"type": "ecView", "data": {}}]},
        True,
    ),
    "an event that nobody sent": ("(o, cb) => { o.uv.on('ecView', () => cb()).replay() }", {}, False),
    "the basket of the page": (
        "(o, cb) => { o.uv.once(/^ecBasket/, e => cb(e.basket.total > 100)).replay() }",
        {"events": [{"type": "ecBasketSummary", "data": {"basket": {"total": 120}}}]},
        True,
    ),
    "the page's address": (
        "(o, cb) => o.getBrowserState().then(b => cb(/checkout/.test(b.url)))",
        {"browser": {"url": "https://shop.example/checkout"}},
        True,
    ),
    "an address that nobody told": (
        "(o, cb) => o.getBrowserState().then(b => cb(/example/.test(b.url)))",
        {},
        False,
    ),
    "the device": (
        "(o, cb) => o.getBrowserState().then(b => cb(b.ua.deviceType === 'mobile'))",
        {"browser": {"ua": {"deviceType": "mobile"}}},
        True,
    ),
    "a device that nobody told": (
        "(o, cb) => o.getBrowserState().then(b => cb(b.ua.deviceType === 'computer'))",
        {},
        False,
    ),
    "the visitor's state": (
        "(o, cb) => o.getVisitorState().then(v => cb(v.country === 'France' && v.sessionNumber === 3))",
        {"state": {"country": "France", "sessionNumber": 3}},
        True,
    ),
    "a cookie": ("(o, cb) => cb(o.cookies.get('group') === 'b')", {"cookies": {"group": "b"}}, True),
}


@pytest.mark.parametrize(("triggers", "told", "expected"), TRIGGERS.values(), ids=TRIGGERS)
def test_triggers_answer_the_same_for_real_and_in_a_story(
    lab: Lab, triggers: str, told: dict[str, Any], expected: bool
) -> None:
    script = lab.bundle({"triggers.js": f"module.exports = {triggers}", "variation.js": VARIATION})
    situation = situation_of(ADA, facts=read_page_facts(**told))
    story = parse_story({"steps": [{"do": "run", "visitor": "ada", **told}]}, where="story")

    simulated = simulate(
        script,
        story,
        sandbox=lab.pool,
        integrations=lab.registry,
        conversions=(BOUGHT,),
        now=NOW,
        client=NO_CLIENT,
        redact=str,
    )
    real = lab.run(
        script,
        visitor_state=situation.visitor_state,
        events=situation.events,
        browser=situation.browser,
        cookies=situation.cookies,
    )

    assert [fired(real), fired(simulated.reports[0])] == [expected, expected]
    assert [(line["level"], line["message"]) for line in real.log] == [
        (line["level"], line["message"]) for line in simulated.reports[0].log
    ]


def test_a_run_finds_what_the_visitor_did_before(lab: Lab) -> None:
    happened(lab, "ecView", minutes_ago=50)
    happened(lab, BOUGHT, {"basket": {"total": 42}}, minutes_ago=10)
    happened(lab, "ecView", by="eve")

    said = lab.says(
        "const { uv, log } = options\n"
        "log.info(uv.events.map(e => e.meta.type).join())\n"
        "uv.on('ecBasketTransactionSummary', e => log.info(e.basket.total, Date.now() - e.meta.ts)).replay()\n"
        "const v = options.getVisitorState().value\n"
        "log.info(v.viewNumber, v.sessionNumber, v.eventNumber)",
        events=[{"type": "basketChanged", "data": {}}],
    )

    assert said == [f"ecView,{BOUGHT},basketChanged", "42 600000", "1 2 2"]


def test_the_history_is_the_persons_under_each_of_their_ids(lab: Lab) -> None:
    lab.store.identify("ada", "customer-1", now=NOW)
    lab.store.convert("customer-1", event=BOUGHT, now=NOW, at=None)
    happened(lab, BOUGHT, by="customer-1")

    assert lab.says(
        "options.log.info(options.uv.events.length, options.getVisitorState().value.conversionNumber)"
    ) == ["1 1"]


def test_an_anonymous_run_has_no_history(lab: Lab) -> None:
    happened(lab, "ecView")

    report = lab.does("options.log.info(options.uv.events.length)", visitor=lab.visitor.__class__(id=None))

    assert [line["message"] for line in report.log] == ["0"]


def test_of_a_long_history_the_newest_is_there(lab: Lab) -> None:
    for number in range(MOST_EVENTS + 5):
        happened(lab, f"e{number}")

    said = lab.says("const e = options.uv.events; options.log.info(e.length, e[0].meta.type)")

    assert said == [f"{MOST_EVENTS} e5"]


def test_of_large_events_only_as_many_as_fit_are_there(lab: Lab) -> None:
    for number in range(40):
        happened(lab, f"e{number}", "x" * 16_000)

    said = lab.says("const e = options.uv.events; options.log.info(e.length, e[e.length - 1].meta.type)")

    assert said == ["16 e39"]


def test_what_is_given_stands_above_what_is_known(lab: Lab) -> None:
    happened(lab, "ecView")

    assert lab.says(
        "options.log.info(options.getVisitorState().value.viewNumber)", visitor_state={"viewNumber": 9}
    ) == ["9"]


def test_a_story_keeps_what_happened_for_the_next_run(lab: Lab) -> None:
    script = lab.bundle(
        "module.exports = o => o.log.info(o.uv.events.length, o.getVisitorState().value.viewNumber)"
    )
    story = parse_story(
        {
            "at": iso(NOW),
            "steps": [
                {"do": "run", "visitor": "ada"},
                {"after": "1 minute", "do": "emit", "visitor": "ada", "type": "ecView"},
                {"after": "2 minutes", "do": "run", "visitor": "ada"},
            ],
        },
        where="story",
    )

    simulated = simulate(
        script,
        story,
        sandbox=lab.pool,
        integrations=lab.registry,
        conversions=(),
        now=NOW,
        client=NO_CLIENT,
        redact=str,
    )

    said = [line["message"] for report in simulated.reports for line in report.log if line["level"] == "info"]
    assert said == ["0 undefined", "1 1"]


def test_a_state_that_is_kept_is_there_for_later_runs_also_in_a_story(lab: Lab) -> None:
    text = "const v = options.getVisitorState().value; options.log.info(v.tier, v.viewNumber, v.city)"
    happened(lab, "ecView")
    told: list[dict[str, Any]] = [
        {"state": {"tier": "gold", "viewNumber": 7, "city": "Paris"}, "keep_state": True},
        {"state": {"tier": "once"}},
        {"state": {"city": None}, "keep_state": True},
        {},
    ]
    expected = ["gold 7 Paris", "once 7 Paris", "gold 7 null", "gold 7 undefined"]

    said = []
    for each in told:
        situation = situation_of(ADA, facts=read_page_facts(**each))
        report = lab.does(text, visitor_state=situation.visitor_state, keep_state=situation.keep_state)
        said += [line["message"] for line in report.log if line["level"] == "info"]
    assert said == expected

    steps = [
        {"do": "run", "visitor": "ada", "after": minutes * 60_000, **each}
        for minutes, each in enumerate(told)
    ]
    story = {"visitors": [{"id": "ada", "state": {"tier": "silver"}}], "steps": steps}
    simulated = simulate(
        lab.bundle(f"module.exports = options => {{ {text} }}"),
        parse_story(story, where="story"),
        sandbox=lab.pool,
        integrations=lab.registry,
        conversions=(),
        now=NOW,
        client=NO_CLIENT,
        redact=str,
    )
    lines = [line for report in simulated.reports for line in report.log]
    assert [line["message"] for line in lines if line["level"] == "info"] == expected


def test_a_state_is_kept_of_somebody_and_of_something() -> None:
    with pytest.raises(MissingParameter, match="keep_state keeps the state, and there is none"):
        read_page_facts(keep_state=True)
    with pytest.raises(InvalidParameter, match="nobody is known; name one"):
        situation_of(Visitor(id=None), facts=read_page_facts(state={"a": 1}, keep_state=True))
    for step in ({"state": {"a": 1}}, {"visitor": "ada"}):
        story = parse_story({"steps": [{"do": "run", "keep_state": True, **step}]}, where="story")
        with pytest.raises((InvalidParameter, MissingParameter), match="a step has keep_state and no"):
            check_playable(story, NOW)


class TestWhatNobodyTold:
    def test_is_undefined_and_said_once(self, lab: Lab) -> None:
        report = lab.does(
            "const b = options.getBrowserState().value\n"
            "options.log.info(b.url, b.url, options.getBrowserState().value.url, b.ua.browserName, JSON.stringify(b))"
        )

        lines = [(line["level"], line["message"].split(":")[0]) for line in report.log]
        assert lines == [
            ("warn", "getBrowserState().url is not known"),
            ("warn", "getBrowserState().ua.browserName is not known"),
            ("info", "undefined undefined undefined undefined {}"),
        ]

    def test_what_was_told_is_silent(self, lab: Lab) -> None:
        report = lab.does(
            "const b = options.getBrowserState().value; options.log.info(b.url, b.ua.deviceType, b.language)",
            browser={"url": "https://a.example/", "ua": {"deviceType": "tablet"}, "language": None},
        )

        assert [line["message"] for line in report.log] == ["https://a.example/ tablet null"]

    def test_can_be_set_by_the_author(self, lab: Lab) -> None:
        assert lab.says(
            "const v = options.getVisitorState().value; v.country = 'FR'; options.log.info(v.country, Object.keys(v).join())"
        ) == ["FR visitorId,country"]


class TestPending:
    def test_says_which_event_it_waits_for(self, lab: Lab) -> None:
        report = lab.run(
            {
                "triggers.js": "module.exports = (o, cb) => { o.uv.on('ecView', () => cb()); o.uv.on(/^ecBasket/, () => cb()) }",
                "variation.js": VARIATION,
            }
        )

        assert report.outcome == "pending"
        assert [line["message"] for line in report.log] == [
            "pending: triggers never called back; no event came that they listen for: ecView, /^ecBasket/"
        ]

    def test_a_hostile_pattern_is_shown_briefly(self, lab: Lab) -> None:
        report = lab.run(
            {
                "triggers.js": "module.exports = (o, cb) => { RegExp.prototype.toString = null; o.uv.on('x'.repeat(5000), cb); for (let n = 0; n < 50; n++) o.uv.on({}, cb) }",
                "variation.js": VARIATION,
            }
        )

        assert report.outcome == "pending"
        assert len(report.log[0]["message"]) < 700


def test_an_event_keeps_the_callers_meta(lab: Lab) -> None:
    said = lab.says(
        "options.uv.emit('a', { meta: { url: 'u', type: 'lie', n: 1 } })\n"
        "options.log.info(JSON.stringify(options.uv.events[0].meta))"
    )

    assert json.loads(said[0]) == {"url": "u", "type": "a", "n": 1, "ts": to_ms(NOW)}
