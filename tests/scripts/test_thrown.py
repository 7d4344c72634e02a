# Guest code reads better unbroken.
# ruff: noqa: E501
"""What a run ends with: every kind of thrown value, with its place and what to do."""

from collections.abc import Mapping

import pytest
from experience_runtime.scripts.names import OPTIONS_MEMBERS, PAGE_NAMES

from tests.conftest import Lab

HEAD = "module.exports = async function variation (options) {\n  "
NO_ERROR = "was thrown, which is no Error; write throw new Error('…')"
HOSTILE = "const e = new Error('x'); for (const name of ['name', 'message', 'stack', 'code']) Object.defineProperty(e, name, { get () { missing() } }); throw e"

# body -> (line, column, parts of the message)
THROWN: Mapping[str, tuple[str, int | None, int | None, tuple[str, ...]]] = {
    "null": ("throw null", 2, 3, ("null ", NO_ERROR)),
    "undefined": ("throw undefined", 2, 3, ("undefined ", NO_ERROR)),
    "a number": ("throw 42", 2, 3, ("42 ", NO_ERROR)),
    "a text": ("throw 'half'", 2, 3, ("half ", NO_ERROR)),
    "an empty text": ("throw ''", 2, 3, ("an empty text ", NO_ERROR)),
    "a BigInt": ("throw 10n", 2, 3, ("10n ", NO_ERROR)),
    "a Symbol": ("throw Symbol('s')", 2, 3, ("a Symbol ", NO_ERROR)),
    "a function": ("throw () => {}", 2, 3, ("[Function] ", NO_ERROR)),
    "a list": ("throw [1, 2]", 2, 3, ("[1,2] ", NO_ERROR)),
    "an object with a message": (
        "throw { message: 'plain', code: 5 }",
        2,
        3,
        ('"message":"plain"', NO_ERROR),
    ),
    "a frozen object": ("throw Object.freeze({ message: 'cold' })", 2, 3, ('"message":"cold"', NO_ERROR)),
    "an object whose getter throws": (
        "throw { get message () { missing() } }",
        2,
        3,
        ("a value that cannot be read ", NO_ERROR),
    ),
    "a Proxy": (
        "throw new Proxy({}, { get () { missing() }, ownKeys () { missing() } })",
        2,
        3,
        ("a value that cannot be read ", NO_ERROR),
    ),
    "a Proxy of an Error": (
        "throw new Proxy(new Error('x'), { getPrototypeOf () { missing() } })",
        2,
        3,
        ("a value that cannot be read ",),
    ),
    "an Error": ("throw new Error('x')", 2, 13, ("Error: x",)),
    "an Error with a cause": ("throw new TypeError('x', { cause: 1 })", 2, 13, ("TypeError: x",)),
    "an Error of a class": (
        "class Mine extends Error { constructor (m) { super(m); this.name = 'Mine' } }\n  throw new Mine('x')",
        3,
        13,
        ("Mine: x",),
    ),
    "an Error of a class without a constructor": (
        "class Mine extends Error {}\n  throw new Mine('x')",
        3,
        13,
        ("Error: x",),
    ),
    "a hostile Error": (HOSTILE, 2, 17, ("Error: (its message cannot be read)",)),
    "an Error of odd parts": (
        "const e = new Error('x'); e.name = {}; e.message = []; throw e",
        2,
        17,
        ("Error",),
    ),
    "an Error that forges its stack": (
        "const e = new Error('x'); e.stack = '    at f (<input>:2001:1)'; throw e",
        2,
        17,
        ("Error: x",),
    ),
    "a promise that is returned": ("return Promise.reject(new Error('x'))", 2, 29, ("Error: x",)),
    "a promise of no Error": ("return Promise.reject(3)", 2, 10, ("3 ", NO_ERROR)),
    "one of two throws, told by its value": ("if (!options) throw 'a'\n  throw 'b'", 3, 3, ("b ", NO_ERROR)),
    "one of two throws of one value": ("if (!options) throw 'a'\n  throw 'a'", None, None, ("a ", NO_ERROR)),
    "one of two throws of any value": (
        "const a = 1; if (!options) throw a\n  throw a",
        None,
        None,
        ("1 ", NO_ERROR),
    ),
    "a rejection that nobody can see": (
        "await new Promise((resolve, no) => no(7)); throw 7",
        None,
        None,
        ("7 ", NO_ERROR),
    ),
    "a name that is not there": (
        "optoins.log.info('x')",
        2,
        3,
        ("optoins is not defined: did you mean options?",),
    ),
    "a name nothing is like": ("zebra()", 2, 3, ("zebra is not defined: declare it",)),
    "a file for a loader of pages": (
        "define([], () => {})",
        2,
        3,
        ("let the compiler or bundler write its form",),
    ),
    "a name used too early": (
        "later; const later = 1",
        2,
        3,
        ("later is not initialized yet: it is used above the line",),
    ),
    "a const that is changed": (
        "const a = 1; a = 2",
        2,
        16,
        ("'a' is read-only: it is a const; declare it with let",),
    ),
    "a mistyped member of options": (
        "options.integraton('echo')",
        2,
        11,
        ("options.integraton is not a function", "did you mean options.integration?"),
    ),
    "a member options has not": (
        "options.api.get('x')",
        2,
        3,
        ("options has no api; it has integration, log",),
    ),
    "a mistyped verb": (
        "const echo = options.integration('echo'); echo.shedule(1, {})",
        2,
        50,
        ("echo.shedule is not a function; did you mean schedule?",),
    ),
    "a value that is not there": (
        "options.data.basket.total",
        2,
        3,
        ("cannot read property 'total' of undefined: look whether",),
    ),
    "a function that calls itself": (
        "const f = () => f()\n  f()",
        2,
        19,
        ("Maximum call stack size exceeded; a function calls itself",),
    ),
    "an integration that is not linked": (
        "options.integration('ehco')",
        2,
        11,
        ("is not linked to this experience; link it in meta.qfns",),
    ),
    "a module that is not there": ("require('lodash')", 2, 3, ("lodash", "can require")),
    "a file that is not there": ("require('./utilz')", 2, 3, ("./utilz", "can require")),
    "a refused call": (
        "await options.integration('echo').schedule(1, { dely: 1 })",
        2,
        51,
        ('option "dely" is not known; did you mean "delay"?',),
    ),
    "a refused call that is returned": (
        "return options.integration('echo').schedule(1, { delay: 'soon' })",
        2,
        59,
        ('delay "soon" is not a duration; write',),
    ),
    "a call that fails": ("await options.integration('broken')({})", 2, 17, ("503",)),
    "the page": (
        "document.querySelector('a')",
        2,
        3,
        ("document is not defined: there is no page here; take", "options.data"),
    ),
    "the page through window": (
        "window.location.href",
        2,
        3,
        ("location: there is no browser here; use options.getBrowserState()",),
    ),
    "jQuery": ("jQuery('a')", 2, 3, ("jQuery is not defined: there is no page here",)),
    "$": ("$('a')", 2, 3, ("$ is not defined: there is no page here",)),
    "the browser": ("navigator.userAgent", 2, 3, ("navigator is not defined: there is no browser here",)),
    "a store": ("localStorage.getItem('a')", 2, 3, ("use options.cookies, or options.state",)),
    "fetch": (
        "await fetch('https://example.com')",
        2,
        9,
        ("fetch is not defined: nothing leaves from here; call options.integration('webhook')",),
    ),
    "XMLHttpRequest": ("new XMLHttpRequest()", 2, 7, ("nothing leaves from here",)),
}


@pytest.mark.parametrize(("body", "line", "column", "parts"), THROWN.values(), ids=THROWN.keys())
def test_a_thrown_value_has_its_place_and_says_what_to_do(
    lab: Lab, body: str, line: int | None, column: int | None, parts: tuple[str, ...]
) -> None:
    problem = lab.fails(HEAD + body + "\n}\n")

    assert all(part in problem.message for part in parts), problem.message
    assert problem.file == "variation.js"
    assert (problem.line, problem.column) == (line, column)


def test_a_thrown_primitive_of_triggers_names_their_file(lab: Lab) -> None:
    problem = lab.fails(
        {"variation.js": "", "triggers.js": "module.exports = (options, cb) => {\n  throw 1\n}"}
    )

    assert (problem.file, problem.line, problem.column) == ("triggers.js", 2, 3)


def test_a_thrown_primitive_may_come_from_any_file(lab: Lab) -> None:
    problem = lab.fails(
        {
            "variation.js": "module.exports = () => require('./utils')()",
            "utils.js": "module.exports = () => {\n  throw null\n}",
        }
    )

    assert (problem.file, problem.line, problem.column) == ("utils.js", 2, 3)


def test_a_timer_that_throws_has_its_place(lab: Lab) -> None:
    problem = lab.fails(HEAD + "setTimeout(() => { throw 7 }, 1)\n}")

    assert (problem.file, problem.line, problem.column) == ("variation.js", 2, 22)


def test_a_caught_refusal_has_the_authors_line_in_its_stack(lab: Lab) -> None:
    (stack,) = lab.says(
        "try {\n  await echo.schedule(1, { delay: 'soon' })\n} catch (error) { options.log.info(error.stack) }"
    )

    assert "variation (variation.js:3:" in stack
    assert "<input>" not in stack


def test_a_logged_refusal_keeps_the_authors_line(lab: Lab) -> None:
    report = lab.does(
        "\nawait echo.schedule(1, { delay: 'soon' }).catch(error => options.log.error('no', error))"
    )

    (line,) = [line for line in report.log if line["logger"] == "variation"]
    assert "variation (variation.js:3:" in line["metadata"]["stack"]


def test_looking_for_the_page_finds_nothing_and_breaks_nothing(lab: Lab) -> None:
    names = ["document", "navigator", "jQuery", "$", "localStorage", "XMLHttpRequest", "fetch"]

    said = lab.says(f"options.log.info({', '.join(f'typeof {name}' for name in names)})")

    assert said == [" ".join(["undefined"] * len(names))]


def test_every_name_that_advice_calls_missing_is_missing(lab: Lab) -> None:
    names = ", ".join(f"typeof {name}" for name in PAGE_NAMES)

    assert set(lab.says(f"options.log.info({names})")[0].split()) == {"undefined"}


def test_every_member_that_advice_knows_is_there(lab: Lab) -> None:
    report = lab.does(
        "const names = new Set(); for (const n in options) names.add(n)\n"
        f"for (const n of {list(OPTIONS_MEMBERS)}) if (!(n in options)) options.log.info(n)"
    )

    assert [line["message"] for line in report.log if line["logger"] == "variation"] == []


def test_a_loop_says_that_its_place_is_near(lab: Lab) -> None:
    problem = lab.fails(HEAD + "const f = () => {\n    for (;;) {}\n  }\n  f()\n}")

    assert (problem.code, problem.file) == ("limit_cpu", "variation.js")
    assert problem.message.endswith(f", in or after line {problem.line}")


def test_a_long_line_and_a_long_log_cost_the_host_little(lab: Lab) -> None:
    problem = lab.fails(HEAD + "/* " + "x(" * 300_000 + " */ null.x\n}")

    assert problem.line == 2


def test_a_parameter_under_another_name_is_told(lab: Lab) -> None:
    problem = lab.fails("module.exports = o => {\n  options.log.info('x')\n}")

    assert "options is not defined: it is the first parameter of the exported function" in problem.message
    assert (problem.line, problem.column) == (2, 3)


@pytest.mark.parametrize(
    "body",
    ["options.missing()", "null.x", "options()", "const a = 'ö'; a.b.c()", "throw Error('x')", "nothing()"],
)
def test_the_first_line_of_a_file_has_the_columns_of_every_other(lab: Lab, body: str) -> None:
    text = f"module.exports = options => {{ {body} }}"

    first, second = lab.fails(text), lab.fails("\n" + text)

    assert (first.line, second.line) == (1, 2)
    assert first.column == second.column
    assert first.message == second.message


def test_the_stack_that_an_author_reads_has_the_places_of_the_file(lab: Lab) -> None:
    (said,) = lab.says("options.log.info(JSON.stringify(new Error('x').stack.split('\\n')[0]))")

    assert said.endswith(':37)"')
