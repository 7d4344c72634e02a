"""Embedded deliveries: in the caller, or on threads of this process."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from experience_runtime.clocks import monotonic
from experience_runtime.domain.admission import SLOW_SECONDS
from experience_runtime.domain.executions import Execution

MOST_SLOW = 3
"""How many slow calls there may be for each slot: a slow call costs a thread, which waits."""

GRACE_SECONDS = 25.0
"""How long calls that run may still take once the delivery is closed."""

_IDLE_SECONDS = 10.0

Key = tuple[int, int]  # number, attempt


class InlineDelivery:
    """`ports.Delivery` that runs each execution at once, in the caller: for simulation.

    `before` hears of each before it runs.
    """

    def __init__(self, before: Callable[[Execution], None] = lambda _: None) -> None:
        self._before = before

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        for execution in executions:
            self._before(execution)
            deliver(execution)

    def free(self) -> int:
        return 1  # one at a time: what an execution causes is seen before the next is claimed

    def abandon(self, execution: Execution) -> None:
        pass  # its caller is inside it

    def stuck(self) -> Sequence[Execution]:
        return []

    def close(self) -> None:
        pass


class ThreadDelivery:
    """`ports.Delivery` on threads: `concurrency` calls at a time, and beside them those that are slow.

    Nothing can end a thread. One whose call was abandoned ends by itself when its call does; until then
    another takes its place. None of them keeps the process from ending.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        grace_seconds: float = GRACE_SECONDS,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`now` says how long a call has taken, in seconds."""
        self._now = now
        self._room = concurrency
        self._grace_seconds = grace_seconds
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Execution, Callable[[Execution], None]]] = deque()
        self._began: dict[Key, float] = {}  # the calls that run
        self._stuck: dict[Key, Execution] = {}
        self._idle = 0
        self._closed = False

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        with self._changed:
            self._waiting.extend((execution, deliver) for execution in executions)
            missing = len(self._waiting) - self._idle
            self._changed.notify(len(executions))
        for _ in range(missing):
            threading.Thread(target=self._work, name="delivery", daemon=True).start()

    def free(self) -> int:
        slow_since = self._now() - SLOW_SECONDS
        with self._changed:
            held = len(self._waiting) + len(self._began)
            slow = sum(began <= slow_since for began in self._began.values())
        return min(self._room - (held - slow), self._room * (1 + MOST_SLOW) - held)

    def abandon(self, execution: Execution) -> None:
        key = (execution.number, execution.attempt)
        with self._changed:
            if self._began.pop(key, None) is not None:
                self._stuck[key] = execution
                self._changed.notify_all()

    def stuck(self) -> Sequence[Execution]:
        with self._changed:
            return list(self._stuck.values())

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return  # a call that outlived its grace has no second one
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._began, self._grace_seconds)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            execution, deliver = taken
            key = (execution.number, execution.attempt)
            try:
                deliver(execution)
            finally:
                with self._changed:
                    self._began.pop(key, None)
                    was_stuck = self._stuck.pop(key, None) is not None
                    self._changed.notify_all()
            if was_stuck:
                return  # another thread has taken its place

    def _take(self) -> tuple[Execution, Callable[[Execution], None]] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed, _IDLE_SECONDS)
            self._idle -= 1
            if not self._waiting:
                return None
            execution, deliver = self._waiting.popleft()
            self._began[execution.number, execution.attempt] = self._now()
            return execution, deliver
