"""App("utils/scheduler", …): its table, row by row, with real deliveries.

Source: reference/scheduled-events.
"""

from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.documents.documents import execution_document, whole_attempt_document
from experience_runtime.domain.clients import NO_CLIENT, Client
from experience_runtime.domain.executions import Status
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from pytest_httpserver import HTTPServer

from .conftest import ANNA, NOW, Events

REGISTRY = Registry(Settings())

BEN = Client(bot_id="bot", channel_id="messenger", user_id="ben")


@pytest.fixture
def hook(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/hook").respond_with_json({"got": True})
    return httpserver.url_for("/hook?token=s3cret-one&b=2")


# --- action


def test_action_left_out_is_broadcast(world: Events, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/broadcasts").respond_with_json({"request_id": "r1"})

    result = world.result(delay="1 hr", flow_id="remind_cart", schedule_id="cart_reminder")
    world.pass_time(hours=1)

    assert result["action"] == "broadcast"
    assert world.bodies() == [
        {
            "payload": {
                "content": {"flow_id": "remind_cart", "step_id": "start"},
                "content_type": "flow_trigger",
            },
            "client": {"bot_id": "bot", "channel_id": "messenger", "user_id": "anna"},
            "metadata": {},
        }
    ]


@pytest.mark.parametrize("action", ["", "Webhook", "email", 5, {}, [], True])
def test_an_action_that_is_none_is_refused(world: Events, action: Any) -> None:
    assert world.refused(action=action, delay="1h", url="https://example.com/") == "invalid_parameter"


# --- schedule_time, delay, limits


def test_an_event_happens_at_its_instant_and_at_no_other(world: Events, hook: str) -> None:
    at = NOW + timedelta(minutes=5)
    world.result(action="webhook", schedule_time=iso(at), url=hook)

    world.pass_time(seconds=299.999)
    before = list(world.bodies())
    world.pass_time(seconds=0.001)

    assert before == []
    assert len(world.bodies()) == 1
    (execution,) = world.executions()
    assert (execution.requested_at, execution.due_at) == (at, at)
    assert (execution.zone, execution.window) == ("UTC", None)


@pytest.mark.parametrize(
    "when",
    [
        {"schedule_time": to_ms(NOW) // 1000 + 3600},
        {"schedule_time": (to_ms(NOW) // 1000 + 3600) * 1000},
        {"schedule_time": "2026-03-06 17:30:15"},
        {"schedule_time": "2026-03-06T18:30:15+01:00"},
    ],
)
def test_seconds_milliseconds_and_texts_name_the_same_instant(world: Events, when: Any) -> None:
    result = world.result(flow_id="f", **when)

    assert result["scheduled_at"] == "2026-03-06T17:30:15.000Z"
    assert result["scheduled_at_unix"] == 1772818215


def test_a_delay_of_a_month_is_31_days(world: Events) -> None:
    assert world.result(flow_id="f", delay="1 month")["scheduled_at"] == "2026-04-06T16:30:15.250Z"


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({}, "no_delay_or_time"),
        ({"delay": "5 min", "schedule_time": "2026-03-07"}, "delay_and_time"),
        ({"delay": "59 s"}, "too_soon"),
        ({"schedule_time": to_ms(NOW) // 1000}, "too_soon"),
        ({"delay": "31 days 1 s"}, "beyond_limit"),
        ({"schedule_time": "2026-04-06T16:30:15.251Z"}, "beyond_limit"),
        ({"delay": "soon"}, "invalid_delay"),
        ({"schedule_time": "soon"}, "invalid_time"),
    ],
)
def test_an_instant_that_is_none_or_outside_is_refused_and_nothing_is_stored(
    world: Events, when: Any, code: str
) -> None:
    assert world.refused(flow_id="f", **when) == code


# --- schedule_id


def test_a_schedule_id_left_out_is_random_and_returned(world: Events) -> None:
    ids = {world.result(flow_id="f", delay="1h")["schedule_id"] for _ in range(20)}

    assert len(ids) == 20
    assert all(len(each) >= 16 for each in ids)
    assert len(world.executions()) == 20


def test_a_schedule_id_reused_while_pending_replaces(world: Events, hook: str) -> None:
    for body in (1, 2):
        world.result(action="webhook", delay="1h", url=hook, body=body, schedule_id="x")
    world.pass_time(hours=2)

    assert world.bodies() == [2]
    assert {(each.status, each.reason) for each in world.executions()} == {
        (Status.CANCELLED, "replaced"),
        (Status.SUCCEEDED, None),
    }


def test_a_schedule_id_is_one_for_all_actions(world: Events, hook: str) -> None:
    world.result(flow_id="f", delay="1h", schedule_id="x")
    world.result(action="webhook", delay="1h", url=hook, schedule_id="x")
    world.pass_time(hours=2)

    assert [request.path for request, _ in world.server.log] == ["/hook"]


def test_a_schedule_id_used_again_afterwards_is_a_new_event(world: Events, hook: str) -> None:
    for _ in range(2):
        world.result(action="webhook", delay="1h", url=hook, schedule_id="x")
        world.pass_time(hours=2)

    assert len(world.bodies()) == 2


@pytest.mark.parametrize(
    "other",
    [
        BEN,
        Client(bot_id="bot2", channel_id="messenger", user_id="anna"),
        Client(bot_id="bot", channel_id="other", user_id="anna"),
        Client(bot_id="bot", user_id="anna"),
        NO_CLIENT,
    ],
)
def test_a_schedule_id_is_the_clients_own(world: Events, hook: str, other: Client) -> None:
    call: dict[str, Any] = {"action": "webhook", "delay": "1h", "url": hook, "schedule_id": "cart_reminder"}
    world.result(**call)
    world.result(other, **call)

    cancelled = world.app(other, action="cancel", schedule_id="cart_reminder")

    assert cancelled["cancelled"] is True
    pending = [each for each in world.executions() if each.status is Status.PENDING]
    assert [each.visitor for each in pending] == ["anna"]


# --- the answer


def test_the_answer_of_a_webhook_is_exactly_this(world: Events) -> None:
    assert world.app(
        action="webhook",
        delay="5 min",
        url="https://example.com/hook?token=s3cret-one",
        body={"a": 1},
        schedule_id="some-id",
    ) == {
        "success": True,
        "result": {
            "action": "webhook",
            "schedule_id": "some-id",
            "scheduled_at": "2026-03-06T16:35:15.250Z",
            "scheduled_at_unix": 1772814915,  # whole seconds, cut down
            "url": "https://example.com/hook?…",
            "body": {"a": 1},
        },
    }


def test_the_answer_of_a_broadcast_is_exactly_this(world: Events) -> None:
    assert world.app(delay="5 hrs", flow_id="myFlow", step_id="myStep", metadata={"some": "info"}) == {
        "success": True,
        "result": {
            "action": "broadcast",
            "schedule_id": world.executions()[0].key and _schedule_id(world),
            "scheduled_at": "2026-03-06T21:30:15.250Z",
            "scheduled_at_unix": 1772832615,
            "flow_id": "myFlow",
            "step_id": "myStep",
            "metadata": {"some": "info"},
        },
    }


def _schedule_id(world: Events) -> Any:
    return execution_document(world.executions()[0], redact=str, shown=REGISTRY.shown)["key"]["schedule_id"]


# --- webhook


def test_a_webhook_posts_its_body_as_json_with_the_query_it_was_given(world: Events, hook: str) -> None:
    world.result(action="webhook", delay="5 min", url=hook, body={"text": "é", "list": [1, None]})
    world.pass_time(minutes=6)

    ((request, _),) = world.server.log
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert request.query_string == b"token=s3cret-one&b=2"
    assert request.get_json() == {"text": "é", "list": [1, None]}
    assert request.headers["webhook-id"] == world.executions()[0].id


def test_a_webhook_without_a_body_posts_an_empty_object(world: Events, hook: str) -> None:
    world.result(action="webhook", delay="5 min", url=hook)
    world.pass_time(minutes=6)

    assert world.bodies() == [{}]


def test_a_webhook_without_a_url_is_refused_as_the_documents_own_example_is(world: Events) -> None:
    assert world.refused(action="webhook", schedule_time="2020-03-12 12:33:00") == "missing_parameter"


def test_a_failing_webhook_is_retried_five_times_and_then_failed(
    world: Events, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("down", status=503)
    world.result(action="webhook", delay="5 min", url=httpserver.url_for("/hook"))
    world.pass_time(days=2)

    assert len(world.server.log) == 6
    assert len({request.headers["webhook-id"] for request, _ in world.server.log}) == 1
    assert world.executions()[0].status is Status.FAILED


@pytest.mark.parametrize("status", [200, 302, 404, 503])
def test_the_credentials_of_a_url_are_nowhere_to_be_seen(
    world: Events, httpserver: HTTPServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = httpserver.url_for("/hook?token=s3cret-one&q=two%20words")
    echo = f"you sent {url}: token=s3cret-one, q=two words or two%20words"
    httpserver.expect_request("/hook").respond_with_data(echo, status=status)
    answer = world.app(action="webhook", delay="5 min", url=url)
    world.pass_time(days=2)

    (execution,) = world.executions()
    attempts = world.store.attempts(execution.number)
    shown = [
        answer,
        execution_document(execution, attempts, redact=str, shown=REGISTRY.shown),
        [whole_attempt_document(each, redact=str) for each in attempts],
        [change.reason for change in world.store.history(execution.number)],
        [record.getMessage() for record in caplog.records if record.name != "werkzeug"],
    ]
    assert attempts[0].answer or status == 302
    for secret in ("s3cret-one", "two words", "two%20words"):
        assert secret not in str(shown)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://2130706434/"],
)
def test_a_webhook_to_a_private_address_is_never_called(world: Events, url: str) -> None:
    world.result(action="webhook", delay="5 min", url=url)
    world.pass_time(minutes=6)

    (execution,) = world.executions()
    assert execution.status is Status.FAILED
    assert str(execution.reason).startswith("blocked_address")


# --- broadcast


def test_a_broadcast_without_a_flow_is_refused(world: Events) -> None:
    assert world.refused(action="broadcast", delay="1h") == "missing_parameter"


def test_a_channel_that_cannot_be_broadcast_to_is_refused_when_scheduling(world: Events) -> None:
    client = Client(bot_id="bot", channel_id="webapp", user_id="anna")

    assert world.refused(client, flow_id="f", delay="1h") == "unsupported_channel"


def test_a_broadcast_for_nobody_is_refused(world: Events) -> None:
    assert world.refused(Client(bot_id="bot"), flow_id="f", delay="1h") == "missing_parameter"


# --- cancel


def test_a_cancelled_event_never_happens(world: Events, hook: str) -> None:
    world.result(action="webhook", delay="5 min", url=hook, schedule_id="x")

    answer = world.app(action="cancel", schedule_id="x")
    world.pass_time(days=1)

    assert answer == {
        "success": True,
        "cancelled": True,
        "result": {"action": "cancel", "schedule_id": "x", "cancelled": True},
    }
    assert world.bodies() == []


def test_what_is_unknown_or_finished_is_not_cancelled_and_that_is_no_failure(
    world: Events, hook: str
) -> None:
    unknown = world.app(action="cancel", schedule_id="x")
    world.result(action="webhook", delay="5 min", url=hook, schedule_id="x")
    world.pass_time(minutes=6)
    finished = world.app(action="cancel", schedule_id="x")

    assert unknown == finished
    assert (finished["success"], finished["cancelled"]) == (True, False)


def test_a_cancel_without_a_name_is_refused(world: Events) -> None:
    assert world.refused(action="cancel") == "missing_parameter"


# --- what a stranger may send


@pytest.mark.parametrize(
    "body", [float("nan"), float("inf"), "x" * 300_000, {"a": {1, 2}}, b"bytes", {"a": object()}]
)
def test_a_body_that_is_no_json_or_too_large_is_refused(world: Events, body: Any) -> None:
    code = world.refused(action="webhook", delay="1h", url="https://example.com/", body=body)

    assert code in ("invalid_payload", "payload_too_large")


def test_a_body_that_holds_itself_is_refused(world: Events) -> None:
    body: list[Any] = []
    body.append(body)

    assert world.refused(action="webhook", delay="1h", url="https://example.com/", body=body) == (
        "invalid_payload"
    )


def test_what_is_in_a_body_is_data_and_nothing_else(world: Events, hook: str) -> None:
    body = {"__proto__": {"x": 1}, "url": "http://elsewhere/", "</script>": "\r\nX-Evil: 1", "\x00": "\ud83d"}
    world.result(action="webhook", delay="5 min", url=hook, body=body)
    world.pass_time(minutes=6)

    assert world.bodies() == [body]
    assert "x-evil" not in world.server.log[0][0].headers


def test_a_client_cannot_pass_for_another_by_its_names(world: Events) -> None:
    world.result(
        Client(bot_id='a","channel_id":"b', user_id="anna"), flow_id="f", delay="1h", schedule_id="x"
    )

    sly = world.app(Client(bot_id="a", channel_id="b", user_id="anna"), action="cancel", schedule_id="x")

    assert sly["cancelled"] is False


def test_another_function_is_refused(world: Events) -> None:
    from experience_runtime.engine.app_events import answer_app

    for name in ("utils/other", "", None, {"a": 1}, "x" * 10**6):
        answer = answer_app(world.scheduler, name, {"flow_id": "f", "delay": "1h"}, client=ANNA)

        assert answer["error"]["code"] == "invalid_parameter"
        assert len(answer["error"]["message"]) < 300
