"""discord, teams, segment and twilio-sms against servers that answer as the services do."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from experience_integrations.discord import Discord
from experience_integrations.segment import Segment
from experience_integrations.teams import Teams
from experience_integrations.twilio_sms import TwilioSms
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.integration import Integration, IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.testing import check_integration
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from .conftest import context_for

SID = "AC" + "0a" * 16
TWILIO = {"account_sid": SID, "auth_token": "t0k-SECRET", "from_number": "+15550199"}
TABLES: dict[str, tuple[type[Integration[Any, Any]], str, Mapping[str, Any]]] = {
    "discord": (Discord, "/api/webhooks/1/SECRET", {}),
    "teams": (Teams, "/workflows/SECRET", {}),
    "segment": (Segment, "/v1", {"write_key": "w-SECRET"}),
    "twilio-sms": (TwilioSms, "", TWILIO),
}
PATHS = {"segment": "/v1/track", "twilio-sms": f"/2010-04-01/Accounts/{SID}/Messages.json"}
PAYLOADS = {
    "discord": "Hi",
    "teams": "Hi",
    "segment": {"userId": "u", "event": "E"},
    "twilio-sms": {"to": "+15550100", "body": "Hi"},
}
UNDELIVERED = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error"
CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Hi"}]}


def call(name: str, payload: Any, server: HTTPServer, outbound: Outbound, **more: Any) -> Any:
    kind, path, table = TABLES[name]
    url = server.url_for(path).replace("localhost", "127.0.0.1").rstrip("/")
    assert kind.settings is not None
    settings = kind.settings.model_validate({"url": url, **table, **more})
    parsed = Registry(Settings()).parse_payload(name, payload)
    return kind().call(parsed, context_for(settings, outbound))


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        ("Hi @everyone", {"content": "Hi @everyone", "allowed_mentions": {"parse": []}}),
        ({"embeds": [{"title": "Hi"}]}, {"embeds": [{"title": "Hi"}], "allowed_mentions": {"parse": []}}),
        ({"content": "x" * 2000, "username": "b"},
         {"content": "x" * 2000, "username": "b", "allowed_mentions": {"parse": []}}),
        ({"content": "<@1>", "allowed_mentions": {"users": ["1"]}},
         {"content": "<@1>", "allowed_mentions": {"users": ["1"]}}),
    ],
)  # fmt: skip
def test_a_discord_message_mentions_nobody_unless_it_says_so(
    httpserver: HTTPServer, outbound: Outbound, payload: Any, sent: Any
) -> None:
    httpserver.expect_request(
        "/api/webhooks/1/SECRET", query_string="thread_id=7&wait=true"
    ).respond_with_json({"id": "42", "content": "Hi"})
    url = httpserver.url_for("/api/webhooks/1/SECRET?thread_id=7").replace("localhost", "127.0.0.1")

    assert call("discord", payload, httpserver, outbound, url=url) == {"ok": True, "id": "42"}
    assert httpserver.log[0][0].get_json() == sent
    assert httpserver.log[0][0].headers["webhook-id"] == "ex_1"


def test_discord_may_answer_without_a_body(httpserver: HTTPServer, outbound: Outbound) -> None:
    httpserver.expect_request("/api/webhooks/1/SECRET").respond_with_data("", status=204)

    assert call("discord", "Hi", httpserver, outbound) == {"ok": True}


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"retry_after": 2.5, "global": False}, {}, 2.5),
        ({"retry_after": 2.5}, {"retry-after": "3"}, 3.0),
        ({"retry_after": 64.57}, {"retry-after": "1"}, 64.57),
        ({"retry_after": "soon"}, {"retry-after": "3"}, 3.0),
        ({"retry_after": True}, {}, None),
        ({"retry_after": 10**400}, {}, 86_400.0),
        ([], {"retry-after": "3"}, 3.0),
    ],
)
def test_discords_rate_limit_says_when_to_come_back(
    httpserver: HTTPServer, outbound: Outbound, body: Any, headers: Any, seconds: float | None
) -> None:
    httpserver.expect_request("/api/webhooks/1/SECRET").respond_with_json(body, status=429, headers=headers)

    with pytest.raises(IntegrationFailed) as caught:
        call("discord", "Hi", httpserver, outbound)

    assert (caught.value.may_pass, caught.value.retry_after) == (True, seconds)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize(
    ("payload", "card"),
    [
        ("Hi", {"type": "AdaptiveCard", "version": "1.4",
                "body": [{"type": "TextBlock", "text": "Hi", "wrap": True}]}),
        ({"card": CARD}, CARD),
    ],
)  # fmt: skip
def test_a_text_or_a_card_goes_to_teams_as_a_card(
    httpserver: HTTPServer, outbound: Outbound, payload: Any, card: Any, status: int
) -> None:
    httpserver.expect_request("/workflows/SECRET").respond_with_data("1", status=status)

    assert call("teams", payload, httpserver, outbound) == {"ok": True}
    assert httpserver.log[0][0].get_json() == {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


@pytest.mark.parametrize(
    ("payload", "path", "sent"),
    [
        ({"userId": "u", "event": "E", "properties": {"n": None}}, "/v1/track",
         {"userId": "u", "event": "E", "properties": {"n": None}, "messageId": "ex_1"}),
        ({"type": "identify", "anonymousId": "a", "traits": {"x": 1}}, "/v1/identify",
         {"anonymousId": "a", "traits": {"x": 1}, "messageId": "ex_1"}),
    ],
)  # fmt: skip
def test_segment_is_told_with_the_execution_as_the_id_of_the_message(
    httpserver: HTTPServer, outbound: Outbound, payload: Any, path: str, sent: Any
) -> None:
    httpserver.expect_request(path, method="POST").respond_with_json({"success": True})

    assert call("segment", payload, httpserver, outbound) == {"ok": True}
    request = httpserver.log[0][0]
    assert request.get_json() == sent
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == ("w-SECRET", "")


@pytest.mark.parametrize(
    ("table", "sender"),
    [
        ({}, {"From": ["+15550199"]}),
        ({"from_number": None, "messaging_service_sid": "MG" + "1" * 32},
         {"MessagingServiceSid": ["MG" + "1" * 32]}),
    ],
)  # fmt: skip
def test_an_sms_goes_to_twilio_as_a_form(
    httpserver: HTTPServer, outbound: Outbound, table: Any, sender: Any
) -> None:
    httpserver.expect_request(PATHS["twilio-sms"], method="POST").respond_with_json(
        {"sid": "SM1", "status": "queued", "to": "+15550100"}, status=201
    )
    payload = {"to": "+15550100", "body": "Grüße & +1"}

    assert call("twilio-sms", payload, httpserver, outbound, **table) == {"sid": "SM1", "status": "queued"}
    request = httpserver.log[0][0]
    assert parse_qs(request.get_data(as_text=True)) == {"To": ["+15550100"], "Body": ["Grüße & +1"], **sender}
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == (SID, "t0k-SECRET")


@pytest.mark.parametrize(
    ("name", "status", "body", "may_pass", "says"),
    [
        ("discord", 200, "<html>log in</html>", False, "is the url one of Discord's"),
        ("discord", 404, '{"code": 10015, "message": "Unknown Webhook"}', False, "404 (code 10015): the w"),
        ("discord", 400, '{"code": 50035}', False, "check content and embeds"),
        ("discord", 302, "", False, "302"),
        ("discord", 503, "", True, "503"),
        ("teams", 201, "", False, "201"),
        ("teams", 200, f"{UNDELIVERED} 429 with ContextId x", True, "because of 429"),
        ("teams", 200, f"{UNDELIVERED} 413 with ContextId x", False, "because of 413"),
        ("teams", 404, "", False, "make a new one"),
        ("teams", 429, "", True, "429"),
        ("segment", 401, "", False, "set write_key anew"),
        ("segment", 400, "", False, "400"),
        ("segment", 500, "", True, "500"),
        ("segment", 200, " <!doctype html>Sign in", False, "web page"),
        ("teams", 200, "<html>Sign in</html>", False, "web page"),
        ("twilio-sms", 200, "<html>Sign in</html>", False, "no message"),
        ("twilio-sms", 200, '{"ok": true}', False, "no message"),
        ("twilio-sms", 400, '{"code": 21610, "message": "+15550100"}', False, "21610: they answered STOP"),
        ("twilio-sms", 400, '{"code": 39999}', False, "https://www.twilio.com/docs/api/errors/39999"),
        ("twilio-sms", 429, '{"code": 20429}', True, "20429"),
        ("twilio-sms", 502, "<html>", True, "502"),
    ],
)  # fmt: skip
def test_the_answer_decides_whether_to_try_again(
    httpserver: HTTPServer, outbound: Outbound, name: str, status: int, body: str, may_pass: bool, says: str
) -> None:
    httpserver.expect_request(PATHS.get(name, TABLES[name][1])).respond_with_data(body, status=status)

    with pytest.raises(IntegrationFailed) as caught:
        call(name, PAYLOADS[name], httpserver, outbound)

    assert (caught.value.may_pass, caught.value.status) == (may_pass, status)
    assert says in caught.value.message
    assert "SECRET" not in caught.value.message
    assert "+15550100" not in caught.value.message


REFUSED: list[tuple[str, Any, str]] = [
    ("discord", "", "says nothing"),
    ("discord", {"embeds": []}, "says nothing"),
    ("discord", "x" * 2001, 'payload = "xxx'),
    ("discord", {"embeds": [{}] * 11}, "10"),
    ("discord", {"content": 5}, "payload.content = 5"),
    ("discord", {"content": "x", "allowed_mentions": None}, "payload.allowed_mentions"),
    ("discord", None, "must be a text or an object"),
    ("teams", " ", "either a text or a card"),
    ("teams", {"text": "x", "card": CARD}, "either a text or a card"),
    ("teams", {"card": {"type": "Card"}}, "payload.card.type"),
    ("teams", "x" * 28_672, "28672"),
    ("teams", 5, "must be a text or an object"),
    ("segment", {"event": "E"}, "names no user"),
    ("segment", {"userId": "u"}, "names no event"),
    ("segment", {"userId": "u", "event": "E", "traits": {}}, "identify"),
    ("segment", {"type": "identify", "userId": "u", "event": "E"}, "track"),
    ("segment", {"userId": "u", "event": "E", "messageId": "m"}, "messageId"),
    ("segment", {"userId": "u", "event": "E", "properties": {"x": "x" * 33_000}}, "bytes long"),
    ("twilio-sms", {"to": "0123", "body": "Hi"}, "payload.to"),
    ("twilio-sms", {"to": "+15550100\n", "body": "Hi"}, "payload.to"),
    ("twilio-sms", {"to": "+15550100", "body": " "}, "payload.body"),
    ("twilio-sms", {"to": "+15550100", "body": "x" * 1601}, "1600"),
]


@pytest.mark.parametrize(("name", "payload", "says"), REFUSED)
def test_what_the_service_would_not_take_is_refused(name: str, payload: Any, says: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        Registry(Settings()).parse_payload(name, payload)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [
        {"from_number": None},
        {"messaging_service_sid": "MG" + "1" * 32},
        {"account_sid": f"../{SID}"},
        {"auth_token": ""},
    ],
)
def test_settings_that_cannot_send_an_sms_are_refused(table: Mapping[str, Any]) -> None:
    assert TwilioSms.settings is not None
    with pytest.raises(ValidationError):
        TwilioSms.settings.model_validate({**TWILIO, **table})


def test_a_write_key_that_ends_the_user_of_basic_authentication_is_refused() -> None:
    assert Segment.settings is not None
    with pytest.raises(ValidationError):
        Segment.settings.model_validate({"write_key": "a:b"})


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("discord", {"id": "1"}),
        ("teams", "1"),
        ("segment", {"success": True}),
        ("twilio-sms", {"sid": "SM1", "status": "queued"}),
    ],
)
def test_the_rules_of_integrations_are_kept(name: str, answer: object) -> None:
    kind, _, table = TABLES[name]
    check_integration(
        kind,
        settings=lambda url: {"url": url, **table},
        payloads=[PAYLOADS[name]],
        refused=[payload for of, payload, _ in REFUSED if of == name and len(json.dumps(payload)) < 200],
        answer=answer,
    )
