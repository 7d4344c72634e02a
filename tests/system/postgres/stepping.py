"""Two acts at once: one stops before a statement, the other comes, and then the first goes on."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from experience_runtime.store.database import Rows
from experience_runtime.store.postgres.database import PostgresDatabase
from experience_runtime.store.rows import Values
from experience_runtime.store.sql import SqlStore

from .yard import until

T = TypeVar("T")
U = TypeVar("U")


class Stepping:
    """`store.database.Database` that stops once before the statement named `stops_at`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self.stops_at = ""
        self.reached, self.go = threading.Event(), threading.Event()

    @property
    def name(self) -> str:
        return self._database.name

    def read(self, act: Callable[[], T]) -> T:
        return self._database.read(act)

    def write(self, act: Callable[[], T]) -> T:
        return self._database.write(act)

    def write_aside(self, act: Callable[[], T]) -> T:
        return self._database.write_aside(act)

    def stamp(self) -> str:
        return self._database.stamp()

    def execute(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        self._stop(statement)
        return self._database.execute(statement, bound)

    def execute_together(self, asked: Sequence[tuple[str, Values]]) -> list[list[tuple[Any, ...]]]:
        for statement, _ in asked:
            self._stop(statement)
        return self._database.execute_together(asked)

    def execute_counted(self, statement: str, bound: Values) -> int:
        self._stop(statement)
        return self._database.execute_counted(statement, bound)

    def look(self, act: Callable[[Rows], T]) -> T:
        return self._database.look(act)

    def hold(self, name: str) -> None:
        self._database.hold(name)

    def scrub(self) -> None:
        self._database.scrub()

    def shrink(self, *, whole: bool = False) -> None:
        self._database.shrink(whole=whole)

    def close(self) -> None:
        self._database.close()

    def _stop(self, statement: str) -> None:
        if statement == self.stops_at:
            self.stops_at = ""
            # What was sent before may still be on its way: the server answers this after all of it.
            self._database.execute("written_up_to", {})
            self.reached.set()
            assert self.go.wait(120)


class Two:
    """Two processes' stores on one database; the first one can be stopped."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stepping = Stepping(PostgresDatabase(address))
        self.first = SqlStore(self._stepping)
        self.second = SqlStore(PostgresDatabase(address))

    def at_once(self, first: Callable[[], T], stops_at: str, second: Callable[[], U]) -> tuple[T, U]:
        """Begin `first`, stop it before a statement, let `second` run as far as it can; then both end."""
        self._stepping.stops_at = stops_at
        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(first)
            assert self._stepping.reached.wait(120), one.result()
            two = threads.submit(second)
            until(lambda: two.done() or self._waits(), lambda: "the second neither ends nor waits")
            self._stepping.go.set()
            return one.result(30), two.result(30)

    @property
    def has_gone_on(self) -> bool:
        """Whether the first was let go on: the second has waited for it, or has ended."""
        return self._stepping.go.is_set()

    def close(self) -> None:
        self.first.close()
        self.second.close()

    def _waits(self) -> bool:
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with psycopg.connect(self._address) as connection:
            return connection.execute(waiting).fetchone() is not None
