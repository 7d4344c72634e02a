"""A broken integration in every list, and out of everybody's way."""

from pathlib import Path

import pytest

from .conftest import CommandLine, write

BROKEN = "class Sms:\n    name = 'sms'\n    x = = 1\n"


def test_a_broken_file_is_told_everywhere_and_stops_nothing(cli: CommandLine) -> None:
    write(Path("mine/sms.py"), BROKEN)
    write(Path("experience.toml"), 'integrations_dir = "mine"\n')

    told = "mine/sms.py:3: SyntaxError: invalid syntax; correct the file"
    listed = {each["name"]: each for each in cli.json("integrations", "list")["integrations"]}
    assert (listed["sms"]["broken"], listed["sms"]["configured"]) == (True, False)
    assert listed["sms"]["why"].startswith(f"sms is broken: {told}")
    assert not listed["webhook"]["broken"]
    lines = cli("integrations", "list").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("sms "))
    assert lines[at].split() == ["sms", "broken", "mine/sms.py"]
    assert told in lines[at + 1]
    assert told in cli("integrations", "show", "sms").out
    assert told in cli("integrations", "check").out
    doctor = cli("doctor", "--json")
    (finding,) = [each for each in doctor.document["checks"] if each["name"] == "integrations"]
    assert (doctor.code, finding["ok"]) == (1, False)
    assert finding["detail"].startswith(f"sms is broken: {told}")
    assert "webhook (not configured)" in finding["detail"]
    worker = cli("worker", "--until-idle")
    assert worker.code == 0
    assert f"sms is broken, and what is scheduled for it waits: {told}" in worker.err
    write(
        Path("made/variation.js"),
        "module.exports = o => o.integration('sms').schedule(1, {key: 'a', delay: 0})",
    )
    cli.json("run", "made", "--visitor", "v1")
    assert cli("worker", "--until-idle").code == 0
    (waiting,) = cli.json("executions", "list")["executions"]
    assert waiting["status"] == "pending"
    assert waiting["held"].startswith(f"sms waits: broken: {told}")
    called = cli("integrations", "call", "sms", "{}", "--json")
    assert (called.refusal["code"], told in called.refusal["message"]) == ("not_configured", True)


def test_an_alert_that_a_broken_file_was_to_tell_keeps_no_worker_from_starting(cli: CommandLine) -> None:
    """Also where the file's name does not say which integration it holds; a name that is wrong does."""
    write(
        Path("experience.toml"),
        "integrations_dir = 'mine'\n[alerts.ops]\nintegration = 'sms'\non = ['lag > 60 s']\n",
    )

    write(Path("mine/other.py"), "import no_such_module\n")
    started = cli("worker", "--until-idle")
    Path("mine/other.py").unlink()
    refused = cli("worker", "--until-idle")

    assert started.code == 0
    assert "the alert ops tells nobody: alerts.ops: no integration is named" in started.err
    assert "mine/other.py:1: ModuleNotFoundError" in started.err
    assert (refused.code, "no integration is named" in refused.err) == (2, True)


def test_what_a_worker_lacks_waits_until_it_is_there_again(cli: CommandLine) -> None:
    file = write(
        Path("mine/sms.py"),
        "from experience_runtime.integration import Integration\n\n"
        "class Sms(Integration):\n    name = 'sms'\n\n    def call(self, payload, context):\n"
        "        return payload\n",
    )
    write(Path("experience.toml"), 'integrations_dir = "mine"\n')
    write(
        Path("made/variation.js"),
        "module.exports = o => o.integration('sms').schedule(1, {key: 'a', delay: 0})",
    )
    cli.json("run", "made", "--visitor", "v1")
    whole = file.read_text()
    file.unlink()

    assert cli("worker", "--until-idle").code == 0
    (waiting,) = cli.json("executions", "list")["executions"]
    assert (waiting["status"], waiting["reason"]) == ("pending", None)

    file.write_text(whole)
    assert cli("worker", "--until-idle").code == 0
    assert cli.json("executions", "list")["executions"][0]["status"] == "succeeded"


def test_doctor_finds_settings_of_an_integration_that_nothing_is_named(cli: CommandLine) -> None:
    write(Path("experience.toml"), '[integrations.slak-update]\nurl = "https://hooks.slack.com/x"\n')

    (finding,) = [
        each for each in cli("doctor", "--json").document["checks"] if each["name"] == "integrations"
    ]

    assert not finding["ok"]
    said = 'experience.toml: integrations.slak-update names no integration; did you mean "slack-update"?'
    assert finding["detail"].startswith(said)


RAISES = {
    "made": ("    def __init__(self):\n        raise ValueError('odd')\n", "ValueError at mine.py:6: odd"),
    "settings": ("    settings = Own\n", "its settings cannot be read: KeyError at _look.py:2"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), RAISES.values(), ids=RAISES)
def test_what_an_integrations_own_code_raises_is_told_with_its_line(
    cli: CommandLine, body: str, told: str
) -> None:
    write(Path("mine/_look.py"), "def look(value):\n    return {}[value]\n")
    write(
        Path("mine/mine.py"),
        f"""from experience_runtime.integration import Integration
from ._own import Own
class Mine(Integration):
    name = "mine"
{body}    def call(self, payload, context):
        return 1
""",
    )
    write(
        Path("mine/_own.py"),
        """from pydantic import BaseModel, field_validator
from ._look import look
class Own(BaseModel):
    kind: str
    @field_validator("kind")
    @classmethod
    def _known(cls, value):
        return look(value)
""",
    )
    write(Path("experience.toml"), 'integrations_dir = "mine"\n[integrations.mine]\nkind = "x"\n')

    shown = cli("integrations", "show", "mine").out
    doctor = cli("doctor", "--json")

    assert told in " ".join(shown.split())
    (finding,) = [each for each in doctor.document["checks"] if each["name"] == "integrations"]
    assert (doctor.code, finding["ok"]) == (1, False)
    assert told in finding["detail"]
