"""Integrations by name: built in, of another distribution, of a folder; what is said when they do not fit."""

import sys
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.errors import (
    InvalidParameter,
    InvalidPayload,
    NotConfigured,
    UnknownIntegration,
)
from experience_runtime.engine.ports import Integrations
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.settings.references import Missing, References

THIRD_PARTY = Path(__file__).parents[1] / "third_party"
SECRET = "https-no-address-SECRET"

PLAIN = """
from experience_runtime.integration import Integration
from pydantic import BaseModel

class Settings(BaseModel):
    url: str
    port: int = 1

class Payload(BaseModel):
    to: str
    lines: list[int] = []

class Plain(Integration):
    name = "plain"
    settings = Settings
    payload = Payload
    def call(self, payload, context):
        return None
"""


def in_folder(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def registry(folder: Path | None = None, **tables: dict[str, object]) -> Registry:
    made = Registry(Settings(integrations_dir=folder, integrations=tables))
    made.names()
    return made


def broken(integrations: Registry) -> str:
    """What is told of those that are broken."""
    return "\n".join(line.why or "" for line in integrations.describe() if line.broken)


def test_the_built_ins_are_there_installed_or_not() -> None:
    integrations: Integrations = registry()

    assert {"slack-update", "webhook"} <= set(integrations.names())
    assert type(integrations.get("slack-update")).__name__ == "SlackUpdate"
    assert integrations.get("webhook") is integrations.get("webhook")


def test_one_file_in_a_folder_is_enough() -> None:
    integrations = registry(THIRD_PARTY, sms={"url": "https://sms.example/"})

    assert "sms" in integrations.names()
    assert integrations.get("sms").name == "sms"
    assert integrations.settings("sms").url == "https://sms.example/"
    assert integrations.parse_payload("sms", {"any": ["thing"]}) == {"any": ["thing"]}


def test_an_entry_point_of_another_distribution_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_folder(tmp_path, their_plain=PLAIN)
    add_distribution(tmp_path, "plain = their_plain:Plain")
    monkeypatch.syspath_prepend(str(tmp_path))

    integrations = registry()

    assert type(integrations.get("plain")).__name__ == "Plain"
    assert {"slack-update", "plain"} <= set(integrations.names())


def add_distribution(folder: Path, entry: str) -> None:
    metadata = folder / "their_plain-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-plain\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[experience_runtime.integrations]\n{entry}\n")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("broken = no_such_module:X", "No module named 'no_such_module'"),
        ("broken = their_broken:Nothing", "Nothing"),
        ("broken = their_broken:text", "no subclass of Integration"),
        ("broken = their_broken:Plain", 'registered as "broken" but names itself "plain"'),
        ("broken = their_raising:Plain", "KeyError at their_raising.py:2: "),
        ("broken = their_typo:Plain", "SyntaxError at their_typo.py:3: "),
        ("broken = their_package.sub:Plain", "ModuleNotFoundError at sub.py:1: No module named 'not_here'"),
    ],
)
def test_a_broken_entry_point_spoils_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, says: str
) -> None:
    in_folder(
        tmp_path,
        their_broken=PLAIN + "\ntext = 'x'\n",
        their_raising="import json\nkinds = {}['sms']\n",
        their_typo="\n\nclass Plain(:\n",
    )
    (tmp_path / "their_package").mkdir()
    (tmp_path / "their_package/sub.py").write_text("import not_here\n")
    add_distribution(tmp_path, entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "their_broken", raising=False)

    integrations = registry()

    assert integrations.get("webhook").name == "webhook"
    assert says in broken(integrations)
    with pytest.raises(NotConfigured, match="broken is broken: "):
        integrations.settings("broken")


def test_a_validator_that_raises_anything_is_a_refusal(tmp_path: Path) -> None:
    text = """
from experience_runtime.integration import Integration
from pydantic import BaseModel, model_validator

class Odd(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def look(cls, value):
        raise KeyError("no such thing")

class Plain(Integration):
    name = "plain"
    settings = Odd
    payload = Odd

    def call(self, payload, context):
        return 1

class Unmade(Plain):
    name = "unmade"

    def __init__(self):
        raise KeyError("no such thing")
"""
    integrations = registry(in_folder(tmp_path, one=text))

    with pytest.raises(InvalidPayload, match="KeyError"):
        integrations.parse_payload("plain", {})
    with pytest.raises(NotConfigured, match="KeyError"):
        integrations.settings("plain")
    assert "KeyError" in broken(integrations)


def test_files_do_not_meet_each_other_nor_the_world(tmp_path: Path) -> None:
    in_folder(tmp_path, json=PLAIN, other=PLAIN.replace('"plain"', '"other"'), _helper="not Python")

    integrations = registry(tmp_path)

    assert {"plain", "other"} <= set(integrations.names())
    assert "plain" not in vars(sys.modules["json"])
    assert integrations.get("plain").settings is not integrations.get("other").settings


def test_an_imported_integration_is_not_taken_for_the_files_own(tmp_path: Path) -> None:
    text = "from experience_integrations.webhook import Webhook\n" + PLAIN

    assert "plain" in registry(in_folder(tmp_path, one=text)).names()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import os\n\nimport no_such_module\n", [".py:3:", "ModuleNotFoundError", "no_such_module"]),
        ("x = 1\ny = = 2\n", [".py:2:", "SyntaxError"]),
        ("def f():\n    return 1 / 0\n\nf()\n", [".py:2:", "ZeroDivisionError"]),
        ("import sys\nsys.exit(3)\n", [".py:2:", "SystemExit"]),
        ("x = 1\n", ["holds no integration"]),
        (PLAIN.replace('"plain"', '"pl ain"'), ["'pl ain'", "letters"]),
        (PLAIN.replace('"plain"', '""'), ["letters"]),
        (PLAIN.replace("def call", "def called"), ["call(self, payload, context)"]),
        (PLAIN.replace("payload = Payload", "retries = -1"), ["retries", "from 0 to"]),
        (PLAIN.replace("payload = Payload", "retries = 'many'"), ["retries", "from 0 to"]),
        (PLAIN.replace("payload = Payload", "payload = dict"), ["payload must be a pydantic model"]),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, says: list[str]) -> None:
    in_folder(tmp_path, broken=text)

    told = broken(registry(tmp_path))

    for part in [str(tmp_path / "broken.py"), *says]:
        assert part in told


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="--integrations"):
        registry(tmp_path / "none")


def test_two_of_one_name_are_both_held_naming_both_places(tmp_path: Path) -> None:
    in_folder(tmp_path, first=PLAIN, second=PLAIN)

    told = broken(registry(tmp_path))

    assert 'two integrations are named "plain"' in told
    assert str(tmp_path / "first.py") in told
    assert str(tmp_path / "second.py") in told


def test_a_file_cannot_take_the_name_of_a_built_in(tmp_path: Path) -> None:
    in_folder(tmp_path, mine=PLAIN.replace('"plain"', '"webhook"'))

    assert "experience_integrations.webhook:Webhook" in broken(registry(tmp_path))


@pytest.mark.parametrize(
    ("name", "hint"), [("slack-updates", '"slack-update"'), ("Webhok", '"webhook"'), ("zz", "Registered: ")]
)
def test_an_unknown_name_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(UnknownIntegration) as caught:
        registry().get(name)

    assert name in str(caught.value)
    assert hint in str(caught.value)


# Settings


def test_an_integration_without_settings_has_none(tmp_path: Path) -> None:
    in_folder(tmp_path, plain=PLAIN.replace("settings = Settings", ""))

    assert registry(tmp_path, plain={"left": "over"}).settings("plain") is None


def test_missing_settings_are_named_with_both_ways_to_set_them() -> None:
    with pytest.raises(NotConfigured) as caught:
        registry().settings("slack-update")

    message = str(caught.value)
    assert "url is missing" in message
    assert "[integrations.slack-update]" in message
    assert "EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL" in message


def absent(variable: str) -> Missing:
    found = References({}).follow(f"env:{variable}", "it")
    assert isinstance(found, Missing)
    return found


def test_a_reference_to_nothing_is_named_by_its_variable() -> None:
    settings = Settings(missing={"slack-update": {"url": absent("SLACK_WEBHOOK_URL")}})

    with pytest.raises(NotConfigured, match="SLACK_WEBHOOK_URL, which is not set") as caught:
        Registry(settings).settings("slack-update")

    assert "url is missing" not in str(caught.value)


def test_an_optional_setting_that_refers_to_nothing_is_not_left_out_silently() -> None:
    settings = Settings(
        integrations={"webhook": {"url": "https://example.com/", "headers": {}}},
        missing={"webhook": {"headers.authorization": absent("TOKEN")}},
    )

    with pytest.raises(NotConfigured, match="TOKEN"):
        Registry(settings).settings("webhook")


@pytest.mark.parametrize(
    ("name", "table", "says"),
    [
        ("slack-update", {"url": SECRET}, ["url is wrong", "https://"]),
        ("slack-update", {"url": 5}, ["url is wrong", "valid string"]),
        ("slack-update", {"ulr": SECRET}, ['"ulr"', 'did you mean "url"', "url is missing"]),
        ("webhook", {"url": "https://a.example/", "headers": SECRET}, ["headers is wrong"]),
        ("webhook", {"url": "https://a.example/", "headers": {"x": 5}}, ["headers.x is wrong"]),
    ],
)
def test_wrong_settings_are_named_without_their_value(
    name: str, table: dict[str, object], says: list[str]
) -> None:
    with pytest.raises(NotConfigured) as caught:
        Registry(Settings(integrations={name: table})).settings(name)

    for part in says:
        assert part in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_validator_that_tells_the_value_is_not_believed(tmp_path: Path) -> None:
    validator = """
    @field_validator("url")
    @classmethod
    def refuse(cls, value):
        raise ValueError(f"{value} is bad")
"""
    text = PLAIN.replace("    port: int = 1\n", f"    port: int = 1\n{validator}")
    in_folder(tmp_path, plain="from pydantic import field_validator\n" + text)

    with pytest.raises(NotConfigured, match="is bad") as caught:
        registry(tmp_path, plain={"url": SECRET}).settings("plain")

    assert SECRET not in str(caught.value)


def test_a_short_wrong_value_leaves_the_words_of_the_message_whole() -> None:
    with pytest.raises(NotConfigured, match="url is wrong: must be an address"):
        Registry(Settings(integrations={"slack-update": {"url": "s"}})).settings("slack-update")


def test_a_setting_with_capitals_is_only_advised_where_it_can_be_set(tmp_path: Path) -> None:
    in_folder(tmp_path, plain=PLAIN.replace("url: str", "apiKey: str"))

    with pytest.raises(
        NotConfigured, match=r'write apiKey = "env:NAME" under \[integrations.plain\]'
    ) as caught:
        registry(tmp_path).settings("plain")

    assert "EXPERIENCE_INTEGRATION__" not in str(caught.value)


def test_a_text_from_the_environment_becomes_the_models_number(tmp_path: Path) -> None:
    integrations = registry(in_folder(tmp_path, plain=PLAIN), plain={"url": "x", "port": "80"})

    assert integrations.settings("plain").port == 80


# Payloads


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({}, "payload.to is missing"),
        ({"to": 5}, "payload.to = 5 does not fit: input should be a valid string"),
        (
            {"to": "x", "lines": [1, "y"]},
            'payload.lines[1] = "y" does not fit: input should be a valid integer',
        ),
        ({"to": 5, "lines": 5}, "(and 1 more)"),
        (5, "payload = 5 does not fit"),
        ({"to": ["x" * 500]}, "…"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_path_and_value(
    tmp_path: Path, payload: Any, says: str
) -> None:
    integrations = registry(in_folder(tmp_path, plain=PLAIN))

    with pytest.raises(InvalidPayload) as caught:
        integrations.parse_payload("plain", payload)

    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_payload_that_fits_comes_as_the_model(tmp_path: Path) -> None:
    integrations = registry(in_folder(tmp_path, plain=PLAIN))

    assert integrations.parse_payload("plain", {"to": "x", "lines": [1]}).lines == [1]


# The list


def test_describe_tells_source_and_what_is_missing() -> None:
    lines = {line.name: line for line in registry(THIRD_PARTY, sms={"url": "x"}).describe()}

    assert lines["sms"].configured
    assert lines["sms"].source == f"{THIRD_PARTY / 'sms.py'}:Sms"
    assert lines["slack-update"].source == "experience_integrations.slack_update:SlackUpdate"
    assert not lines["slack-update"].configured
    assert "url is missing" in (lines["slack-update"].why or "")
