"""The database of a PostgreSQL store: a pool of sessions, and transactions whose outcome is always known."""

import itertools
import logging
import random
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from typing import Any, Final, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InternalError
from experience_runtime.measured import hearer
from experience_runtime.store.database import Rows
from experience_runtime.store.postgres.connecting import (
    SILENCE_SECONDS,
    WAIT_SECONDS,
    Connection,
    failure,
    pool_of,
    said,
    shown_address,
    standing_still,
    why_away,
)
from experience_runtime.store.postgres.marks import FORGOTTEN_AFTER, CommitMarks
from experience_runtime.store.postgres.silence import Watch
from experience_runtime.store.rows import Values, text
from experience_runtime.store.statements import read_statements, used

T = TypeVar("T")

_SPELLING: Final = {
    # As the unique index has it; a generated column would have to be stored.
    "key_owner": "CASE key_is_property WHEN 1 THEN '' ELSE visitor END",
    "each": "json_array_elements(CAST(:NAME AS json)) AS NAME(value)",
    "in_numbers": "= ANY (ARRAY(SELECT json_array_elements_text(CAST(:numbers AS json))::bigint))",
    "in_statuses": "= ANY (ARRAY(SELECT json_array_elements_text(CAST(:statuses AS json))))",
    "in_ids": "= ANY (ARRAY(SELECT json_array_elements_text(CAST(:ids AS json))))",
    "position": "strpos",
    # A database of the locale C knows English letters only: those of what is searched are named.
    "lower": "translate(lower(NAME), CAST(:capitals AS text), CAST(:small AS text))",
    "bytes": "bytea",
    "for_update": "FOR UPDATE",
    "for_update_skip_locked": "FOR UPDATE SKIP LOCKED",
    "for_share": "FOR SHARE",
    "then_number": ", number",
}

STATEMENTS: Final = {
    name: re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", sql.replace("%", "%%"))
    for name, sql in read_statements(
        resources.files("experience_runtime.store"), resources.files(__package__), spelling=_SPELLING
    ).items()
}

_GIVES_ROWS: Final = frozenset(
    name for name, sql in STATEMENTS.items() if re.match("SELECT|WITH", sql) or "RETURNING" in sql
) - {"hold", "defer_jobs", "convert_running"}  # nobody reads what these answer

_WRITES: Final = frozenset(
    name
    for name, sql in STATEMENTS.items()
    if re.search(r"INSERT INTO|DELETE FROM|(?<!FOR )UPDATE \w|procrastinate_defer", sql)
)

MOST_CONNECTIONS = 10

_TRIES = 50
# Lost to somebody else, all of it undone: a second run sees what they did.
_AGAIN = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,
    psycopg.errors.LockNotAvailable,
)
_GONE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,  # this process stood still inside a transaction
)

_logger = logging.getLogger(__name__)


class PostgresDatabase:
    """`database.Database` on PostgreSQL. Threads share the pool; inside an act, a thread has one session."""

    def __init__(
        self, address: str, *, most: int = MOST_CONNECTIONS, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.address = address
        self._silence_seconds = silence_seconds
        self._watch = Watch(silence_seconds)
        self._pool = pool_of(address, most=most, watch=self._watch)
        self._pool.open()
        self._here = threading.local()
        self._marks = CommitMarks()
        self._has_marked = False

    @property
    def name(self) -> str:
        return shown_address(self.address)

    def read(self, act: Callable[[], T]) -> T:
        def attempt() -> T:
            with self._session() as connection, self._at(connection, None):
                return act()

        return self._tried(attempt)

    def look(self, act: Callable[[Rows], T]) -> T:
        def at_one_instant() -> T:
            connection: Connection = self._here.connection
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return act(self.execute)

        return self.read(at_one_instant)

    def stamp(self) -> str:
        return str(self.read(lambda: self.execute("written_up_to", {}))[0][0])

    def write(self, act: Callable[[], T]) -> T:
        began = monotonic()
        result = self._tried(lambda: self._transaction(act))
        hearer().committed(monotonic() - began)
        return result

    def write_aside(self, act: Callable[[], T]) -> T:
        return self.write(act)

    def execute(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        """Execute; in a transaction, what gives no rows travels with the next that does, or with COMMIT."""
        cursor = self._cursor(statement, bound)
        if statement not in _GIVES_ROWS:
            return []
        self._sync()
        return cursor.fetchall()

    def execute_together(self, asked: Sequence[tuple[str, Values]]) -> list[list[tuple[Any, ...]]]:
        if self._here.pipeline is None:
            with self._here.connection.pipeline():
                sent = [self._cursor(statement, bound) for statement, bound in asked]
        else:
            sent = [self._cursor(statement, bound) for statement, bound in asked]
            self._sync()
        return [cursor.fetchall() for cursor in sent]

    def execute_counted(self, statement: str, bound: Values) -> int:
        cursor = self._cursor(statement, bound)
        self._sync()
        return cursor.rowcount

    def hold(self, name: str) -> None:
        self._cursor("hold", {"name": text(name)})

    def scrub(self) -> None:
        """The server sweeps by itself what nobody sees any more (autovacuum)."""

    def shrink(self, *, whole: bool = False) -> None:
        """The server uses what is free again, and gives back what is free at the end (autovacuum)."""

    def close(self) -> None:
        if self._has_marked:
            with suppress(psycopg.Error), self._session() as connection:
                bound = {"owner": self._marks.owner, "transactions": FORGOTTEN_AFTER}
                connection.execute(STATEMENTS["drop_commit_marks"], bound)
        self._watch.close()
        self._pool.close()

    def _cursor(self, statement: str, bound: Values) -> psycopg.Cursor[tuple[Any, ...]]:
        connection: Connection | None = getattr(self._here, "connection", None)
        assert connection is not None, f"{statement} stands outside of read and write"
        self._here.has_written |= statement in _WRITES
        return connection.execute(used(STATEMENTS[statement], bound), bound)

    def _sync(self) -> None:
        """Wait for the answers; without a Sync, the server would bound no transaction that idles."""
        if self._here.pipeline is not None:
            self._here.pipeline.sync()

    def _end_standing_still(self) -> None:
        """Free what a process holds that stands still: somebody has waited for it long enough."""
        try:
            with self._session() as connection:
                connection.execute(STATEMENTS["end_standing_still"], standing_still(self._silence_seconds))
        except psycopg.Error as error:  # whoever asked tries again, and says what it comes to
            _logger.warning("could not end what stands still in %s: %s", self.name, said(error))

    def _tried(self, attempt: Callable[[], T]) -> T:
        """Try until it is done, or refused, or the server has been away too long.

        An act that is run again was undone: by the server, or with the session it was lost with.
        """
        gives_up_at = monotonic() + WAIT_SECONDS
        for tries in itertools.count(1):
            try:
                return attempt()
            except _AGAIN as error:
                if isinstance(error, psycopg.errors.LockNotAvailable):
                    self._end_standing_still()
                if tries == _TRIES or monotonic() > gives_up_at:
                    raise failure(self.address, error) from error
            except _GONE as error:
                if not _is_lost(error):
                    raise failure(self.address, error) from error
                if monotonic() > gives_up_at:
                    why = why_away(self.address, error) if isinstance(error, PoolTimeout) else error
                    raise failure(self.address, why) from error
            except psycopg.Error as error:
                raise failure(self.address, error) from error
            # Whoever lost a race to another loses it again when both come back at once.
            threading.Event().wait(random.uniform(0, 0.002) * min(tries, 50))
        raise AssertionError("unreachable")

    def _transaction(self, act: Callable[[], T]) -> T:
        """Run an act between BEGIN and COMMIT; what it raises rolls back."""
        with self._session() as connection:
            mark: Values | None = None
            is_committing = False
            try:
                # Statements travel together until one's rows are read; the mark and COMMIT go last, together.
                with connection.pipeline() as pipeline, self._at(connection, pipeline):
                    connection.execute("BEGIN", prepare=False)
                    result = act()
                    if self._here.has_written:
                        mark = self._marks.next(connection)
                        self._has_marked = True
                        connection.execute(STATEMENTS["mark_commit"], mark)
                    is_committing = True
                    connection.execute("COMMIT", prepare=False)
            except _GONE as error:
                if not _is_lost(error) or not is_committing or mark is None:
                    self._roll_back(connection)
                    raise
                lost: Exception = error
            except BaseException:
                self._roll_back(connection)
                raise
            else:
                return result
        if self._was_committed(mark, lost):
            return result
        raise lost

    @staticmethod
    def _roll_back(connection: Connection) -> None:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK", prepare=False)

    def _was_committed(self, mark: Values, lost: Exception) -> bool:
        """Ask how a transaction ended whose COMMIT got no answer; if it has not, it never will.

        InternalError when the server does not come back to tell: to ask again in a moment, as one may where
        nothing was stored, might do it twice.
        """
        gives_up_at = monotonic() + WAIT_SECONDS
        while True:
            try:
                with self._session() as connection:
                    found = connection.execute(STATEMENTS["decide_commit"], self._marks.question(mark))
                    ((seq,),) = found.fetchall()
                    return bool(seq == mark["seq"])
            except psycopg.Error as error:
                lost = error
            if monotonic() > gives_up_at:
                raise InternalError(
                    f"the database {self.name} was lost while it stored something ({said(lost)}), and did "
                    "not come back to say whether it had: look before you try again"
                ) from lost
            threading.Event().wait(0.05)

    @contextmanager
    def _at(self, connection: Connection, pipeline: psycopg.Pipeline | None) -> Iterator[None]:
        """Let this thread's statements go to a session."""
        self._here.connection, self._here.pipeline = connection, pipeline
        self._here.has_written = False
        try:
            yield
        finally:
            self._here.connection = self._here.pipeline = None

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        connection = self._pool.getconn()
        self._watch.begin(connection)
        try:
            yield connection
            connection.answered_at = monotonic()  # type: ignore[attr-defined]  # for connecting.check
        except BaseException:
            # Interrupted in the middle: whatever it holds goes with it.
            if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
                connection.close()
            raise
        finally:
            self._watch.end(connection)
            self._pool.putconn(connection)


def _is_lost(error: Exception) -> bool:
    """Whether the session went away, and not only the operation."""
    match error:
        case (
            psycopg.errors.AdminShutdown()
            | psycopg.errors.CrashShutdown()
            | psycopg.errors.CannotConnectNow()
        ):
            return True
        case psycopg.errors.IdleInTransactionSessionTimeout():
            return True
        case psycopg.InterfaceError():
            return True  # used after it was closed
        case psycopg.OperationalError():
            return error.sqlstate is None or error.sqlstate.startswith("08")
    return False
