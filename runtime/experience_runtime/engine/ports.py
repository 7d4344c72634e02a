"""What the verbs need from the world. Each docstring is the contract an adapter is tested against."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.executions import (
    Execution,
)
from experience_runtime.integration import Cache, Integration


class Clock(Protocol):
    """The only source of time. Instants are aware UTC datetimes, whole milliseconds."""

    def now(self) -> datetime: ...

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        """Return at `until`, when `wake` is set, or after `at_most` seconds, whichever is first."""
        ...


class Integrations(Protocol):
    """The registered integrations, by name."""

    def names(self) -> Sequence[str]: ...

    def get(self, name: str) -> Integration[Any, Any]:
        """UnknownIntegration when nothing of this name is registered."""
        ...

    def settings(self, name: str) -> Any:
        """The integration's validated settings (None when it has none).

        NotConfigured when they are missing or wrong.
        """
        ...

    def parse_payload(self, name: str, payload: Any) -> Any:
        """The payload as the integration's model has it; InvalidPayload when it does not fit."""
        ...

    def shown(self, name: str, payload: str) -> str:
        """The JSON text of a payload as people may see it; of a name that is not registered, the payload."""
        ...

    def cache(self, name: str) -> Cache:
        """What the integration keeps from call to call."""
        ...


class Delivery(Protocol):
    """Runs claimed executions, some at a time."""

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        """Hand over claimed executions; returns without waiting for them unless the adapter is inline."""
        ...

    def free(self) -> int:
        """How many more executions are welcome now."""
        ...

    def abandon(self, execution: Execution) -> None:
        """Give back the slot of a call that runs past its deadline; nothing when it has just ended."""
        ...

    def stuck(self) -> Sequence[Execution]:
        """Those that were abandoned and have not ended since."""
        ...

    def close(self) -> None:
        """Finish what runs, within a grace; what has not begun or not ended is left to its lease."""
        ...


HandOver = Callable[[Sequence[Execution]], None]


class Relay(Protocol):
    """Carries claimed executions to a process that serves their integration, this one or another.

    What it carries may come twice, late, or not at all: the lease brings it back.
    """

    def start(self, wake: threading.Event) -> None:
        """Take what comes from now on; `wake` is set when something has."""
        ...

    def hand_over(self, claimed: Sequence[Execution]) -> None:
        """Put them on their way, inside the transaction that claims them."""
        ...

    def arrived(self, most: int) -> Sequence[tuple[int, int]]:
        """Take (number, attempt) that have come to this process, so many at most."""
        ...

    def close(self) -> Sequence[tuple[int, int]]:
        """Take nothing more; return what has come and was not taken."""
        ...
