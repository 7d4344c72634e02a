"""Retries: what is tried again, when and how often; and what is judged again at run time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.windows import parse_window
from experience_runtime.domain.zones import UTC as UTC_ZONE
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.integration import Backoff, IntegrationFailed
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.raw_servers import LOOPBACK

from .conftest import NOW
from .outcomes import outcomes, raising
from .policed import Policed

LEASE = timedelta(seconds=120)
NO_BREAKER = Policies(default=Policy(breaker_failures=0))
WINDOW = {"day": "monday-friday", "time": "09:00-16:59", "timezone": "UTC"}


@pytest.fixture
def world() -> Iterator[Policed]:
    made = Policed(NO_BREAKER)
    yield made
    made.store.close()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as serving:
        yield serving


def run_to_the_end(world: Policed, execution: Execution) -> list[datetime]:
    """Run it from wake to wake until it waits no more; return when its attempts began."""
    while world.now_is([execution]) == [Status.PENDING]:
        wake = world.dispatcher.next_wake()
        assert wake is not None
        world.clock.advance_to(wake)
        world.run_all()
    return world.begun([execution])


# --- how often


def test_one_attempt_and_five_retries_then_it_has_failed(world: Policed) -> None:
    world.answers(503, "busy")
    scheduled = world.due(1)[0]

    begun = run_to_the_end(world, scheduled)

    row = world.execution(scheduled.id)
    assert (row.status, row.reason, row.begun) == (Status.FAILED, "integration_failed", 6)
    waits = [(later - at).total_seconds() for at, later in pairwise(begun)]
    assert all(0 <= wait <= most for wait, most in zip(waits, [15, 60, 240, 960, 3600], strict=True))
    assert world.dispatcher.next_wake() is None


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (9, 10)])
def test_an_integration_has_its_own_number_of_retries(world: Policed, retries: int, attempts: int) -> None:
    world.integrations.put("sms", raising(IntegrationFailed("down", may_pass=True)), retries=retries)
    scheduled = world.due(1)[0]

    assert len(run_to_the_end(world, scheduled)) == attempts
    assert world.now_is([scheduled]) == [Status.FAILED]


def test_an_integration_has_its_own_backoff(world: Policed) -> None:
    world.answers(503)
    type(world.integrations.get("sms")).backoff = Backoff(base_seconds=0)
    scheduled = world.due(1)[0]

    assert run_to_the_end(world, scheduled) == [NOW] * 6


def test_a_replay_gives_all_retries_again_and_keeps_what_was(world: Policed) -> None:
    world.answers(503)
    scheduled = world.due(1)[0]
    run_to_the_end(world, scheduled)

    world.scheduler.replay(scheduled.id)
    run_to_the_end(world, scheduled)

    assert outcomes(world, scheduled) == [*["retry"] * 5, "failed"] * 2
    assert [a.attempt for a in world.store.attempts(scheduled.number)] == list(range(1, 13))


def test_claims_that_a_crash_ended_before_the_start_are_no_attempts(world: Policed) -> None:
    world.answers(503)
    scheduled = world.due(1)[0]
    for _ in range(20):
        now = world.clock.now()
        world.store.claim_due(now=now, lease_until=now + LEASE, limit=1)
        world.store.give_back(now=now, everything=True)

    assert len(run_to_the_end(world, scheduled)) == 6


def test_a_crash_in_the_middle_of_a_call_is_an_attempt(world: Policed) -> None:
    world.answers(503)
    scheduled = world.due(1)[0]
    (claimed,) = world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=1)
    world.store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=NOW + LEASE)
    world.store.give_back(now=NOW, everything=True)

    run_to_the_end(world, scheduled)

    assert outcomes(world, scheduled) == ["lost", "retry", "retry", "retry", "retry", "failed"]


# --- what is tried again


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_an_answer_that_may_pass_is_tried_again(world: Policed, status: int) -> None:
    world.answers(status)
    scheduled = world.due(1)[0]

    world.dispatcher.run_due()

    assert (world.now_is([scheduled]), outcomes(world, scheduled)) == ([Status.PENDING], ["retry"])


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 409, 410, 413, 422])
def test_an_answer_that_stays_is_final_at_once(world: Policed, status: int) -> None:
    world.answers(status)
    scheduled = world.due(1)[0]

    world.dispatcher.run_due()

    assert (world.now_is([scheduled]), outcomes(world, scheduled)) == ([Status.FAILED], ["failed"])


def test_no_connection_is_tried_again(server: HTTPServer) -> None:
    url = server.url_for("/sms")
    server.stop()
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK)
    world = Policed(NO_BREAKER, http=outbound)
    world.integrations.put("sms", lambda _, context: context.http.post(url))
    scheduled = world.due(1)[0]

    world.dispatcher.run_due()

    (attempt,) = world.store.attempts(scheduled.number)
    assert (attempt.outcome, attempt.http_status) == ("retry", None)
    assert "no connection to" in (attempt.error or "")
    outbound.close()
    world.store.close()


def test_an_integration_says_itself_whether_an_answer_may_pass(world: Policed) -> None:
    world.answers(400, "busy, come again")
    world.integrations.put("sms", _comes_again)
    scheduled = world.due(1)[0]

    world.dispatcher.run_due()

    assert outcomes(world, scheduled) == ["retry"]


def _comes_again(_: Any, context: Any) -> Any:
    answer = context.http.post("https://x/")
    raise answer.failure(f"they said {answer.text}", may_pass="again" in answer.text)


# --- what is kept


def test_every_attempt_is_kept_with_its_status_its_error_and_what_was_answered(world: Policed) -> None:
    scheduled = world.due(1)[0]
    for status, text in ((503, "busy"), (429, "é" * 5000), (200, "fine")):
        world.answers(status, text)
        world.run_all()
        world.advance(hours=2)

    first, second, last = world.store.attempts(scheduled.number)

    assert (first.http_status, first.error, first.answer) == (503, "the receiver answered 503", "busy")
    assert (second.outcome, second.http_status, second.answer) == ("held", 429, "é" * 2048)  # 4 KiB
    assert (last.outcome, last.http_status, last.error) == ("succeeded", 200, None)
    assert None not in (first.ended_at, second.ended_at, last.ended_at)
    assert [(c.to_status, c.reason) for c in world.store.history(scheduled.number)] == [
        ("pending", None),
        ("running", None),
        ("pending", "integration_failed"),
        ("running", None),
        ("pending", "held by pace"),
        ("running", None),
        ("succeeded", None),
    ]


# --- when


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("86400", 86_400),
        ("172800", 86_400),  # a day at most
        (format_datetime(NOW + timedelta(hours=3), usegmt=True), 3 * 3600),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 86_400),
    ],
)
def test_retry_after_is_honoured_in_seconds_and_as_a_date(
    server: HTTPServer, header: str, seconds: int
) -> None:
    def busy(_: Request) -> Response:
        return Response("busy", 503, {"Retry-After": header})

    server.expect_request("/sms").respond_with_handler(busy)
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK)
    world = Policed(NO_BREAKER, http=outbound)
    world.integrations.put(
        "sms", lambda _, context: context.http.post(server.url_for("/sms")).require_success()
    )
    scheduled = world.due(1)[0]

    world.dispatcher.run_due()

    held = world.execution(scheduled.id)
    assert (held.status, held.begun, held.due_at, held.held_at) == (Status.PENDING, 0, NOW, NOW)
    assert world.dispatcher.next_wake() == NOW + timedelta(seconds=seconds)
    outbound.close()
    world.store.close()


def test_every_retry_lies_inside_the_window(world: Policed) -> None:
    world.integrations.put("sms", raising(IntegrationFailed("busy", may_pass=True, retry_after=86_400 / 2)))
    world.clock.advance_to(datetime(2026, 3, 5, 16, tzinfo=UTC))  # a Thursday
    scheduled = world.schedule(integration="sms", window=WINDOW).execution
    window = parse_window("monday-friday", "09:00-16:59", UTC_ZONE)

    begun = run_to_the_end(world, scheduled)

    assert len(begun) == 6
    assert all(window.contains(at) for at in begun)
    assert world.execution(scheduled.id).attempt == 6  # none was claimed only to be postponed
    assert begun[1:3] == [datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 9, 9, tzinfo=UTC)]


# --- judged again at run time


def test_one_whose_integration_is_gone_fails_and_can_be_replayed(world: Policed) -> None:
    scheduled = world.due(1)[0]
    gone = world.integrations._found.pop("sms")
    world.run_all()
    row = world.execution(scheduled.id)
    assert (row.status, row.reason) == (Status.FAILED, "unknown_integration")

    world.integrations._found["sms"] = gone
    world.scheduler.replay(scheduled.id)
    world.run_all()

    assert outcomes(world, scheduled) == ["failed", "succeeded"]


def test_one_whose_integration_goes_between_two_attempts_fails_then(world: Policed) -> None:
    world.answers(503)
    scheduled = world.due(1)[0]
    world.run_all()
    del world.integrations._found["sms"]

    run_to_the_end(world, scheduled)

    assert world.execution(scheduled.id).reason == "unknown_integration"
    assert outcomes(world, scheduled) == ["retry", "failed"]


def test_one_whose_settings_are_gone_is_not_configured(world: Policed) -> None:
    scheduled = world.due(1)[0]
    world.integrations.unconfigured.add("sms")

    world.run_all()

    row = world.execution(scheduled.id)
    assert (row.status, row.reason) == (Status.FAILED, "not_configured")
    assert world.integrations.calls == []


def test_a_payload_that_fits_no_more_fails_and_is_not_sent(world: Policed) -> None:
    scheduled = world.due(1)[0]
    world.integrations.parse_payload = _refuses  # type: ignore[assignment, method-assign]

    world.run_all()

    assert world.execution(scheduled.id).reason == "invalid_payload"
    assert world.integrations.calls == []


def _refuses(*_: Any) -> Any:
    raise InvalidPayload("payload is not what it was")


@pytest.mark.parametrize(
    ("now", "due_at"),
    [
        (datetime(2026, 3, 2, 17, tzinfo=UTC), datetime(2026, 3, 3, 9, tzinfo=UTC)),
        (datetime(2026, 3, 6, 23, tzinfo=UTC), datetime(2026, 3, 9, 9, tzinfo=UTC)),  # over a weekend
        (datetime(2026, 5, 3, 12, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC)),  # two months later
    ],
)
def test_after_an_outage_a_closed_window_postpones_to_its_opening(
    world: Policed, now: datetime, due_at: datetime
) -> None:
    scheduled = world.schedule(integration="sms", window=WINDOW).execution
    world.clock.advance_to(now)

    world.run_all()

    row = world.execution(scheduled.id)
    assert (row.status, row.due_at, row.begun) == (Status.PENDING, due_at, 0)
    assert run_to_the_end(world, scheduled) == [due_at]


@pytest.mark.parametrize("verb", ["cancel", "cancel all", "convert", "replace"])
def test_what_is_called_off_after_its_claim_is_not_delivered(world: Policed, verb: str) -> None:
    scheduled = world.schedule(integration="sms", key="basket", cancelOnConversion=True).execution
    (claimed,) = world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=1)
    match verb:
        case "cancel":
            world.scheduler.cancel_execution(scheduled.id, reason=None)
        case "cancel all":
            world.store.cancel_each([scheduled.number], reason=None, now=NOW)
        case "convert":
            world.scheduler.convert("ada")
        case "replace":
            world.schedule(integration="sms", delay="1 hour", key="basket")

    world.dispatcher_on(InlineDelivery()).deliver(claimed)

    assert world.now_is([scheduled]) == [Status.CANCELLED]
    assert world.integrations.calls == []
