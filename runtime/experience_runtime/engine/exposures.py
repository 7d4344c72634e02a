"""Exposures as they are kept: which of its variations an experience showed to whom first."""

from collections.abc import Sequence
from typing import Protocol

from experience_runtime.domain.traffic import Exposure, Tally


class Exposures(Protocol):
    """The exposures of a store. Every method is one transaction; each docstring is a contract."""

    def variation(self, experience: str, visitor: str) -> str | None:
        """What this person was shown first, under whichever of their ids; None when nothing was."""
        ...

    def note(self, exposure: Exposure) -> None:
        """Keep it, once a visitor and experience. It takes the place of other variations of the person."""
        ...

    def of(self, visitor: str) -> Sequence[Exposure]:
        """Those of one id, the oldest first."""
        ...

    def tally(self, experience: str) -> Sequence[Tally]:
        """How each variation did with those who were shown it, counted over all ids of a person.

        Executions and conversions count from the moment of the exposure on, as far as they are kept.
        """
        ...
