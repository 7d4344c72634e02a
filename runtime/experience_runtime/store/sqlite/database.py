"""The database of a SQLite store: statements by name, reads, and writes that commit in groups."""

import os
import secrets
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, Final, TypeVar

import apsw

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import DatabaseUnavailable
from experience_runtime.measured import hearer
from experience_runtime.store.database import Rows
from experience_runtime.store.rows import Values
from experience_runtime.store.sqlite.failing import BUSY_TIMEOUT_MS, CannotBeWritten, failure
from experience_runtime.store.sqlite.file import MEMORY, Upgrade, open_database, open_to_look
from experience_runtime.store.sqlite.group_commit import GroupCommit
from experience_runtime.store.sqlite.looking import Lookers
from experience_runtime.store.sqlite.memory import borrow, give_back
from experience_runtime.store.sqlite.one_by_one import OneByOne
from experience_runtime.store.sqlite.recovery import Identity
from experience_runtime.store.statements import read_statements, used

T = TypeVar("T")

_SCRUB_WAITS_MS = 500
"""For those who read the log meanwhile; where they take longer, a later checkpoint overwrites it."""

_FREE_PAGES = 4_000
"""16 MiB that a file may have free."""

_SHRINK_PAGES = 200

STATEMENTS: Final = read_statements(
    resources.files("experience_runtime.store"),
    resources.files(__package__),
    spelling={
        "key_owner": '"key_owner"',
        "each": "json_each(:NAME) AS NAME",
        "in_numbers": "IN (SELECT value FROM json_each(:numbers))",
        "in_statuses": "IN (SELECT value FROM json_each(:statuses))",
        "in_ids": "IN (SELECT value FROM json_each(:ids))",
        "position": "instr",
        "lower": "lower_case(NAME)",  # of ours: that of SQLite knows English letters only
        "bytes": "BLOB",
        # One writes at a time here: whoever is inside `write` holds every row.
        "for_update": "",
        "for_update_skip_locked": "",
        "for_share": "",
        "then_number": "",  # its index ends with it
    },
)


class SqliteDatabase:
    """`database.Database` on a connection that many threads share, and some to look with.

    Commits in groups, `synchronous=FULL`. `path` names the file, or is ":memory:".
    """

    def __init__(self, path: str, *, to_look: bool = False, upgrades: bool = False) -> None:
        """`to_look`: a file that cannot be written is opened for reading only. `upgrades`: one of an older
        version is upgraded, with a copy beside it; else OlderSchema is raised."""
        self.path = path
        self._upgrade = Upgrade.WITH_COPY if upgrades else Upgrade.REFUSED
        self._refusal: CannotBeWritten | None = None
        self.connection = self._open(to_look)
        self._identity = Identity(path)
        self._damage: str | None = None
        # what is in memory only is another database for each connection, and has no commit to share
        self._commits = OneByOne(self.connection) if path == MEMORY else GroupCommit(self.connection)
        self._lookers = None if path == MEMORY else Lookers(lambda: self._open(to_look))
        self._stamped_by = secrets.token_hex(8)
        self._aside = 0  # rows

    @property
    def name(self) -> str:
        return self.path

    def _open(self, to_look: bool) -> apsw.Connection:
        if self.path == MEMORY:
            return borrow()
        try:
            return open_database(self.path, upgrade=self._upgrade)
        except CannotBeWritten as refusal:
            if not to_look or not os.path.exists(self.path):
                raise
            self._refusal = refusal
            return open_to_look(self.path)

    def condemn(self, damage: str) -> None:
        """Refuse every write from now on: the file is damaged."""
        self._damage = damage

    def read(self, act: Callable[[], T]) -> T:
        self._identity.require()
        try:
            return self._commits.read(act)
        except apsw.Error as error:
            raise failure(self.path, error) from error

    def write(self, act: Callable[[], T]) -> T:
        if self._refusal is not None:
            raise self._refusal
        if self._damage is not None:
            raise DatabaseUnavailable(self._damage)
        began = monotonic()
        try:
            result = self._commits.write(act)
        except apsw.Error as error:
            self._identity.require()
            raise failure(self.path, error) from error
        self._identity.require()  # what was put into a file that is gone is not acknowledged
        hearer().committed(monotonic() - began)
        return result

    def write_aside(self, act: Callable[[], T]) -> T:
        def counted() -> T:
            before = self.connection.total_changes()
            try:
                return act()
            finally:  # one thread at a time is in here
                self._aside += self.connection.total_changes() - before

        return self.write(counted)

    def look(self, act: Callable[[Rows], T]) -> T:
        if self._lookers is None:
            return self.read(lambda: act(self.execute))
        self._identity.require()
        try:
            with self._lookers.one() as looking:
                return act(
                    lambda name, bound: looking.execute(used(STATEMENTS[name], bound), bound).fetchall()
                )
        except apsw.Error as error:
            raise failure(self.path, error) from error

    def stamp(self) -> str:
        def written() -> str:
            # what others wrote, and what this connection did
            others, own = self.connection.pragma("data_version"), self.connection.total_changes()
            return f"{self._stamped_by} {others} {own - self._aside}"

        return self.read(written)

    def execute(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        return self.connection.execute(used(STATEMENTS[statement], bound), bound).fetchall()

    def execute_together(self, asked: Sequence[tuple[str, Values]]) -> list[list[tuple[Any, ...]]]:
        return [self.execute(statement, bound) for statement, bound in asked]

    def execute_counted(self, statement: str, bound: Values) -> int:
        self.execute(statement, bound)
        return self.connection.changes()

    def hold(self, name: str) -> None:
        """One writes at a time here: whoever is inside `write` holds everything."""

    def scrub(self) -> None:
        if self.path == MEMORY:  # there is no log
            return

        # `secure_delete` has overwritten it in the file itself
        def checkpoint() -> None:
            self.connection.set_busy_timeout(_SCRUB_WAITS_MS)  # deliveries wait meanwhile
            try:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self.connection.set_busy_timeout(BUSY_TIMEOUT_MS)

        self.read(checkpoint)

    def shrink(self, *, whole: bool = False) -> None:
        def vacuum() -> None:
            free = int(self.connection.pragma("freelist_count"))
            # what is free is soon used again: only what is much more than that is given back
            if whole or free > max(_FREE_PAGES, int(self.connection.pragma("page_count")) // 10):
                pages = free if whole else _SHRINK_PAGES
                self.connection.execute(f"PRAGMA incremental_vacuum({pages:d})").fetchall()

        self.write(vacuum)

    def close(self) -> None:
        if self._lookers is not None:
            self._lookers.close()
        if isinstance(self._commits, OneByOne):
            self._commits.end(lambda: give_back(self.connection))
        else:
            self._commits.read(self.connection.close)
