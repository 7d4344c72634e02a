"""Scheduled events: the parameters of each action, and what is wrong with them.

Source: reference/scheduled-events#parameters.
"""

from typing import Any

import pytest
from experience_runtime.domain.app_events import (
    Cancelling,
    Event,
    plan_cancelling,
    read_event,
)
from experience_runtime.domain.clients import NO_CLIENT, Client, read_client
from experience_runtime.domain.errors import InvalidParameter, Refusal

ANNA = Client(bot_id="bot", channel_id="messenger", user_id="anna")
HOOK = "https://example.com/hook?token=s3cret-one"


def event(client: Client = ANNA, **parameters: Any) -> Event:
    read = read_event(parameters, client=client)
    assert isinstance(read, Event)
    return read


def refusal(client: Client = ANNA, **parameters: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_event(parameters, client=client)
    return caught.value


def test_a_webhook_has_its_url_and_body_and_tells_the_url_without_its_query() -> None:
    read = event(action="webhook", url=HOOK, body={"a": [1]})

    assert read.payload == {"url": HOOK, "body": {"a": [1]}}
    assert read.told == {"url": "https://example.com/hook?…", "body": {"a": [1]}}
    assert read.integration == "event-webhook"


def test_a_webhook_may_have_no_body() -> None:
    assert event(action="webhook", url=HOOK, body=None).payload == {"url": HOOK}


def test_an_action_that_is_left_out_is_broadcast_with_step_and_metadata_filled() -> None:
    read = event(flow_id="myFlow")

    assert read.action == "broadcast"
    assert read.told == {"flow_id": "myFlow", "step_id": "start", "metadata": {}}
    assert read.payload == {
        **read.told,
        "client": {"bot_id": "bot", "channel_id": "messenger", "user_id": "anna"},
        "channel": "messenger",
    }


def test_a_cancel_names_the_event() -> None:
    assert read_event({"action": "cancel", "schedule_id": "x"}, client=ANNA) == Cancelling("x")


@pytest.mark.parametrize(
    ("parameters", "code", "told"),
    [
        ({"action": "webhook"}, "missing_parameter", "url"),
        # the document's own example, whose time is past as well
        ({"action": "webhook", "schedule_time": "2020-03-12 12:33:00"}, "missing_parameter", "url"),
        ({"action": "webhook", "url": None}, "missing_parameter", "url"),
        ({}, "missing_parameter", "flow_id"),
        ({"url": HOOK, "delay": "1d"}, "missing_parameter", 'action: "webhook"'),
        ({"action": "cancel"}, "missing_parameter", "schedule_id"),
        ({"action": "Webhook"}, "invalid_parameter", '"webhook"'),
        ({"action": 5}, "invalid_parameter", "action 5"),
        ({"action": ["webhook"]}, "invalid_parameter", "action"),
        ({"action": "webhook", "url": 5}, "invalid_parameter", "url 5"),
        ({"action": "webhook", "url": ""}, "invalid_parameter", "https://"),
        ({"action": "webhook", "url": "ftp://example.com"}, "invalid_parameter", "https://"),
        ({"action": "webhook", "url": "//example.com"}, "invalid_parameter", "https://"),
        ({"action": "webhook", "url": "https://u:pw@example.com"}, "invalid_parameter", "user name"),
        ({"action": "webhook", "url": "https://example.com/\r\nX: y"}, "invalid_parameter", "control"),
        ({"action": "webhook", "url": "https://" + "a" * 5000}, "invalid_parameter", "2048"),
        ({"action": "webhook", "url": "https://\ud800.com"}, "invalid_parameter", "host"),
        ({"flow_id": 5}, "invalid_parameter", "flow_id 5"),
        ({"flow_id": ""}, "invalid_parameter", "flow_id"),
        ({"flow_id": "f" * 1001}, "invalid_parameter", "1000"),
        ({"flow_id": "f", "step_id": {}}, "invalid_parameter", "step_id"),
        ({"flow_id": "f", "metadata": "info"}, "invalid_parameter", "metadata"),
        ({"flow_id": "f", "schedule_id": 5}, "invalid_parameter", "schedule_id 5"),
        ({"flow_id": "f", "schedule_id": ""}, "invalid_parameter", "0 characters"),
        ({"flow_id": "f", "schedule_id": "a\nb"}, "invalid_parameter", "control"),
        ({"flow_id": "f", "schedule_id": "\ud800"}, "invalid_parameter", "control"),
        ({"flow_id": "f", "schedule_id": "x" * 10**6}, "invalid_parameter", "1 to 200"),
        ({"flow_id": "f", "scheduleTime": 5}, "invalid_parameter", "schedule_time"),
        ({"flow_id": "f", "dealy": "1d"}, "invalid_parameter", '"delay"'),
        ({"flow_id": "f", "wholly_else": 1}, "invalid_parameter", "the parameters are"),
        ({"flow_id": "f", "\x1b[31m" * 1000: 1}, "invalid_parameter", "not known"),
    ],
)
def test_what_is_missing_or_wrong_is_refused(parameters: dict[str, Any], code: str, told: str) -> None:
    refused = refusal(**parameters)

    assert refused.code == code
    assert told in refused.message
    assert len(refused.message) < 600
    assert refused.message.isprintable()


def test_a_broadcast_needs_a_user() -> None:
    assert "client.user_id" in refusal(Client(bot_id="bot"), flow_id="f").message
    assert refusal(NO_CLIENT, flow_id="f").code == "missing_parameter"


@pytest.mark.parametrize(
    "url", ["https://example.com/\x00?token=s3cret-one", "https://u:s3cret-one@example.com/", "s3cret-one"]
)
def test_a_refused_url_is_not_shown(url: str) -> None:
    assert "s3cret-one" not in refusal(action="webhook", url=url).message


def test_a_key_is_one_of_the_bot_and_the_channel() -> None:
    keys = {
        plan_cancelling(Cancelling("x"), client=client).key
        for client in (
            NO_CLIENT,
            Client(bot_id="a"),
            Client(bot_id="b"),
            Client(channel_id="a"),
            Client(bot_id="a", channel_id="a"),
        )
    }

    assert len(keys) == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("anna", "is not an object"),
        (None, "is not an object"),
        ([], "is not an object"),
        ({"user_id": 5}, "client.user_id 5"),
        ({"user_id": ""}, "1 to 200"),
        ({"bot_id": "a\x00"}, "control character"),
        ({"channel_id": "x" * 201}, "201 characters"),
        ({"userId": "anna"}, 'did you mean "user_id"'),
    ],
)
def test_a_client_is_an_object_of_short_texts(given: Any, told: str) -> None:
    with pytest.raises(InvalidParameter, match=told):
        read_client(given)


def test_what_a_later_engine_adds_to_a_client_is_passed_over() -> None:
    assert read_client({"user_id": "anna", "bot_id": None, "conversation": 1}) == Client(user_id="anna")
