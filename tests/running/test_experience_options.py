# Guest code reads better unbroken.
# ruff: noqa: E501
"""The table of `options`, reference/options: the members that `test_options.py` has not, row by row."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import NOW, Lab

GOAL = "pageviews.customvalues.uv.events.action"
META: Mapping[str, Any] = {
    "experienceId": 12,
    "iterationId": 34,
    "variations": {"variation-7": {"variationId": 5, "variationMasterId": 7, "variationIsControl": False}},
}


def packaged(variation: str, **meta: Any) -> dict[str, str]:
    body = f"module.exports = async o => {{ {variation} }}"
    return {"package.json": json.dumps({"meta": {**META, **meta}}), "variation-7.js": body}


def test_every_member_is_there_in_triggers_and_variation_and_in_a_callable_options(lab: Lab) -> None:
    tell = "options.log.info(Object.keys(options).sort().join(' '))"
    members = (
        "cookies data emitCustomGoal emitMetric getBrowserState getMemberships getVisitorState integration isMemberOf log meta "
        "onActivation onMembershipsChanged onRemove poll react redirectTo registerContentAreas solution state unregisterContentAreas uv"
    )

    for parameters, call in (("options, cb", "cb()"), ("options", "options()")):
        triggers = f"module.exports = function ({parameters}) {{ {tell}; {call} }}"
        report = lab.run({"triggers.js": triggers, "variation.js": f"module.exports = options => {tell}"})

        assert [line["message"] for line in report.log] == [members, members]


def test_a_callable_options_works_as_options_does(lab: Lab) -> None:
    triggers = (
        "module.exports = o => { o.onActivation(() => o.log.info('active')); o.cookies.set('a', 1)\n"
        "  o.poll(() => 7).then(n => { o.log.info(n, o.cookies === o.cookies, o.cookies.get('a')); o() }) }"
    )
    report = lab.run(
        {"triggers.js": triggers, "variation.js": "module.exports = o => o.log.info(o.cookies.get('a'))"}
    )

    assert [line["message"] for line in report.log] == ["7 true 1", "active", "1"]


class TestSentEvents:
    def test_on_event_sent_gets_batches_of_what_was_sent(self, lab: Lab) -> None:
        said = lab.says(
            "const { uv, log } = options\n"
            "uv.emit('early')\n"
            "const on = uv.onEventSent(/./, function (sent) { log.info(Array.isArray(sent), sent.map(e => e.meta.type).join(), this.me) }, { me: 'I' })\n"
            "uv.onceEventSent('b', sent => log.info('once', sent.length, sent[0].n))\n"
            "uv.emit('a'); uv.emit('b', { n: 1 }); uv.emit('b', { n: 2 })\n"
            "log.info('not yet')\n"
            "await new Promise(r => setTimeout(r, 5))\n"
            "uv.emit('b'); await new Promise(r => setTimeout(r, 5))\n"
            "on.dispose(); uv.emit('b')"
        )

        assert said == ["not yet", "true a,b,b I", "once 2 1", "true b I"]

    def test_replay_tells_what_was_sent_before(self, lab: Lab) -> None:
        said = lab.says(
            "options.uv.emit('b')\n"
            "options.uv.onEventSent(/a|b/, sent => options.log.info(sent.map(e => e.meta.type).join())).replay()",
            events=[{"type": "a", "data": {}}, {"type": "c", "data": {}}],
        )

        assert said == ["a,b"]

    def test_what_its_listener_throws_is_logged_and_fails_the_run(self, lab: Lab) -> None:
        report = lab.does("options.uv.onEventSent('a', () => { throw new Error('x') }); options.uv.emit('a')")

        assert [line["message"] for line in report.log] == ["a listener of sent events threw: Error: x"]
        assert report.outcome == "failed"


class TestGoalsAndMetrics:
    def test_emit_custom_goal(self, lab: Lab) -> None:
        goals = [
            {"goalId": 1, "key": "other", "value": ["buy"]},
            {"goalId": 2, "key": GOAL, "value": ["look", "buy"]},
        ]
        report = lab.run(packaged("o.emitCustomGoal('buy')", customGoals=goals))

        (event,) = report.events
        assert event["type"] == "qubit.goalAchieved"
        event["data"].pop("meta", None)
        assert event["data"] == {
            "goalId": 2,
            "experienceId": 12,
            "variationMasterId": 7,
            "iterationId": 34,
            "isControl": False,
            "goalType": "other",
        }

    @pytest.mark.parametrize("goals", [None, {}])
    def test_a_package_without_goals_lets_any_name_pass(self, lab: Lab, goals: Any) -> None:
        report = lab.run(packaged("o.emitCustomGoal('buy')", customGoals=goals))

        assert [event["data"]["goalId"] for event in report.events] == ["goalId"]

    @pytest.mark.parametrize(
        "goals",
        [
            [],
            [{"goalId": 1, "key": "other", "value": ["by"]}],
            [{"goalId": 2, "key": GOAL, "value": ["buy"]}],
            [{"goalId": 2, "key": GOAL}],
            [None, 5, "by"],
        ],
    )
    def test_a_name_the_goals_lack_warns_and_emits_nothing(self, lab: Lab, goals: Any) -> None:
        report = lab.run(packaged("o.emitCustomGoal('by')", customGoals=goals))

        assert report.events == []
        assert [(line["level"], line["message"]) for line in report.log] == [
            ("warn", 'no custom goal of package.json is named "by"; nothing was emitted')
        ]

    def test_a_goal_needs_a_name(self, lab: Lab) -> None:
        assert (
            "No name was provided for the custom goal" in lab.fails(packaged("o.emitCustomGoal('')")).message
        )

    def test_a_custom_goal_is_no_conversion(self, lab: Lab) -> None:
        lab.does(
            "await echo.schedule(1, { key: 'k', delay: '1 hour', cancelOnConversion: true })\n"
            "options.emitCustomGoal('ecBasketTransactionSummary')"
        )

        assert [each.status.value for each in lab.executions()] == ["pending"]

    @pytest.mark.parametrize(
        ("metadata", "text"), [("'m'", "m"), ("{ a: 1 }", '{"a":1}'), ("undefined", None)]
    )
    def test_emit_metric(self, lab: Lab, metadata: str, text: str | None) -> None:
        report = lab.run(packaged(f"o.emitMetric('click', 'p1', {metadata})"))

        (event,) = report.events
        event["data"].pop("meta", None)
        assert (event["type"], event["data"].pop("metadata", None)) == ("qubit.metric", text)
        assert event["data"] == {
            "type": "click",
            "experienceId": 12,
            "iterationId": 34,
            "variationId": 5,
            "variationMasterId": 7,
            "productId": "p1",
        }


class TestCookies:
    def test_a_jar_of_the_run(self, lab: Lab) -> None:
        said = lab.says(
            "const c = options.cookies\n"
            "options.log.info(c.get('a'), JSON.stringify(c.getAll()))\n"
            "c.set('a', 1); c.set('b', 'x y', { expires: new Date(Date.now() + 1000), domain: '.example.com' }); c.set('__proto__', 'p')\n"
            "options.log.info(c.get('a') === '1', c.get('b'), JSON.stringify(c.getAll()), c.get('toString'))\n"
            "options.log.info(c.clear('a'), c.clear('a'), c.get('a'), JSON.stringify(c.clearAll('b')), c.get('b'))\n"
            "c.clearAll(); options.log.info(JSON.stringify(c.getAll()))"
        )

        assert said == [
            "null {}",
            'true x y {"a":"1","b":"x y","__proto__":"p"} null',
            'true false null [{"path":"/","domain":".example.com"}] null',
            "{}",
        ]

    def test_a_cookie_expires(self, lab: Lab) -> None:
        said = lab.says(
            "const c = options.cookies\n"
            "c.set('soon', 1, { expires: new Date(Date.now() + 1000) }); c.set('gone', 1, { expires: 0 }); c.set('year', 1)\n"
            "options.log.info(c.get('soon'), c.get('gone'))\n"
            "await new Promise(r => setTimeout(r, 1000))\n"
            "options.log.info(c.get('soon'), Object.keys(c.getAll()).join())"
        )

        assert said == ["1 null", "null year"]


class TestPoll:
    def test_a_function_alone_and_a_list(self, lab: Lab) -> None:
        said = lab.says(
            "setTimeout(() => { window.basket = { total: 0, lines: [{ id: 'a' }] } }, 900)\n"
            "options.log.info(await options.poll(() => window.basket && 'there'), Date.now() - performance.timeOrigin < 1200)\n"
            "options.log.info(await options.poll('window.basket.lines.0.id'))\n"
            "options.log.info(JSON.stringify(await options.poll(['window.basket.total', () => 7, 'window.basket.lines'])))"
        )

        assert said == ["there true", "a", '[0,7,[{"id":"a"}]]']

    def test_what_is_there_already_is_told_at_once(self, lab: Lab) -> None:
        assert lab.says(
            "window.a = 1; options.poll('window.a').then(a => options.log.info(a)); options.log.info('then')"
        ) == [
            "1",
            "then",
        ]

    @pytest.mark.parametrize(("settings", "waited"), [("", 5), (", { timeout: 1000 }", 1)])
    def test_the_timeout(self, lab: Lab, settings: str, waited: int) -> None:
        said = lab.says(
            f"await options.poll(['window.self', 'window.a.b']{settings}).catch(e => options.log.info(e instanceof Error, e.message, e.code))"
        )

        assert said == ["true Poller: could not resolve window.a.b EPOLLER:TIMEOUT"]
        assert lab.clock.now() == NOW + timedelta(seconds=waited)

    def test_a_target_that_throws_rejects(self, lab: Lab) -> None:
        body = "await options.poll(() => { throw new Error('x') }).catch(e => options.log.info(e.message))"

        assert lab.says(body) == ["x"]

    def test_it_can_be_stopped_and_started(self, lab: Lab) -> None:
        said = lab.says(
            "const polling = options.poll('window.a'); polling.then(a => options.log.info('got', a)); polling.stop()\n"
            "await new Promise(r => setTimeout(r, 9000)); window.a = 1\n"
            "options.log.info('start'); options.log.info(typeof polling.start().then, typeof polling.catch)"
        )

        assert said == ["start", "got 1", "function function"]

    def test_a_selector_needs_a_dom(self, lab: Lab) -> None:
        problem = lab.fails("module.exports = o => o.poll(['window.a', '.nav'])")

        assert problem.message == (
            'Error: Poller: the selector ".nav" needs a DOM, and there is none here; '
            "poll a function or a path such as 'window.basket'"
        )

    def test_a_callback_is_refused(self, lab: Lab) -> None:
        assert (
            "poll takes options, not a callback; write options.poll(targets).then(callback)"
            in lab.fails("module.exports = o => o.poll('window.a', () => {})").message
        )

    def test_a_target_is_a_function_or_a_text(self, lab: Lab) -> None:
        assert (
            "a target is a function or a path such as 'window.basket', not 7"
            in lab.fails("module.exports = o => o.poll([7])").message
        )


class TestThePage:
    def test_redirect_to_is_recorded(self, lab: Lab) -> None:
        report = lab.does("options.redirectTo('https://example.com/b?c=1'); options.redirectTo('/a')")

        assert report.redirects == ["https://example.com/b?c=1", "/a"]
        assert report.document([])["redirects"] == report.redirects
        assert (
            "redirectTo needs a URL, not undefined"
            in lab.fails("module.exports = o => o.redirectTo()").message
        )

    def test_content_areas_do_nothing(self, lab: Lab) -> None:
        body = "options.log.info(options.registerContentAreas('.a'), options.unregisterContentAreas())"

        assert lab.says(body) == ["undefined undefined"]

    def test_memberships(self, lab: Lab) -> None:
        body = (
            "o.log.info(o.isMemberOf('vip').value, o.isMemberOf('x').value, await o.isMemberOf('vip'), (await o.getMemberships()).join())\n"
            "o.getMemberships().value.push('x'); o.log.info(o.isMemberOf('x').value)\n"
            "o.onMembershipsChanged(() => {}).dispose()"
        )
        report = lab.run(packaged(body, segments=["vip", "new"]))

        assert [line["message"] for line in report.log] == ["true false true vip,new", "false"]
        assert lab.says(
            "options.log.info(options.isMemberOf('vip').value, (await options.getMemberships()).length)"
        ) == ["false 0"]

    def test_react_needs_a_dom(self, lab: Lab) -> None:
        report = lab.does(
            "const { react, log } = options\n"
            "await react.register(['a'], () => {}).catch(e => log.info(e.message)); await react.render('a', () => {}).catch(e => log.info(e.message))\n"
            "try { react.getReact() } catch (e) { log.info(e.message) }\n"
            "react.release()"
        )

        info = [line["message"] for line in report.log if line["level"] == "info"]
        assert [text.partition(" needs a DOM")[0] for text in info] == [
            f"options.react.{name}" for name in ("register", "render", "getReact")
        ]
        assert len([line for line in report.log if line["level"] == "error"]) == 2


class TestSyncPromises:
    def test_a_handler_may_answer_with_a_thenable(self, lab: Lab) -> None:
        said = lab.says(
            "const { log } = options; const state = options.getVisitorState()\n"
            "log.info(state.status, state.then(() => options.getBrowserState()).value.ua.deviceType)\n"
            "log.info(state.then(() => ({ then (ok) { ok(1); ok(2); throw 3 } })).value, state.then(5).value === state.value)\n"
            "log.info(state.then(() => { throw 7 }).catch(n => n + 1).value, await Promise.all([state]).then(a => a.length))\n"
            "log.info(await state.then(() => { throw 7 }).then(() => 'no', n => n))",
            browser={"ua": {"deviceType": "mobile"}},
        )

        assert said == ["true mobile", "1 true", "8 1", "7"]


def test_a_logger_can_be_enabled_and_disabled_which_changes_nothing(lab: Lab) -> None:
    assert lab.says("const l = options.log; l.enable(); l.disable(); l.destroy(); l.info('still')") == [
        "still"
    ]
