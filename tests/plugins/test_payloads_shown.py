"""What people may see of a payload: what its integration says, and nothing when it cannot say."""

import json
from pathlib import Path
from typing import Any

import pytest

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
