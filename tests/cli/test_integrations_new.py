"""experience integrations new: what it writes works at once, for pytest, ruff, mypy and the runtime."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CommandLine, write

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def run(*words: str) -> str:
    """A program of this environment, as a builder runs it in their own folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run([BIN / words[0], *words[1:]], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_integration_works_at_once(cli: CommandLine) -> None:
    said = cli("integrations", "new", "send-sms")

    assert said.code == 0
    assert said.out.splitlines()[:2] == [
        "my-integrations/send_sms.py",
        "my-integrations/tests/test_send_sms.py",
    ]
    assert 'integrations_dir = "my-integrations" in experience.toml' in said.out
    assert "1 passed" in run("pytest", "my-integrations/tests/test_send_sms.py")
    (line,) = (
        line
        for line in cli("integrations", "list", "--integrations", "my-integrations").out.splitlines()
        if line.startswith("send-sms ")
    )
    assert line.split() == ["send-sms", "not", "configured", "my-integrations/send_sms.py:SendSms"]
    assert "Success" in run("mypy", "--strict", "--cache-dir", "none", "my-integrations")
    for config in (("--isolated",), ("--config", str(ROOT / "pyproject.toml"))):
        run("ruff", "check", *config, "my-integrations")
        run("ruff", "format", "--check", *config, "my-integrations")


def test_its_test_goes_red_when_it_is_broken(cli: CommandLine) -> None:
    cli("integrations", "new", "send-sms")
    file = Path("my-integrations/send_sms.py")
    file.write_text(file.read_text().replace("answer.require_success()", "answer"))

    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [BIN / "pytest", "my-integrations"], env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "an answer of 400 counts as success" in done.stdout


@pytest.mark.parametrize(
    "name", ["none", "true", "settings", "any", "context", "integration", "base-model", "json", "a", "x2-y3"]
)
def test_any_name_it_takes_makes_a_file_that_is_found(cli: CommandLine, name: str) -> None:
    document = cli.json("integrations", "new", name, "--integrations", "mine")

    file = Path("mine") / f"{name.replace('-', '_')}.py"
    assert document == {"name": name, "file": str(file), "test": f"mine/tests/test_{file.name}"}
    listed = cli.json("integrations", "list", "--integrations", "mine")["integrations"]
    assert name in {each["name"] for each in listed}
    run("ruff", "check", "--isolated", "mine")


def test_a_folder_that_is_named_for_once_is_still_to_be_registered(cli: CommandLine) -> None:
    said = cli("integrations", "new", "fax", "--integrations", "mine")

    assert 'Register it:  integrations_dir = "mine" in experience.toml' in said.out


def test_the_folder_of_the_settings_is_taken_and_made(cli: CommandLine) -> None:
    write(Path("experience.toml"), 'integrations_dir = "ours"\n')

    said = cli("integrations", "new", "fax")

    assert said.out.splitlines()[0] == "ours/fax.py"
    assert "integrations_dir" not in said.out
    assert cli("integrations", "list").code == 0


@pytest.mark.parametrize(
    ("name", "code", "parts"),
    [
        ("Send_SMS", "invalid_parameter", ['"send-sms"', "a letter first"]),
        ("2fa", "invalid_parameter", ['"fa"']),
        ("../evil", "invalid_parameter", ['"evil"']),
        ("a/b", "invalid_parameter", ['"a-b"']),
        ("-x", "invalid_parameter", []),
        ("x-", "invalid_parameter", []),
        ("x--y", "invalid_parameter", ['"x-y"']),
        ("é", "invalid_parameter", []),
        ("", "invalid_parameter", []),
        ("x" * 51, "invalid_parameter", ["up to 50"]),
        ("conftest", "invalid_parameter", ['"conftest-integration"']),
        ("experience-runtime", "invalid_parameter", ["another module"]),
        ("experience-integrations", "invalid_parameter", []),
        ("pydantic", "invalid_parameter", []),
        ("test-sms", "invalid_parameter", ["taken for a test", '"sms-integration"']),
        ("linked", "conflict", ["test_linked.py is there already"]),
        ("webhook", "conflict", ['named "webhook" already']),
        ("other", "conflict", ['named "other" already']),
        ("taken", "conflict", ["taken.py is there already"]),
        ("half", "conflict", ["test_half.py is there already"]),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused_and_nothing_is_written(
    cli: CommandLine, name: str, code: str, parts: list[str]
) -> None:
    text = (ROOT / "tests" / "third_party" / "sms.py").read_text()
    write(Path("mine/taken.py"), text)
    write(Path("mine/elsewhere.py"), text.replace('"sms"', '"other"'))
    write(Path("mine/tests/test_half.py"), "")
    Path("mine/tests/test_linked.py").symlink_to("nowhere.py")
    before = sorted(Path().rglob("*.py"))

    said = cli("integrations", "new", "--integrations", "mine", "--json", "--", name)

    assert said.refusal["code"] == code
    assert all(part in said.refusal["message"] for part in parts), said.refusal
    assert sorted(Path().rglob("*.py")) == before
    assert (Path("mine/taken.py")).read_text() == text
