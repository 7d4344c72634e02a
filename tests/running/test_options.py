# Guest code reads better unbroken.
# ruff: noqa: E501
"""The other members of `options`: log, state, data, the visitor, events, time and chance. Source: reference/options."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.visitors import Visitor

from tests.conftest import NOW, Lab


class TestLog:
    def test_each_level_is_a_line_with_its_time_and_logger(self, lab: Lab) -> None:
        report = lab.does(
            "for (const l of ['trace', 'debug', 'info', 'warn', 'error']) options.log[l](l, 1, null)"
        )

        assert [(line["level"], line["message"]) for line in report.log] == [
            (level, f"{level} 1 null") for level in ("trace", "debug", "info", "warn", "error")
        ]
        assert report.log[0] == {
            "at": "2026-03-06T16:30:00.000Z",
            "level": "trace",
            "logger": "variation",
            "message": "trace 1 null",
            "metadata": None,
        }

    def test_it_gives_child_loggers(self, lab: Lab) -> None:
        report = lab.does("options.log('basket')('total').info('hi')")

        assert report.log[0]["logger"] == "variation:basket:total"

    def test_an_error_as_last_argument_keeps_its_stack(self, lab: Lab) -> None:
        report = lab.does("\noptions.log.error('could not', new TypeError('a'))")

        assert report.log[0]["message"] == "could not TypeError: a"
        assert report.log[0]["metadata"]["stack"].startswith("    at variation (variation.js:3:")

    def test_a_plain_object_as_last_argument_is_metadata(self, lab: Lab) -> None:
        report = lab.does("options.log.info('total', { a: [1, undefined], f () {}, n: NaN })")

        assert report.log[0]["message"] == "total"
        assert report.log[0]["metadata"] == {"a": [1, None], "f": "[Function]", "n": "NaN"}

    def test_an_object_alone_is_the_message(self, lab: Lab) -> None:
        assert lab.says("options.log.info({ a: 1 }); options.log.info([1], 'x')") == ['{"a":1}', "[1] x"]

    def test_console_is_the_same_log(self, lab: Lab) -> None:
        report = lab.does("console.log('a'); console.error('b', new Error('c')); console.warn()")

        assert [(line["logger"], line["level"], line["message"]) for line in report.log] == [
            ("console", "info", "a"),
            ("console", "error", "b Error: c"),
            ("console", "warn", ""),
        ]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("Symbol('x')", "[Symbol]"),
            ("10n", "10n"),
            ("() => 1", "[Function]"),
            ("undefined", "undefined"),
            ("(() => { const a = {}; a.a = a; return a })()", '{"a":"[Circular]"}'),
            ("{ get a () { throw 1 } }", "[unreadable]"),
            ("'a\\ud800b'", "a\ufffdb"),
            ("new Proxy({}, { ownKeys () { throw 1 } })", "[unreadable]"),
        ],
    )
    def test_any_value_can_be_logged(self, lab: Lab, value: str, message: str) -> None:
        assert [text.strip('"') for text in lab.says(f"options.log.info({value}, '')")] == [
            (message + " ") if not message.startswith("[") else message + '" '
        ] or lab.says(f"options.log.info({value})")[0].strip('"') == message


class TestState:
    def test_it_is_shared_by_reference_between_triggers_and_variation(self, lab: Lab) -> None:
        report = lab.run(
            {
                "triggers.js": (
                    "module.exports = (o, cb) => { o.state.set('f', () => 7); o.state.set('o', { n: 1 });\n"
                    "  o.state.get('o').n++; cb() }"
                ),
                "variation.js": (
                    "module.exports = o => o.log.info(o.state.get('f')(), o.state.get('o').n, o.state.get('toString'))"
                ),
            }
        )

        assert [line["message"] for line in report.log] == ["7 2 undefined"]


class TestMetaAndData:
    PACKAGE: Mapping[str, Any] = {
        "meta": {
            "cookieDomain": ".example.com",
            "trackingId": "shop",
            "experienceId": 12,
            "iterationId": 34,
            "vertical": "ret",
            "namespace": "shop",
            "variations": {
                "variation-7": {"variationId": 5, "variationMasterId": 7, "variationIsControl": False}
            },
            "templateData": {"colour": "red"},
            "solutionOptions": {"a": 1},
            "visitor": {"country": "FR"},
        }
    }

    def test_meta_data_and_solution_come_from_the_package(self, lab: Lab) -> None:
        say = "module.exports = o => o.log.info(JSON.stringify([o.meta, o.data, o.solution]))"
        report = lab.run({"package.json": json.dumps(self.PACKAGE), "variation-7.js": say})
        meta, data, solution = json.loads(report.log[0]["message"])

        assert meta == {
            "cookieDomain": ".example.com",
            "trackingId": "shop",
            "experienceId": 12,
            "experimentId": 12,
            "iterationId": 34,
            "variationId": 5,
            "variationMasterId": 7,
            "variationIsControl": False,
            "isPreview": False,
            "vertical": "ret",
            "namespace": "shop",
            "visitorId": "ada",
        }
        assert (data, solution) == ({"colour": "red"}, {"a": 1})

    def test_given_data_wins_over_the_packages(self, lab: Lab) -> None:
        assert lab.says("options.log.info(options.data.colour)", data={"colour": "blue"}) == ["blue"]

    def test_what_triggers_change_in_meta_the_variation_does_not_see(self, lab: Lab) -> None:
        report = lab.run(
            {
                "triggers.js": "module.exports = (o, cb) => { o.meta.visitorId = 'x'; o.data.a = 1; cb() }",
                "variation.js": "module.exports = o => o.log.info(o.meta.visitorId, o.data.a)",
            }
        )

        assert [line["message"] for line in report.log] == ["ada undefined"]

    def test_data_that_is_no_json_is_refused_before_anything_runs(self, lab: Lab) -> None:
        for given in (
            {"data": float("nan")},
            {"visitor_state": {"a": object()}},
            {"events": [{"type": "a", "data": {1j}}]},
        ):
            with pytest.raises(InvalidParameter, match="cannot be written as JSON"):
                lab.does("", **given)


class TestTheVisitor:
    def test_its_state_can_be_awaited_or_read_at_once(self, lab: Lab) -> None:
        said = lab.says(
            "const state = options.getVisitorState()\n"
            "options.log.info(state.value.country, state.value.visitorId)\n"
            "options.log.info((await state).country)\n"
            "let seen = 'not yet'\n"
            "state.then(v => { seen = v.country })\n"
            "options.log.info(seen)\n"
            "options.log.info(state.then(v => v.country).then(c => c + '!').value)\n"
            "options.log.info(state.then(() => { throw new Error('x') }).catch(e => e.message).value)\n"
            "options.log.info(await state.then(() => Promise.resolve(7)))\n"
            "options.log.info(options.getBrowserState().value.ua.deviceType)",
            visitor_state={"country": "FR"},
            browser={"ua": {"deviceType": "mobile"}},
        )

        assert said == ["FR ada", "FR", "FR", "FR!", "x", "7", "mobile"]

    def test_the_runs_visitor_wins_over_the_packages(self, lab: Lab) -> None:
        files = {
            "package.json": json.dumps({"meta": {"visitor": {"country": "FR", "visitorId": "eve"}}}),
            "variation.js": "module.exports = o => o.log.info(JSON.stringify(o.getVisitorState().value))",
        }
        report = lab.run(files, visitor=Visitor(id="bob", timezone_offset=-60))

        assert json.loads(report.log[0]["message"]) == {
            "country": "FR",
            "visitorId": "bob",
            "timezoneOffset": -60,
        }


class TestEvents:
    def test_a_listener_hears_what_is_emitted_after_it(self, lab: Lab) -> None:
        said = lab.says(
            "const { uv, log } = options\n"
            "uv.emit('sale', { n: 1 })\n"
            "const on = uv.on('sale', function (e) { log.info(e.n, e.meta.type, e.meta.ts === Date.now(), this.me) }, { me: 'I' })\n"
            "uv.emit('sale', { n: 2 })\n"
            "uv.emit('other', {})\n"
            "on.dispose()\n"
            "uv.emit('sale', { n: 3 })"
        )

        assert said == ["2 sale true I"]

    def test_replay_tells_the_past_and_once_is_once(self, lab: Lab) -> None:
        said = lab.says(
            "const { uv, log } = options\n"
            "uv.emit('a', { n: 1 }); uv.emit('b', { n: 2 })\n"
            "uv.on(/a|b/, e => log.info('all', e.n)).replay()\n"
            "uv.once('a', e => log.info('once', e.n)).replay()\n"
            "uv.emit('a', { n: 3 })",
            events=[{"type": "a", "data": {"n": 0}}],
        )

        assert said == ["all 0", "all 1", "all 2", "once 0", "all 3"]

    def test_events_lists_what_happened(self, lab: Lab) -> None:
        said = lab.says(
            "options.uv.emit('b', { n: 1 }); options.log.info(options.uv.events.map(e => e.meta.type).join())",
            events=[{"type": "a", "data": {}}],
        )

        assert said == ["a,b"]

    def test_an_event_emitted_inside_a_listener_is_queued(self, lab: Lab) -> None:
        said = lab.says(
            "const { uv, log } = options\n"
            "uv.on('a', () => { uv.emit('b'); log.info('a done') })\n"
            "uv.on('a', () => log.info('a again'))\n"
            "uv.on('b', () => log.info('b'))\n"
            "uv.emit('a')"
        )

        assert said == ["a done", "a again", "b"]

    def test_a_listener_added_inside_a_listener_does_not_hear_the_event_that_is_being_told(
        self, lab: Lab
    ) -> None:
        said = lab.says(
            "const { uv, log } = options\n"
            "uv.once('a', () => uv.on('a', e => log.info(e.n)))\n"
            "uv.emit('a', { n: 1 }); uv.emit('a', { n: 2 })"
        )

        assert said == ["2"]

    def test_a_listeners_exception_is_logged_stops_no_other_listener_and_fails_the_run(
        self, lab: Lab
    ) -> None:
        report = lab.does(
            "options.uv.on('a', () => { throw new Error('x') })\n"
            "options.uv.on('a', async () => { throw new Error('y') })\n"
            "options.uv.on('a', () => options.log.info('told'))\n"
            "options.uv.emit('a')"
        )

        assert report.outcome == "failed"
        assert [(line["logger"], line["message"]) for line in report.log] == [
            ("uv", "a listener of a threw: Error: x"),
            ("variation", "told"),
            ("uv", "a listener of a threw: Error: y"),
        ]

    def test_what_is_emitted_is_in_the_document(self, lab: Lab) -> None:
        report = lab.does("options.uv.emit('sale', { total: 5, f () {} })")

        assert report.events == [
            {"at": "2026-03-06T16:30:00.000Z", "type": "sale", "data": {"total": 5, "f": "[Function]"}}
        ]

    def test_an_event_needs_a_name_and_a_listener_a_function(self, lab: Lab) -> None:
        said = lab.says(
            "for (const f of [() => options.uv.emit(7), () => options.uv.on('a')])\n"
            "  try { f() } catch (e) { options.log.info(e.message) }"
        )

        assert said == ["uv.emit needs the name of the event, not 7", "uv.on needs a function, not undefined"]

    def test_an_event_from_outside_reaches_the_listeners(self, lab: Lab) -> None:
        run = lab.open("module.exports = o => o.uv.on('sale', e => o.log.info(e.total))")
        run.start()
        assert run.is_over
        assert run.listens

        run.receive("sale", {"total": 5})
        report = run.finish()

        assert [line["message"] for line in report.log] == ["5"]
        assert report.events == []
        run.receive("sale", {"total": 6})  # over: nobody hears it


class TestTimeAndChance:
    def test_the_clock_is_the_hosts_and_stands_still_within_a_turn(self, lab: Lab) -> None:
        said = lab.says(
            "const began = Date.now(); for (let i = 0; i < 1e5; i++);\n"
            "options.log.info(new Date().toISOString(), Date.now() - began, performance.now())\n"
            "await new Promise(r => setTimeout(r, 1500))\n"
            "options.log.info(new Date().toISOString(), performance.now(), new Date() - began)"
        )

        assert said == ["2026-03-06T16:30:00.000Z 0 0", "2026-03-06T16:30:01.500Z 1500 1500"]
        assert lab.clock.now() == NOW + timedelta(milliseconds=1500)

    def test_date_is_still_date(self, lab: Lab) -> None:
        said = lab.says(
            "const d = new Date(2026, 2, 6); class D extends Date {}\n"
            "options.log.info(d instanceof Date, d.constructor === Date, new D(0).getTime(), Date.length, Date.name,\n"
            "  Date.UTC(1970, 0), Date.parse('1970-01-01'), typeof Date(), Object.keys(Date).length)"
        )

        assert said == ["true true 0 7 Date 0 0 string 0"]

    def test_timers_fire_in_order_with_their_arguments(self, lab: Lab) -> None:
        said = lab.says(
            "const { log } = options\n"
            "setTimeout((a, b) => log.info('late', a, b), 100, 1, 2)\n"
            "setTimeout(() => log.info('soon'))\n"
            "const gone = setTimeout(() => log.info('never'), 50); clearTimeout(gone); clearTimeout(99); clearInterval()\n"
            "let n = 0; const every = setInterval(() => { log.info('tick', Date.now() % 1000); if (++n === 2) clearInterval(every) }, 30)\n"
        )

        assert said == ["soon", "tick 30", "tick 60", "late 1 2"]

    def test_an_error_in_a_timer_fails_the_run(self, lab: Lab) -> None:
        for fn in ("() =>", "async () =>"):
            problem = lab.fails(f"module.exports = () => setTimeout({fn} {{ throw new Error('x') }}, 5)")

            assert (problem.code, problem.message, problem.line) == ("script_error", "Error: x", 1)

    def test_the_same_seed_gives_the_same_chance(self, lab: Lab) -> None:
        draw = "options.log.info(Array.from({ length: 5 }, Math.random).join())"
        first, again, other = (lab.says(draw, seed=seed) for seed in (7, 7, 8))

        assert first == again != other
        assert all(0 <= float(number) < 1 for number in first[0].split(","))

    def test_without_a_seed_every_run_has_its_own_chance(self, lab: Lab) -> None:
        draw = "options.log.info(Math.random())"

        assert lab.says(draw, seed=None) != lab.says(draw, seed=None)


class TestTheEndOfARun:
    def test_a_promise_that_never_settles_is_told_about(self, lab: Lab) -> None:
        report = lab.does("await new Promise(() => {})")

        assert report.outcome == "ran"
        assert "left unsettled" in report.log[0]["message"]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("throw new Error('x')", "Error: x"),
            ("await null; throw new TypeError('x')", "TypeError: x"),
            ("return Promise.reject(new Error('x'))", "Error: x"),
            ("throw 'a text'", "a text"),
            ("throw { code: 7 }", '{"code":7}'),
            ("await Promise.reject()", "undefined"),
            ("return { then (ok, no) { no(new Error('x')) } }", "Error: x"),
        ],
    )
    def test_what_the_variation_throws_fails_the_run_and_is_logged(
        self, lab: Lab, body: str, message: str
    ) -> None:
        report = lab.does(body)

        assert report.outcome == "failed"
        assert report.error is not None
        assert report.error.code == "script_error"
        assert report.error.message.startswith(message)
        assert [(line["level"], line["message"]) for line in report.log] == [("error", message)]

    def test_a_code_of_the_authors_own_does_not_pass_for_ours(self, lab: Lab) -> None:
        problem = lab.fails(
            "module.exports = () => { throw Object.assign(new Error('x'), { code: 'limit_cpu' }) }"
        )

        assert problem.code == "script_error"

    def test_an_anonymous_run_has_no_visitor(self, lab: Lab) -> None:
        anonymous = replace(lab.visitor, id=None)

        assert lab.says("options.log.info(options.meta.visitorId)", visitor=anonymous) == ["null"]
