"""Pace: what a receiver has let through, and when it may be called again.

"Not now" (429, or 503 with Retry-After) is no failure. The receiver is left alone until then, one call probes
it, and the others follow at the pace that was learned: halved by a refusal, raised in steps by answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from experience_runtime.domain.instants import iso

MOST_HELD = timedelta(hours=24)
"""An execution that pace has held for so long fails `rate_limited`; hours of a closed window do not count."""

HELD_TOO_LONG = MOST_HELD + timedelta(minutes=1)
"""A receiver may ask for a whole day: what then comes first is a last try."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""What a receiver said so long ago tells nothing about it now."""

_MOST_WAIT_SECONDS = 86_400.0
_MOST_GUESSED_WAIT_SECONDS = 900.0
_LEAST_PER_SECOND = 1 / 900
_MOST_PER_SECOND = 500.0  # beyond that there is no pace to keep
_CALM_WAITS = 11  # a refusal costs one wait: once in so many of them, a faster pace is tried
_SLOW_CALM_WAITS = 9  # sooner where calls are a wait apart: one that comes early costs what it comes early by
_FAST_TRIES = 2  # of so many, all but the last come early by half: they find a pace that rose by much
_SLOW_TRIES = 4
_SLOW_STEP = 2  # as fast as in the step of this number
_SEARCH_WAITS = 1.5  # sooner, while the pace that lasts and the one that was refused lie far apart
_FAR_APART = 1.12
_STEP_SECONDS = 1.0
_STEP_ANSWERS = 2
_RAISE = 0.1
_SETTLED_SECONDS = 4.0
_MARGIN = 0.97
_SAVED = 3  # times what passed then: what came before was saved up
_BEHIND = 0.2  # of a spacing: a start that came a little late does not delay all that follow
_MOST_WAY = 0.05  # of a spacing: a call reaches its receiver between its start and its answer, but soon
_BATCH_SECONDS = 0.05
_OUT_OF_ORDER = timedelta(seconds=10)  # two may read the clock, and come in the other order


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The pace an integration begins with: `burst` at once, then `per_second`; what the receiver documents.

    Raises ValueError for figures that nothing can be sent at.
    """

    per_second: float
    burst: int = 1

    def __post_init__(self) -> None:
        if not _LEAST_PER_SECOND <= self.per_second <= _MOST_PER_SECOND:
            raise ValueError(f"per_second = {self.per_second!r} must lie in 1/900 to {_MOST_PER_SECOND:g}")
        if not 1 <= self.burst <= 1000:
            raise ValueError(f"burst = {self.burst!r} must lie in 1 to 1000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What an attempt says about the pace: it was answered, or (`refused`) it came too early.

    `wait_seconds` is what the receiver asked for, if it did.
    """

    began_at: datetime
    ended_at: datetime
    refused: bool = False
    wait_seconds: float | None = None


Receiver = tuple[str, str]
"""An integration, and one of its pace keys; "" for the integration itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What attempts at one receiver say, in the order they ended; `recent` as in `PaceState.after`."""

    spoken: Sequence[Spoken]
    recent: float = 0.0

    def taught(self, state: "PaceState") -> "PaceState":
        """The state after all of it."""
        for each in self.spoken:
            state = state.after(each, recent=self.recent)
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceState:
    """What is known of one receiver: an integration, or one of its pace keys ("" for the integration itself).

    `per_second` is None while no limit is known. Until `held_until` nothing may begin; while `probing`, one
    at a time. `free_at` is when the pace admits the next, `burst` how many it lets begin at once.

    What lasted (`lasting`) and what was refused (`too_fast`), both a second, close in on the receiver's own
    pace; `settled` lasted longer. `stepped_at` is when `per_second` was chosen, `step` counts those tried
    above what lasted, `answered` the answers since, `tries` how often a calm time ended in one. `since` is
    when the receiver began to refuse. It did so last at `refused_at`, asked for `wait_seconds`, and has done
    so `refusals` times without an answer; it has `let_through` so many since. One that `saves_up` what it
    lets through bears a pace above its own for a while.
    """

    integration: str
    key: str = ""
    per_second: float | None = None
    burst: int = 1
    lasting: float | None = None
    settled: float | None = None
    too_fast: float | None = None
    held_until: datetime | None = None
    probing: bool = False
    free_at: datetime | None = None
    since: datetime | None = None
    refused_at: datetime | None = None
    wait_seconds: float = 1.0
    refusals: int = 0
    stepped_at: datetime | None = None
    step: int = 0
    answered: int = 0
    let_through: int = 0
    saves_up: bool = False
    tries: int = 0
    seen_at: datetime

    @classmethod
    def beginning(cls, receiver: Receiver, pace: Pace | None, *, now: datetime) -> "PaceState":
        """What is known of a receiver that has said nothing: the pace it documents, if there is one."""
        integration, key = receiver
        rate = None if pace is None else pace.per_second
        burst = 1 if pace is None else pace.burst
        return cls(integration=integration, key=key, per_second=rate, lasting=rate, burst=burst, seen_at=now)

    @property
    def says_something(self) -> bool:
        """Whether it holds anything up, or may."""
        return self.per_second is not None or self.held_until is not None

    def is_current(self, now: datetime) -> bool:
        """Whether it still tells something; not when the clock was put back, either."""
        latest = max(self.seen_at, self.held_until or self.seen_at)
        return self.seen_at - FORGOTTEN_AFTER <= now <= latest + FORGOTTEN_AFTER

    def admits_at(self, *, in_flight: int, now: datetime) -> datetime | None:
        """The earliest instant, `now` or later, at which one more may begin; None until one has ended."""
        if self.probing and in_flight:
            return None
        at = now if self.held_until is None else max(now, self.held_until)
        if self.per_second is not None:
            at = max(at, _next_millisecond(self._earliest(now, self.per_second)))
        return at

    def room(self, *, in_flight: int, now: datetime) -> int | None:
        """How many more may begin now; None for any number."""
        if self.admits_at(in_flight=in_flight, now=now) != now:
            return 0
        if self.probing:
            return 1
        if self.per_second is None:
            return None
        return (now - self._earliest(now, self.per_second)) // _spacing(self.per_second) + 1

    def after_claim(self, *, taken: int, now: datetime) -> "PaceState":
        """Spend the pace on what was claimed."""
        if self.per_second is None or not taken:
            return self
        earliest = self._earliest(now, self.per_second)
        return replace(self, free_at=earliest + taken * _spacing(self.per_second))

    def after(self, spoken: Spoken, *, recent: float = 0.0) -> "PaceState":
        """Learn from an attempt that ended. `recent` is how many were answered a second before a refusal."""
        uninformed = (
            self.refused_at is not None
            and spoken.began_at < self.refused_at + timedelta(seconds=self.wait_seconds)
            and spoken.began_at < (self.held_until or spoken.ended_at)
        )
        if spoken.refused:
            return self._refused(spoken, recent, uninformed=uninformed)
        return self._answered_before() if uninformed else self._answered(spoken)

    def because(self, *, now: datetime) -> str | None:
        """Tell people why what is due waits; None when it need not."""
        if self.held_until is not None and self.held_until > now:
            asked = "" if self.refused_at is None else f", as its answer of {iso(self.refused_at)} asks"
            return f"held by pace: {self.name} is called again at {iso(self.held_until)}{asked}"
        if self.probing:
            return f"held by pace: one call finds out whether {self.name} answers again"
        if self.per_second is None or (earliest := self._earliest(now, self.per_second)) <= now:
            return None
        rate = self.per_second
        pace = f"{rate:.3g} times a second" if rate >= 1 else f"every {1 / rate:.3g} s"
        return (
            f"held by pace: {self.name} is called {pace}; "
            f"the next call may begin at {iso(_next_millisecond(earliest))}"
        )

    @property
    def name(self) -> str:
        """Who is called, for people."""
        return f"{self.integration} ({self.key})" if self.key else self.integration

    def _refused(self, spoken: Spoken, recent: float, *, uninformed: bool) -> "PaceState":
        now = spoken.ended_at
        wait = self._wait(spoken)
        until = _next_millisecond(now + timedelta(seconds=wait))
        held = replace(
            self,
            held_until=until if self.held_until is None else max(self.held_until, until),
            probing=True,
            seen_at=max(self.seen_at, now),
        )
        if uninformed:
            return held  # the rest of a burst: one lesson, not many
        taught = replace(
            held,
            burst=1,
            since=self.since or now,
            refused_at=now,
            wait_seconds=max(wait, 1.0),
            refusals=self.refusals + 1,
            free_at=None,
            stepped_at=None,
            step=0,
            answered=0,
            let_through=0,
        )
        if self.per_second is None:
            begun = max(recent * _MARGIN, 1 / max(wait, 1.0) * _MARGIN, _LEAST_PER_SECOND)
            return replace(taught, per_second=begun, lasting=begun, too_fast=None)
        if self.burst > 1:
            return taught  # it was the burst that was too much
        return self._not_above_what_passed(self._slowed(taught, now), now)

    def _slowed(self, taught: "PaceState", now: datetime) -> "PaceState":
        assert self.per_second is not None
        if self.lasting is not None and self.per_second > self.lasting:
            too_fast = min(self.per_second, self.too_fast or math.inf)
            return replace(taught, per_second=self.lasting, too_fast=too_fast)
        slower = max(self._slower(now), _LEAST_PER_SECOND)
        if self.settled is not None and slower < self.settled < self.per_second:
            return replace(
                taught, per_second=self.settled, lasting=self.settled, settled=None, too_fast=self.per_second
            )
        return replace(taught, per_second=slower, lasting=slower, settled=None, too_fast=self.per_second)

    def _not_above_what_passed(self, slowed: "PaceState", now: datetime) -> "PaceState":
        """Hold the slower pace of a receiver that saves up against all that passed since the refusal before.

        It had nothing left at either, so that what has passed between them is its own pace.
        """
        if self.refused_at is None or self.per_second is None or not self.let_through:
            return slowed
        seconds = max((now - self.refused_at).total_seconds(), 0.001)
        passed, most = self.let_through / seconds, (self.let_through + 1) / seconds
        is_first = self.too_fast is None and self.step == 0  # what passed in the second before it refused
        saves_up = self.saves_up or (is_first and self.per_second > _SAVED * most)
        if not saves_up or (slowed.lasting or 0.0) <= most:
            return replace(slowed, saves_up=saves_up)
        passed = max(passed, _LEAST_PER_SECOND)
        return replace(
            slowed, per_second=passed, lasting=passed, settled=None, too_fast=most, saves_up=saves_up
        )

    def _wait(self, spoken: Spoken) -> float:
        if spoken.wait_seconds is not None:
            return min(max(spoken.wait_seconds, 0.0), _MOST_WAIT_SECONDS)
        usual = 1.0 if self.per_second is None else max(1.0, 1 / self.per_second)
        return min(usual * 2.0 ** min(self.refusals, 16), _MOST_GUESSED_WAIT_SECONDS)

    def _slower(self, now: datetime) -> float:
        """Half the pace that was refused; more where more of it was answered for some time."""
        assert self.per_second is not None
        if self.stepped_at is None or self.answered < _STEP_ANSWERS + 1:
            return self.per_second / 2
        seconds = (now - self.stepped_at).total_seconds()
        if seconds < _STEP_SECONDS:
            return self.per_second / 2
        seen = min((self.answered + 1) / seconds, self.per_second)
        return max(self.per_second / 2, _MARGIN * seen)

    def _answered_before(self) -> "PaceState":
        """Of what was sent before the refusal: the rest of the burst that taught the first pace."""
        if self.per_second is None or self.refusals != 1 or self.too_fast is not None:
            return self
        more = self.per_second + _MARGIN / self.wait_seconds
        return replace(self, per_second=more, lasting=more)

    def _answered(self, spoken: Spoken) -> "PaceState":
        now = spoken.ended_at
        state = replace(
            self,
            seen_at=max(self.seen_at, now),
            held_until=None,
            probing=False,
            refusals=0,
            answered=self.answered + 1,
            let_through=self.let_through + 1,
            stepped_at=self.stepped_at or spoken.began_at,
        )
        per_second = state.per_second
        if per_second is None:
            return state
        came_at = spoken.began_at + min(now - spoken.began_at, _MOST_WAY * _spacing(per_second))
        if self.probing:
            return replace(state, free_at=came_at + _spacing(per_second))
        if self.burst == 1 and self._is_slow(per_second):
            # a refusal costs more than the time that a late start is behind
            state = replace(state, free_at=max(self.free_at or came_at, came_at + _spacing(per_second)))
        # at the pace of this step: the first that follows a step was still timed by the one before
        stepped_at = state.stepped_at or spoken.began_at
        if spoken.began_at < stepped_at + _spacing(per_second) * 0.9:
            state = replace(state, answered=self.answered)
        return state._faster(now, per_second)

    def _faster(self, now: datetime, per_second: float) -> "PaceState":
        assert self.stepped_at is not None
        lasted = (now - self.stepped_at).total_seconds()
        if self.answered < _STEP_ANSWERS or lasted < _STEP_SECONDS:
            return self
        lasting = max(self.lasting or 0.0, per_second)
        if self.refused_at is None:
            waited = lasted / self.wait_seconds if self.step == 0 else math.inf
        else:
            waited = (now - self.refused_at).total_seconds() / self.wait_seconds
        step, too_fast, tries = self.step, self.too_fast, self.tries
        if too_fast is not None and per_second > too_fast:
            too_fast = None  # it was tried, and lasted
        is_slow = self._is_slow(lasting)
        if too_fast is not None and waited >= (_SLOW_CALM_WAITS if is_slow else _CALM_WAITS):
            tries += 1
            if tries % (_SLOW_TRIES if is_slow else _FAST_TRIES):
                return replace(
                    self,
                    per_second=lasting * 2,
                    lasting=lasting,
                    step=_SLOW_STEP,
                    stepped_at=now,
                    answered=0,
                    tries=tries,
                )
            step, too_fast = 0, None  # perhaps it is not any more
        if too_fast is not None:
            if waited < _SEARCH_WAITS or too_fast < lasting * _FAR_APART:
                return replace(
                    self, lasting=lasting, settled=lasting if lasted > _SETTLED_SECONDS else self.settled
                )
            faster = (lasting + too_fast) / 2
        elif self.refused_at is None and waited < _CALM_WAITS:
            return self
        else:
            base = lasting / _raised(step)
            faster = base * _raised(step + 1)
        if faster > _MOST_PER_SECOND:
            return replace(self, per_second=None, lasting=None, too_fast=None, free_at=None)
        return replace(
            self,
            per_second=faster,
            lasting=lasting,
            too_fast=too_fast,
            step=step + 1,
            stepped_at=now,
            answered=0,
            tries=tries,
        )

    def _is_slow(self, per_second: float) -> bool:
        """Whether calls are as far apart as the receiver asks to wait, or farther."""
        return _spacing(per_second).total_seconds() >= self.wait_seconds

    def _earliest(self, now: datetime, per_second: float) -> datetime:
        """When the pace lets the next begin: earlier than now where several may at once."""
        spacing = _spacing(per_second)
        at_once = max(self.burst, math.floor(per_second * _BATCH_SECONDS), 1)
        earliest = now - (at_once - 1) * spacing
        if self.free_at is None:
            return earliest
        if self.free_at > now + 3 * at_once * spacing + _OUT_OF_ORDER:  # the clock was put back
            return earliest
        # a start that came a little late delays none of those that follow
        return max(self.free_at, earliest - _BEHIND * spacing)


def _raised(step: int) -> float:
    return 1 + _RAISE * step**3


def _spacing(per_second: float) -> timedelta:
    return timedelta(microseconds=math.ceil(1_000_000 / per_second))


def _next_millisecond(at: datetime) -> datetime:
    """The first instant of a clock, whose milliseconds are whole, that is not before `at`."""
    return at + timedelta(microseconds=-at.microsecond % 1000)
