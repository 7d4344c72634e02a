"""Embedded deliveries: in the caller, or on threads of this process."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from experience_runtime.domain.executions import Execution


class InlineDelivery:
    """`ports.Delivery` that runs each execution at once, in the caller: for simulation."""

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        for execution in executions:
            deliver(execution)

    def free(self) -> int:
        return 1  # one at a time: what an execution causes is seen before the next is claimed

    def close(self) -> None:
        pass


class ThreadDelivery:
    """`ports.Delivery` on `concurrency` threads."""

    def __init__(self, concurrency: int) -> None:
        self._room = concurrency
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="delivery")
        self._mutex = threading.Lock()
        self._held = 0

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        with self._mutex:
            self._held += len(executions)
        for execution in executions:
            self._pool.submit(deliver, execution).add_done_callback(self._release)

    def free(self) -> int:
        with self._mutex:
            return self._room - self._held

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _release(self, _: Future[None]) -> None:
        with self._mutex:
            self._held -= 1
