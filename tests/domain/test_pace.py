"""The pace of one receiver, step by step: what each answer and each refusal makes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from experience_runtime.domain.pace import FORGOTTEN_AFTER, Pace, PaceState, Spoken

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def said(at: float, *, refused: bool = False, wait: float | None = 1) -> Spoken:
    """An attempt that began and ended then; one that was refused is asked to wait."""
    return Spoken(
        began_at=after(at), ended_at=after(at), refused=refused, wait_seconds=wait if refused else None
    )


def fresh(pace: Pace | None = None) -> PaceState:
    return PaceState.beginning(("sms", ""), pace, now=NOW)


def refused(recent: float = 4, wait: float | None = 1) -> PaceState:
    return fresh().after(said(0, refused=True, wait=wait), recent=recent)


def paced(per_second: float, **fields: object) -> PaceState:
    """One that has kept this pace, and was refused at another once, long ago."""
    known: dict[str, object] = {
        "per_second": per_second,
        "lasting": per_second,
        "too_fast": per_second * 1.05,
        "since": NOW,
        "refused_at": NOW,
        "stepped_at": after(0),
    }
    return replace(fresh(), **(known | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recent", "wait", "per_second"),
    [
        (4, 1, 4 * 0.97),  # what was answered lately, and a little less
        (0, 1, 0.97),  # nothing was: once in the time that it asks for
        (0, 10, 0.097),
        (0, 0.2, 0.97),  # never sooner than a second
        (0, 86_400, 1 / 900),  # once in a quarter of an hour at least
    ],
)
def test_the_first_refusal_teaches_the_first_pace(recent: float, wait: float, per_second: float) -> None:
    state = refused(recent, wait)

    assert state.per_second == pytest.approx(per_second)
    assert (state.held_until, state.probing, state.burst) == (after(wait), True, 1)
    assert (state.since, state.refused_at, state.refusals) == (NOW, NOW, 1)


def test_one_probes_after_the_wait_and_the_others_follow_at_the_pace() -> None:
    held = refused(recent=2)
    assert held.admits_at(in_flight=0, now=NOW) == after(1)
    assert held.room(in_flight=0, now=after(0.999)) == 0
    assert held.room(in_flight=0, now=after(1)) == 1
    assert held.admits_at(in_flight=1, now=after(1)) is None

    probed = held.after(said(1))

    assert (probed.probing, probed.held_until, probed.refusals) == (False, None, 0)
    spacing = 1 / (2 * 0.97)
    assert probed.admits_at(in_flight=1, now=after(1.1)) == after(1.516)
    assert probed.free_at == after(1) + timedelta(seconds=spacing, microseconds=0.5)


@pytest.mark.parametrize(
    ("answered", "at", "per_second"),
    [
        (0, 60, 2),  # nothing says that more would pass: half of it
        (2, 60, 2),
        (9, 0.9, 2),  # too short to tell
        (9, 5, 2),  # ten in five seconds were taken: two a second, and half is as much
        (17, 5, 3.6 * 0.97),  # 18 were taken in five seconds
        (99, 5, 4 * 0.97),  # never more than was tried
    ],
)
def test_a_refusal_slows_down_to_half_or_to_what_was_taken(
    answered: int, at: float, per_second: float
) -> None:
    state = paced(4, answered=answered).after(said(at, refused=True))

    assert state.per_second == pytest.approx(per_second)
    assert (state.too_fast, state.answered, state.step, state.let_through) == (4, 0, 0, 0)


def test_what_was_tried_above_a_lasting_pace_goes_back_to_it() -> None:
    state = paced(8, lasting=5, too_fast=9, step=2).after(said(60, refused=True))

    assert (state.per_second, state.lasting, state.too_fast) == (5, 5, 8)


def test_the_rest_of_a_burst_is_one_lesson() -> None:
    state = refused(recent=8)

    again = state.after(said(0.5, refused=True, wait=3), recent=1)

    assert (again.per_second, again.refusals, again.refused_at) == (state.per_second, 1, NOW)
    assert again.held_until == after(3.5)
    earlier = again.after(said(0.6, refused=True, wait=1))
    assert earlier.held_until == after(3.5)


def test_a_receiver_that_does_not_say_is_waited_for_twice_as_long_each_time() -> None:
    state, at, waits = fresh(), 0.0, []
    for _ in range(12):
        state = state.after(said(at, refused=True, wait=None))
        assert state.held_until is not None
        waits.append((state.held_until - after(at)).total_seconds())
        at = (state.held_until - NOW).total_seconds()

    assert waits[:2] == [1, pytest.approx(2.062, abs=0.001)]  # twice the spacing of 0.97 a second
    assert waits == sorted(waits)
    assert waits[-1] == 900


@pytest.mark.parametrize(
    ("at", "per_second"),
    [
        (10.9, 4),  # calm for less than eleven times the wait
        (11, 8),  # of two tries the first is twice as fast
    ],
)
def test_after_a_calm_time_a_faster_pace_is_tried(at: float, per_second: float) -> None:
    state = paced(4, answered=2).after(said(at))

    assert state.per_second == per_second


def test_of_two_tries_the_second_is_a_small_step_that_grows() -> None:
    state = paced(4, answered=2, tries=1).after(said(11))
    assert state.per_second == pytest.approx(4.4)

    for at in (11.5, 12.0, 12.5):
        state = state.after(said(at))

    assert state.per_second == pytest.approx(4 * 1.8)
    assert state.lasting == pytest.approx(4.4)


def test_a_documented_pace_begins_with_its_burst_and_beyond_500_there_is_none() -> None:
    state = fresh(Pace(per_second=2, burst=3))
    assert state.room(in_flight=0, now=NOW) == 3
    spent = state.after_claim(taken=3, now=NOW)
    assert spent.room(in_flight=3, now=after(0.3)) == 0
    assert spent.admits_at(in_flight=3, now=NOW) == after(0.5)

    fast = paced(300, too_fast=None, answered=2).after(said(60))
    assert (fast.per_second, fast.says_something) == (330, True)
    assert paced(499, too_fast=None, answered=2).after(said(60)).per_second is None


@pytest.mark.parametrize(("per_second", "burst"), [(0.001, 1), (501, 1), (1, 0), (1, 1001)])
def test_figures_that_nothing_can_be_sent_at_are_no_pace(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        Pace(per_second=per_second, burst=burst)
    assert Pace(per_second=500, burst=1000).burst == 1000


def test_what_was_heard_an_hour_ago_tells_nothing_and_nor_does_the_future() -> None:
    state = refused(wait=10)
    latest = after(10) + FORGOTTEN_AFTER
    tick = timedelta(milliseconds=1)

    assert state.is_current(latest)
    assert not state.is_current(latest + tick)
    assert state.is_current(NOW - FORGOTTEN_AFTER)
    assert not state.is_current(NOW - FORGOTTEN_AFTER - tick)


@pytest.mark.parametrize(
    ("state", "now", "told"),
    [
        (fresh(), 0, None),
        (refused(), 0, "sms is called again at 2026-03-02T12:00:01.000Z, as its answer of 2026-03-02T12"),
        (refused(), 1, "one call finds out whether sms answers again"),
        (paced(4, free_at=after(9)), 1, "sms is called 4 times a second; the next call may begin at 20"),
        (paced(0.25, free_at=after(9)), 1, "sms is called every 4 s"),
        (paced(4, free_at=after(9)), 9, None),
        (replace(refused(), key="ops"), 0, "sms (ops) is called again"),
    ],
)  # fmt: skip
def test_people_are_told_what_holds_it(state: PaceState, now: float, told: str | None) -> None:
    because = state.because(now=after(now))

    assert because is None if told is None else (because or "").startswith(f"held by pace: {told}")
