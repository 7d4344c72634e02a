"""IntegrationState: rates, concurrency, pauses and circuit breakers, as functions of values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from experience_runtime.domain.admission import (
    MOST_BREAKER_SECONDS,
    UNLIMITED,
    IntegrationState,
    Policies,
    Policy,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
WELL = IntegrationState(integration="slack-update")
MILLISECOND = timedelta(milliseconds=1)

RATES = [(1, 1), (2, 1), (3, 1), (7, 1), (10, 1), (19, 1), (20, 1), (99, 1), (500, 1), (1000, 1)]
RATES += [(1, 60), (7, 60), (90, 60), (6000, 60), (60_000, 60)]


def rate(count: int, seconds: int) -> Policy:
    return Policy(rate_count=count, rate_seconds=seconds)


def busiest(begun: Sequence[datetime], seconds: int) -> int:
    """The most that began in any half-open window of that many seconds; the instants are in order."""
    most, first = 0, 0
    for last, at in enumerate(begun):
        while begun[first] <= at - timedelta(seconds=seconds):
            first += 1
        most = max(most, last - first + 1)
    return most


def greedy(policy: Policy, *, until: datetime, late: timedelta = timedelta()) -> list[datetime]:
    """When executions begin that are always there, claimed as soon as may be, or so much later."""
    state, now, begun = WELL, NOW, list[datetime]()
    while now < until:
        room = state.room(policy, in_flight=0, now=now)
        begun += [now] * room
        state = state.after_claim(policy, taken=room, now=now)
        admits_at = state.admits_at(policy, in_flight=0, now=now)
        assert admits_at is not None
        now = admits_at + late
    return begun


# --- rates


@pytest.mark.parametrize(("count", "seconds"), RATES)
def test_a_rate_is_kept_and_nearly_used(count: int, seconds: int) -> None:
    policy, periods = rate(count, seconds), 20 if count <= 1000 else 2

    begun = greedy(policy, until=NOW + timedelta(seconds=seconds * periods))

    assert busiest(begun, seconds) <= count
    assert len(begun) >= 0.8 * count * periods


@pytest.mark.parametrize(("count", "seconds"), RATES)
def test_claims_that_come_late_use_a_fast_rate_still(count: int, seconds: int) -> None:
    policy, late = rate(count, seconds), timedelta(milliseconds=10)  # a slow disk
    periods = 20 if count <= 1000 else 2

    begun = greedy(policy, until=NOW + timedelta(seconds=seconds * periods), late=late)

    assert busiest(begun, seconds) <= count
    assert len(begun) >= 0.8 * count * periods


@given(
    rate=st.tuples(st.integers(1, 1000), st.just(1)) | st.tuples(st.integers(1, 60_000), st.just(60)),
    claims=st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 7, 90, 100, 480, 1000, 59_000]), st.integers(1, 5000)),
        max_size=60,
    ),
)
def test_no_window_of_time_begins_more_than_the_rate(
    rate: tuple[int, int], claims: list[tuple[int, int]]
) -> None:
    policy, state, now, begun = Policy(rate_count=rate[0], rate_seconds=rate[1]), WELL, NOW, []

    for milliseconds, wanted in claims:
        now += milliseconds * MILLISECOND
        taken = min(wanted, state.room(policy, in_flight=0, now=now))
        state = state.after_claim(policy, taken=taken, now=now)
        begun += [now] * taken

    assert busiest(begun, policy.rate_seconds) <= rate[0]


@pytest.mark.parametrize(
    ("count", "seconds", "batch"), [(1, 1, 1), (10, 1, 1), (100, 1, 10), (60_000, 60, 100)]
)
def test_a_fast_rate_lets_a_batch_begin_at_once(count: int, seconds: int, batch: int) -> None:
    assert WELL.room(rate(count, seconds), in_flight=0, now=NOW) == batch


@pytest.mark.parametrize(("count", "seconds"), RATES)
def test_admits_at_is_the_first_millisecond_with_room(count: int, seconds: int) -> None:
    policy = rate(count, seconds)
    spent = WELL.after_claim(policy, taken=WELL.room(policy, in_flight=0, now=NOW), now=NOW)

    admits_at = spent.admits_at(policy, in_flight=0, now=NOW)

    assert admits_at is not None
    assert admits_at.microsecond % 1000 == 0
    assert spent.room(policy, in_flight=0, now=admits_at) >= 1
    assert spent.room(policy, in_flight=0, now=admits_at - MILLISECOND) == 0


def test_a_clock_put_back_an_hour_does_not_stop_a_rate_for_an_hour() -> None:
    policy, earlier = rate(1, 60), NOW - timedelta(hours=1)
    spent = WELL.after_claim(policy, taken=1, now=NOW)

    assert spent.admits_at(policy, in_flight=0, now=earlier) == earlier
    again = spent.after_claim(policy, taken=1, now=earlier)
    assert again.admits_at(policy, in_flight=0, now=earlier) == earlier + timedelta(seconds=60)


def test_a_rate_that_was_raised_holds_at_once_what_it_says() -> None:
    spent = WELL.after_claim(rate(1, 60), taken=1, now=NOW)

    assert spent.admits_at(rate(100, 1), in_flight=0, now=NOW) == NOW


def test_two_that_read_the_clock_and_come_in_the_other_order_are_not_let_through_together() -> None:
    policy = rate(5, 1)
    spent = WELL.after_claim(policy, taken=1, now=NOW)

    assert spent.room(policy, in_flight=0, now=NOW - MILLISECOND) == 0


def test_without_a_rate_nothing_is_spent() -> None:
    assert WELL.after_claim(Policy(), taken=50, now=NOW) is WELL
    assert WELL.after_claim(rate(5, 1), taken=0, now=NOW) is WELL
    assert WELL.room(Policy(), in_flight=10_000, now=NOW) == UNLIMITED


# --- concurrency and pauses


@pytest.mark.parametrize(("in_flight", "room"), [(0, 3), (2, 1), (3, 0), (9, 0)])
def test_concurrency_leaves_room_for_what_is_not_in_flight(in_flight: int, room: int) -> None:
    policy = Policy(concurrency=3)

    assert WELL.room(policy, in_flight=in_flight, now=NOW) == room
    assert WELL.admits_at(policy, in_flight=in_flight, now=NOW) == (NOW if room else None)


def test_a_paused_integration_admits_nothing_whatever_else_holds() -> None:
    paused = replace(WELL, paused_at=NOW, pause_reason="their release")

    assert paused.room(Policy(), in_flight=0, now=NOW + timedelta(days=400)) == 0
    assert paused.admits_at(Policy(), in_flight=0, now=NOW) is None


def test_the_narrower_of_two_limits_counts() -> None:
    assert WELL.room(Policy(concurrency=3, rate_count=1000), in_flight=1, now=NOW) == 2
    assert WELL.room(Policy(concurrency=300, rate_count=1000), in_flight=1, now=NOW) == 100


# --- the circuit breaker

THREE = Policy(breaker_failures=3, breaker_seconds=30)


def after(
    state: IntegrationState, *failed: bool, policy: Policy = THREE, now: datetime = NOW
) -> IntegrationState:
    for each in failed:
        state = state.after_attempt(policy, failed=each, now=now)
    return state


def test_the_breaker_opens_after_exactly_so_many_failures_in_a_row() -> None:
    two = after(WELL, True, True)
    assert (two.opened_at, two.admits_at(THREE, in_flight=0, now=NOW)) == (None, NOW)

    three = after(two, True)

    assert (three.opened_at, three.probe_at, three.failures) == (NOW, NOW + timedelta(seconds=30), 3)
    assert three.room(THREE, in_flight=0, now=NOW) == 0
    assert three.admits_at(THREE, in_flight=0, now=NOW) == three.probe_at


def test_an_answer_ends_the_run_of_failures() -> None:
    assert after(WELL, True, True, False, True, True).opened_at is None
    assert after(WELL, True, True, False) == WELL


def test_the_usual_breaker_opens_after_twenty_failures() -> None:
    assert after(WELL, *[True] * 19, policy=Policy()).opened_at is None
    assert after(WELL, *[True] * 20, policy=Policy()).opened_at == NOW


def test_an_open_breaker_lets_one_at_a_time_try_from_its_probe_on() -> None:
    opened = after(WELL, True, True, True)
    probe_at = NOW + timedelta(seconds=30)

    assert opened.room(THREE, in_flight=0, now=probe_at - MILLISECOND) == 0
    assert opened.room(THREE, in_flight=0, now=probe_at) == 1
    assert opened.room(THREE, in_flight=1, now=probe_at) == 0
    assert opened.admits_at(THREE, in_flight=1, now=probe_at) is None


@pytest.mark.parametrize(
    ("seconds", "waits"),
    [
        (30, [30, 60, 120, 240, 480, 900, 900]),
        (1, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]),
        (900, [900, 900]),
        (3600, [3600, 3600]),  # what an operator asks for is never shortened
    ],
)
def test_each_probe_that_fails_doubles_the_wait_to_fifteen_minutes(seconds: int, waits: list[int]) -> None:
    policy = Policy(breaker_failures=1, breaker_seconds=seconds)
    state, now, seen = after(WELL, True, policy=policy), NOW, []

    for _ in waits:
        assert state.probe_at is not None
        seen.append((state.probe_at - now).total_seconds())
        now = state.probe_at
        state = after(state, True, policy=policy, now=now)

    assert seen == waits
    assert state.opened_at == NOW
    assert max(waits) <= max(MOST_BREAKER_SECONDS, seconds)


def test_the_doubling_has_no_end_to_overflow() -> None:
    state, now = after(WELL, True, True, True), NOW

    for _ in range(2000):
        now = state.probe_at or now
        state = after(state, True, now=now)

    assert state.probe_at == now + timedelta(minutes=15)


def test_a_failure_that_had_begun_before_the_breaker_opened_delays_no_probe() -> None:
    opened = after(WELL, True, True, True)

    later = after(opened, True, True, now=NOW + timedelta(seconds=20))

    assert (later.probe_at, later.openings, later.failures) == (opened.probe_at, 0, 5)


def test_one_answer_closes_the_breaker_and_the_next_opening_begins_anew() -> None:
    probe_at = NOW + timedelta(seconds=30)
    twice = after(after(WELL, True, True, True), True, now=probe_at)

    closed = after(twice, False, now=probe_at)

    assert closed == WELL
    assert after(closed, True, True, True, now=probe_at).probe_at == probe_at + timedelta(seconds=30)


def test_without_a_breaker_no_failures_open_it() -> None:
    never = Policy(breaker_failures=0)

    state = after(WELL, *[True] * 500, policy=never)

    assert state.opened_at is None
    assert state.room(never, in_flight=0, now=NOW) == UNLIMITED


def test_a_breaker_that_is_taken_away_while_it_is_open_holds_nothing_any_more() -> None:
    opened, never = after(WELL, True, True, True), Policy(breaker_failures=0)

    assert opened.room(never, in_flight=4, now=NOW) == UNLIMITED
    assert opened.waits_because(never, now=NOW) is None


def test_a_breaker_opened_before_the_clock_was_put_back_is_closed() -> None:
    earlier, opened = NOW - timedelta(hours=1), after(WELL, True, True, True)

    assert opened.admits_at(THREE, in_flight=5, now=earlier) == earlier
    again = after(opened, True, now=earlier)
    assert again.opened_at == earlier
    assert again.probe_at is not None
    assert again.probe_at <= earlier + timedelta(minutes=15)


# --- what people are told

OPEN = after(WELL, True, True, True)
SPENT = WELL.after_claim(rate(2, 60), taken=1, now=NOW)


@pytest.mark.parametrize(
    ("state", "policy", "words"),
    [
        (
            replace(WELL, paused_at=NOW, pause_reason="their release"),
            Policy(),
            "slack-update is paused since 2026-03-02T12:00:00.250Z: their release; "
            "`experience integrations resume slack-update` lets it go on",
        ),
        (
            replace(OPEN, paused_at=NOW),  # a pause outlasts whatever else holds
            THREE,
            "slack-update is paused since 2026-03-02T12:00:00.250Z; "
            "`experience integrations resume slack-update` lets it go on",
        ),
        (
            OPEN,
            THREE,
            "the circuit breaker of slack-update is open since 2026-03-02T12:00:00.250Z, after 3 failures "
            "in a row; the next try is at 2026-03-02T12:00:30.250Z",
        ),
        (
            SPENT,
            rate(2, 60),
            "the rate of slack-update is used up (2 in 60 s); the next may begin at 2026-03-02T12:00:30.250Z",
        ),
        (WELL, rate(2, 60), None),
        (after(WELL, True, True), THREE, None),
    ],
)
def test_people_are_told_why_due_executions_wait(
    state: IntegrationState, policy: Policy, words: str | None
) -> None:
    assert state.waits_because(policy, now=NOW) == words


def test_the_next_try_is_never_told_to_be_in_the_past() -> None:
    late = NOW + timedelta(hours=2)

    assert (OPEN.waits_because(THREE, now=late) or "").endswith("; one at a time is tried now")


# --- both together


@given(
    state=st.builds(
        IntegrationState,
        integration=st.just("slack-update"),
        paused_at=st.none() | st.just(NOW),
        failures=st.integers(0, 30),
        opened_at=st.none() | st.integers(-4000, 4000).map(lambda s: NOW + timedelta(seconds=s)),
        probe_at=st.none() | st.integers(-4000, 4000).map(lambda s: NOW + timedelta(seconds=s)),
        openings=st.integers(0, 20),
        free_at=st.none()
        | st.integers(-90_000_000, 90_000_000).map(lambda u: NOW + timedelta(microseconds=u)),
    ),
    policy=st.builds(
        Policy,
        concurrency=st.none() | st.integers(1, 20),
        rate_count=st.none() | st.integers(1, 1000),
        rate_seconds=st.sampled_from([1, 60]),
        breaker_failures=st.integers(0, 30),
        breaker_seconds=st.integers(1, 4000),
    ),
    in_flight=st.integers(0, 25),
)
def test_there_is_room_exactly_when_it_admits_now(
    state: IntegrationState, policy: Policy, in_flight: int
) -> None:
    admits_at = state.admits_at(policy, in_flight=in_flight, now=NOW)

    assert (state.room(policy, in_flight=in_flight, now=NOW) > 0) == (admits_at == NOW)
    if admits_at is not None:
        assert admits_at >= NOW
        assert admits_at.microsecond % 1000 == 0
        assert state.room(policy, in_flight=in_flight, now=admits_at) > 0


def test_an_integration_without_a_policy_of_its_own_has_the_default() -> None:
    policies = Policies(by_name={"webhook": THREE})

    assert policies.of("webhook") == THREE
    assert policies.of("slack-update") == Policy()
    assert not policies.limit_concurrency
    assert Policies(default=Policy(concurrency=1)).limit_concurrency
