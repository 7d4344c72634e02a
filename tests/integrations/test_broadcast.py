"""broadcast against a server that plays the bot API."""

import hashlib
import hmac
from typing import Any

import pytest
from experience_integrations.broadcast import Broadcast, Settings
from experience_runtime.domain.errors import InvalidPayload, NotConfigured, UnsupportedChannel
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as RuntimeSettings
from pytest_httpserver import HTTPServer

from .conftest import context_for

KEYS = {"api_key": "KEY", "api_secret": "api-SECRET"}
MINIMAL = {"flow_id": "remind_cart", "user_id": "u1"}


def registry(**settings: Any) -> Registry:
    table = {"url": "https://bots.example.com/v1/api/broadcasts", **KEYS, **settings}
    return Registry(RuntimeSettings(integrations={"broadcast": table}))


def call(outbound: Outbound, httpserver: HTTPServer, payload: Any) -> Any:
    settings = Settings.model_validate({"url": httpserver.url_for("/v1/api/broadcasts?k=SECRET"), **KEYS})
    return Broadcast().call(registry().parse_payload("broadcast", payload), context_for(settings, outbound))


@pytest.mark.parametrize(
    ("payload", "content", "client", "metadata"),
    [
        (MINIMAL, {"flow_id": "remind_cart", "step_id": "start"}, {"user_id": "u1"}, {}),
        (
            {
                "flow_id": "f",
                "step_id": "late",
                "metadata": {"ä": [1, None]},
                "channel": "Messenger",
                "client": {"bot_id": "b", "channel_id": "c", "user_id": "u"},
            },
            {"flow_id": "f", "step_id": "late"},
            {"bot_id": "b", "channel_id": "c", "user_id": "u"},
            {"ä": [1, None]},
        ),
    ],
)
def test_a_flow_trigger_is_posted_as_the_bot_api_has_it(
    outbound: Outbound, httpserver: HTTPServer, payload: Any, content: Any, client: Any, metadata: Any
) -> None:
    httpserver.expect_request("/v1/api/broadcasts", method="POST").respond_with_json({"request_id": "r1"})

    answer = call(outbound, httpserver, payload)

    request = httpserver.log[0][0]
    assert answer == {"request_id": "r1"}
    assert request.get_json() == {
        "payload": {"content": content, "content_type": "flow_trigger"},
        "client": client,
        "metadata": metadata,
    }


def test_the_key_is_signed_with_the_second_of_the_attempt(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/api/broadcasts").respond_with_json({})

    call(outbound, httpserver, MINIMAL)

    headers = httpserver.log[0][0].headers
    signature = hmac.new(b"api-SECRET", b"KEY|1772818200", hashlib.sha256).hexdigest()
    assert headers["x-api-key"] == "KEY|1772818200"
    assert headers["x-api-signature"] == f"sha256={signature}"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "ex_1"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"user_id": "u"}, "payload.flow_id is missing"),
        ({"flow_id": "f"}, "must name its user once"),
        ({**MINIMAL, "client": {"user_id": "u"}}, "must name its user once"),
        ({"flow_id": "f", "client": {"bot_id": "b"}}, "payload.client.user_id is missing"),
        ({**MINIMAL, "flow_id": ""}, "payload.flow_id"),
        ({**MINIMAL, "flow_id": 5}, "payload.flow_id = 5"),
        ({**MINIMAL, "step_id": None}, "payload.step_id"),
        ({**MINIMAL, "metadata": []}, "payload.metadata"),
        ({**MINIMAL, "step": "late"}, "payload.step"),
        ("f", "payload = "),
    ],
)
def test_what_triggers_no_flow_is_refused(payload: Any, says: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        registry().parse_payload("broadcast", payload)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("channels", "channel", "passes"),
    [
        (None, "messenger", True),
        (None, "MESSENGER", True),
        (None, "whatsapp", False),
        (["Workchat", "MS Teams"], "ms teams", True),
        (["Workchat", "MS Teams"], "messenger", False),
        ("workchat, ms teams", "workchat", True),  # as an environment variable has it
        ([], "messenger", False),
        (None, None, True),
    ],
)
def test_only_a_configured_channel_can_be_broadcast_to(channels: Any, channel: Any, passes: bool) -> None:
    integrations = registry(**({} if channels is None else {"channels": channels}))
    payload = {**MINIMAL, "channel": channel}

    if passes:
        integrations.parse_payload("broadcast", payload)
        return
    with pytest.raises(UnsupportedChannel, match=f'channel "{channel}" cannot be broadcast to') as caught:
        integrations.parse_payload("broadcast", payload)

    assert caught.value.code == "unsupported_channel"


def test_without_settings_no_channel_is_known_to_be_wrong() -> None:
    integrations = Registry(RuntimeSettings())

    assert integrations.parse_payload("broadcast", {**MINIMAL, "channel": "any"}).channel == "any"
    with pytest.raises(NotConfigured, match="api_secret is missing"):
        integrations.settings("broadcast")


@pytest.mark.parametrize(("status", "may_pass"), [(400, False), (401, False), (429, True), (502, True)])
def test_the_status_decides_whether_to_try_again(
    outbound: Outbound, httpserver: HTTPServer, status: int, may_pass: bool
) -> None:
    httpserver.expect_request("/v1/api/broadcasts").respond_with_data("no", status=status)

    with pytest.raises(IntegrationFailed) as caught:
        call(outbound, httpserver, MINIMAL)

    assert (caught.value.status, caught.value.may_pass) == (status, may_pass)
    assert "SECRET" not in str(caught.value)
