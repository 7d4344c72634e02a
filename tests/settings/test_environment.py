"""A variable for every key of experience.toml; what is none is refused; values that stand in files."""

import os
import re
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings import environment
from experience_runtime.settings.load import Settings, load_settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def as_variables(values: dict[str, Any], path: tuple[str, ...] = ()) -> dict[str, str]:
    """The whole of a settings file as variables."""
    found: dict[str, str] = {}
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, dict):
            found |= as_variables(value, here)
            continue
        begin, *rest = here
        if begin in ("integrations", "delivery", "alerts", "webhooks", "experiences"):
            name = "__".join((begin.removesuffix("s") if begin == "integrations" else begin, *rest))
        else:
            name = "_".join(here)
        text = ",".join(value) if isinstance(value, list) else str(value)
        found[f"EXPERIENCE_{name.upper().replace('-', '_')}"] = text
    return found


def test_the_whole_file_of_the_reference_can_be_given_as_variables() -> None:
    """Whatever a key is added to the file has its variable, or this is red."""
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    toml, *_ = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    toml = toml.replace('"X-Shop"', '"x_shop"')  # a variable sets names in small letters
    Path("whole.toml").write_text(toml, encoding="utf-8")
    secrets = {"SLACK_WEBHOOK_URL": "https://a.example/", "WEBHOOK_URL": "https://b.example/"}

    from_file = load_settings(config=Path("whole.toml"), environ=secrets)
    from_variables = load_settings(environ=secrets | as_variables(tomllib.loads(toml)))

    assert replace(from_variables, config=from_file.config) == from_file
    assert from_file != Settings()


def test_a_variable_wins_over_the_file_key_by_key() -> None:
    Path("experience.toml").write_text(
        "[serve]\nper_second = 1\nper_address = 2\n[delivery.Slack_Update]\nconcurrency = 3\n"
        '[experiences]\na = "a"'
    )
    settings = load_settings(
        environ={
            "EXPERIENCE_SERVE_PER_SECOND": "7",
            "EXPERIENCE_DELIVERY__SLACK_UPDATE__ISOLATE": "True",
            "EXPERIENCE_EXPERIENCES__B": "b",
            "EXPERIENCE_RETENTION_RUNS": "2 days",
        }
    )

    assert (settings.served.per_second, settings.served.per_address) == (7, 2)
    assert list(settings.delivery) == ["Slack_Update"]
    policy = settings.delivery["Slack_Update"]
    assert (policy.concurrency, policy.isolate) == (3, True)
    assert settings.served.released == {"a": Path("a"), "b": Path("b")}
    assert settings.retention.kept["runs"] == timedelta(days=2)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("EXPERIENCE_DATABSE", "SECRET", ["EXPERIENCE_DATABSE is not", "did you mean EXPERIENCE_DATABASE?"]),
        ("EXPERIENCE_SERVE__PER_SECOND", "7", ["did you mean EXPERIENCE_SERVE_PER_SECOND?"]),
        ("EXPERIENCE_INTEGRATIONS__SLACK_UPDATE__URL", "x", ["EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL?"]),
        ("EXPERIENCE_DELIVRY__SMS__CONCURRENCY", "1", ["EXPERIENCE_DELIVERY__SMS__CONCURRENCY?"]),
        ("EXPERIENCE_ZEBRA", "SECRET", ["EXPERIENCE_ZEBRA is not a setting"]),
        ("EXPERIENCE_SERVE_PORT", "8000", ["EXPERIENCE_SERVE_PORT is not a setting"]),
        ("EXPERIENCE_SERVE_PER_SECOND", "SECRET", ["a whole number", "EXPERIENCE_SERVE_PER_SECOND=100"]),
        ("EXPERIENCE_SERVE_PER_SECOND", "-1", ["EXPERIENCE_SERVE_PER_SECOND: serve.per_second = -1"]),
        ("EXPERIENCE_RETENTION_RUNS", "3", ["EXPERIENCE_RETENTION_RUNS: retention.runs", "30 days"]),
        ("EXPERIENCE_OUTBOUND_ALLOW_PRIVATE", "local", ["EXPERIENCE_OUTBOUND_ALLOW_PRIVATE", '"local"']),
        ("EXPERIENCE_DELIVERY__SMS__ISOLATE", "SECRET", ["true or false", "__ISOLATE=true"]),
        ("EXPERIENCE_DELIVERY__SMS__CONCURENCY", "1", ["__CONCURENCY: delivery.sms", '"concurrency"']),
        ("EXPERIENCE_DELIVERY__SMS", "1", ["EXPERIENCE_DELIVERY__SLACK_UPDATE__CONCURRENCY"]),
        ("EXPERIENCE_EXPERIENCES__A__B", "x", ["EXPERIENCE_EXPERIENCES__REMINDER"]),
    ],
)
def test_a_variable_that_is_wrong_is_refused_by_its_name(variable: str, value: str, says: list[str]) -> None:
    with pytest.raises(InvalidParameter) as caught:
        load_settings(environ={variable: value})

    for part in says:
        assert part in caught.value.message
    assert "SECRET" not in caught.value.message


def test_what_kubernetes_tells_of_a_service_is_no_setting() -> None:
    told = {
        "EXPERIENCE_SERVICE_HOST": "10.0.0.7",
        "EXPERIENCE_WEB_SERVICE_PORT_HTTP": "80",
        "EXPERIENCE_WEB_PORT": "tcp://10.0.0.7:80",
        "EXPERIENCE_WEB_PORT_80_TCP_ADDR": "10.0.0.7",
    }

    assert load_settings(environ=told | {"EXPERIENCE_ZEBRA": ""}) == Settings()


def test_every_key_has_its_variable_in_the_reference() -> None:
    text = (REFERENCE / "settings-environment.md").read_text(encoding="utf-8")

    every = [environment.variable(key) for key in environment.KEYS]
    assert [name for name in [*every, *environment.NAMED] if f"`{name}" not in text] == []


# Files


def secret_file(content: bytes, mode: int = 0o600) -> str:
    path = Path("a secret")
    path.write_bytes(content)
    path.chmod(mode)
    return f"file:{path}"


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (b"s3cret-1", "s3cret-1"),
        (b"s3cret-1\n", "s3cret-1"),
        (b"s3cret-1\r\n", "s3cret-1"),
        (b" a\nb \n\n", " a\nb \n"),
    ],
)
def test_a_value_in_a_file_is_read_without_its_last_line_break(content: bytes, meant: str) -> None:
    settings = load_settings(environ={"EXPERIENCE_INTEGRATION__SMS__KEY": secret_file(content, 0o640)})

    assert settings.integration("sms") == {"key": meant}
    if "s3cret" in meant:
        assert settings.redact("it was s3cret-1") == "it was [redacted]"


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (b"x", 0o644, ["others may read or change", "0644", "chmod 600"]),
        (b"x", 0o620, ["others may read or change"]),
        (b"\n", 0o600, ["is empty"]),
        (b"\xff", 0o600, ["not UTF-8"]),
        (b"x" * 65_537, 0o600, ["longer than 65536 bytes"]),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_that_cannot_be_used_leaves_the_setting_out(
    content: bytes, mode: int, says: list[str]
) -> None:
    settings = load_settings(environ={"EXPERIENCE_INTEGRATION__SMS__KEY": secret_file(content, mode)})

    missing = settings.missing_of("sms")["key"]
    assert settings.integration("sms") == {}
    assert missing.file == "a secret"
    for part in says:
        assert part in f"{missing.what}; {missing.fix}"


def test_what_is_no_file_is_never_waited_for() -> None:
    os.mkfifo("pipe")
    files = {"PIPE": "pipe", "NONE": "NONE", "FOLDER": "."}
    environ = {f"EXPERIENCE_INTEGRATION__SMS__{name}": f"file:{path}" for name, path in files.items()}

    missing = load_settings(environ=environ).missing_of("sms")

    told = {key: each.what for key, each in missing.items()}
    assert told["none"] == "the file NONE, which cannot be read (No such file or directory)"
    assert "is no file" in told["pipe"]
    assert "file ." in told["folder"]


def test_the_database_may_stand_in_a_file_and_is_needed() -> None:
    there = secret_file(b"postgresql://ann:pa55word@db/x\n")

    settings = load_settings(environ={"EXPERIENCE_DATABASE": there})

    assert settings.database == "postgresql://ann:pa55word@db/x"
    assert "pa55word" not in settings.redact("pa55word")
    with pytest.raises(InvalidParameter, match="the database refers to the file none, which cannot be read"):
        load_settings(environ={"EXPERIENCE_DATABASE": "file:none"})
    with pytest.raises(InvalidParameter, match='write "file:PATH"'):
        load_settings(environ={"EXPERIENCE_DATABASE": "file:"})


def test_tables_of_no_integration_are_told() -> None:
    Path("experience.toml").write_text("[integrations.slak-update]\n[delivery.zebra]\n")

    told = load_settings(environ={}).unknown_tables(["slack-update", "webhook"])

    assert told == [
        'experience.toml: integrations.slak-update names no integration; did you mean "slack-update"?',
        "experience.toml: delivery.zebra names no integration; there are: slack-update, webhook",
    ]
