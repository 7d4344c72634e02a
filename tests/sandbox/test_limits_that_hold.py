"""Limits that hold: whoever catches what, and however much is asked for in one turn. Source: reference/limits#a-run."""
# Guest code reads better unbroken.
# ruff: noqa: E501

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from experience_runtime.domain.errors import LimitEvents
from experience_runtime.domain.executions import Status
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.boot import Situation, boot
from experience_runtime.running.guest import Limits
from experience_runtime.sandbox.engine_context import MOST_SCRIPTS
from experience_runtime.sandbox.pool import Pool
from experience_runtime.settings.load import Settings

from tests.conftest import ADA, NOW, Lab

pytestmark = pytest.mark.xdist_group("limits")

BOMB = "const a = []; for (;;) a.push({ a: [1, 2, 3] })"
SLOW = replace(
    Limits(), cpu_turn_seconds=4.0, cpu_run_seconds=8.0
)  # memory is what ends them, on any machine


def variation(body: str) -> dict[str, str]:
    return {"variation.js": f"module.exports = async function variation (options) {{\n{body}\n}}"}


MEMORY = {
    "a bomb in global.js": {"global.js": BOMB, **variation("")},
    "a bomb that global.js catches": {"global.js": f"try {{ {BOMB} }} catch (e) {{}}", **variation("")},
    "a bomb in a promise's executor": variation(f"new Promise(() => {{ {BOMB} }})"),
    "a bomb in an async function that nobody awaits": variation(f"(async () => {{ {BOMB} }})()"),
    "a bomb that is caught": variation(f"try {{ {BOMB} }} catch (e) {{}}"),
    "a bomb in a poll": variation(f"options.poll(() => {{ {BOMB} }})"),
    "a bomb in a payload's toJSON": variation(
        f"options.integration('echo').schedule({{ toJSON () {{ {BOMB} }} }}, {{ delay: 1 }})"
    ),
    "a bomb in a getter of a thrown value": variation(f"throw {{ get a () {{ {BOMB} }} }}"),
    "a bomb in the message of an Error": variation(
        f"throw Object.defineProperty(new Error(), 'message', {{ get () {{ {BOMB} }} }})"
    ),
    "no room for the Error's message": variation(
        "const a = []; try { for (;;) a.push(new ArrayBuffer(1e6)) } catch (e) {}\nlet s = 'x'; try { for (;;) s += s } catch (e) {}\nthrow new InternalError(s)"
    ),
    "a huge block that is refused": variation("try { new ArrayBuffer(1e9) } catch (e) {}"),
    "many small objects": variation("const a = []; for (;;) a.push({})"),
    "many properties": variation("for (let i = 0; ; i++) globalThis['x' + i] = i"),
    "a string that doubles": variation(
        "const a = []; for (let s = 'x'.repeat(1000); ;) a.push(s += s.slice(0, 1000))"
    ),
    "a map": variation("const m = new Map(); for (let i = 0; ; i++) m.set(i, {})"),
    "a finally that goes on": variation(f"try {{ {BOMB} }} finally {{ for (;;) {{}} }}"),
    "a timer": variation(f"setTimeout(() => {{ {BOMB} }})"),
    "a rejection's handler": variation(f"Promise.reject(1).catch(() => {{ {BOMB} }})"),
}
LARGE = variation("kept = new Uint8Array(25 * 2 ** 20).fill(1); options.log.info(kept.length)")


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    """A lab with one warm worker of its own."""
    lab.pool = Pool(spares=1)
    lab.limits = SLOW
    yield lab
    lab.pool.close()


@pytest.mark.parametrize("files", MEMORY.values(), ids=MEMORY.keys())
def test_it_ends_with_limit_memory_in_a_fresh_worker_and_after_a_large_run(
    lab: Lab, files: dict[str, str]
) -> None:
    assert lab.fails(files).code == "limit_memory"

    assert [line["message"] for line in lab.run(LARGE).log] == [str(25 * 2**20)]
    assert lab.fails(files).code == "limit_memory"
    assert lab.executions() == []
    assert lab.says("options.log.info('next')") == ["next"]


@pytest.mark.parametrize(
    "body",
    [
        "const s = '\\u4e00'.repeat(8192); for (let i = 0; i < 1700; i++) options.redirectTo(s)",
        "for (let i = 0; i < 101; i++) options.redirectTo('https://example.com/')",
        "for (let i = 0; i < 1001; i++) options.uv.emit('a')",
        "for (let i = 0; i < 300; i++) options.uv.emit('a', { text: 'x'.repeat(5000) })",
        "for (let i = 0; i < 2000; i++) try { options.uv.emit('a') } catch (e) {}",
    ],
)
def test_what_is_emitted_and_redirected_has_a_limit(lab: Lab, body: str) -> None:
    report = lab.does(body)

    assert report.error is not None
    assert report.error.code == "limit_events"
    assert "1000 events" in report.error.message
    assert (report.events, report.redirects) == ([], [])


def test_as_many_events_and_redirects_as_are_allowed_pass(lab: Lab) -> None:
    report = lab.does(
        "for (let i = 0; i < 1000; i++) options.uv.emit('a')\nfor (let i = 0; i < 100; i++) options.redirectTo('https://example.com/')"
    )

    assert report.outcome == "ran"
    assert (len(report.events), len(report.redirects)) == (1000, 100)


def test_the_budget_is_the_runs_and_not_a_turns(lab: Lab) -> None:
    report = lab.does(
        "let n = 0; setInterval(() => { for (let i = 0; i < 100; i++) options.uv.emit('a'); n++ }, 10)"
    )

    assert report.error is not None
    assert report.error.code == "limit_events"
    assert len(report.events) == 1000


def test_the_calls_of_a_turn_carry_so_much_and_those_of_a_run_are_so_many(lab: Lab) -> None:
    large = "options.integration('echo').schedule('x'.repeat(200000), { delay: 1 })"
    problem = lab.fails(variation(f"for (let i = 0; i < 30; i++) {large}"))
    assert (problem.code, "one turn may carry 4 MiB" in problem.message) == ("limit_calls", True)

    assert lab.does(f"for (let i = 0; i < 30; i++) await {large}").outcome == "ran"

    lab.limits = replace(SLOW, calls=50)
    problem = lab.fails(
        variation("for (let i = 0; i < 60; i++) await options.integration('echo').cancel({ key: 'a' })")
    )
    assert (problem.code, "may make 50 calls" in problem.message) == ("limit_calls", True)


def test_a_thousand_conversions_in_one_turn_take_effect_once(lab: Lab) -> None:
    report = lab.does(
        "await echo.schedule(1, { delay: '1 day', cancelOnConversion: true })\n"
        "for (let i = 0; i < 1000; i++) options.uv.emit('ecBasketTransactionSummary')"
    )

    assert len(report.events) == 1000
    assert [line["message"] for line in report.log if line["logger"] == "conversion"] == [
        "ecBasketTransactionSummary cancelled 1 pending executions"
    ]


def test_a_second_conversion_of_a_turn_cancels_what_was_scheduled_since_the_first(lab: Lab) -> None:
    schedule = "echo.schedule(1, { delay: '1 day', cancelOnConversion: true })"
    lab.does(
        f"options.uv.emit('ecBasketTransactionSummary'); {schedule}; options.uv.emit('ecBasketTransactionSummary')"
    )

    assert [each.status for each in lab.executions()] == [Status.CANCELLED]


LATE = """
import threading
from experience_runtime.integration import Integration


class Late(Integration):
    name = "late"

    def pace_key(self, payload, settings):  # asked for as the call is stored
        threading.Event().wait(payload)

    def call(self, payload, context):
        pass
"""


def test_the_wall_holds_between_what_one_turn_asks_for(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(LATE, encoding="utf-8")
    lab.limits = replace(SLOW, wall_seconds=0.5)
    lab.registry = Registry(Settings(integrations_dir=tmp_path))
    lab.scheduler = Scheduler(store=lab.store, clock=lab.clock, integrations=lab.registry, conversions=())
    run = lab.open(
        variation(
            "for (let i = 0; i < 900; i++) options.integration('late').schedule(i ? 0 : 0.6, { delay: 1, key: { i } })"
        )
    )
    run.real_seconds_left = 0.5
    run.start()
    report = run.finish()

    assert report.error is not None
    assert report.error.code == "limit_wall"
    assert len(lab.executions()) == len(report.created) <= 100, "what was in hand when the time was up"


def test_a_turn_that_says_more_than_a_run_may_costs_its_worker_and_names_the_limit(lab: Lab) -> None:
    bundle = lab.bundle(variation("for (let i = 0; i < 90; i++) options.log.info('x'.repeat(5000))"))
    begin = boot(bundle, Situation(visitor=ADA, seed=1), (), NOW, SLOW)
    # the guest keeps to the limits it was told of; the host reads by its own, as if it had broken out of them
    guest = lab.pool.open(replace(SLOW, log_bytes=1000, event_bytes=1000, turn_call_bytes=1000))

    with pytest.raises(LimitEvents, match="one turn handed out more than a whole run may"):
        guest.start(begin, deadline_seconds=60)
    guest.close()

    assert lab.says("options.log.info('next')") == ["next"]


def test_a_worker_that_has_forgotten_a_script_is_told_of_it_again(lab: Lab) -> None:
    first = variation("options.log.info('the first')")
    for number in range(MOST_SCRIPTS + 1):
        report = lab.run(first if number == 0 else variation(f"options.log.info({number})"))
        assert report.outcome == "ran"
    (worker,) = lab.pool.process_ids()

    report = lab.run(first)

    assert [line["message"] for line in report.log] == ["the first"]
    assert lab.pool.process_ids() == [worker], "the same worker: every other script came after it"
