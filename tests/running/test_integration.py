# Guest code reads better unbroken.
# ruff: noqa: E501
"""options.integration: what each call resolves with, and what it stores. Source: reference/schedule-options#the-three-calls."""

import json
from dataclasses import replace

import pytest
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitors import Visitor

from tests.conftest import Lab


def test_an_anonymous_run_cannot_cancel_on_conversion(lab: Lab) -> None:
    said = lab.says(
        "await echo.schedule(1, { delay: 1, cancelOnConversion: true }).catch(e => options.log.info(e.code))",
        visitor=Visitor(id=None),
    )

    assert said == ["unknown_visitor"]
    assert lab.executions() == []


def test_an_integration_that_fails_rejects_execute_once(lab: Lab) -> None:
    report = lab.does(
        "await options.integration('broken')({ a: 1 }).catch(e => options.log.info(e.code, e.message))"
    )

    assert report.calls[0]["error"]["code"] == "integration_failed"
    assert (
        report.calls[0]["error"]["message"] == "Failed to perform execute action: the receiver answered 503"
    )
    assert [each.status for each in lab.executions()] == [Status.FAILED]


def test_an_integration_that_does_not_answer_in_time_rejects(lab: Lab) -> None:
    said = lab.says(
        "await options.integration('slow')(0.5, { timeout: 50 }).catch(e => options.log.info(e.code))"
    )

    assert said == ["integration_timeout"]


def test_an_integration_that_is_not_configured_can_be_scheduled_and_not_executed(lab: Lab) -> None:
    report = lab.does(
        "const slack = options.integration('slack-update')\n"
        "await slack.schedule({ message: 'Hello!' }, { delay: 1 })\n"
        "await slack({ message: 'Hello!' }).catch(e => options.log.info(e.code))"
    )

    assert [line["message"] for line in report.log if line["logger"] == "variation"] == ["not_configured"]
    warnings = [line["message"] for line in report.log if line["level"] == "warn"]
    assert any("not configured" in warning for warning in warnings)


def test_what_is_not_linked_throws_at_once(lab: Lab) -> None:
    files = {
        "package.json": json.dumps({"meta": {"qfns": {"echo": "MTplY2hvOjE="}}}),
        "variation.js": (
            "module.exports = options => {\n"
            "  try { options.integration('slack-update') } catch (e) { options.log.info(e.code, e.message) }\n"
            "  options.integration('echo')\n"
            "}"
        ),
    }
    report = lab.run(files)

    assert [line["message"] for line in report.log] == [
        'not_linked The integration "slack-update" is not linked to this experience'
    ]


def test_what_is_not_linked_ends_the_run_with_its_own_code_when_nobody_catches_it(lab: Lab) -> None:
    problem = lab.fails("module.exports = options => options.integration('nowhere')")

    assert problem.code == "not_linked"
    assert problem.message.startswith('Error: The integration "nowhere" is not linked to this experience; ')
    assert (problem.file, problem.line) == ("variation.js", 1)


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "", "e".ljust(5000, "x")])
def test_no_name_is_linked_by_accident(lab: Lab, name: str) -> None:
    assert lab.fails(f"module.exports = o => o.integration({json.dumps(name)})").code == "not_linked"


def test_a_folder_that_names_an_unregistered_integration_links_it_and_its_calls_reject(lab: Lab) -> None:
    files = {
        "package.json": json.dumps({"meta": {"qfns": {"gone": "MTpnb25lOjE="}}}),
        "variation.js": (
            "module.exports = async options => {\n"
            "  const gone = options.integration('gone')\n"
            "  for (const call of [() => gone(1), () => gone.schedule(1, { delay: 1 }), () => gone.cancel({ key: 'k' })])\n"
            "    await call().catch(e => options.log.info(e.code))\n"
            "}"
        ),
    }
    report = lab.run(files)

    said = [line["message"] for line in report.log if line["logger"] == "variation"]
    assert said == ["unknown_integration"] * 3
    assert lab.executions() == []


class TestSchedule:
    def test_it_resolves_when_it_is_stored_with_what_was_planned(self, lab: Lab) -> None:
        report = lab.does(
            "const made = await echo.schedule({ a: 1 }, { key: { b: 2, a: 1 }, delay: '1 hour', window: {\n"
            "  day: 'monday-friday', time: '09:00-17:00' } })\n"
            "options.log.info(JSON.stringify(made))"
        )

        (execution,) = lab.executions()
        assert json.loads(report.log[0]["message"]) == {
            "id": execution.id,
            "key": {"a": 1, "b": 2},
            "time": "2026-03-09T08:00:00.000Z",  # the next Monday, 09:00 in Paris
            "requestedTime": "2026-03-06T17:30:00.000Z",
            "replaced": None,
        }
        assert (execution.visitor, execution.experience) == ("ada", "experience")
        assert report.created == [execution.id]

    def test_the_same_key_replaces_and_says_which(self, lab: Lab) -> None:
        said = lab.says(
            "const one = await echo.schedule(1, { key: { a: 1, b: 2 }, delay: 1000 })\n"
            "const two = await echo.schedule(2, { key: { b: 2, a: 1 }, delay: 1000 })\n"
            "const three = await echo.schedule(3, { key: { b: 2, a: 1 }, delay: 1000, ifExists: 'keep' })\n"
            "options.log.info(two.replaced === one.id, three.id === two.id, one.replaced)"
        )

        assert said == ["true true null"]
        assert [each.status for each in lab.executions()] == [Status.CANCELLED, Status.PENDING]

    def test_defaults_fill_what_a_call_leaves_out(self, lab: Lab) -> None:
        lab.does(
            "const timely = options.integration('echo', { key: 'd', delay: '1 day', window: { timezoneOffset: 0 } })\n"
            "await timely.schedule(1)\n"
            "await timely.schedule(2, { key: 'own', time: Date.now() + 1000 })\n"
            "await timely.cancel()"
        )

        first, second = lab.executions()
        assert (first.key, first.status) == ('"d"', Status.CANCELLED)
        assert (second.key, second.zone_from) == ('"own"', "window")
        assert (second.due_at - second.created_at).total_seconds() == 1

    def test_without_a_key_a_line_says_that_duplicates_are_possible(self, lab: Lab) -> None:
        report = lab.does("await echo.schedule(1, { delay: 1 })")

        assert [(line["level"], line["logger"]) for line in report.log] == [("info", "integration:echo")]
        assert "duplicates are possible" in report.log[0]["message"]

    def test_the_authors_objects_are_as_they_were(self, lab: Lab) -> None:
        said = lab.says(
            "const freeze = o => { Object.values(o).forEach(v => typeof v === 'object' && freeze(v)); return Object.freeze(o) }\n"
            "const payload = freeze({ a: { b: [1] } })\n"
            "const given = freeze({ key: { k: 1 }, delay: 5, window: { day: 'friday' } })\n"
            "const before = JSON.stringify([payload, given])\n"
            "const made = await options.integration('echo', freeze({ scope: 'property' })).schedule(payload, given)\n"
            "made.key.k = 2\n"
            "options.log.info(before === JSON.stringify([payload, given]))"
        )

        assert said == ["true"]

    def test_only_own_enumerable_properties_are_read(self, lab: Lab) -> None:
        lab.does(
            "const given = Object.create({ time: 1, cancelOnConversion: 'x' }, { delay: { value: 5, enumerable: true },\n"
            "  key: { value: 7, enumerable: false } })\n"
            "const payload = Object.create({ inherited: 1 }, { hidden: { value: 2 }, own: { value: 3, enumerable: true } })\n"
            "payload[Symbol('s')] = 4\n"
            "await echo.schedule(payload, given)"
        )

        (execution,) = lab.executions()
        assert (execution.payload, execution.key) == ('{"own":3}', None)

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("'a text'", '"a text"'),
            ("null", "null"),
            ("[1, undefined, -0, 1e21, 0.1]", "[1,null,0,1e+21,0.1]"),
            ("{ a: undefined, b: [[]], 'ключ': '😀' }", '{"b":[[]],"ключ":"😀"}'),
            ("{ when: new Date(0) }", '{"when":"1970-01-01T00:00:00.000Z"}'),
            ("'\\ud800'", '"\\ud800"'),
            ("'a\\u0000b'", '"a\\u0000b"'),
        ],
    )
    def test_a_payload_is_any_json_value(self, lab: Lab, value: str, text: str) -> None:
        lab.does(f"await echo.schedule({value}, {{ delay: 1 }})")

        (execution,) = lab.executions()
        assert json.loads(execution.payload) == json.loads(text)

    def test_calls_are_carried_out_in_their_order(self, lab: Lab) -> None:
        lab.does("for (let i = 0; i < 5; i++) echo.schedule(i, { delay: 1000 })")

        assert [each.payload for each in lab.executions()] == ["0", "1", "2", "3", "4"]

    def test_the_run_waits_for_a_call_that_nobody_awaits(self, lab: Lab) -> None:
        report = lab.does("echo.schedule(1, { delay: 1 }).then(() => options.log.info('stored'))")

        assert [line["message"] for line in report.log if line["logger"] == "variation"] == ["stored"]


class TestCancel:
    def test_it_resolves_with_what_it_cancelled(self, lab: Lab) -> None:
        said = lab.says(
            "const made = await echo.schedule(1, { key: { foo: 'bar' }, delay: 5 })\n"
            "const done = await echo.cancel({ key: { foo: 'bar' }, reason: 'bought' })\n"
            "options.log.info(done.cancelled, done.ids[0] === made.id, (await echo.cancel({ key: { foo: 'bar' } })).cancelled)"
        )

        assert said == ["1 true 0"]
        (execution,) = lab.executions()
        assert (execution.status, execution.reason) == (Status.CANCELLED, "bought")

    def test_another_visitors_is_left_alone_and_told_about(self, lab: Lab) -> None:
        lab.does("await echo.schedule(1, { key: 'k', delay: 5 })")

        report = lab.does("await echo.cancel({ key: 'k' })", visitor=replace(lab.visitor, id="bob"))

        assert report.calls[0]["result"] == {"cancelled": 0, "ids": []}
        assert "scope: 'property'" in report.log[0]["message"]
        assert lab.executions()[0].status is Status.PENDING


class TestExecute:
    def test_calling_it_is_execute_and_resolves_with_the_answer(self, lab: Lab) -> None:
        said = lab.says(
            "const answers = await Promise.all([echo({ a: 1 }), echo.execute([2]), options.integration('echo')(null)])\n"
            "options.log.info(JSON.stringify(answers))"
        )

        assert json.loads(said[0]) == [{"echo": {"a": 1}}, {"echo": [2]}, {"echo": None}]
        assert [each.status for each in lab.executions()] == [Status.SUCCEEDED] * 3

    def test_it_has_its_methods_and_is_a_promise_each(self, lab: Lab) -> None:
        said = lab.says(
            "options.log.info(typeof echo, typeof echo.execute, typeof echo.schedule, typeof echo.cancel)\n"
            "for (const p of [echo(1), echo.schedule(1, { delay: 1 }), echo.cancel({ key: 'k' })])\n"
            "  options.log.info(p instanceof Promise, await p.finally(() => {}).then(() => 'settled'))"
        )

        assert said == ["function function function function", *["true settled"] * 3]


def test_an_uncaught_rejection_fails_the_run_and_keeps_its_code(lab: Lab) -> None:
    report = lab.does("await echo.schedule(1, { delay: 'soon' })")

    assert report.outcome == "failed"
    assert report.error is not None
    assert report.error.code == "invalid_delay"
    assert report.error.message.startswith('Error: Failed to perform schedule action: delay "soon"')


def test_a_conversion_cancels_what_was_scheduled_before_it_and_not_what_came_after(lab: Lab) -> None:
    report = lab.does(
        "const on = { delay: 1000, cancelOnConversion: true }\n"
        "await echo.schedule('before', { ...on, key: 'a' })\n"
        "echo.schedule('same turn', { ...on, key: 'b' })\n"
        "echo.schedule('did not ask', { delay: 1000 })\n"
        "options.uv.emit('shop.ecBasketTransactionSummary', { total: 5 })\n"
        "echo.schedule('after', { ...on, key: 'c' })\n"
        "options.emitCustomGoal && options.emitCustomGoal('ecBasketTransactionSummary')"
    )

    assert report.outcome == "ran"
    assert {each.payload: (each.status.value, each.reason) for each in lab.executions()} == {
        '"before"': ("cancelled", "conversion"),
        '"same turn"': ("cancelled", "conversion"),
        '"did not ask"': ("pending", None),
        '"after"': ("pending", None),
    }
    assert report.events[0]["type"] == "shop.ecBasketTransactionSummary"
