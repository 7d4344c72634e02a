"""What the SQL stores need of a database: named statements, reads, and writes that are whole transactions."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from experience_runtime.store.rows import Values

T = TypeVar("T")
Rows = Callable[[str, Values], list[tuple[Any, ...]]]
"""Executes a statement by its name."""


class Database(Protocol):
    """One database. `name` says to people which."""

    @property
    def name(self) -> str: ...

    def read(self, act: Callable[[], T]) -> T:
        """Run `act` outside any transaction: it sees only what is on disk. It may run more than once."""
        ...

    def write(self, act: Callable[[], T]) -> T:
        """Run `act` inside a transaction; return when it is on disk. What it raises undoes it alone.

        It may run more than once, and only the last run counts: it does nothing but through this database.
        """
        ...

    def look(self, act: Callable[[Rows], T]) -> T:
        """Run `act` at one instant, on what executes its statements: it sees only what is on disk.

        What may walk through very many rows belongs here: no delivery waits for it.
        """
        ...

    def write_aside(self, act: Callable[[], T]) -> T:
        """As `write`, for what is written every few seconds and no page shows: the stamp may stay."""
        ...

    def stamp(self) -> str:
        """A text that is another after anything was written by anybody; cheap, and compared here only."""
        ...

    def execute(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        """Execute a statement by its name; only inside `read` or `write`."""
        ...

    def execute_together(self, asked: Sequence[tuple[str, Values]]) -> list[list[tuple[Any, ...]]]:
        """Execute statements that give rows, in this order; on a server in one round trip."""
        ...

    def execute_counted(self, statement: str, bound: Values) -> int:
        """Execute a statement, and say how many rows it changed."""
        ...

    def hold(self, name: str) -> None:
        """Make others who hold this name wait until this transaction ends; only inside `write`.

        For what is read, decided and written in several statements: none of them runs in between.
        """
        ...

    def scrub(self) -> None:
        """Take what was deleted out of the files, as far as this database can and nobody reads it."""
        ...

    def shrink(self, *, whole: bool = False) -> None:
        """Give some of the free room in the files back to the disk, where there is much; or all of it."""
        ...

    def close(self) -> None: ...
