"""What the verbs put at rest, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from experience_runtime.domain.errors import (
    AlreadyScheduled,
    BeyondLimit,
    Conflict,
    InvalidKey,
    InvalidParameter,
    InvalidPayload,
    RateLimited,
    Refusal,
    UnknownExecution,
    UnknownIntegration,
    UnknownVisitor,
)
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.planning import plan_cancel
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.prepared import Cancelled, PreparedSchedule, Scheduled

if TYPE_CHECKING:
    from tests.engine.conftest import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
ADA = Visitor(id="ada")


def everything(world: World) -> list[str]:
    return [e.id for e in world.store.find(Filter(), limit=1000).executions]


# --- schedule


def test_several_calls_are_carried_out_in_their_order_and_refused_one_by_one(world: World) -> None:
    scheduler = world.scheduler
    keyed = {"delay": 1000, "key": "k"}

    def schedule(**options: object) -> PreparedSchedule:
        return scheduler.prepare_schedule("slack-update", {"message": "hello"}, keyed | options, visitor=ADA)

    cancel = plan_cancel({"key": "k", "reason": "changed"}, visitor=ADA)

    first, refused, cancelled, nothing, last = scheduler.carry_out(
        [
            schedule(),
            schedule(ifExists="reject"),
            scheduler.prepare_cancel("slack-update", cancel, visitor=ADA),
            scheduler.prepare_cancel("slack-update", cancel, visitor=ADA),
            schedule(ifExists="reject"),
        ]
    )

    assert isinstance(first, Scheduled)
    assert isinstance(refused, AlreadyScheduled)
    assert cancelled == Cancelled(ids=(first.execution.id,), elsewhere=False)
    assert nothing == Cancelled(ids=(), elsewhere=False)
    assert isinstance(last, Scheduled)
    assert everything(world) == [last.execution.id, first.execution.id]
    assert last.execution.number > first.execution.number


def test_a_scheduled_call_is_at_rest_with_all_it_asked_for(world: World) -> None:
    window = {"day": "monday-friday", "time": "18:00-20:00", "timezone": "America/New_York"}

    scheduled = world.schedule(
        payload={"message": "é"},
        delay="2 hours",
        key={"b": 1, "a": 2},
        window=window,
        cancelOnConversion=True,
    )

    row = world.store.execution(scheduled.execution.number)
    assert row == scheduled.execution
    assert row.integration == "slack-update"
    assert row.payload == '{"message":"é"}'
    assert row.requested_at == NOW + timedelta(hours=2)
    assert row.due_at == datetime(2026, 3, 2, 23, tzinfo=UTC)  # 18:00 in New York
    assert (row.zone, row.zone_from) == ("America/New_York", "window")
    assert row.window == "monday-friday 18:00-20:00"
    assert row.key == '{"a":2,"b":1}'
    assert (row.visitor, row.key_owner, row.experience) == ("ada", "ada", "basket")
    assert row.cancel_on_conversion
    assert row.retries == 5
    assert (scheduled.is_new, scheduled.replaced) == (True, None)


def test_property_order_does_not_make_another_key(world: World) -> None:
    first = world.schedule(key={"a": 1, "b": {"c": 2, "d": 3}})

    second = world.schedule(key={"b": {"d": 3, "c": 2}, "a": 1})

    assert second.replaced == first.execution.id


def test_a_fixed_key_never_touches_another_visitor_s_execution(world: World) -> None:
    world.schedule(key={"foo": "bar"}, visitor="ada")

    other = world.schedule(key={"foo": "bar"}, visitor="bob")

    assert other.replaced is None


@pytest.mark.parametrize("visitor", [None, "bob"])
def test_a_property_key_is_one_for_all_visitors(world: World, visitor: str | None) -> None:
    first = world.schedule(key="mail", scope="property", visitor="ada")

    second = world.schedule(key="mail", scope="property", visitor=visitor)

    assert second.replaced == first.execution.id


def test_one_key_of_two_integrations_is_two_keys(world: World) -> None:
    world.integrations.put("webhook", lambda payload, _: payload)
    world.schedule(key="mail")

    assert world.schedule(key="mail", integration="webhook").replaced is None


def test_keep_answers_with_the_existing_execution(world: World) -> None:
    first = world.schedule(key="mail")

    second = world.schedule(key="mail", ifExists="keep", delay="1 day")

    assert (second.execution, second.is_new) == (first.execution, False)
    assert everything(world) == [first.execution.id]


def test_reject_refuses_and_stores_nothing(world: World) -> None:
    first = world.schedule(key="mail")

    with pytest.raises(AlreadyScheduled):
        world.schedule(key="mail", ifExists="reject")

    assert everything(world) == [first.execution.id]


def test_the_defaults_fill_what_the_call_leaves_out(world: World) -> None:
    scheduled = world.scheduler.schedule(
        "slack-update", "hi", {"delay": "1 hour"}, defaults={"key": "mail", "time": 5}, visitor=ADA
    )

    assert scheduled.execution.key == '"mail"'
    assert scheduled.execution.due_at == NOW + timedelta(hours=1)


def test_an_anonymous_key_belongs_to_the_property(world: World) -> None:
    anonymous = Visitor(id=None, timezone="Europe/Paris")

    scheduled = world.scheduler.schedule("slack-update", "hi", {"delay": 0, "key": "k"}, visitor=anonymous)

    assert (scheduled.execution.visitor, scheduled.execution.key_owner) == (None, "")
    assert scheduled.execution.zone == "Europe/Paris"


def test_an_unconfigured_integration_is_scheduled_with_a_warning(world: World) -> None:
    world.integrations.unconfigured.add("slack-update")

    scheduled = world.schedule()

    assert any("not_configured" in warning for warning in scheduled.warnings)
    assert world.store.execution(scheduled.execution.number).status is Status.PENDING


def test_a_call_without_a_key_is_noted(world: World) -> None:
    assert world.schedule().notes
    assert not world.schedule(key="mail").notes


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"integration": "teleport"}, UnknownIntegration),
        ({"payload": float("nan")}, InvalidPayload),
        ({"payload": {"refused": 1}}, InvalidPayload),
        ({"key": {}}, InvalidKey),
        ({"delay": "31 days"}, BeyondLimit),
        ({"cancelOnConversion": True, "visitor": None}, UnknownVisitor),
        ({"visitor": ""}, InvalidParameter),
        ({"visitor": "x" * 201}, InvalidParameter),
        ({"visitor": "a\nb"}, InvalidParameter),
    ],
)
def test_a_refusal_stores_nothing(world: World, options: dict[str, object], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        world.schedule(**options)  # type: ignore[arg-type]

    assert everything(world) == []


def test_an_unknown_integration_is_refused_before_its_payload(world: World) -> None:
    with pytest.raises(UnknownIntegration):
        world.schedule(integration="teleport", payload=object())


# --- cancel


def test_cancel_cancels_the_execution_under_the_key(world: World) -> None:
    scheduled = world.schedule(key={"a": 1})

    cancelled = world.scheduler.cancel("slack-update", {"key": {"a": 1}, "reason": "sold out"}, visitor=ADA)

    assert (cancelled.ids, cancelled.elsewhere) == ((scheduled.execution.id,), False)
    assert world.execution(scheduled.execution.id).reason == "sold out"
    assert world.run_all() == 0


def test_cancel_with_nothing_pending_says_whether_another_visitor_has_one(world: World) -> None:
    world.schedule(key="mail", visitor="bob")

    mine = world.scheduler.cancel("slack-update", {"key": "mail"}, visitor=ADA)
    nobody_s = world.scheduler.cancel("slack-update", {"key": "other"}, visitor=ADA)

    assert (mine.ids, mine.elsewhere) == ((), True)
    assert (nobody_s.ids, nobody_s.elsewhere) == ((), False)


def test_cancel_takes_its_key_and_scope_from_the_defaults(world: World) -> None:
    scheduled = world.schedule(key="mail", scope="property", visitor="bob")
    defaults = {"key": "mail", "scope": "property", "delay": 5}

    cancelled = world.scheduler.cancel("slack-update", {}, defaults=defaults, visitor=ADA)

    assert cancelled.ids == (scheduled.execution.id,)


def test_cancel_without_a_key_is_refused(world: World) -> None:
    with pytest.raises(InvalidKey):
        world.scheduler.cancel("slack-update", {}, visitor=ADA)


def test_one_execution_is_cancelled_by_its_id(world: World) -> None:
    scheduled = world.schedule()

    world.scheduler.cancel_execution(scheduled.execution.id, reason=None)

    with pytest.raises(Conflict, match="cancelled"):
        world.scheduler.cancel_execution(scheduled.execution.id, reason=None)


def test_an_execution_that_ran_is_not_cancelled_by_its_id(world: World) -> None:
    scheduled = world.schedule()
    world.run_all()

    with pytest.raises(Conflict, match="succeeded"):
        world.scheduler.cancel_execution(scheduled.execution.id, reason=None)


@pytest.mark.parametrize("unknown", ["ex_0000000000000", "ex_zzzzzzzzzzzzz", "1", ""])
def test_an_unknown_id_is_said_to_be_one(world: World, unknown: str) -> None:
    with pytest.raises(UnknownExecution):
        world.scheduler.cancel_execution(unknown, reason=None)
    with pytest.raises(UnknownExecution):
        world.scheduler.replay(unknown)


# --- replay


def test_a_finished_execution_is_replayed_at_once_and_only_then(world: World) -> None:
    scheduled = world.schedule()
    with pytest.raises(Conflict, match="pending"):
        world.scheduler.replay(scheduled.execution.id)
    world.run_all()

    replayed = world.scheduler.replay(scheduled.execution.id)

    assert replayed.status is Status.PENDING
    assert world.run_all() == 1
    assert len(world.store.attempts(scheduled.execution.number)) == 2


# --- convert


def test_a_conversion_cancels_over_all_integrations(world: World) -> None:
    world.integrations.put("webhook", lambda payload, _: payload)
    first = world.schedule(cancelOnConversion=True)
    second = world.schedule(cancelOnConversion=True, integration="webhook")
    world.schedule(cancelOnConversion=True, visitor="bob")
    world.schedule()

    assert world.scheduler.convert("ada") == sorted([first.execution.id, second.execution.id])
    assert world.scheduler.convert("ada") == []


def test_a_conversion_does_not_cancel_what_is_scheduled_after_it(world: World) -> None:
    world.scheduler.convert("ada")
    world.advance(milliseconds=1)

    scheduled = world.schedule(cancelOnConversion=True)

    assert world.execution(scheduled.execution.id).status is Status.PENDING


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ecBasketTransactionSummary", True),
        ("acme.ecBasketTransactionSummary", True),
        ("bought", True),
        ("acme_2.bought", True),
        ("my-shop.ecBasketTransactionSummary", True),
        ("a.b.bought", True),
        ("acme-shop.bought", True),
        (".bought", False),
        ("a..bought", False),
        (".a.bought", False),
        ("acme-bought", False),
        ("acme:bought", False),
        ("boughtit", False),
        ("Bought", False),
        ("acme.", False),
        ("", False),
    ],
)
def test_a_conversion_is_in_the_list_after_any_namespaces(world: World, name: str, expected: bool) -> None:
    assert world.scheduler.is_conversion(name) is expected


# --- execute


def test_an_execute_is_running_before_it_is_called(world: World) -> None:
    execution = world.scheduler.begin_execute(
        "slack-update", "hi", key="mail", visitor=ADA, experience="basket"
    )

    row = world.store.execution(execution.number)
    assert row == execution
    assert (row.status, row.retries, row.attempt, row.begun) == (Status.RUNNING, 0, 1, 1)
    assert len(world.store.attempts(execution.number)) == 1


def test_one_execute_per_key_and_minute(world: World) -> None:
    def execute(key: object, visitor: Visitor | None = ADA) -> None:
        world.scheduler.begin_execute("slack-update", "hi", key=key, visitor=visitor, experience=None)

    execute({"a": 1})
    with pytest.raises(RateLimited, match="60"):
        execute({"a": 1})
    execute({"a": 2})
    execute({"a": 1}, Visitor(id="bob"))
    execute(None)
    execute(None)
    world.advance(seconds=60)
    execute({"a": 1})

    assert len(everything(world)) == 6


def test_an_execute_leaves_a_scheduled_one_under_its_key_alone(world: World) -> None:
    scheduled = world.schedule(key="mail", delay="1 hour")

    world.scheduler.begin_execute("slack-update", "hi", key="mail", visitor=ADA, experience=None)

    assert world.execution(scheduled.execution.id).status is Status.PENDING
    assert world.schedule(key="mail").replaced == scheduled.execution.id


# --- conversions


def test_an_event_that_is_no_conversion_cancels_nothing(world: World) -> None:
    scheduled = world.schedule(cancelOnConversion=True)

    with pytest.raises(InvalidParameter, match="ecView"):
        world.scheduler.convert("ada", event="ecView")

    assert world.execution(scheduled.execution.id).status is Status.PENDING
    assert world.scheduler.convert("ada", event="acme.bought") == [scheduled.execution.id]
