"""event-webhook: the url that came with an event, and nothing of it where it could be read."""

from typing import Any

import pytest
from experience_integrations.event_webhook import Call, EventWebhook, Settings
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as RuntimeSettings
from experience_runtime.testing import check_integration
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook as Receiver

from .conftest import context_for

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def call(outbound: Outbound, payload: dict[str, Any]) -> Any:
    return EventWebhook().call(Call.model_validate(payload), context_for(Settings(), outbound))


def test_it_keeps_the_rules_for_integrations() -> None:
    check_integration(
        EventWebhook, settings={}, payloads=[{"url": "https://example.com/hook", "body": {"a": 1}}]
    )


def test_it_is_signed_when_there_is_a_secret(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("")

    settings = Settings.model_validate({"secret": SECRET})
    payload = Call.model_validate({"url": httpserver.url_for("/"), "body": {"a": 1}})

    # the clock is the machine's, because a receiver judges how old a message is
    EventWebhook().call(payload, context_for(settings, outbound, clock=SystemClock()))

    request = httpserver.log[0][0]
    assert Receiver(SECRET).verify(request.data, dict(request.headers)) == {"a": 1}


@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_answer_that_repeats_the_query_is_kept_without_it(
    outbound: Outbound, httpserver: HTTPServer, status: int
) -> None:
    url = httpserver.url_for("/?token=s3cret%2Fone&short=ab&also=s3cret-two%22#part")
    httpserver.expect_request("/").respond_with_data(
        f'ab {url} s3cret/one s3cret%2Fone "s3cret-two\\""', status=status
    )

    try:
        told = str(call(outbound, {"url": url}))
    except IntegrationFailed as failure:
        told = f"{failure} {failure.answer}"

    assert "s3cret" not in told
    assert "ab " in told


@pytest.mark.parametrize(
    "payload",
    [
        None,
        "https://example.com/",
        {},
        {"url": None},
        {"url": 5},
        {"url": "ftp://example.com/?token=s3cret-one"},
        {"url": "https://ann:s3cret-one@example.com/"},
        {"url": "https://example.com/\r\nX: s3cret-one"},
        {"url": "https://example.com/?token=s3cret-one", "headers": {"a": "b"}},
    ],
)
def test_a_payload_that_does_not_fit_is_refused_without_its_secrets(payload: Any) -> None:
    registry = Registry(RuntimeSettings())

    with pytest.raises(InvalidPayload) as caught:
        registry.parse_payload("event-webhook", payload)

    assert "s3cret-one" not in caught.value.message
