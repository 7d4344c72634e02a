# Guest code reads better unbroken.
# ruff: noqa: E501
"""Hooks, and that an experience runs again on a later view."""

from collections.abc import Sequence

import pytest
from experience_runtime.domain.event_names import is_view
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.running.report import Report

from tests.conftest import NOW, Lab

TRIGGERS = "module.exports = (o, cb) => { o.log.info('triggers'); cb() }"
VARIATION = (
    "module.exports = o => { o.log.info('variation'); return { remove: () => o.log.info('removed') } }"
)


def seen(lab: Lab, files: str | dict[str, str], views: Sequence[str] = ("ecView",)) -> Report:
    """Run on a page whose own view was told, and then let the visitor see these, each when nothing is left."""
    run = lab.open(files, events=[{"type": "ecView"}])

    def settle() -> None:
        while not run.is_over:
            if not run.has_answers and run.wake_at is not None:
                lab.clock.advance_to(run.wake_at)
            run.advance()

    run.start()
    settle()
    for view in views:
        run.receive(view, {})
        settle()
    return run.finish()


def said(report: Report) -> list[str]:
    return [line["message"] for line in report.log]


@pytest.mark.parametrize(
    "name", ["ecView", "trView", "shop.ecView", "a b.egView", "my-shop.ecView", "a.b.ecView", "é.ecView"]
)
def test_a_view(name: str) -> None:
    assert is_view(name)


@pytest.mark.parametrize(
    "name",
    [
        "View",
        "ecProductView",
        "ecview",
        "ECView",
        ".ecView",
        "a..ecView",
        "a.xecView",
        "my-shop-ecView",
        "ecView.a",
        "ecView\n",
        "xecView",
    ],
)
def test_no_view(name: str) -> None:
    assert not is_view(name)


def test_a_later_view_removes_and_runs_all_again(lab: Lab) -> None:
    report = seen(lab, {"triggers.js": TRIGGERS, "variation.js": VARIATION}, ["shop.ecView", "ecProduct"])

    assert said(report) == ["triggers", "variation", "removed", "triggers", "variation"]
    assert report.outcome == "ran"


def test_a_view_before_the_run_starts_nothing_again(lab: Lab) -> None:
    assert said(lab.run(VARIATION, events=[{"type": "ecView", "data": {}}])) == ["variation"]


@pytest.mark.parametrize("own", [False, True], ids=["from outside", "of the experience's own"])
def test_the_first_view_of_a_page_belongs_to_its_load(lab: Lab, own: bool) -> None:
    emits = "o.uv.emit('ecView')" if own else ""
    run = lab.open(
        f"module.exports = o => {{ o.integration('echo').schedule(1, {{ delay: '1d' }}); {emits} }}"
    )
    run.start()
    if not own:
        run.receive("ecView", {})
    while not run.is_over:
        run.advance()
    run.finish()

    assert len(lab.executions()) == 1  # without a key, each run again would make another


def test_a_stored_view_is_of_another_page(lab: Lab) -> None:
    event = VisitorEvent(visitor="ada", type="ecView", data="{}", at=NOW, received_at=NOW)
    lab.store.events.record(event)
    run = lab.open(VARIATION)
    run.start()
    run.receive("ecView", {})

    assert said(run.finish()) == ["variation"]


def test_a_view_the_experience_emits_itself_does_not_run_it_again(lab: Lab) -> None:
    text = (
        "module.exports = o => { o.log.info('run'); o.integration('echo').schedule(1, { delay: '1d' })\n"
        "  for (let n = 0; n < 3; n++) o.uv.emit('my-shop.ecView', { n }) }"
    )
    report = lab.run(text, events=[{"type": "ecView"}])

    assert said(report).count("run") == 1
    assert len(lab.executions()) == 1  # without a key, each run again would make another
    assert [event["type"] for event in report.events] == ["my-shop.ecView"] * 3
    assert [line["message"] for line in report.log if line["level"] == "warn"] == [
        "the experience emitted my-shop.ecView itself, which does not run it again; a page's view does"
    ]


def test_of_an_experience_that_emits_a_view_in_each_run_only_the_pages_run_it_again(lab: Lab) -> None:
    report = seen(
        lab, "module.exports = o => { o.log.info('run'); o.uv.emit('ecView') }", ["ecView", "ecView"]
    )

    assert said(report).count("run") == 3
    assert report.outcome == "ran"


def test_run_across_views_runs_once(lab: Lab) -> None:
    triggers = "module.exports = (o, cb) => { cb(); return { runAcrossViews: true, remove: () => o.log.info('never') } }"

    assert said(seen(lab, {"triggers.js": triggers, "variation.js": VARIATION}, ["ecView", "ecView"])) == [
        "variation"
    ]


def test_state_globals_and_modules_survive(lab: Lab) -> None:
    files = {
        "utils.js": "runs = 0; exports.count = () => ++runs",
        "variation.js": (
            "let own = 0\n"
            "module.exports = o => { const seen = (o.state.get('seen') || 0) + 1; o.state.set('seen', seen)\n"
            "  o.log.info(seen, ++own, require('./utils').count()) }"
        ),
    }

    assert said(seen(lab, files)) == ["1 1 1", "2 2 2"]


def test_what_triggers_say_counts_anew(lab: Lab) -> None:
    triggers = "let n = 0; module.exports = (o, cb) => cb(++n === 2)"
    report = seen(lab, {"triggers.js": triggers, "variation.js": VARIATION}, ["ecView", "ecView"])

    assert said(report) == ["variation", "removed"]
    assert report.outcome == "ran"  # it did, once


def test_a_callback_of_an_earlier_view_is_not_heard(lab: Lab) -> None:
    triggers = "module.exports = (o, cb) => { if (!window.first) { first = cb; return }; first(); cb(false) }"
    report = seen(lab, {"triggers.js": triggers, "variation.js": VARIATION})

    assert (report.outcome, report.log) == ("not_triggered", [])


def test_hooks_that_throw_are_logged_and_stop_nothing(lab: Lab) -> None:
    text = (
        "module.exports = async o => {\n"
        "  o.onRemove(() => { throw new Error('x') })\n"
        "  o.onRemove(async () => { throw new Error('y') })\n"
        "  o.onRemove(() => o.log.info('removed'))\n"
        "}"
    )
    report = seen(lab, text)

    assert [(line["level"], line["logger"], line["message"]) for line in report.log] == [
        ("error", "variation", "onRemove threw: Error: x"),
        ("info", "variation", "removed"),
        ("error", "variation", "onRemove threw: Error: y"),
    ]
    assert (report.outcome, report.error) == ("ran", None)


def test_on_remove_of_triggers_runs_too_and_each_hook_once(lab: Lab) -> None:
    triggers = "module.exports = (o, cb) => { o.onRemove(() => o.log.info('1')); cb(); return { remove: () => o.log.info('2') } }"
    report = seen(lab, {"triggers.js": triggers, "variation.js": ""}, ["ecView", "ecView"])

    assert said(report) == ["1", "2"] * 2


def test_on_activation_runs_before_the_variation_and_only_when_it_runs(lab: Lab) -> None:
    triggers = (
        "let n = 0; module.exports = (o, cb) => { o.onActivation(() => o.log.info('1'))\n"
        "  cb(++n === 1); return { onActivation () { o.log.info('2'); throw new Error('x') } } }"
    )
    report = seen(lab, {"triggers.js": triggers, "variation.js": VARIATION})

    assert said(report) == ["1", "2", "onActivation threw: Error: x", "variation", "removed"]
    assert report.error is None


def test_on_activation_of_an_active_experience_runs_at_once(lab: Lab) -> None:
    assert lab.says("options.onActivation(() => options.log.info('active'))") == ["active"]


def test_hooks_of_a_promise_are_kept(lab: Lab) -> None:
    triggers = "module.exports = async o => ({ execute: true, onActivation: () => o.log.info('active') })"

    assert said(lab.run({"triggers.js": triggers, "variation.js": VARIATION})) == ["active", "variation"]


def test_a_hook_is_a_function(lab: Lab) -> None:
    for name in ("onRemove", "onActivation"):
        assert lab.fails(f"module.exports = o => o.{name}('x')").message == (
            f"TypeError: {name} needs a function, not x"
        )


def test_an_error_of_a_later_view_fails_the_run(lab: Lab) -> None:
    report = seen(lab, "let n = 0; module.exports = () => { if (++n === 2) throw new Error('x') }")

    assert report.outcome == "failed"
    assert report.error is not None
    assert (report.error.code, report.error.line) == ("script_error", 1)


def test_a_keyed_schedule_is_replaced_by_the_next_views(lab: Lab) -> None:
    seen(lab, "module.exports = o => o.integration('echo').schedule(1, { key: 'k', delay: '1 hour' })")

    assert [each.status for each in lab.executions()] == [Status.CANCELLED, Status.PENDING]


def test_listeners_hear_the_view_before_the_experience_runs_again(lab: Lab) -> None:
    text = "module.exports = o => { o.log.info('variation'); o.uv.on('ecView', () => o.log.info('heard')) }"

    assert said(seen(lab, text)) == ["variation", "heard", "variation"]


def test_a_file_that_does_not_parse_stays_failed(lab: Lab) -> None:
    report = seen(lab, "module.exports = (")

    assert report.error is not None
    assert report.error.code == "syntax_error"
