"""URL and URLSearchParams say what node says; a guest that poisons the language changes none of it."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.conftest import Lab
from tests.support.needs import lacking

PROGRAM = (Path(__file__).parent / "url.js").read_text(encoding="utf-8")


def test_they_say_what_node_says(lab: Lab) -> None:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: there is nothing to compare with")
    program = f"{PROGRAM}\nconsole.log(JSON.stringify(told()))"
    expected = json.loads(subprocess.run([node, "-e", program], capture_output=True, check=True).stdout)

    report = lab.run(
        f"{PROGRAM}\nmodule.exports = o => {{ const all = told()\n"
        "for (let n = 0; n < all.length; n += 20) o.log.info(JSON.stringify(all.slice(n, n + 20))) }"
    )

    assert report.outcome == "ran", report.error
    ours = [line for each in report.log for line in json.loads(each["message"])]
    wrong = [(mine, theirs) for mine, theirs in zip(ours, expected, strict=True) if mine != theirs]
    print(f"{len(ours)} lines: {len(wrong)} differ")
    assert wrong == []


def test_what_is_no_address_is_said_with_what_to_write(lab: Lab) -> None:
    problem = lab.fails("module.exports = () => new URL('shop.example/a')")

    assert problem.message == (
        'TypeError: Invalid URL: "shop.example/a" is no whole address; '
        "write it with its scheme, such as https://"
    )
    assert (problem.line, problem.column) == (1, 28)


def test_what_a_guest_hangs_on_the_language_changes_no_address(lab: Lab) -> None:
    body = (
        "Object.prototype.host = Object.prototype.pairs = 'x'\n"
        "String.prototype.slice = String.prototype.indexOf = String.prototype.split = () => 'y'\n"
        "RegExp.prototype.exec = RegExp.prototype.test = () => null\n"
        "Object.defineProperty(Array.prototype, '0', { set () { throw new Error('seen') } })\n"
        "Array.prototype.push = () => { throw new Error('seen') }\n"
        "const url = new URL('/b?c=1', 'https://Ä.example:443/a'); url.searchParams.append('d', 'é')\n"
        "options.log.info(url.href)"
    )

    assert lab.says(body) == ["https://xn--4ca.example/b?c=1&d=%C3%A9"]
