"""Using it right and wrong: help, hints, exit codes, and where an option's value comes from."""

from pathlib import Path

import pytest
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.store.opening import open_sqlite

from .conftest import CommandLine, variation, write

VERBS = [
    ("run",), ("simulate",), ("check",), ("explain",), ("worker",), ("convert",), ("doctor",),
    ("executions",), ("executions", "list"), ("executions", "show"), ("executions", "cancel"),
    ("integrations",), ("integrations", "list"), ("integrations", "check"), ("integrations", "call"), (),
    ("serve",), ("tokens",), ("tokens", "create"), ("tokens", "list"), ("tokens", "revoke"),
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_shows_examples(cli: CommandLine, verb: tuple[str, ...]) -> None:
    said = cli(*verb, "--help")

    assert said.code == 0
    assert "Example" in said.out
    assert " ".join(("experience", *verb)) in said.out.partition("Example")[2]


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in ((), ("executions",), ("integrations",), ("tokens",))]
)
def test_every_verb_has_the_options_that_stand_everywhere(cli: CommandLine, verb: tuple[str, ...]) -> None:
    text = cli(*verb, "--help").out

    assert all(option in text for option in ("--database", "--integrations", "--config", "--json"))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("rnu", "x"), "did you mean run"),
        (("executions", "lst"), "did you mean list"),
        (("nothinglikeit",), "there are new, run, simulate"),
        (("run", ".", "--vistor", "v1"), "--visitor"),
        (("explain", "--dealy", "1h"), "--delay"),
        (("executions", "list", "--statsu", "pending"), "--status"),
        (("executions", "list", "--status", "done"), "succeeded"),
        (("executions", "list", "--limit", "0"), "1<=x<=1000"),
        (("executions", "show"), "ID"),
        (("run",), "PATH"),
        (("run", "nowhere"), "nowhere"),
        (("run", ".", "--timezone-offset", "soon"), "soon"),
        (("worker", "--concurrency", "0"), "--concurrency"),
        (("--database", "sqlite:///x.db", "executions", "list"), "after the command"),
        (("executions", "--json", "list"), "after the command"),
    ],
)
def test_wrong_use_ends_with_2_and_a_hint(cli: CommandLine, words: tuple[str, ...], hint: str) -> None:
    said = cli(*words)

    assert said.code == 2
    assert hint in said.err
    if "--json" in words:
        assert hint in said.refusal["message"]
    else:
        assert said.out == ""
        assert hint in cli(*words, "--json").refusal["message"]


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("run", "x", "--timezone", "Mars/Base"), "invalid_window", ["Mars/Base", "IANA", "Europe/Paris"]),
        (("simulate", "x", "--timezone", "Mars/Base"), "invalid_window", ["Mars/Base", "IANA"]),
        (
            ("run", "x", "--visitor", "v", "--timezone-offset", "841"),
            "invalid_window",
            ["841", "-840 to 840"],
        ),
        (("simulate", "x", "--timezone-offset", "841"), "invalid_window", ["841", "-840 to 840"]),
        (("run", "x", "--visitor", ""), "invalid_parameter", ["1 to 200"]),
        (("run", "x", "--visitor", "a\x1b[31m"), "invalid_parameter", ["control character"]),
        (("run", "x", "--data", "none.json"), "invalid_parameter", ["none.json", "name a JSON file"]),
        (("run", "x", "--data", "."), "invalid_parameter", ["cannot be read"]),
        (("run", "x", "--data", "bad.json"), "invalid_parameter", ["bad.json", "not JSON", "line 1"]),
        (("run", "x", "--data", "bytes.json"), "invalid_parameter", ["bytes.json"]),
        (("run", "x", "--data", "nan.json"), "invalid_parameter", ["nan.json", "NaN"]),
        (("simulate", "x", "--at", "tomorrow"), "invalid_time", ["tomorrow", "ISO 8601"]),
        (("simulate", "x", "--for", "ages"), "invalid_delay", ["ages"]),
        (("executions", "show", "nope"), "unknown_execution", ["nope", "looks like ex_"]),
        (("executions", "show", "ex_0bb6rczg0ryj5"), "unknown_execution", ["ex_0bb6rczg0ryj5"]),
        (("executions", "cancel", "ex_0bb6rczg0ryj5"), "unknown_execution", ["ex_0bb6rczg0ryj5"]),
        (("executions", "list", "--cursor", "zz"), "invalid_parameter", ["zz", "cursor"]),
        (("convert", ""), "invalid_parameter", ["1 to 200"]),
        (("integrations", "check", "slak-update"), "unknown_integration", ["slak-update", "slack-update"]),
        (("integrations", "call", "slak-update", "{}"), "unknown_integration", ["did you mean"]),
        (("integrations", "call", "slack-update", "{"), "invalid_payload", ["not JSON"]),
        (("integrations", "call", "slack-update", "3"), "invalid_payload", ["3", "message"]),
        (("integrations", "call", "slack-update", '"hi"'), "not_configured", ["url", "slack-update"]),
        (("doctor", "--config", "none.toml"), "invalid_parameter", ["none.toml"]),
        (("doctor", "--integrations", "none"), "invalid_parameter", ["none"]),
    ],
)
def test_a_refused_verb_ends_with_2_and_its_code(
    cli: CommandLine, words: tuple[str, ...], code: str, parts: list[str]
) -> None:
    write(Path("x/variation.js"), variation(""))
    write(Path("bad.json"), "{")
    write(Path("bytes.json"), b"\xff\xfe")
    write(Path("nan.json"), '{"a": NaN}')

    said = cli(*words, "--json")

    assert said.refusal["code"] == code
    assert all(part in said.refusal["message"] for part in parts), said.refusal
    assert code in said.err


def test_a_negative_offset_is_a_value_and_no_option(cli: CommandLine) -> None:
    write(Path("x/variation.js"), variation(""))

    for words in (("--timezone-offset", "-60"), ("--timezone-offset=-60",)):
        visitor = cli.json("run", "x", "--visitor", "v1", *words)["visitor"]
        assert visitor == {"id": "v1", "timezone": None, "timezone_offset": -60}
    assert cli.json("run", "x", "--visitor", "v1")["visitor"]["timezone_offset"] == -60  # the last known
    assert cli.json("run", "x")["visitor"] == {"id": None, "timezone": None, "timezone_offset": None}


def test_data_is_what_the_experience_sees(cli: CommandLine) -> None:
    write(Path("x/variation.js"), variation("options.log.info(options.data.colour)"))
    write(Path("data.json"), '{"colour": "vert d\'eau 🌊"}')

    for verb in ("run", "simulate"):
        document = cli.json(verb, "x", "--data", "data.json")
        assert [line["message"] for line in document["log"]] == ["vert d'eau 🌊"]


def test_a_flag_wins_over_the_environment_and_that_over_the_file(cli: CommandLine) -> None:
    write(Path("experience.toml"), 'database = "sqlite:///file.db"\n')
    write(Path("other.toml"), 'database = "sqlite:///other.db"\n')
    env = {"EXPERIENCE_DATABASE": "sqlite:///env.db"}
    flag = ("--database", "sqlite:///flag.db")

    made = []
    for words, environ in (((), {}), ((), env), (flag, env), (("--config", "other.toml"), {})):
        before = {path.name for path in Path().glob("*.db")}
        assert cli("executions", "list", *words, env=environ).code == 0
        made += [path.name for path in Path().glob("*.db") if path.name not in before]

    assert made == ["file.db", "env.db", "flag.db", "other.db"]


def test_the_environment_names_the_settings_file_and_the_integrations(cli: CommandLine) -> None:
    write(Path("conf/e.toml"), 'database = "sqlite:///named.db"\n')
    write(
        Path("mine/hello.py"),
        "from experience_runtime.integration import Integration\n"
        "class Hello(Integration):\n"
        "    name = 'hello'\n"
        "    def call(self, payload, context):\n"
        "        return {'hello': payload}\n",
    )
    said = cli("executions", "list", env={"EXPERIENCE_CONFIG": "conf/e.toml"})
    by_env = cli("integrations", "call", "hello", "1", "--json", env={"EXPERIENCE_INTEGRATIONS": "mine"})
    by_flag = cli("integrations", "call", "hello", "2", "--json", "--integrations", "mine")

    assert said.code == 0
    assert Path("named.db").exists()
    assert set(by_env.document) == {"id", "ok", "result"}
    assert by_env.document["result"] == {"hello": 1}
    assert by_flag.document["result"] == {"hello": 2}


def test_an_unknown_settings_file_in_the_environment_is_refused(cli: CommandLine) -> None:
    said = cli("doctor", "--json", env={"EXPERIENCE_CONFIG": "gone.toml"})

    assert "gone.toml" in said.refusal["message"]


def test_simulate_check_and_explain_store_nothing(cli: CommandLine, empty_folder: Path) -> None:
    write(Path("x/variation.js"), variation("return slack.schedule('hi', {delay: '1h'})"))

    for words in (("simulate", "x"), ("check", "x"), ("explain", "--delay", "1h")):
        assert cli(*words).code == 0

    assert [path.name for path in empty_folder.iterdir()] == ["x"]


def test_a_run_is_on_disk_when_the_command_ends(cli: CommandLine) -> None:
    made = cli.schedule("a")

    store = open_sqlite("experience.db")
    try:
        assert store.find(Filter(statuses=[Status.PENDING])).executions
    finally:
        store.close()
    assert cli.json("executions", "list")["executions"][0]["id"] == made["id"]
