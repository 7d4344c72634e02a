"""Looking at a stranger's folder runs none of its code on this machine."""

from pathlib import Path

import pytest

from .conftest import CommandLine, write

_LEAVES_A_MARK = """
from pathlib import Path
from experience_runtime.integration import Integration

Path("ran").touch()


class Mine(Integration):
    name = "mine"

    def call(self, payload, context):
        return None
"""
_VERBS = {
    "check": ["check", "theirs"],
    "simulate": ["simulate", "theirs"],
    "explain": ["explain", "--delay", "1h"],
}


@pytest.fixture(autouse=True)
def folder() -> None:
    write(Path("code/mine.py"), _LEAVES_A_MARK)
    write(Path("experience.toml"), 'integrations_dir = "code"\n')
    write(
        Path("theirs/variation.js"),
        "module.exports = options => options.integration('mine').schedule(1, { delay: 0 })",
    )


@pytest.mark.parametrize("words", _VERBS.values(), ids=_VERBS.keys())
def test_integrations_that_only_the_folder_names_are_not_imported(cli: CommandLine, words: list[str]) -> None:
    said = cli(*words)

    assert not Path("ran").exists()
    assert "the integrations in code are left out" in said.err
    assert "with --config experience.toml it does" in said.err


@pytest.mark.parametrize("named", [["--config", "experience.toml"], ["--integrations", "code"]])
def test_integrations_that_the_caller_names_are(cli: CommandLine, named: list[str]) -> None:
    said = cli("check", "theirs", *named)

    assert Path("ran").exists()
    assert (said.code, said.err) == (0, "")


def test_check_only_warns_of_an_integration_that_may_be_among_them(cli: CommandLine) -> None:
    document = cli.json("check", "theirs")

    assert document["ok"] is True
    assert [warning["code"] for warning in document["warnings"]] == ["unknown_integration"]


def test_run_is_the_callers_own_and_reads_the_settings_as_ever(cli: CommandLine) -> None:
    assert cli("run", "theirs", "--visitor", "v1").code == 0
    assert Path("ran").exists()
