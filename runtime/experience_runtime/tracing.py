"""Tracing: the spans that the parts of a process tell of, for whoever collects them.

A span has names, numbers and codes: no address, no payload, no visitor and no secret. Nobody collects them
before `trace_with`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Span(Protocol):
    """One thing that takes a while."""

    def name(self, name: str, /) -> None:
        """Call it otherwise than it was begun."""
        ...

    def note(self, facts: Mapping[str, str | int], /) -> None:
        """Keep what came of it."""
        ...

    def fail(self, code: str, /) -> None:
        """Say that it failed, and with which code."""
        ...

    def link(self, executions: Sequence[str], /) -> None:
        """Lead to the traces of these executions, by their ids."""
        ...


class Tracing(Protocol):
    """Begins spans; each ends with its block."""

    def request(self, traceparent: str | None, /) -> AbstractContextManager[Span]:
        """A request that is answered; `traceparent` is the header it came with, which is only linked."""
        ...

    def run(self, experience: str, /) -> AbstractContextManager[Span]:
        """A run of an experience, within the request that asked for it."""
        ...

    def attempt(self, execution: str, /) -> AbstractContextManager[Span]:
        """An attempt at an execution; all attempts of one are one trace, whichever process makes them."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What goes along with an HTTP request of this thread's attempt."""
        ...


class _Silent:
    def name(self, _: str) -> None: ...
    def note(self, _: Mapping[str, str | int]) -> None: ...
    def fail(self, _: str) -> None: ...
    def link(self, _: Sequence[str]) -> None: ...


class _Nobody:
    def request(self, _: str | None) -> AbstractContextManager[Span]:
        return _silent()

    def run(self, _: str) -> AbstractContextManager[Span]:
        return _silent()

    def attempt(self, _: str) -> AbstractContextManager[Span]:
        return _silent()

    def headers(self) -> Mapping[str, str]:
        return {}


@contextmanager
def _silent() -> Iterator[Span]:
    yield _Silent()


_tracing: Tracing = _Nobody()


def trace_with(tracing: Tracing) -> None:
    """Let this tracing have every span of this process from now on."""
    global _tracing  # as logging of the standard library: one for the process
    _tracing = tracing


def tracing() -> Tracing:
    """Whoever has the spans now."""
    return _tracing
