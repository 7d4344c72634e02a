"""Copying a SQLite store into a PostgreSQL one: resumable, and verified row by row."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apsw
from psycopg import sql

from experience_runtime.domain.errors import Conflict, InternalError
from experience_runtime.store.postgres.connecting import Connection, shown_address
from experience_runtime.store.postgres.migrating import connected
from experience_runtime.store.sqlite.file import Upgrade, open_database

BATCH = 5_000

Progress = Callable[[str, int], None]
"""Hears how many rows of a table have been copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`key` orders the rows; what has been copied is a beginning of that order."""

    name: str
    key: Sequence[str]
    columns: Sequence[str]


def tables(source: apsw.Connection) -> list[Table]:
    """Every table of a store, as the file has it, but that of the workers: none of them comes along.

    What the executions are is copied first.
    """
    names = source.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    found = [_table(source, str(name)) for (name,) in names.fetchall() if name not in _LEFT]
    return sorted(found, key=lambda table: table.name != "executions")


def _table(source: apsw.Connection, name: str) -> Table:
    columns = source.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
    return Table(
        name=name,
        key=[column for _, column in sorted((place, str(column)) for column, place in columns if place)],
        columns=[str(column) for column, _ in columns],
    )


_LEFT = ("workers",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What there is of a table now, in both databases; `digest` is the SHA-256 of all its rows in order."""

    table: str
    rows: int
    digest: str


def count_rows(path: str) -> int:
    connection = open_database(path, upgrade=Upgrade.WITH_COPY)
    try:
        return sum(_count(connection, table) for table in tables(connection))
    finally:
        connection.close()


def copy_store(path: str, address: str, *, progress: Progress = lambda _table, _count: None) -> list[Copied]:
    """Copy every table of a file that nothing writes to meanwhile, and verify it.

    Goes on where an earlier copy of the same file was interrupted. Conflict when the target holds rows that
    the file does not have: nothing is written then. A worker that delivers from the file keeps it back too.
    """
    source = open_database(path, upgrade=Upgrade.WITH_COPY)
    try:
        with connected(address) as target:
            # Nobody writes to the file while it is copied; readers may go on.
            source.execute("BEGIN IMMEDIATE")
            whole = tables(source)
            starts = {table.name: _copied_already(source, target, table, address) for table in whole}
            copied = []
            for table in whole:
                _copy(source, target, table, starts[table.name], progress)
                copied.append(_verified(source, target, table, address))
            return copied
    finally:
        source.close()


def _copied_already(source: apsw.Connection, target: Connection, table: Table, address: str) -> int:
    """How many rows of the beginning are there; Conflict when what is there is not a beginning."""
    ((count,),) = target.execute(_sql("SELECT count(*) FROM {table}", table)).fetchall()
    theirs, ours = hashlib.sha256(), hashlib.sha256()
    for row in _target_rows(target, table):
        theirs.update(_line(row))
    for row in _source_rows(source, table, limit=count):
        ours.update(_line(row))
    if theirs.digest() != ours.digest():
        raise Conflict(
            f"the table {table.name} of {shown_address(address)} holds rows that are not of this file; "
            "copy into a database that is empty, or that an interrupted copy of the same file began"
        )
    return int(count)


def _copy(source: apsw.Connection, target: Connection, table: Table, start: int, progress: Progress) -> None:
    done = start
    progress(table.name, done)
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    rows = _source_rows(source, table, offset=start)
    while batch := _some(rows):
        with target.transaction(), target.cursor() as cursor, cursor.copy(into) as copy:
            for row in batch:
                copy.write_row(row)
        done += len(batch)
        progress(table.name, done)
    if "number" in table.columns:
        # its numbers go on from the greatest there is, where the server gives them out
        target.execute(
            _sql(
                "SELECT setval(sequence, (SELECT coalesce(max(number), 0) + 1 FROM {table}), false) "
                "FROM pg_get_serial_sequence({name}, 'number') AS sequence WHERE sequence IS NOT NULL",
                table,
            )
        )


def _verified(source: apsw.Connection, target: Connection, table: Table, address: str) -> Copied:
    counts, digests = [], []
    for found in (_source_rows(source, table), _target_rows(target, table)):
        count, digest = 0, hashlib.sha256()
        for row in found:
            count += 1
            digest.update(_line(row))
        counts.append(count)
        digests.append(digest.hexdigest())
    if counts[0] != counts[1] or digests[0] != digests[1]:
        raise InternalError(
            f"the table {table.name} differs after the copy: {counts[0]} rows in the file, {counts[1]} in "
            f"{shown_address(address)}; does somebody write to it? Empty it, and copy again"
        )
    return Copied(table=table.name, rows=counts[0], digest=digests[0])


def _count(source: apsw.Connection, table: Table) -> int:
    return int(source.execute(f'SELECT count(*) FROM "{table.name}"').get)  # noqa: S608 - a name of `tables`


def _source_rows(
    source: apsw.Connection, table: Table, *, limit: int = -1, offset: int = 0
) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    order = ", ".join(f'"{column}"' for column in table.key)
    statement = f'SELECT {columns} FROM "{table.name}" ORDER BY {order} LIMIT ? OFFSET ?'  # noqa: S608 - of `tables`
    yield from source.execute(statement, (limit, offset))


def _target_rows(target: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    order = sql.SQL(", ").join(map(sql.Identifier, table.key))
    statement = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, sql.Identifier(table.name), order)
    with target.transaction(), target.cursor("rows") as cursor:
        cursor.itersize = BATCH
        yield from cursor.execute(statement)


def _sql(text: str, table: Table) -> sql.Composed:
    named = sql.SQL(text)
    return named.format(table=sql.Identifier(table.name), name=sql.Literal(table.name))


def _line(row: Sequence[Any]) -> bytes:
    return repr(tuple(bytes(each) if isinstance(each, memoryview) else each for each in row)).encode() + b"\n"


def _some(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row for _, row in zip(range(BATCH), rows, strict=False)]
