"""Signed webhooks, verified by the Standard Webhooks package as a receiver would."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from experience_integrations.webhook import Settings, Webhook
from experience_runtime.clocks import SystemClock, VirtualClock
from experience_runtime.domain.errors import NotConfigured
from experience_runtime.integration import Clock, webhook_signature
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as RuntimeSettings
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError
from werkzeug import Request

from .conftest import NOW, context_for


def secret(byte: bytes, length: int = 32) -> str:
    return "whsec_" + base64.b64encode(byte * length).decode()


OLD, NEW, OTHER = secret(b"\x00"), secret(b"\xff"), secret(b"o")


def sent(outbound: Outbound, httpserver: HTTPServer, payload: Any, *, clock: Clock, **more: Any) -> Request:
    """What the receiver got; the clock is the machine's where it judges how old a message is."""
    httpserver.expect_request("/hook").respond_with_data("")
    settings = Settings.model_validate({"url": httpserver.url_for("/hook"), **more})
    Webhook().call(payload, context_for(settings, outbound, clock=clock))
    request: Request = httpserver.log[-1][0]
    return request


@pytest.mark.parametrize("payload", [None, "text", {"ä": ["😀", 1.5, {"b": None}]}, "x" * 200_000])
def test_a_receiver_verifies_what_was_sent(outbound: Outbound, httpserver: HTTPServer, payload: Any) -> None:
    request = sent(outbound, httpserver, payload, clock=SystemClock(), secret=NEW)

    assert Receiver(NEW).verify(request.data, dict(request.headers)) == payload


@pytest.mark.parametrize(
    ("body", "id", "seconds_later"),
    [
        (b'{"basket": 2}', "ex_1", 0),
        (b'{"basket": 1} ', "ex_1", 0),
        (b'{"basket": 1}', "ex_2", 0),
        (b'{"basket": 1}', "ex_1", 60),
    ],
)
def test_what_was_changed_does_not_verify(
    outbound: Outbound, httpserver: HTTPServer, body: bytes, id: str, seconds_later: int
) -> None:
    request = sent(outbound, httpserver, {"basket": 1}, clock=SystemClock(), secret=NEW)
    at = int(request.headers["webhook-timestamp"]) + seconds_later
    changed = {"Webhook-Id": id, "Webhook-Timestamp": str(at)}

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Receiver(NEW).verify(body, dict(request.headers) | changed)

    assert Receiver(NEW).verify(b'{"basket": 1}', dict(request.headers)) == {"basket": 1}


def test_two_secrets_let_receivers_change_over(outbound: Outbound, httpserver: HTTPServer) -> None:
    request = sent(outbound, httpserver, [1], clock=SystemClock(), secret=f"{OLD} {NEW}")

    for known in (OLD, NEW):
        assert Receiver(known).verify(request.data, dict(request.headers)) == [1]
    with pytest.raises(WebhookVerificationError):
        Receiver(OTHER).verify(request.data, dict(request.headers))


def test_every_attempt_has_the_same_id_and_its_own_time(outbound: Outbound, httpserver: HTTPServer) -> None:
    clock = VirtualClock(NOW)

    first = sent(outbound, httpserver, 1, clock=clock, secret=NEW).headers
    clock.advance_to(NOW + timedelta(hours=1))
    second = sent(outbound, httpserver, 1, clock=clock, secret=NEW).headers

    assert first["webhook-id"] == second["webhook-id"] == "ex_1"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600
    assert first["webhook-signature"] != second["webhook-signature"]


def test_without_a_secret_nothing_is_signed(outbound: Outbound, httpserver: HTTPServer) -> None:
    assert "webhook-signature" not in sent(outbound, httpserver, 1, clock=VirtualClock(NOW)).headers


def test_a_configured_header_cannot_replace_the_signature(outbound: Outbound, httpserver: HTTPServer) -> None:
    forged = {"Webhook-Signature": "v1,forged", "WEBHOOK-TIMESTAMP": "1"}

    request = sent(outbound, httpserver, 1, clock=SystemClock(), secret=NEW, headers=forged)

    assert len(request.headers.get_all("webhook-signature")) == 1
    assert Receiver(NEW).verify(request.data, dict(request.headers)) == 1


def test_the_signature_is_the_one_of_the_specification() -> None:
    # the example of the specification's own libraries
    signature = webhook_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_seconds=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "must hold a secret"),
        ("  ", "must hold a secret"),
        ("hunter2hunter2hunter2hunter2", "must be whsec_"),
        ("WHSEC_" + NEW.removeprefix("whsec_"), "must be whsec_"),
        ("whsec_ä", "must be whsec_"),
        ("whsec_!!!!", "must be whsec_"),
        (NEW.rstrip("="), "must be whsec_"),
        (secret(b"k", 23), "a secret of 23 bytes"),
        (secret(b"k", 65), "a secret of 65 bytes"),
        (f"{NEW} whsec_short", "whsec_"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_showing_it(given: str, says: str) -> None:
    table = {"webhook": {"url": "https://example.com/", "secret": given}}

    with pytest.raises(NotConfigured, match="secret is wrong") as caught:
        Registry(RuntimeSettings(integrations=table)).settings("webhook")

    assert says in str(caught.value)
    assert not [part for part in given.split() if len(part) > 6 and part in str(caught.value)]


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_may_have_24_to_64_bytes(length: int) -> None:
    table = {"webhook": {"url": "https://example.com/", "secret": secret(b"k", length)}}

    settings = Registry(RuntimeSettings(integrations=table)).settings("webhook")

    assert "whsec" not in repr(settings)
