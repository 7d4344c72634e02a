"""Group commit: callers that come together are put on disk together.

A commit costs one fsync, whatever it carries. So a caller queues its operation; if nobody leads, it leads:
it runs everything queued in one transaction, commits once, wakes the callers and hands the lead to the first
that came meanwhile. The others sleep until their operation is done. When one of them is refused, they run
again with a savepoint each. (A plain lock around the connection does not group: whoever holds it takes it
again before a sleeper wakes up.)
"""

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar

import apsw

T = TypeVar("T")


class _Operation(Generic[T]):
    __slots__ = ("act", "done", "error", "is_write", "leads", "result", "woken")

    def __init__(self, act: Callable[[], T], *, is_write: bool) -> None:
        self.act = act
        self.is_write = is_write
        self.done = False
        self.leads = False
        self.error: Exception | None = None
        self.result: T | None = None
        self.woken = threading.Lock()
        self.woken.acquire()


class GroupCommit:
    """The one way to use a connection from many threads."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._mutex = threading.Lock()  # guards the two below, never held while SQLite works
        self._queue: deque[_Operation[Any]] = deque()
        self._is_led = False

    def write(self, act: Callable[[], T]) -> T:
        """Run `act` inside a transaction; return when it is on disk.

        What `act` raises undoes `act` alone and is raised here. When the commit fails, every operation of
        the group fails with its error. It sees the caller's context, whichever thread runs it.
        """
        return self._take_part(_Operation(partial(copy_context().run, act), is_write=True))

    def read(self, act: Callable[[], T]) -> T:
        """Run `act` outside any transaction: it sees only what is on disk."""
        return self._take_part(_Operation(act, is_write=False))

    def _take_part(self, operation: _Operation[T]) -> T:
        with self._mutex:
            self._queue.append(operation)
            operation.leads = not self._is_led
            self._is_led = True
        try:
            if not operation.leads:
                operation.woken.acquire()
            if operation.leads and not operation.done:
                self._carry_out_queue(operation)
        finally:
            with self._mutex:
                if not operation.done and operation in self._queue:  # Ctrl-C: nobody waits for it any more
                    self._queue.remove(operation)
                if operation.leads:
                    self._hand_over()
        if operation.error is not None:
            raise operation.error
        return operation.result  # type: ignore[return-value]  # set whenever there is no error

    def _hand_over(self) -> None:
        if self._queue:
            self._queue[0].leads = True
            self._queue[0].woken.release()
        else:
            self._is_led = False

    def _carry_out_queue(self, own: _Operation[Any]) -> None:
        with self._mutex:
            group = list(self._queue)
            self._queue.clear()
        try:
            writes = [operation for operation in group if operation.is_write]
            if writes:
                self._commit(writes)
            for operation in group:
                if not operation.is_write:
                    self._attempt(operation)
                    operation.done = True
        finally:
            # After Ctrl-C in this thread the other callers' unfinished operations go to the next leader.
            with self._mutex:
                self._queue.extendleft(o for o in reversed(group) if not o.done and o is not own)
            for operation in group:
                if operation.done and operation is not own:
                    operation.woken.release()

    def _commit(self, writes: list[_Operation[Any]]) -> None:
        try:
            if len(writes) == 1 or not self._commit_as_one(writes):
                self._commit_apart(writes)
        except Exception as error:  # noqa: BLE001 - handed to every caller of the group
            self._roll_back()
            for operation in writes:
                operation.error = operation.error or error
        for operation in writes:
            operation.done = True

    def _commit_as_one(self, writes: list[_Operation[Any]]) -> bool:
        """Commit operations none of which is refused; False, and nothing done, when one is."""

        def act() -> bool:
            for operation in writes:
                self._attempt(operation)
                if operation.error is not None:
                    return False
            return True

        return self._transaction(writes, act)

    def _commit_apart(self, writes: list[_Operation[Any]]) -> None:
        """Commit operations with a savepoint each: one that raises is undone alone."""

        def act() -> bool:
            alone = len(writes) == 1  # then the transaction is its savepoint
            for operation in writes:
                if not alone:
                    self._run("SAVEPOINT operation")
                self._attempt(operation)
                if operation.error is not None:
                    # A full disk or an I/O error ends the whole transaction: nothing of the group stands.
                    if alone or not self._connection.in_transaction:
                        raise operation.error
                    self._run("ROLLBACK TO operation")
                if not alone:
                    self._run("RELEASE operation")
            return True

        self._transaction(writes, act)

    def _transaction(self, writes: list[_Operation[Any]], act: Callable[[], bool]) -> bool:
        """Run `act` between BEGIN and COMMIT, or ROLLBACK when it says no."""
        begun = False
        try:
            self._run("BEGIN IMMEDIATE")
            begun = True
            if act():
                self._run("COMMIT")
                return True
            self._roll_back()
            return False
        except (KeyboardInterrupt, SystemExit):  # the others of the group go to the next leader
            committed = begun and not self._connection.in_transaction
            self._roll_back()
            for operation in writes:
                operation.done = committed
            raise

    @staticmethod
    def _attempt(operation: _Operation[Any]) -> None:
        operation.error = None
        try:
            operation.result = operation.act()
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            operation.error = error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._run("ROLLBACK")

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)
