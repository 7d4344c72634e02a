"""Rooms: how many more calls may begin at an integration and at a receiver, as it stands at one instant."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from experience_runtime.domain.admission import SLOW_SECONDS, IntegrationState, Policies, state_of
from experience_runtime.domain.pace import PaceState, Receiver

SLOW = timedelta(seconds=SLOW_SECONDS)


class Candidate(NamedTuple):
    """What might begin, in the order in which it should: `rank` counts those of its receiver before it."""

    rank: int
    due_at: int
    number: int
    integration: str
    key: str

    @property
    def receiver(self) -> Receiver:
        return self.integration, self.key


@dataclass(kw_only=True)
class View:
    """What a claim decides by. Every receiver in flight is counted once, before anything is asked."""

    policies: Policies
    now: datetime
    states: Mapping[str, IntegrationState]
    paces: Mapping[Receiver, PaceState]
    of_integrations: Counter[str] = field(default_factory=Counter)  # in flight
    of_receivers: Counter[Receiver] = field(default_factory=Counter)
    too_long: list[int] = field(default_factory=list)  # numbers of those that a pace has held too long
    _slow: Counter[Receiver] = field(
        default_factory=Counter
    )  # of those in flight: they have left their slots
    _taken: Counter[str] = field(default_factory=Counter)  # of each room

    def state(self, integration: str) -> IntegrationState:
        return state_of(self.states, integration)

    def pace(self, receiver: Receiver) -> PaceState | None:
        known = self.paces.get(receiver)
        if known is None and (start := self.policies.start(receiver[0])) is not None:
            return PaceState.beginning(receiver, start, now=self.now)
        return known

    def count(self, receiver: Receiver, count: int, slow: int) -> None:
        """Count those in flight at a receiver; `slow` of them have left their slots."""
        self.of_integrations[receiver[0]] += count
        self.of_receivers[receiver] = count
        self._slow[receiver] = slow
        for rank in range(count):
            self._taken.update(self._rooms(receiver, rank, is_slow=rank < slow).keys())

    def left(self, receiver: Receiver, rank: int, taken: Mapping[str, int]) -> int:
        """How many more may begin in the rooms that the next call of a receiver needs."""
        return min(
            size - self._taken[room] - taken.get(room, 0)
            for room, size in self._rooms(receiver, rank, is_slow=False).items()
        )

    def fair(self, candidates: Sequence[Candidate], limit: int) -> list[Candidate]:
        """Who has the least in flight comes first, whoever is due the longest; each as its rooms admit."""
        taken: Counter[str] = Counter()
        chosen: list[Candidate] = []
        for each in sorted(candidates):
            if len(chosen) == limit:
                break
            if self.left(each.receiver, each.rank, taken) > 0:
                taken.update(self._rooms(each.receiver, each.rank, is_slow=False).keys())
                chosen.append(each)
        return chosen

    def is_tight(self, integration: str) -> bool:
        """Whether a receiver that nothing is known of may find no room."""
        of_share = self.policies.share_of(integration) - self._taken[integration]
        of_doubtful = [size - self._taken[room] for room, size in self._of_doubtful(is_first=True).items()]
        return min(of_share, *of_doubtful) < 1

    def room(self, integration: str, key: str) -> int:
        """How many more of one receiver may begin now."""
        receiver = (integration, key)
        in_flight = self.of_receivers[receiver]
        room = self.policies.allowance(receiver) - in_flight
        pace = self.pace(receiver)
        if pace is not None:
            paced = pace.room(in_flight=in_flight, now=self.now)
            room = room if paced is None else min(room, paced)
        return max(0, room) if self.left(receiver, in_flight, {}) > 0 else 0

    def full_keys(self, integration: str) -> dict[str, datetime | None]:
        """The keys nothing more may begin for now, and when it may; None for when something has ended."""
        full: dict[str, datetime | None] = {}
        keys = {key for name, key in (*self.paces, *self.of_receivers) if name == integration}
        for key in keys:
            if self.room(integration, key):
                continue
            receiver = (integration, key)
            in_flight, pace = self.of_receivers[receiver], self.pace(receiver)
            is_admitted = (
                in_flight < self.policies.allowance(receiver) and self.left(receiver, in_flight, {}) > 0
            )
            full[key] = pace.admits_at(in_flight=in_flight, now=self.now) if is_admitted and pace else None
        return full

    def is_doubtful(self, receiver: Receiver) -> bool:
        """Whether it is not known to answer, or lets a call wait."""
        return not self.policies.is_known(receiver) or self._slow[receiver] > 0

    def _rooms(self, receiver: Receiver, rank: int, *, is_slow: bool) -> Mapping[str, int]:
        """The rooms that a call of a receiver takes from, and the size of each.

        `rank` counts the calls in flight to it before this one.
        """
        if self.policies.fresh is None or not self.is_doubtful(receiver):
            return {receiver[0]: self.policies.share_of(receiver[0])}
        rooms = self._of_doubtful(is_first=rank == 0 and not self.policies.is_silent(receiver))
        return {name: size for name, size in rooms.items() if not (is_slow and name in _AT_ONCE)}

    def _of_doubtful(self, *, is_first: bool) -> dict[str, int]:
        """Half of each is kept for the first call to a receiver that was not found to be silent."""
        all_of_them, at_once = self.policies.doubtful, self.policies.doubtful_at_once
        rooms = {_ALL[0]: all_of_them, _AT_ONCE[0]: at_once}
        if not is_first:
            rooms |= {_ALL[1]: (all_of_them + 1) // 2, _AT_ONCE[1]: (at_once + 1) // 2}
        return rooms


# No integration is named so.
_ALL = ("doubtful: all", "doubtful: further ones")
_AT_ONCE = ("doubtful: in a slot", "doubtful: further ones in a slot")
