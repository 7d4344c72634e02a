"""What browsers have beside the language, compared with node; and chance that is the run's own."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.conftest import Lab
from tests.support.needs import lacking

PROGRAM = (Path(__file__).parent / "web.js").read_text(encoding="utf-8")


def test_it_is_what_node_says(lab: Lab) -> None:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: there is nothing to compare with")
    program = f"{PROGRAM}\nconsole.log(JSON.stringify(told()))"
    done = subprocess.run([node, "-e", program], capture_output=True, check=True)

    report = lab.run(f"{PROGRAM}\nmodule.exports = o => told().forEach(line => o.log.info(line))")

    assert report.outcome == "ran", report.error
    assert [line["message"] for line in report.log] == json.loads(done.stdout)


def test_chance_is_the_seeds(lab: Lab) -> None:
    body = "options.log.info(crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).join())"

    assert lab.says(body, seed=7) == lab.says(body, seed=7)
    assert lab.says(body, seed=7) != lab.says(body, seed=8)


def test_all_of_console_is_the_log_and_ends_nothing(lab: Lab) -> None:
    report = lab.does(
        "console.group('basket'); console.table([{ a: 1 }]); console.dir({ b: 2 }); console.groupEnd()\n"
        "console.assert(1 === 1, 'fine'); console.assert(1 === 2, 'wrong', 3)\n"
        "console.count(); console.count(); console.time('t'); console.timeEnd('t'); console.timeEnd('t')\n"
        "console.countReset(); console.count()\n"
        "console.clear(); console.profile(); console.timeStamp()\n"
        "console.warn('%s has %d of %i%%', 'ada', 2.5, -7.9, 'left')\n"
        "console.log('%c%j %s', 'color: red', [1]); console.log('5%', 1)"
    )

    assert report.outcome == "ran", report.error
    assert [(line["level"], line["message"]) for line in report.log] == [
        ("info", "basket"),
        ("info", '[{"a":1}]'),
        ("info", '{"b":2}'),
        ("error", "Assertion failed: wrong 3"),
        ("info", "default: 1"),
        ("info", "default: 2"),
        ("info", "t: 0 ms"),
        ("info", "t: no such timer"),
        ("info", "default: 1"),
        ("warn", "ada has 2.5 of -7% left"),
        ("info", "[1] %s"),
        ("info", "5% 1"),
    ]


def test_what_a_listener_throws_stops_no_other_and_fails_the_run(lab: Lab) -> None:
    report = lab.does(
        "const target = new EventTarget()\n"
        "target.addEventListener('a', () => { throw new Error('x') })\n"
        "target.addEventListener('a', () => options.log.info('the other'))\n"
        "target.dispatchEvent(new Event('a'))"
    )

    assert report.outcome == "failed"
    assert report.error is not None
    assert (report.error.message, report.error.line) == ("Error: x", 3)
    assert [line["message"] for line in report.log] == ["a listener of a threw: Error: x", "the other"]
