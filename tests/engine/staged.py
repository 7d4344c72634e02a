"""A stage: calls that take virtual time on the real delivery's threads, one of them moving at a time."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher


class Stage:
    """Knows every call that runs, and lets the one end that ends first. It is the dispatcher's delivery."""

    def __init__(self, clock: VirtualClock, concurrency: int) -> None:
        self._clock = clock
        self._threads = ThreadDelivery(concurrency, now=lambda: clock.now().timestamp())
        self._changed = threading.Condition()
        self._running = 0
        self._asleep: dict[int, tuple[datetime, threading.Event]] = {}  # by the order in which they came
        self._came = 0

    # --- a delivery

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        def counted(execution: Execution) -> None:
            try:
                deliver(execution)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        for each in executions:  # one after the other, so that they come in this order
            with self._changed:
                self._running += 1
            self._threads.submit([each], counted)
            self._settle_down()

    def free(self) -> int:
        return self._threads.free()

    def abandon(self, execution: Execution) -> None:
        self._threads.abandon(execution)

    def stuck(self) -> Sequence[Execution]:
        return self._threads.stuck()

    def close(self) -> None:
        while self._asleep:
            self._wake_first()
        self._threads.close()

    # --- its calls

    def take(self, seconds: float) -> None:
        """Let so much time pass in a call."""
        woken = threading.Event()
        with self._changed:
            self._came += 1
            self._asleep[self._came] = self._clock.now() + timedelta(seconds=seconds), woken
            self._changed.notify_all()
        assert woken.wait(60)

    # --- its time

    def run(self, dispatcher: Dispatcher, is_over: Callable[[], bool]) -> None:
        """Run what is due until it is over."""
        while not is_over():
            while dispatcher.run_due():
                pass
            ends = min((at for at, _ in self._asleep.values()), default=None)
            wake = dispatcher.next_wake() if dispatcher.has_room() else None
            instants = [at for at in (ends, wake) if at is not None]
            assert instants, "nothing runs, and nothing will"
            if ends is not None and ends <= min(instants):
                self._wake_first()
            else:
                self._clock.advance_to(min(instants))

    def _wake_first(self) -> None:
        number = min(self._asleep, key=lambda each: (self._asleep[each][0], each))
        at, woken = self._asleep.pop(number)
        self._clock.advance_to(at)
        woken.set()
        self._settle_down()

    def _settle_down(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._running == len(self._asleep), 60)
