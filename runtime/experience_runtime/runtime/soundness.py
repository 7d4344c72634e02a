"""Soundness: whether a database's file is damaged; a large one is looked at while it is used."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.store.sqlite.recovery import check_whole

AT_ONCE_BYTES = 64 * 1024 * 1024
"""Up to this size nobody waits for long: a GiB takes half a minute of a busy disk."""

_logger = logging.getLogger(__name__)


def check_database(runtime: Runtime) -> None:
    """Raise InvalidParameter when the file is damaged; a server looks after its own."""
    if not runtime.is_shared and os.path.exists(runtime.database_path):
        check_whole(runtime.database_path)


@contextmanager
def looked_after(
    runtime: Runtime, *, at_once_bytes: int = AT_ONCE_BYTES
) -> Iterator[threading.Thread | None]:
    """Refuse a damaged file. One larger than `at_once_bytes` is used meanwhile, until damage is found.

    Then nothing more is stored in it, or delivered from it. Gives the thread that looks, if one does.
    """
    if runtime.is_shared or _bytes(runtime.database_path) <= at_once_bytes:
        check_database(runtime)
        yield None
        return
    database = runtime.store.database  # opened first: who reads would keep it from writing its log
    stop = threading.Event()

    def look() -> None:
        try:
            if check_whole(runtime.database_path, is_over=stop.is_set):
                _logger.info("%s was looked at, and is not damaged", runtime.database_name)
        except InvalidParameter as damage:
            database.condemn(damage.message)
            _logger.error("%s; nothing more is stored in it or delivered from it", damage.message)
        except ExperienceError as error:
            _logger.warning("nobody knows whether %s is damaged: %s", runtime.database_name, error.message)

    looking = threading.Thread(target=look, name="soundness")
    looking.start()
    try:
        yield looking
    finally:
        stop.set()
        looking.join()


def _bytes(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0
