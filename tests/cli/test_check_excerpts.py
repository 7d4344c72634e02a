"""What the command line shows of a mistake: file, line, column, and the line with a caret."""

from pathlib import Path

import pytest

from .conftest import CommandLine, variation, write


def test_check_shows_each_problem_with_its_line_and_a_caret(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("slack.schedule('x', { dely: '1h' })"))

    said = cli("check", "my")

    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith(
        'variation.js:3:25: invalid_parameter: option "dely" is not known; did you mean'
    )
    assert lines[1:] == ["      slack.schedule('x', { dely: '1h' })", " " * 28 + "^"]


@pytest.mark.parametrize("verb", ["run", "simulate", "check"])
def test_every_verb_shows_the_same_excerpt(cli: CommandLine, verb: str) -> None:
    write(Path("my/variation.js"), variation("return <div />"))

    said = cli(verb, "my")

    assert said.code == 1
    assert "variation.js:3:10: syntax_error: JSX is not run here" in said.out + said.err
    assert "      return <div />\n" + " " * 13 + "^\n" in said.out + said.err


@pytest.mark.parametrize("verb", ["run", "simulate"])
def test_a_thrown_error_is_shown_where_it_stands(cli: CommandLine, verb: str) -> None:
    write(Path("my/variation.js"), variation("document.body"))

    said = cli(verb, "my")

    assert (
        "variation.js:3:3: script_error: ReferenceError: document is not defined: there is no page"
        in said.err
    )
    assert "      document.body\n      ^\n" in said.err


def test_the_caret_stands_below_wide_characters_and_tabs(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("\tconst a = '日本'; const new = 1"))

    said = cli("check", "my")

    line, caret = said.out.splitlines()[1:3]
    assert "variation.js:3:26: " in said.out
    # each of the two characters fills two cells
    assert caret.index("^") == line.index("new") + 2


def test_a_long_line_is_cut_around_the_mistake(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("a();" * 5000 + "var new = 1;" + "b();" * 5000))

    line, caret = cli("check", "my").out.splitlines()[1:3]

    assert len(line) < 120
    assert line[caret.index("^") :].startswith("new = 1;")
    assert line.strip().startswith("…")
    assert line.endswith("…")


def test_a_package_json_is_shown_too(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation(""))
    write(Path("my/package.json"), '{\n  "meta": 3\n}')

    said = cli("check", "my")

    assert "package.json:2:11: invalid_parameter: meta 3 is not an object" in said.out
    assert '      "meta": 3\n' + " " * 14 + "^\n" in said.out
    assert cli("run", "my").code == 0

    write(Path("my/package.json"), '{\n  "meta" 3\n}')
    for verb in ("check", "run", "simulate"):
        said = cli(verb, "my")
        assert '      "meta" 3\n' + " " * 13 + "^\n" in said.out + said.err


def test_one_broken_file_hides_no_other(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("const a = ;"))
    write(Path("my/triggers.js"), "module.exports = (options, cb) => { cb( }")
    write(Path("my/utils.js"), "exports.a = options => options.integration('nowhere')")

    problems = cli("check", "my", "--json").document["problems"]

    assert [(each["code"], each["file"], each["line"]) for each in problems] == [
        ("syntax_error", "variation.js", 3),
        ("syntax_error", "triggers.js", 1),
        ("unknown_integration", "utils.js", 1),
    ]


def test_a_problem_without_a_line_names_its_file(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("let x = 1; if (x) throw x; throw x"))

    said = cli("run", "my")

    assert "variation.js: script_error: 1 was thrown, which is no Error" in said.err
