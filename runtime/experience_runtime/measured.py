"""Measured: what the parts of a process tell of what they do, for its metrics.

Nobody listens before `hear`.
"""

from typing import Protocol


class Measures(Protocol):
    """Hears; any thread may tell, and nothing is raised."""

    def committed(self, seconds: float, /) -> None:
        """A write is on disk, so long after it was asked for."""
        ...

    def fired(self, outcome: str, count: int, /) -> None:
        """So many instants of recurring schedules came to this."""
        ...

    def told(self, kind: str, /) -> None:
        """Something was told of a visitor: an `event`, a `conversion` or an `identification`."""
        ...

    def refused_request(self, code: str, /) -> None:
        """A request, or a part of one, was refused with this code."""
        ...

    def killed_sandbox(self) -> None:
        """A process of the sandbox had to be ended in the middle of a run."""
        ...


class _Nobody:
    def committed(self, _: float) -> None: ...
    def fired(self, _: str, __: int) -> None: ...
    def told(self, _: str) -> None: ...
    def refused_request(self, _: str) -> None: ...
    def killed_sandbox(self) -> None: ...


_hearer: Measures = _Nobody()


def hear(measures: Measures) -> None:
    """Let these hear of everything in this process from now on."""
    global _hearer  # as logging of the standard library: one for the process
    _hearer = measures


def hearer() -> Measures:
    """Whoever hears now."""
    return _hearer
