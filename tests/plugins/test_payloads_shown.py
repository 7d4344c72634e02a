"""What people may see of a payload: what its integration says, and nothing when it cannot say."""

import json
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.audit import AuditFilter
from experience_runtime.domain.errors import Conflict, InvalidPayload
from experience_runtime.plugins.showing import NOT_SHOWN
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

from .test_registry import PLAIN, SECRET, in_folder, registry

HOOK = "https://example.com/hook?token=s3cret#x"


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (
            {"url": HOOK, "body": {"url": "x?y"}},
            {"url": "https://example.com/hook?…", "body": {"url": "x?y"}},
        ),
        ({"url": "https://example.com/#?a"}, {"url": "https://example.com/?…"}),
        ({"url": 5}, {"url": 5}),
        ([HOOK], [HOOK]),
    ],
)
def test_an_events_payload_is_shown_without_the_query_of_its_url(payload: Any, shown: Any) -> None:
    found = registry()

    assert json.loads(found.shown("event-webhook", json.dumps(payload))) == shown
    assert json.loads(found.shown("webhook", json.dumps(payload))) == payload
    assert json.loads(found.shown("not-there", json.dumps(payload))) == payload


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("return {'to': payload['to']}", '{"to": "ada"}'),
        ("return {**payload, 'code': '…'}", '{"to": "ada", "code": "…"}'),
        ("return payload['none']", "not shown"),
        ("return {1, 2}", "not shown"),
        ("return float('nan')", "not shown"),
        ("raise SystemExit(0)", "not shown"),
    ],
)
def test_what_an_integration_of_somebodys_says_is_shown_or_nothing_is(
    tmp_path: Path, body: str, shown: str
) -> None:
    text = f"{PLAIN}\n    def shown(self, payload):\n        {body}\n"

    told = registry(in_folder(tmp_path, plain=text)).shown("plain", '{"to": "ada", "code": "s3cret"}')

    assert shown in told
    assert "s3cret" not in told


def test_nothing_is_shown_of_what_a_broken_file_may_hide(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, sms="class A:\n    name = 'sms'\n    x = = 1", plain=PLAIN)
    found = registry(folder, plain={"url": SECRET})

    assert [found.shown(name, HOOK) == HOOK for name in ("plain", "webhook")] == [True, True]
    for name in ("sms", "may-be-it"):
        assert "not shown" in found.shown(name, HOOK)
        assert HOOK not in found.shown(name, HOOK)


def test_a_recurring_schedule_shows_no_more_of_its_payload_anywhere(tmp_path: Path) -> None:
    """In its document, in a conflict and in the audit; that it differs is told all the same."""
    folder = tmp_path / "mine"
    folder.mkdir()
    text = f"{PLAIN}\n    def shown(self, payload):\n        return {{'to': payload['to']}}\n"
    in_folder(folder, plain=text.replace("    payload = Payload\n", ""))
    settings = Settings(database=f"sqlite:///{tmp_path}/rows.db", integrations_dir=folder)
    daily = {"daily": "09:00", "timezone": "UTC"}
    with Runtime(settings) as runtime:
        for number in (1, 2):
            runtime.recurring.set("digest", "plain", {"to": "ada", "code": f"s3cret {number}"}, daily)
        with pytest.raises(Conflict) as late:
            runtime.recurring.set("digest", "plain", {"to": "ada", "code": "s3cret 3"}, daily, expected=1)
        shown = [runtime.lookup.schedule("digest"), *runtime.lookup.schedules()["schedules"]]
        runtime.recurring.remove("digest")
        audit = runtime.lookup.audit.list(AuditFilter())["entries"]

    assert [each["payload"] for each in shown] == [{"to": "ada"}] * 2
    assert "payload is" in late.value.message
    assert [each["action"] for each in audit] == ["remove", "set", "set"]
    assert audit[1]["after"]["payload"] == audit[1]["before"]["payload"] == {"to": "ada"}
    assert "s3cret" not in json.dumps([shown, late.value.message, audit])


def test_what_stands_where_a_payload_is_not_shown_is_no_payload() -> None:
    """A schedule that is read while its integration is broken, and saved again, keeps what it had."""
    with pytest.raises(InvalidPayload) as refused:
        registry().parse_payload("webhook", NOT_SHOWN)

    assert "send what is meant" in refused.value.message
