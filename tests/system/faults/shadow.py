"""A shadow: a store in memory that is told exactly what a store on a bad disk acknowledged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
from experience_runtime.domain.errors import InternalError
from experience_runtime.store.opening import SqliteStore, open_sqlite

Dump = dict[str, list[tuple[Any, ...]]]
"""Every row of every table, in order."""


class ShadowedStore:
    """A `ports.Store`: forwards to a store on file, and repeats what it acknowledged in memory.

    `doubtful` holds what was refused since the file last changed: if its commit reached the disk and only the
    answer failed, one of them may be found after a crash.
    """

    def __init__(self, path: str) -> None:
        self.file = open_sqlite(path)
        self.shadow = open_sqlite(":memory:")
        self.doubtful: list[Callable[[SqliteStore], Any]] = []
        self.refused: list[InternalError] = []
        self.disagreements: list[str] = []
        self.acknowledged: Callable[[], None] = lambda: None  # called after each change

    def __getattr__(self, name: str) -> Any:
        if name in ("integration_states", "paces"):
            return _Part(self, name)
        return lambda *args, **named: self.do(lambda store: getattr(store, name)(*args, **named))

    def do(self, act: Callable[[SqliteStore], Any]) -> Any:
        try:
            result = act(self.file)
        except InternalError as error:
            self.refused.append(error)
            self.doubtful.append(act)
            raise
        before = self.shadow.database.connection.total_changes()
        expected = act(self.shadow)
        if self.shadow.database.connection.total_changes() != before:
            self.doubtful.clear()  # its frames lie where those of the refused would
            self.acknowledged()
        if result != expected:  # collected: a delivery swallows what is raised
            self.disagreements.append(f"{result!r} is not {expected!r}")
        return result

    def close(self) -> None:
        self.file.close()

    def possible(self) -> list[Dump]:
        """What may be found after a crash: what was acknowledged, or that with one doubtful operation."""
        snapshot = self.shadow.database.connection.serialize("main")
        found = [dump(self.shadow.database.connection)]
        for act in self.doubtful:
            act(self.shadow)
            found.append(dump(self.shadow.database.connection))
            self.shadow.database.connection.deserialize("main", snapshot)
        return found


class _Part:
    """A part of a store that has verbs of its own."""

    def __init__(self, store: ShadowedStore, name: str) -> None:
        self._store = store
        self._name = name

    def __getattr__(self, verb: str) -> Any:
        return lambda *args, **named: self._store.do(
            lambda store: getattr(getattr(store, self._name), verb)(*args, **named)
        )


def dump(connection: apsw.Connection) -> Dump:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return {
        name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()  # noqa: S608 - of the schema
        for name in [str(name) for (name,) in tables.fetchall()]
    }


def crash(folder: Path, into: Path) -> str:
    """Copy the database as a machine would find it after a reset: the memory two processes shared is gone."""
    into.mkdir()
    for file in folder.glob("experience.db*"):
        if not file.name.endswith("-shm"):
            (into / file.name).write_bytes(file.read_bytes())
    return str(into / "experience.db")


_SOUND = {
    "two wait under one key": """
        SELECT key_digest FROM executions WHERE status = 'pending' AND key_digest IS NOT NULL
        GROUP BY key_digest, key_owner HAVING count(*) > 1""",
    "the history ends in another state": """
        SELECT number FROM executions WHERE status <> coalesce((SELECT to_status FROM history
        WHERE execution = number ORDER BY seq DESC LIMIT 1), status)""",
    "the history has a gap": """
        SELECT a.execution FROM history a JOIN history b ON a.execution = b.execution AND b.seq = a.seq + 1
        WHERE a.to_status <> b.from_status""",
    "what runs has no open attempt": """
        SELECT number FROM executions WHERE status = 'running' AND NOT EXISTS (SELECT * FROM attempts
        WHERE execution = number AND attempts.attempt = executions.attempt AND ended_at IS NULL)""",
    "what does not run has an open attempt": """
        SELECT number FROM executions JOIN attempts ON execution = number
        WHERE status <> 'running' AND ended_at IS NULL""",
    "what ended has a lease": """
        SELECT number FROM executions
        WHERE lease_until IS NOT NULL AND status NOT IN ('pending', 'running')""",
    "what runs has no lease": """
        SELECT number FROM executions WHERE lease_until IS NULL AND status = 'running'""",
}


def assert_sound(connection: apsw.Connection) -> None:
    """What holds in every database, whatever happened to it."""
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    for what, query in _SOUND.items():
        assert connection.execute(query).fetchall() == [], what
