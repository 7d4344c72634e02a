# Guest code reads better unbroken.
"""Syntax errors: each has its place in the author's file, and says what to write."""

from collections.abc import Mapping

import pytest
from experience_runtime.running.opening import check
from experience_runtime.scripts.reading.brackets import find_unpaired
from experience_runtime.scripts.reading.code import Code
from experience_runtime.scripts.reading.source import Source

from tests.conftest import Lab

HEAD = "module.exports = function variation (options) {\n"

# text -> (line, column, a part of the message)
MISTAKES: Mapping[str, tuple[str, int, int, str]] = {
    "a brace that is not closed": (
        HEAD + "  if (true) {\n    options.log.info('x')\n}\n",
        2,
        13,
        'write "}" where it ends',
    ),
    "the last brace": (HEAD + "  options.log.info('x')\n", 1, 47, '"{" is not closed'),
    "a bracket at the very end": (HEAD + "  foo(", 2, 6, '"(" is not closed; write ")"'),
    "a brace too many": (HEAD + "  options.log.info('x')\n}\n}\n", 4, 1, '"}" closes nothing'),
    "a bracket before a statement": (
        HEAD + "  options.log.info('x'\n  var a = 1\n}\n",
        2,
        19,
        '"(" is not closed before var',
    ),
    "a bracket of another kind": (
        HEAD + "  foo([1, 2)\n}\n",
        2,
        12,
        '")" closes the "[" of line 2, column 7',
    ),
    "JSX": (HEAD + "  return <div className='a'>hello</div>\n}\n", 2, 10, "JSX is not run here"),
    "JSX as an argument": (
        HEAD + "  render('a', () => (\n    <Foo bar={1} />\n  ))\n}\n",
        3,
        5,
        "JSX is not run here",
    ),
    "a JSX fragment": (HEAD + "  return <>a</>\n}\n", 2, 10, "JSX is not run here"),
    "HTML": ("<script>\n" + HEAD + "}\n</script>\n", 1, 1, "this is HTML"),
    "a merge left unfinished": (
        "<<<<<<< HEAD\n" + HEAD + "}\n=======\n",
        1,
        1,
        "a merge was left unfinished",
    ),
    "an export list": (
        "const a = 1\nexport { a, b as c }\n" + HEAD + "}",
        2,
        1,
        "one function, by default; write: export default a",
    ),
    "export const": ("export const a = 1\n" + HEAD + "}", 1, 1, "write: export default 1"),
    "export function": (
        "  export async function a () {}\n",
        1,
        3,
        "write: export default async function a () {}",
    ),
    "await in a function that is not async": (
        HEAD + "  const a = await options.foo()\n}\n",
        2,
        13,
        "write async before that function",
    ),
    "await in a callback": (
        "module.exports = async function (options) {\n  [1].forEach(x => { await options.foo() })\n}\n",
        2,
        22,
        "write async before",
    ),
    "a reserved word": (HEAD + "  var class = 1\n}\n", 2, 7, '"class" is a word of the language'),
    "a reserved word of a const": (HEAD + "  const enum = 1\n}\n", 2, 9, "write enumName"),
    "typographic quotes": (
        HEAD + "  options.log.info(‘x’)\n}\n",
        2,
        20,
        "‘ is a typographic quote, which programs cannot read; write '",
    ),
    "typographic double quotes": (
        HEAD + "  options.log.info(“x”)\n}\n",
        2,
        20,
        'typographic quote, which programs cannot read; write "',
    ),
    "a typographic dash": (
        HEAD + "  a = 1 – 2\n}\n",
        2,
        9,
        "typographic dash, which programs cannot read; write -",
    ),
    "a zero-width space": (HEAD + "  a = \u200b2\n}\n", 2, 7, "ZERO WIDTH SPACE cannot stand here"),
    "a text without an end": (HEAD + "  var a = 'abc\n  return a\n}\n", 2, 11, "write ' where it ends"),
    "an apostrophe": (HEAD + "  var a = 'it's'\n}\n", 2, 14, "write \\' for one inside it"),
    "a template without an end": (HEAD + "  var a = `abc\n  return a\n}\n", 2, 11, "write ` where it ends"),
    "a comment without an end": (HEAD + "  /* abc\n  return a\n}\n", 2, 3, "write */ where it ends"),
    "a regular expression without an end": (
        HEAD + "  var a = /abc\n  return a\n}\n",
        2,
        11,
        "write / where it ends",
    ),
    "a missing comma": (
        HEAD + "  var a = {\n    b: 1\n    c: 2\n  }\n}\n",
        4,
        5,
        'a comma or "}" is missing before this',
    ),
    "TypeScript": ("module.exports = function (options: Options) {}\n", 1, 35, "TypeScript's types"),
    "a name declared twice": (
        HEAD + "  let a = 1\n  let a = 2\n}\n",
        3,
        3,
        '"a" is declared twice; drop this let',
    ),
    "a parameter declared again": (
        HEAD + "  const options = { delay: 1 }\n}\n",
        2,
        3,
        "or run with --repair",
    ),
    "a parameter declared again by another value": (
        HEAD + "  const options = other\n}\n",
        2,
        3,
        "Write: const scheduleOptions = other  (and use that name below)",
    ),
    "a parameter of an arrow function": (
        "module.exports = (o) => {\n  let o = 1\n}\n",
        2,
        3,
        "Write: let ownO = 1  (and",
    ),
    "a private name": (HEAD + "  this.#a = 1\n}\n", 2, 8, "#a is declared in no class"),
    "something else": (HEAD + "  1 = 2\n}\n", 2, 7, "invalid assignment left-hand side; look at this place"),
}


@pytest.mark.parametrize(("text", "line", "column", "part"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_syntax_error_has_its_place_and_says_what_to_write(
    lab: Lab, text: str, line: int, column: int, part: str
) -> None:
    problem = check(lab.bundle(text), lab.pool)

    assert problem is not None
    assert (problem.code, problem.file) == ("syntax_error", "variation.js")
    assert part in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_running_says_the_same_as_checking(lab: Lab) -> None:
    text = MISTAKES["JSX"][0]

    assert lab.fails(text) == check(lab.bundle(text), lab.pool)


def test_a_syntax_error_below_an_export_default_is_at_its_own_column(lab: Lab) -> None:
    problem = lab.fails("export default function (options) { const options = 1 }")

    assert (problem.line, problem.column) == (1, 37)
    assert "Write: const scheduleOptions = 1 " in problem.message


def test_columns_count_characters_and_not_bytes(lab: Lab) -> None:
    problem = lab.fails(HEAD + "  var é = 'ü日'; var class = 1\n}\n")

    assert (problem.line, problem.column) == (2, 21)


@pytest.mark.parametrize(
    "text", ["`${" * 5000, "`${`" * 5000 + "`}" * 5000, "[" * 5000, "({" * 5000, "a(" * 200_000]
)
def test_brackets_and_templates_may_nest_as_deep_as_they_like(lab: Lab, text: str) -> None:
    problem = lab.fails(text)

    assert problem.code in ("syntax_error", "script_error", "limit_cpu", "limit_memory")


@pytest.mark.parametrize("text", ["{ [ ( ) ] }", "'('", "`${'}'}`", "/[(]/", "// (", 'a ? `(` : "["'])
def test_brackets_that_pair_are_no_mistake(text: str) -> None:
    assert find_unpaired(Code(Source("variation.js", "variation", text)).code) is None
