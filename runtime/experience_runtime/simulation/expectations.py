"""Expectations: what a story says must have happened, against what did."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import parse_time
from experience_runtime.domain.keys import canonical_key
from experience_runtime.domain.values import shown
from experience_runtime.domain.windows import DAYS
from experience_runtime.running.report import Report
from experience_runtime.simulation.expected import LOCAL, Expectation

_GOAL = "qubit.goalAchieved"
_REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened: the executions, how their documents are told, when each ended, and the runs' reports."""

    executions: Sequence[Execution]
    tell: Callable[[], Sequence[Mapping[str, Any]]]
    ended: Mapping[str, datetime]
    reports: Sequence[Report]
    goals: Mapping[str, str] = field(default_factory=dict)  # the name of a custom goal -> its id


@dataclass(frozen=True, slots=True)
class Judgement:
    """The differences, a text each, perhaps of several lines; and whose failed runs were expected."""

    differences: list[str]
    met: int
    expected_failures: frozenset[tuple[str | None, str]]  # visitor, code


def judge(
    expected: Sequence[Expectation], happened: Happened, now: datetime, *, others_fail: bool
) -> Judgement:
    """Compare. `others_fail`: an execution that nothing expects is a difference too."""
    if not expected and not others_fail:
        return Judgement([], 0, frozenset())
    judged = _Executions(expected, happened, now)
    unmet = {**judged.unmet(), **_other_kinds(expected, happened)}
    lines = [unmet[index] for index in sorted(unmet)]
    if not unmet:
        lines += judged.out_of_order()
    if not lines and others_fail:
        lines += judged.unexpected()
    return Judgement(
        lines,
        len(expected) - len(unmet),
        frozenset(
            (report.visitor.id, code)
            for each in expected
            if each.refused is not None and each.wanted_count != 0
            for report, code in _refusals(each, happened)
        ),
    )


def goal_ids(meta: Mapping[str, Any]) -> dict[str, str]:
    """The ids of custom goals by the names that package.json gives them."""
    listed = meta.get("customGoals")
    found = {}
    for goal in listed if isinstance(listed, list) else []:
        if isinstance(goal, Mapping) and isinstance(goal.get("value"), list):
            found.update({name: goal.get("goalId") for name in goal["value"] if isinstance(name, str)})
    return {name: id for name, id in found.items() if isinstance(id, str)}


class _Executions:
    def __init__(self, expected: Sequence[Expectation], happened: Happened, now: datetime) -> None:
        self._expected = expected
        self._happened = happened
        self._facts = [
            _facts(execution, document)
            for execution, document in zip(happened.executions, happened.tell(), strict=True)
        ]
        self._mine = [index for index, each in enumerate(expected) if each.kind == "execution"]
        self._wanted = {index: _wanted(expected[index], now) for index in self._mine}
        self._fitting = {
            index: [number for number, facts in enumerate(self._facts) if _fits(facts, self._wanted[index])]
            for index in self._mine
        }
        self._taken: dict[int, int] = {}  # execution -> expectation
        self._singles = [index for index in self._mine if expected[index].wanted_count is None]
        self._missing = [index for index in self._singles if not self._give(index, set())]

    def unmet(self) -> dict[int, str]:
        """A text for each expectation that is not met, by its place."""
        found = {index: self._not_met(index) for index in self._missing}
        for index in self._mine:
            wanted, there = self._expected[index].wanted_count, len(self._fitting[index])
            if wanted is not None and there != wanted:
                found[index] = f"{_entry(self._expected, index)}: {_so_many(there)} it, not {wanted}"
        return found

    def out_of_order(self) -> Iterator[str]:
        """What ended before something that was to end first."""
        placed = sorted(
            (self._expected[index].order, index, number)
            for number, index in self._taken.items()
            if self._expected[index].order is not None
        )
        for (_, before, first), (_, after, second) in pairwise(placed):
            ended = [self._happened.ended[self._happened.executions[number].id] for number in (first, second)]
            if ended[0] > ended[1]:
                yield f"{_entry(self._expected, after)} ended before expect[{before}]: the order is another"

    def unexpected(self) -> Iterator[str]:
        counted = {n for index in self._mine if index not in self._singles for n in self._fitting[index]}
        for number, facts in enumerate(self._facts):
            if number not in self._taken and number not in counted:
                told = json.dumps(
                    {name: facts[name] for name in ("visitor", "integration", "key", "status", "due_at")}
                )
                yield f'nobody expects {told}; expect it, or write "allow_others": true'

    def _give(self, index: int, asked: set[int]) -> bool:
        """Find an execution for one expectation; those before it may move to another that fits them."""
        for candidate in self._fitting[index]:
            if candidate in asked:
                continue
            asked.add(candidate)
            if candidate not in self._taken or self._give(self._taken[candidate], asked):
                self._taken[candidate] = index
                return True
        return False

    def _not_met(self, index: int) -> str:
        """The entry, and below it where the nearest execution that is left differs."""
        left = [facts for number, facts in enumerate(self._facts) if number not in self._taken]
        if not left:
            return f"{_entry(self._expected, index)} is not met; there is no other execution"
        wanted = self._wanted[index]
        nearest = max(left, key=lambda facts: sum(_matches(facts, value, n) for n, value in wanted.items()))
        lines = [f"{_entry(self._expected, index)} is not met; the nearest execution differs:"]
        given = self._expected[index].fields()
        for name, value in wanted.items():
            if not _matches(nearest, value, name):
                lines += [f"  - {name}: {_text(given[name])}", f"  + {name}: {_text(_told(nearest, name))}"]
        return "\n".join(lines)


def _facts(execution: Execution, document: Mapping[str, Any]) -> dict[str, Any]:
    """What an expectation may ask of an execution, under the names it has there."""
    return {
        **{name: document[name] for name in ("integration", "key", "payload", "status", "reason", "due_at")},
        "visitor": execution.visitor,
        "local": document["due_local"],
        "replaced": execution.reason == _REPLACED,
        "attempts": len(document["attempts"]),
        "_due_at": execution.due_at,
        "_key": execution.key,
    }


def _wanted(expectation: Expectation, now: datetime) -> dict[str, Any]:
    wanted = expectation.fields()
    if wanted.get("due_at") is not None:
        wanted["due_at"] = parse_time(wanted["due_at"], now=now).at
    if wanted.get("key") is not None:
        wanted["key"] = canonical_key(wanted["key"])
    return wanted


def _fits(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_matches(facts, value, name) for name, value in wanted.items())


def _matches(facts: Mapping[str, Any], wanted: Any, name: str) -> bool:
    fact = facts[f"_{name}" if name in ("due_at", "key") else name]
    if name == "payload":
        return _has(fact, wanted)
    if name == "local" and wanted is not None:
        return _is_local(fact, wanted)
    return bool(fact == wanted)


def _has(whole: Any, part: Any) -> bool:
    """Whether a payload has what is expected of it: of an object, the members that are named."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(n in whole and _has(whole[n], v) for n, v in part.items())
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) == len(part)
            and all(_has(a, b) for a, b in zip(whole, part, strict=True))
        )
    return bool(whole == part) and isinstance(whole, bool) == isinstance(part, bool)


def _is_local(fact: str, wanted: str) -> bool:
    match = LOCAL.fullmatch(wanted)
    assert match is not None
    at = datetime.fromisoformat(fact)
    day = match["day"]
    return (
        f"{at:%H:%M}" == match["time"]
        and (day is None or DAYS[at.weekday()].startswith(day.lower()))
        and match["date"] in (None, f"{at:%Y-%m-%d}")
    )


def _other_kinds(expected: Sequence[Expectation], happened: Happened) -> dict[int, str]:
    found = {}
    for index, each in enumerate(expected):
        if each.kind == "execution":
            continue
        there = [value for value, fits in _candidates(each, happened) if fits]
        wanted = each.wanted_count
        if wanted is not None and len(there) != wanted:
            found[index] = f"{_entry(expected, index)}: {_so_many(len(there))} it, not {wanted}"
        elif wanted is None and not there:
            told = (
                "; ".join(dict.fromkeys(_text(value) for value, _ in _candidates(each, happened)))
                or "nothing"
            )
            found[index] = f"{_entry(expected, index)} is not met; there is {shown(told, 300)[1:-1]}"
    return found


def _candidates(each: Expectation, happened: Happened) -> Iterator[tuple[Any, bool]]:
    """Everything of the kind that is expected, and whether it is that."""
    for report in happened.reports:
        if each.visitor is not None and report.visitor.id != each.visitor:
            continue
        match each.kind:
            case "log":
                assert each.log is not None
                for line in report.log:
                    is_level = each.log.level in (None, line["level"])
                    yield f"{line['level']}: {line['message']}", is_level and each.log.text in line["message"]
            case "redirect":
                yield from ((url, url == each.redirect) for url in report.redirects)
            case "goal":
                reached = [event["data"]["goalId"] for event in report.events if event["type"] == _GOAL]
                meant = {each.goal, happened.goals.get(each.goal or "")}
                yield from ((goal, goal in meant) for goal in reached)
            case _:
                yield from _refused(each, report)


def _refused(each: Expectation, report: Report) -> Iterator[tuple[str, bool]]:
    for call in report.calls:
        if not call["ok"] and each.integration in (None, call["integration"]):
            yield call["error"]["code"], call["error"]["code"] == each.refused
    if report.error is not None and not report.calls and each.integration is None:
        yield report.error.code, report.error.code == each.refused


def _refusals(each: Expectation, happened: Happened) -> Iterator[tuple[Report, str]]:
    for report in happened.reports:
        if each.visitor in (None, report.visitor.id):
            yield from ((report, code) for code, fits in _refused(each, report) if fits)


def _entry(expected: Sequence[Expectation], index: int) -> str:
    return f"expect[{index}] {json.dumps(expected[index].model_dump(exclude_unset=True, mode='json'))}"


def _so_many(count: int) -> str:
    return "nothing fits" if count == 0 else "1 fits" if count == 1 else f"{count} fit"


def _told(facts: Mapping[str, Any], name: str) -> Any:
    return facts[name][:16].replace("T", " ") if name == "local" else facts[name]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
