"""slack-update against a server that answers as Slack's incoming webhooks do."""

from dataclasses import replace
from typing import Any

import pytest
from experience_integrations.slack_update import Message, SlackUpdate
from experience_integrations.slack_update import Settings as SlackSettings
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.integration import Context, IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from pytest_httpserver import HTTPServer

from .conftest import context_for

PATH = "/services/T000/B000/SECRET"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Hi"}}


@pytest.fixture
def context(httpserver: HTTPServer, outbound: Outbound) -> Context[SlackSettings]:
    url = httpserver.url_for(PATH).replace("localhost", "127.0.0.1")
    return context_for(SlackSettings.model_validate({"url": url}), outbound)


def parse(payload: Any) -> Message:
    parsed = Registry(Settings()).parse_payload("slack-update", payload)
    assert isinstance(parsed, Message)
    return parsed


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        ({"message": "Hello!"}, {"text": "Hello!"}),  # as the document has it
        ("Hello!", {"text": "Hello!"}),
        ({"text": "Hello!", "username": "bot"}, {"text": "Hello!", "username": "bot"}),
        ({"message": "Hi", "blocks": [SECTION]}, {"text": "Hi", "blocks": [SECTION]}),
        ({"blocks": [SECTION], "attachments": [{}]}, {"blocks": [SECTION], "attachments": [{}]}),
        ({"text": "Hi", "unfurl_links": False, "x": None}, {"text": "Hi", "unfurl_links": False, "x": None}),
        ({"attachments": [{"text": "Hi"}]}, {"attachments": [{"text": "Hi"}]}),
        ({"text": "", "blocks": [SECTION]}, {"text": "", "blocks": [SECTION]}),
        ({"text": "Hi", "blocks": []}, {"text": "Hi", "blocks": []}),
        ("x" * 40_000, {"text": "x" * 40_000}),
        ("<!channel> A&B <http://evil.example|log in>",
         {"text": "&lt;!channel&gt; A&amp;B &lt;http://evil.example|log in&gt;"}),
        ({"message": "*Hi* <https://shop.example|shop>", "markdown": True},
         {"text": "*Hi* <https://shop.example|shop>"}),
        ({"text": "<@U1>", "markdown": False, "blocks": [SECTION]},
         {"text": "&lt;@U1&gt;", "blocks": [SECTION]}),
        ({"blocks": [SECTION] * 50}, {"blocks": [SECTION] * 50}),
    ],
)  # fmt: skip
def test_a_message_is_sent_as_slack_has_it(
    context: Context[SlackSettings], httpserver: HTTPServer, payload: Any, sent: Any
) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_data("ok")

    assert SlackUpdate().call(parse(payload), context) == {"ok": True}
    assert httpserver.log[0][0].get_json() == sent
    assert httpserver.log[0][0].headers["webhook-id"] == "ex_1"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({}, "says nothing"),
        ("", "says nothing"),
        ("  \n", "says nothing"),
        ({"message": ""}, "says nothing"),
        ({"blocks": []}, "says nothing"),
        ({"text": "", "blocks": [], "attachments": []}, "says nothing"),
        ({"attachments": "x"}, "payload.attachments"),
        ({"attachments": ["x"]}, "payload.attachments[0]"),
        ({"message": "a", "text": "b"}, "both message and text"),
        (None, "must be a text or an object"),
        (5, "payload = 5"),
        (["a"], 'payload = ["a"]'),
        ({"message": 5}, "payload.message = 5"),
        ({"message": "x" * 40_001}, "payload.message = "),
        ({"text": "x", "markdown": "yes"}, "payload.markdown"),
        ({"text": None}, "payload.text = null"),
        ({"text": ["a"]}, "payload.text"),
        ({"blocks": "x"}, "payload.blocks"),
        ({"blocks": ["x"]}, 'payload.blocks[0] = "x"'),
        ({"blocks": [SECTION, {"text": "x"}]}, "payload.blocks[1].type is missing"),
        ("x" * 40_001, 'payload = "xxx'),
        ({"blocks": [SECTION] * 51}, "50"),
    ],
)
def test_what_is_no_message_is_refused(payload: Any, says: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        parse(payload)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "may_pass", "says"),
    [
        (400, "invalid_payload", False, "400 invalid_payload: Slack could not read"),
        (400, "no_text", False, "empty"),
        (403, "action_prohibited", False, "ask them"),
        (404, "channel_not_found", False, "make a new webhook"),
        (404, "no_service", False, "make a new one"),
        (410, "channel_is_archived", False, "restore it"),
        (404, "brand_new_error", False, "404 brand_new_error"),
        (404, "<html>SECRET</html>", False, "Slack answered 404"),
        (302, "", False, "Slack answered 302"),
        (200, "<html>log in</html>", False, "log in"),
        (200, "", False, 'not "ok"'),
        (201, "ok", False, "201"),
        (500, "rollup_error", True, "500 rollup_error"),
        (503, "", True, "503"),
        (408, "", True, "408"),
    ],
)
def test_slacks_answer_decides_whether_to_try_again(
    context: Context[SlackSettings], httpserver: HTTPServer, status: int, body: str, may_pass: bool, says: str
) -> None:
    httpserver.expect_request(PATH).respond_with_data(body, status=status)

    with pytest.raises(IntegrationFailed) as caught:
        SlackUpdate().call(parse("Hi"), context)

    failure = caught.value
    assert (failure.may_pass, failure.status, failure.answer) == (may_pass, status, body)
    assert says in failure.message
    assert "SECRET" not in failure.message


def test_slacks_rate_limit_says_when_to_come_back(
    context: Context[SlackSettings], httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data(
        "rate_limited", status=429, headers={"retry-after": "30"}
    )

    with pytest.raises(IntegrationFailed) as caught:
        SlackUpdate().call(parse("Hi"), context)

    assert (caught.value.may_pass, caught.value.retry_after) == (True, 30.0)


def test_the_url_does_not_show(context: Context[SlackSettings]) -> None:
    nowhere = SlackSettings.model_validate({"url": f"http://127.0.0.1:1{PATH}"})

    with pytest.raises(IntegrationFailed) as caught:
        SlackUpdate().call(parse("Hi"), replace(context, settings=nowhere))

    assert "SECRET" not in f"{caught.value} {nowhere!r} {context!r}"


def test_half_a_secret_is_not_in_the_message(httpserver: HTTPServer, context: Context[Any]) -> None:
    httpserver.expect_request(PATH).respond_with_data("x" * 90 + " /services/T000/B000/SECRET")

    with pytest.raises(IntegrationFailed) as caught:
        SlackUpdate().call(parse({"text": "hi"}), context)

    assert "/services" not in caught.value.message
