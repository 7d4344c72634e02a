"""Alerts: what the people who operate it are told of, how often, and when it is over. Pure rules."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter
from experience_runtime.domain.values import nearest, shown

Kind = Literal[
    "execution_failed", "run_failed", "breaker_opened", "lag", "no_worker", "disk", "schedule_skipped"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

COUNTED: tuple[Kind, ...] = ("execution_failed", "run_failed", "schedule_skipped")
"""What happens at an instant, and is counted; everything else is so for a while."""

EVERY = timedelta(minutes=15)
SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=7)

TEXT = "{text}"
"""Where the text stands in a payload."""

MOST_TEXT = 1500
"""Characters of a message: an SMS takes 1,600."""

_APART = timedelta(minutes=1)
_SETTLES: Mapping[Kind, timedelta] = {"no_worker": timedelta(seconds=15)}  # one that is started anew is away
_MOST_LINES = 10
_MOST_FIRING = 200
_UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_RULE = re.compile(r"\s*([A-Za-z_-]+)\s*(?:(>=|[><=])\s*(.+?))?\s*", re.DOTALL)
_RATE = re.compile(r"(\d{1,6})\s*/\s*([a-z]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `on`, as it was written in `words`. `above`: more than so many within `within`; without
    that, any within `every`. `longer_than` is of `lag`."""

    kind: Kind
    words: str
    above: int = 0
    within: timedelta | None = None
    longer_than: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One table `[alerts.NAME]`. `payload` is a JSON value in which TEXT is what is told."""

    name: str
    integration: str
    on: tuple[Condition, ...]
    every: timedelta = EVERY
    payload: Any = TEXT

    def payload_with(self, text: str) -> Any:
        return _filled(self.payload, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is so now: of which integration, experience or schedule ("" for none), in words, and its page."""

    kind: Kind
    subject: str
    text: str
    page: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What was found, since when, and when people were told last; `is_open`: they were not told that it is
    over. `holds`: it was so at the last look."""

    found: Found
    since: datetime
    told_at: datetime | None = None
    is_open: bool = False
    holds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """How a rule stands, by the keys of what it found; `error` is why the last message did not go."""

    firing: Mapping[str, Firing] = field(default_factory=dict)
    sent_at: datetime | None = None
    error: str | None = None


def read_condition(text: object, *, where: str) -> Condition:
    """Read an entry of `on`, such as `run_failed > 5/min`; InvalidParameter for any other."""
    match = _RULE.fullmatch(text) if isinstance(text, str) else None
    kind = None if match is None else next((each for each in KINDS if each == match[1]), None)
    if not isinstance(text, str) or match is None or kind is None:
        meant = nearest(str(text).partition(">")[0].strip(), KINDS, cutoff=0.5)
        hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(KINDS)}"
        raise InvalidParameter(f"{where}: on has {shown(text)}, which is nothing to be told of; {hint}")
    sign, bound, words = match[2], match[3], " ".join(text.split())
    if kind == "lag":
        return Condition(kind=kind, words=words, longer_than=_longer_than(text, sign, bound, where))
    if bound is None:
        return Condition(kind=kind, words=words)
    rate = _RATE.fullmatch(bound) if sign == ">" and kind in COUNTED else None
    seconds = None if rate is None else _UNITS.get(rate[2])
    if rate is None or seconds is None:
        fix = f'"{kind} > 5/min" or "{kind}"' if kind in COUNTED else f'"{kind}"'
        raise InvalidParameter(f"{where}: on has {shown(text)}, which cannot be read; write {fix}")
    return Condition(kind=kind, words=words, above=int(rate[1]), within=timedelta(seconds=seconds))


def _longer_than(text: object, sign: str | None, bound: str | None, where: str) -> timedelta:
    if sign == ">" and bound is not None and re.search("[a-z]", bound):
        try:
            return timedelta(milliseconds=parse_delay(bound))
        except (InvalidDelay, OverflowError):
            pass  # told below
    raise InvalidParameter(f'{where}: on has {shown(text)}, which cannot be read; write "lag > 60 s"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a look came to: the state after it, and what is to be told, if anything is."""

    state: AlertState
    alarms: Sequence[Firing] = ()
    resolved: Sequence[Firing] = ()

    @property
    def tells(self) -> bool:
        return bool(self.alarms or self.resolved)


def judge(rule: Rule, state: AlertState, found: Iterable[Found], *, now: datetime) -> Telling:
    """Tell what is new, or goes on since it was told `every` ago; and of what was told, that it is over.

    Each thing is told at most once in `every`, all that is to be told together, and at most once a minute.
    """
    here = {each.key: each for each in found}
    firing: dict[str, Firing] = {}
    resolved = []
    for key, before in state.firing.items():
        if key in here:
            since = before.since if before.holds else now
            firing[key] = replace(before, found=here[key], since=since, holds=True)
        elif before.is_open:
            resolved.append(before)
            firing[key] = replace(before, is_open=False, holds=False)
        elif _is_recent(before.told_at, rule.every, now):  # so that one that comes and goes is told seldom
            firing[key] = replace(before, holds=False)
    for key, new in here.items():
        if key not in firing and len(firing) < _MOST_FIRING:
            firing[key] = Firing(found=new, since=now)
    alarms: list[Firing] = []
    if not _is_recent(state.sent_at, min(_APART, rule.every), now):
        alarms = [each for each in firing.values() if each.holds and _is_to_be_told(each, rule, now)]
    for each in alarms:
        firing[each.found.key] = replace(each, told_at=now, is_open=True)
    sent_at = now if alarms else state.sent_at
    after = AlertState(firing=firing, sent_at=sent_at, error=None if alarms or resolved else state.error)
    return Telling(state=after, alarms=alarms, resolved=resolved)


def message(rule: Rule, telling: Telling, *, now: datetime, public_url: str | None) -> str:
    """The text of one message: a line for each thing, with the address of its page where that is known."""
    lines = []
    if telling.alarms:
        lines.append(f"Alarm ({rule.name})")
        lines += _lines([_line(each.found.text, each.found, public_url) for each in telling.alarms])
    if telling.resolved:
        lines.append(f"Resolved ({rule.name})")
        lines += _lines([_line(_over(each, now), each.found, public_url) for each in telling.resolved])
    text = "\n".join(lines)
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _is_to_be_told(firing: Firing, rule: Rule, now: datetime) -> bool:
    settles = _SETTLES.get(firing.found.kind, timedelta(0))
    return now - firing.since >= settles and not _is_recent(firing.told_at, rule.every, now)


def _is_recent(at: datetime | None, age: timedelta, now: datetime) -> bool:
    return at is not None and at <= now < at + age  # one in the future: the clock was put back


def _line(text: str, found: Found, public_url: str | None) -> str:
    return f"- {text}" if public_url is None else f"- {text} {public_url}{found.page}"


def _over(firing: Firing, now: datetime) -> str:
    minutes = max(1, round((now - firing.since).total_seconds() / 60))
    return f"over after {minutes} min: {firing.found.text}"


def _lines(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"- and {more} more"]


def _filled(value: Any, text: str) -> Any:
    match value:
        case str():
            return value.replace(TEXT, text)
        case dict():
            return {name: _filled(inner, text) for name, inner in value.items()}
        case list():
            return [_filled(inner, text) for inner in value]
        case _:
            return value
