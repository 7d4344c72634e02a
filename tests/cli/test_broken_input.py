"""Whatever a person hands in, the answer is a sentence and an exit code, never a stack trace."""

import os
import sys
from pathlib import Path

import pytest

from .conftest import CommandLine, variation, write


@pytest.mark.parametrize(
    ("database", "part"),
    [
        ("x.db", "sqlite:///x.db"),
        ("sqlite://x.db", "sqlite:///"),
        ("sqlite:///", "sqlite:///experience.db"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///text.db", "not a SQLite database"),
        ("sqlite:///folder", "cannot be opened"),
        ("sqlite:///gone/x.db", "folder must exist"),
        ("sqlite:////proc/x.db", "writable"),
        ("sqlite:///a\x00b.db", "a"),
        ("mysql://u:s3cr3tpw@host/db", "sqlite:///"),
        ("postgresql://u:s3cr3tpw@127.0.0.1:9/db", "is the server up"),
        ("env:NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE"),
    ],
)
@pytest.mark.parametrize("verb", [("executions", "list"), ("convert", "v1")])
def test_a_bad_database_is_refused(cli: CommandLine, database: str, part: str, verb: tuple[str, ...]) -> None:
    write(Path("text.db"), "this is a text and no database " * 100)
    Path("folder").mkdir()

    said = cli(*verb, "--database", database, "--json")

    assert part in said.refusal["message"]
    assert "s3cr3tpw" not in said.out + said.err


def test_another_programs_database_is_left_alone(cli: CommandLine) -> None:
    import apsw

    connection = apsw.Connection("other.db")
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()

    assert (
        "another program"
        in cli("convert", "v", "--database", "sqlite:///other.db", "--json").refusal["message"]
    )


def test_doctor_finds_a_bad_database(cli: CommandLine) -> None:
    said = cli("doctor", "--database", "sqlite:///gone/x.db", "--json")

    assert said.code == 1
    assert [check["name"] for check in said.document["checks"] if not check["ok"]] == ["database"]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("database = [", "not TOML"),
        ("databse = 'sqlite:///x.db'", '"database"'),
        ("database = 3", "must be a string"),
        ("conversions = 'x'", "list of strings"),
        ("integrations = 'https://hooks.example.com/s3cr3tpath'", "must be a table"),
        ("[outbound]\nallow_private = ['127.0.0.1/8']", "127.0.0.0/8"),
        ("[outbound]\nallow_privat = []", "allow_private"),
        ("integrations_dir = 'nowhere'", "nowhere"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_broken_settings_are_refused(cli: CommandLine, content: str | bytes, part: str) -> None:
    write(Path("experience.toml"), content)

    said = cli("integrations", "list", "--json")

    assert part in said.refusal["message"]
    assert "s3cr3tpath" not in said.out + said.err


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("def (", "SyntaxError"),
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("raise SystemExit(0)", "SystemExit"),
        ("x = 1", "no integration"),
        (
            "from experience_runtime.integration import Integration\n"
            "class A(Integration):\n    name = 'slack-update'\n    def call(self, payload, context): ...\n",
            "two integrations",
        ),
        (
            "from experience_runtime.integration import Integration\nclass A(Integration):\n    name = 'a'\n",
            "call",
        ),
    ],
)
def test_a_broken_integration_file_is_told_and_holds_up_no_other(
    cli: CommandLine, code: str, part: str
) -> None:
    write(Path("mine/a.py"), code)

    listed = cli.json("integrations", "list", "--integrations", "mine")["integrations"]

    (broken,) = [each for each in listed if each["broken"]]
    assert part in broken["why"]
    assert "a.py" in broken["why"]
    assert len(listed) > 1


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "module_not_found"),
        ({"readme.txt": "hello"}, "module_not_found"),
        ({"variation.js": b"\xff\xfe"}, "syntax_error"),
        ({"variation.js": "let a = 1\nlet a = 2"}, "syntax_error"),
        ({"variation.js": "", "triggers.js": "module.exports = ("}, "syntax_error"),
        ({"variation.js": "", "package.json": "{"}, "syntax_error"),
        ({"variation.js": "", "package.json": b"\xff"}, "syntax_error"),
        ({"variation.js": "", "package.json": b"[" * 100_000}, "syntax_error"),
        ({"variation.js": "x" * 1_100_000}, "syntax_error"),
    ],
)
def test_a_broken_experience_is_a_problem_of_check_and_exit_code_1_of_run(
    cli: CommandLine, files: dict[str, str | bytes], code: str
) -> None:
    Path("my").mkdir()
    for name, content in files.items():
        write(Path("my") / name, content)

    check = cli("check", "my", "--json")
    others = [cli(verb, "my", "--json") for verb in ("run", "simulate")]

    assert check.code == 1
    assert [problem["code"] for problem in check.document["problems"]] == [code]
    for said in others:
        assert said.code == 1
        assert said.document["experience"] == "my"
        assert said.document["outcome"] == "failed"
        assert said.document["error"]["code"] == code
        assert said.err == ""
    for verb in ("run", "simulate"):
        assert code in cli(verb, "my").err


@pytest.mark.parametrize(
    "package", ["[]", "3", '{"meta": 3}', '{"meta": {"qfns": "x", "visitor": 3, "variations": []}}']
)
def test_an_odd_package_json_does_not_stop_a_run(cli: CommandLine, package: str) -> None:
    write(Path("my/variation.js"), variation(""))
    write(Path("my/package.json"), package)

    assert cli.json("run", "my")["outcome"] == "ran"


@pytest.mark.parametrize("name", ["with space", "émile-日本", "my.exp", "-dash", "quote'\"", "semi;colon"])
def test_any_folder_name_is_a_path(cli: CommandLine, name: str) -> None:
    write(Path(name) / "variation.js", variation("return slack.schedule('hi', {delay: '1h'})"))

    document = cli(
        "run", "--visitor", "v", "--json", "--database", f"sqlite:///{name}/e.db", "--", name
    ).document

    assert document["experience"] == name
    assert (Path(name) / "e.db").exists()
    assert cli("check", "--", name).code == 0


def test_a_failed_experience_is_named_by_its_folder(cli: CommandLine) -> None:
    Path("my.exp").mkdir()

    assert cli("run", "my.exp", "--json").document["experience"] == "my.exp"


def test_a_pipe_is_not_read(cli: CommandLine) -> None:
    os.mkfifo("pipe.js")

    said = cli("check", "pipe.js", "--json")

    assert said.code == 1
    assert said.document["problems"][0]["code"] == "module_not_found"


def test_what_stands_in_comments_and_texts_is_no_call(cli: CommandLine) -> None:
    code = """// options.integration('one')
/* options.integration("two") */
const text = "it's options.integration('three')"; const re = /'/
const called = options.integration( `four` )
"""
    write(Path("my/variation.js"), f"module.exports = (options) => {{\n{code}}}\n")

    problems = cli("check", "my", "--json").document["problems"]

    assert [(problem["code"], problem["line"]) for problem in problems] == [("unknown_integration", 5)]
    assert '"four"' in problems[0]["message"]


def test_windows_is_told_what_it_needs(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    said = cli("worker")

    assert said.code == 1
    assert "run it in WSL2, or in a container" in said.err
    assert cli("--help").code == 0
