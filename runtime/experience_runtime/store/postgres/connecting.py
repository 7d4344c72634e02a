"""Connecting to PostgreSQL: addresses, sessions, and errors that name the database and never its password."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg_pool import ConnectionPool

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import (
    DatabaseRefused,
    DatabaseUnavailable,
    InternalError,
    InvalidParameter,
)
from experience_runtime.store.postgres.refusing import lets_nobody_in
from experience_runtime.store.postgres.silence import Watch
from experience_runtime.store.rows import Values

CONNECT_SECONDS = 5
"""How long one connection may take to be made."""

WAIT_SECONDS = 15.0
"""How long a caller waits for a server that is away before it is told so."""

SILENCE_SECONDS = 30.0
"""How long an act may last before its session counts as lost."""

LOCK_SECONDS = 15.0
"""How long a statement waits for what another session holds."""

_IDLE_SECONDS = 10  # in a transaction, between two statements
_UNANSWERED_SECONDS = 12  # what was sent and not even received

_POOL_SECONDS = 2.0
_CHECKED_SECONDS = 1.0
# for a library of the client that tells no codes (before 18): what an English server says
_REFUSED = re.compile(
    r'authentication failed|no password supplied|(?:role|database) ".*" does not exist|pg_hba\.conf'
    r"|is not permitted to log in|permission denied for database"
)
_PASSWORD = re.compile(r"(?<=://)([^/?#@]*)@|(password\s*=\s*)('[^']*'|\S+)|([?&]password=)[^&\s]*", re.I)

STORE, ENGINE = "experience", "experience engine"
"""What the sessions of a store and of its relay are called; those of `migrate` and `copy` take long."""

Connection = psycopg.Connection[tuple[Any, ...]]


def shown_address(address: str) -> str:
    """The address as people may see it: without user, password and parameters."""
    try:
        parts = urlsplit(address)
        where = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return f"{address.split('://')[0]}://…"
    return f"{parts.scheme}://{where}{parts.path}"


def options(application: str) -> dict[str, Any]:
    """What every session of ours is opened with; the address may say otherwise for the connection itself."""
    return {
        "application_name": application,
        "connect_timeout": CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 4,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": _UNANSWERED_SECONDS * 1000,
    }


def configure(connection: Connection) -> None:
    """Bound what a process that stops in the middle of a transaction can hold up."""
    connection.execute(session_settings())


def session_settings() -> bytes:
    """What every session of ours is told first.

    The server looks at the idle timeout when a transaction waits for its next statement. It does not while
    it waits for the rest of what was sent without a Sync, nor while nobody takes its answer:
    `end_standing_still` is for those.
    """
    return (
        f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s';"
        f"SET lock_timeout = {LOCK_SECONDS * 1000:.0f};"
        f"SET tcp_user_timeout = '{_UNANSWERED_SECONDS}s'; SET jit = off;"
        "SET client_encoding = 'UTF8'; SET default_transaction_isolation = 'read committed'"
    ).encode()


def standing_still(seconds: float) -> Values:
    """What `end_standing_still` binds: the sessions of stores and relays, in a transaction for longer."""
    return {"applications": json.dumps([STORE, ENGINE]), "seconds": seconds}


def pool_of(address: str, *, most: int, watch: Watch) -> ConnectionPool[Connection]:
    """A pool of sessions that are watched while they are made and looked at; to be opened."""
    check_address(address)

    def prepare(connection: Connection) -> None:
        with watch.over(connection):
            configure(connection)

    def look(connection: Connection) -> None:
        with watch.over(connection):
            check(connection)

    return ConnectionPool(
        address,
        kwargs={"autocommit": True, **options(STORE)},
        configure=prepare,
        check=look,
        min_size=1,
        max_size=most,
        max_idle=60.0,
        # Short: a pool that fails waits longer and longer before it looks again. Who needs it asks again.
        timeout=_POOL_SECONDS,
        reconnect_timeout=_POOL_SECONDS / 2,
        name="experience",
        open=False,
    )


def check(connection: Connection) -> None:
    """See whether the server still answers; not when it did a moment ago."""
    answered_at = getattr(connection, "answered_at", 0.0)
    if monotonic() - answered_at > _CHECKED_SECONDS:
        ConnectionPool.check_connection(connection)


def check_address(address: str) -> None:
    """Raise InvalidParameter when it cannot be read; its text is not repeated, it may hold a password."""
    try:
        psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.Error:
        raise InvalidParameter(
            f"the database {shown_address(address)} is not an address PostgreSQL's client reads; "
            "write postgresql://user:password@host:5432/name"
        ) from None


def why_away(address: str, error: Exception) -> Exception:
    """What a new connection meets: a pool only says that it waited."""
    try:
        psycopg.connect(address, **options(STORE) | {"connect_timeout": 2}).close()
    except psycopg.Error as met:
        return met
    return error


def failure(address: str, error: Exception) -> InternalError:
    """Say what a failed operation means for the person who runs this.

    DatabaseUnavailable for what may be well again by itself.
    """
    match error:
        case psycopg.errors.InsufficientPrivilege():
            hint = "grant this user what it needs, or connect as the owner of the tables"
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            hint = "run `experience migrate` with this --database"
        case psycopg.errors.DiskFull() | psycopg.errors.OutOfMemory():
            hint = "the server is out of room: nothing acknowledged is lost"
        case psycopg.errors.ReadOnlySqlTransaction():
            hint = "this server is a standby: connect to the primary (target_session_attrs=read-write)"
        case psycopg.OperationalError(sqlstate=None) if _is_refused(address, error):
            return DatabaseRefused(
                f"the database {shown_address(address)} lets nobody in like this ({said(error)}); "
                "are user, password and the database's name right?"
            )
        case psycopg.OperationalError():
            hint = "is the server up, and are address, user and password right?"
        case _:
            hint = "this is a defect of ours if the tables are as `experience migrate` made them"
    is_away = isinstance(error, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction)
    kind = DatabaseUnavailable if is_away else InternalError
    return kind(f"the database {shown_address(address)} refused an operation ({said(error)}); {hint}")


def _is_refused(address: str, error: psycopg.OperationalError) -> bool:
    return bool(_REFUSED.search(str(error))) or lets_nobody_in(address)


def said(error: BaseException) -> str:
    """What the server said, on one line, without what may be a secret."""
    text = " ".join(str(error).split()) or type(error).__name__
    return _PASSWORD.sub("…", text)[:500]
