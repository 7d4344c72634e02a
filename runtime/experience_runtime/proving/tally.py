"""Tally: what came of recorded visitors, counted so that many processes can count and one can add."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.instants import to_ms
from experience_runtime.simulation.simulated import Simulated

MOST_EXAMPLES = 10

Told = tuple[str, str, str, str, str]
"""What a visitor would notice of an execution: integration, key, due instant, payload, status."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one version; instants are whole minutes or hours since 1970.

    `delivered_by`: executions delivered by visitor. `minutes`: deliveries of an integration in a minute.
    """

    visitors: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    executions: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    minutes: Counter[tuple[str, int]] = field(default_factory=Counter)
    delivered_by: Counter[str] = field(default_factory=Counter)
    would_fail: Counter[str] = field(default_factory=Counter)

    def add(self, visitor: str, simulated: Simulated) -> None:
        """Count what one visitor's story came to."""
        self.visitors += 1
        for report in simulated.reports:
            self.runs[report.outcome] += 1
            if report.outcome == "failed" and report.error is not None:
                place = ":".join(str(p) for p in (report.error.file, report.error.line) if p is not None)
                self.failures[f"{report.error.code} {place}".strip()] += 1
            for call, _ in report.refusals:
                self.refused[call["integration"], call["verb"], call["error"]["code"]] += 1
        self.would_fail.update(simulated.unconfigured)
        for each in simulated.executions:
            self.executions[each.status.value] += 1
            if each.status is Status.CANCELLED:
                self.cancelled[each.reason or "no reason given"] += 1
            if each.status is Status.SUCCEEDED:
                at = to_ms(simulated.histories[each.id][-1].at) // 60_000
                self.hours[at // 60] += 1
                self.minutes[each.integration, at] += 1
                self.delivered_by[visitor] += 1

    def merge(self, other: "Tally") -> None:
        """Add what another process has counted."""
        self.visitors += other.visitors
        for each in fields(self):
            if each.name != "visitors":
                getattr(self, each.name).update(getattr(other, each.name))

    def peaks(self) -> dict[str, tuple[int, int]]:
        """Of each integration the minute with most deliveries, the first of them, and how many."""
        found: dict[str, tuple[int, int]] = {}
        for (integration, minute), count in sorted(self.minutes.items()):
            if count > found.get(integration, (0, 0))[1]:
                found[integration] = (minute, count)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One visitor for whom two versions come to something else; `story` can be played with either."""

    visitor: str
    only_new: Sequence[Told]
    only_old: Sequence[Told]
    story: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Compared:
    """What differs between two versions: how many visitors, how many executions, and some examples."""

    visitors: int = 0
    only_new: int = 0
    only_old: int = 0
    examples: list[Example] = field(default_factory=list)

    def add(
        self, visitor: str, new: Sequence[Execution], old: Sequence[Execution], story: Mapping[str, Any]
    ) -> None:
        """Compare what one visitor would get of both."""
        of_new, of_old = Counter(map(_told, new)), Counter(map(_told, old))
        if of_new == of_old:
            return
        only_new, only_old = list(_each(of_new - of_old)), list(_each(of_old - of_new))
        self.visitors += 1
        self.only_new += len(only_new)
        self.only_old += len(only_old)
        example = Example(visitor=visitor, only_new=only_new, only_old=only_old, story=story)
        self._keep([example])

    def merge(self, other: "Compared") -> None:
        self.visitors += other.visitors
        self.only_new += other.only_new
        self.only_old += other.only_old
        self._keep(other.examples)

    def _keep(self, examples: Sequence[Example]) -> None:
        # the first by id, whichever process was quicker
        found = sorted([*self.examples, *examples], key=lambda each: each.visitor)
        self.examples = found[:MOST_EXAMPLES]


def _told(each: Execution) -> Told:
    due = each.due_at.isoformat(timespec="seconds")
    return (each.integration, each.key or "", due, each.payload, each.status.value)


def _each(counted: Counter[Told]) -> Iterator[Told]:
    yield from sorted(counted.elements())
