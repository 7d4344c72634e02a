"""Copies of a database: of one instant, whole, and on disk before they get their name."""

import os
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import apsw

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.store.sqlite.failing import failure
from experience_runtime.store.sqlite.private import create_private


def copy_checked(
    source: apsw.Connection, path: str, to: str, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Copy what a connection to `path` reads, at one instant; return the pages.

    The copy is checked before it gets its name. `progress` hears the percentage. InvalidParameter when it
    cannot be made there, or when the database is damaged.
    """
    unfinished = f"{to}.unfinished"
    try:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)  # of a copy that was interrupted
        create_private(unfinished)
        with closing(apsw.Connection(unfinished)) as target:
            with (
                source,
                target.backup("main", source, "main") as copying,
            ):  # one read transaction: one instant
                source.execute("SELECT 1 FROM sqlite_schema").fetchall()
                while not copying.done:
                    copying.step(1000)
                    progress(100 - 100 * copying.remaining // max(1, copying.page_count))
                pages = int(copying.page_count)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            check(target, path, "restore an older backup")
        _sync(unfinished)
        os.replace(unfinished, to)
        sync_folder(to)
    except apsw.CantOpenError as error:
        raise InvalidParameter(f'"{to}" cannot be written ({error}); name a folder that is there') from error
    except apsw.Error as error:
        raise failure(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
    return pages


def check(connection: apsw.Connection, path: str, fix: str) -> bool:
    """Raise InvalidParameter when the quick check finds a defect; False when it was interrupted."""
    try:
        told = connection.execute("PRAGMA quick_check(3)")
        found = [line for (text,) in told for line in str(text).splitlines()]
    except (apsw.CorruptError, apsw.NotADBError) as error:
        found = [str(error)]
    except apsw.InterruptError:
        return False
    except apsw.Error as error:
        raise failure(path, error) from error
    if found != ["ok"]:
        raise InvalidParameter(f"the database {path!r} is damaged ({'; '.join(found)[:300]}); {fix}")
    return True


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: str) -> None:
    """Put on disk which files the folder of this one has."""
    _sync(str(Path(path).resolve().parent))
