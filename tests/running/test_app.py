# Guest code reads better unbroken.
# ruff: noqa: E501
"""App('utils/scheduler', …) in an experience: a promise of the answer, for this visitor. Source: reference/scheduled-events."""

import json
from typing import Any

import pytest
from experience_runtime.domain.clients import Client
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Limits
from experience_runtime.running.opening import open_run

from tests.conftest import NOW, Lab

HOOK = "action: 'webhook', url: 'https://example.com/hook?token=s3cret-one'"


def said(lab: Lab, call: str, **situation: Any) -> Any:
    (line,) = lab.says(f"options.log.info(JSON.stringify(await {call}))", **situation)
    return json.loads(line)


def test_it_resolves_with_the_answer_once_it_is_stored(lab: Lab) -> None:
    answer = said(
        lab, f"App('utils/scheduler', {{ {HOOK}, delay: '5 min', body: {{ a: 1 }}, schedule_id: 'x' }})"
    )

    (execution,) = lab.executions()
    assert answer == {
        "success": True,
        "result": {
            "action": "webhook",
            "schedule_id": "x",
            "scheduled_at": "2026-03-06T16:35:00.000Z",
            "scheduled_at_unix": 1772814900,
            "url": "https://example.com/hook?…",
            "body": {"a": 1},
        },
    }
    assert json.loads(execution.payload)["url"].endswith("?token=s3cret-one")
    assert (execution.visitor, execution.key_owner, execution.experience) == ("ada", "ada", "experience")


def test_a_refusal_resolves_too_and_is_in_the_log_at_error(lab: Lab) -> None:
    report = lab.does(
        "const { success, error } = await App('utils/scheduler', { action: 'webhook', delay: '5 min' })\n"
        "options.log.info(success, error.code)"
    )

    levels = {line["level"]: line["message"] for line in report.log}
    assert levels["info"] == "false missing_parameter"
    assert levels["error"].startswith("App: url is missing")
    assert report.outcome == "ran"
    assert report.calls[0]["ok"] is False
    assert lab.executions() == []


def test_an_event_is_the_visitors_own(lab: Lab) -> None:
    call = f"App('utils/scheduler', {{ {HOOK}, delay: '5 min', schedule_id: 'x' }})"
    cancel = "App('utils/scheduler', { action: 'cancel', schedule_id: 'x' })"
    said(lab, call)
    said(lab, call, visitor=Visitor(id="ben"))

    assert said(lab, cancel, visitor=Visitor(id="ben"))["cancelled"] is True
    assert said(lab, cancel, visitor=Visitor(id=None))["cancelled"] is False
    assert [each.visitor for each in lab.executions() if each.status is Status.PENDING] == ["ada"]


def test_a_purchase_does_not_cancel_an_event_by_itself(lab: Lab) -> None:
    said(lab, f"App('utils/scheduler', {{ {HOOK}, delay: '5 min' }})")

    assert lab.scheduler.convert("ada") == []


def test_the_bot_and_its_channel_are_those_of_the_settings_and_the_user_is_the_visitor(lab: Lab) -> None:
    script = lab.bundle("module.exports = () => App('utils/scheduler', { flow_id: 'f', delay: '1d' })")
    run = open_run(
        script,
        _situation(lab),
        sandbox=lab.pool,
        scheduler=lab.scheduler,
        events=lab.store.events,
        integrations=lab.registry,
        clock=lab.clock,
        call_now=lab.dispatcher.call_now,
        client=Client(bot_id="bot", channel_id="messenger", user_id="somebody else"),
    )
    run.start()
    run.finish()

    (execution,) = lab.executions()
    assert json.loads(execution.payload)["client"] == {
        "bot_id": "bot",
        "channel_id": "messenger",
        "user_id": "ada",
    }


def _situation(lab: Lab) -> Any:
    from experience_runtime.running.run import Situation

    return Situation(visitor=lab.visitor, seed=1)


def test_an_integration_that_is_not_configured_is_warned_of(lab: Lab) -> None:
    report = lab.does("await App('utils/scheduler', { flow_id: 'f', delay: '1d' })")

    assert [line["level"] for line in report.log] == ["warn"]


def test_an_anonymous_run_can_have_a_url_called_and_cannot_broadcast(lab: Lab) -> None:
    nobody = Visitor(id=None)

    hook = said(lab, f"App('utils/scheduler', {{ {HOOK}, delay: '5 min' }})", visitor=nobody)
    broadcast = said(lab, "App('utils/scheduler', { flow_id: 'f', delay: '5 min' })", visitor=nobody)

    assert hook["success"] is True
    assert broadcast["error"]["code"] == "missing_parameter"


def test_it_needs_no_link(lab: Lab) -> None:
    files = {
        "package.json": json.dumps({"meta": {"qfns": {"echo": "MTplY2hvOjE="}}}),
        "variation.js": f"module.exports = () => App('utils/scheduler', {{ {HOOK}, delay: '5 min' }})",
    }

    assert lab.run(files).calls[0]["ok"] is True


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("App()", "invalid_parameter"),
        ("App('utils/scheduler')", "invalid_parameter"),
        ("App('utils/scheduler', null)", "invalid_parameter"),
        ("App('utils/scheduler', 'x')", "invalid_parameter"),
        ("App('utils/scheduler', [])", "invalid_parameter"),
        ("App('utils/scheduler', {})", "missing_parameter"),
        ("App('utils/other', {})", "invalid_parameter"),
        ("App({ toString () { throw 1 } }, {})", "invalid_parameter"),
        ("App('utils/scheduler'.padEnd(1e6), {})", "invalid_parameter"),
        ("App('utils/scheduler', { flow_id: 'f', delay: '1d', metadata: { f () {} } })", "invalid_parameter"),
        ("App('utils/scheduler', { flow_id: 'f', delay: NaN })", "invalid_parameter"),
        ("App('utils/scheduler', { flow_id: 'f', delay: 1n })", "invalid_parameter"),
        ("App('utils/scheduler', { get flow_id () { throw new Error('mine') } })", "invalid_parameter"),
        (f"App('utils/scheduler', {{ {HOOK}, delay: '1d', body: 'x'.repeat(3e5) }})", "payload_too_large"),
        ("(() => { const a = {}; a.a = a; return App('utils/scheduler', a) })()", "invalid_parameter"),
        ("App('utils/scheduler', new Proxy({}, { ownKeys () { throw 1 } }))", "invalid_parameter"),
        (
            "App('utils/scheduler', { __proto__: { flow_id: 'f', delay: '1d' } })",
            "missing_parameter",
        ),  # own ones only
    ],
)
def test_whatever_it_is_given_it_resolves_with_a_refusal(lab: Lab, call: str, code: str) -> None:
    answer = said(lab, call)

    assert answer["success"] is False
    assert answer["error"]["code"] == code
    assert lab.executions() == []


def test_poisoned_prototypes_change_nothing_of_what_is_asked_or_answered(lab: Lab) -> None:
    answer = said(
        lab,
        "(() => { Object.prototype.url = 'https://evil.example/'; Array.prototype.toJSON = () => 1\n"
        f"return App('utils/scheduler', {{ {HOOK}, delay: '5 min', body: [1] }}) }})()",
    )

    assert answer["result"]["url"] == "https://example.com/hook?…"
    assert json.loads(lab.executions()[0].payload)["body"] == [1]


def test_a_file_may_have_an_app_of_its_own(lab: Lab) -> None:
    for declared in (
        "var App = () => 'mine'",
        "function App () { return 'mine' }",
        "App = () => 'mine'",
        "let App = () => 'mine'",
    ):
        report = lab.run(
            {"global.js": declared, "variation.js": "module.exports = options => options.log.info(App())"}
        )

        assert [line["message"] for line in report.log] == ["mine"]


def test_app_is_no_enumerable_global(lab: Lab) -> None:
    assert lab.says("options.log.info(Object.keys(globalThis).includes('App'), typeof App, App.name)") == [
        "false function App"
    ]


def test_its_calls_count_against_the_limit_of_calls(lab: Lab) -> None:
    lab.limits = Limits(pending_calls=10)

    problem = lab.fails(
        "module.exports = () => { for (;;) App('utils/scheduler', { action: 'cancel', schedule_id: 'x' }) }"
    )

    assert problem.code == "limit_calls"


def test_a_full_disk_is_answered_as_our_fault(lab: Lab) -> None:
    run = lab.open(
        "module.exports = async o => o.log.info((await App('utils/scheduler', "
        "{ action: 'cancel', schedule_id: 'x' })).error.code)"
    )
    lab.store.close()
    run.start()
    while not run.is_over:
        run.advance()

    assert "internal_error" in [line["message"] for line in run.finish().log]


def test_the_virtual_clock_is_the_one_that_counts(lab: Lab) -> None:
    answer = said(lab, "App('utils/scheduler', { flow_id: 'f', schedule_time: Date.now() / 1000 + 3600 })")

    assert (
        answer["result"]["scheduled_at"] == NOW.replace(hour=17).isoformat(timespec="milliseconds")[:-6] + "Z"
    )
