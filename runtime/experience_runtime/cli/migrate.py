"""experience migrate: make or upgrade the tables of a database, or copy a SQLite file into it."""

from dataclasses import asdict, replace

import click

from experience_runtime import __version__
from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings
from experience_runtime.store.sqlite.lock import FileLock


@click.command(
    epilog="""\b
Examples:
  experience migrate --database postgresql://experience@db.internal/experience
  experience migrate --from sqlite:///experience.db --database postgresql://db.internal/experience

A SQLite file is copied beside itself before it is upgraded. `serve` and `worker` do the same; every other
command refuses a file of an older version. On PostgreSQL, what an older version still needs stays until none
of its workers reports itself; run it again then.
A copy that was interrupted goes on when it is run again. Each table is verified by count and checksum."""
)
@click.option("--from", "source", metavar="URL", help="A SQLite file to copy everything from.")
@everywhere
def migrate(source: str | None, settings: Settings, as_json: bool) -> None:
    """Make the tables of a database, or bring them to this version."""
    with Runtime(settings, upgrades=True) as runtime:
        document: dict[str, object] = {"database": runtime.database_name}
        lines = _bring(runtime, document)
        if source is not None:
            lines += _copy(runtime, source, document)
    if as_json:
        print_json(document)
        return
    for line in lines:
        say(line)


def _bring(runtime: Runtime, document: dict[str, object]) -> list[str]:
    if not runtime.is_shared:
        runtime.store.next_wake(now=runtime.clock.now())  # opening a file brings it to this version
        document |= {"applied": [], "left": []}
        return [f"{runtime.database_name} is up to date"]
    from experience_runtime.store.postgres.migrating import migrate as bring

    done = bring(runtime.settings.database, now=runtime.clock.now(), version=__version__)
    document |= {"applied": list(done.applied), "left": list(done.left)}
    if done.left:
        return [
            f"{runtime.database_name} serves this version and the one before; workers of another version "
            f"still run: run this again when they are gone, to apply {', '.join(done.left)}"
        ]
    count = len(done.applied)
    return [
        f"{runtime.database_name} is up to date" + (f"; {count} migrations were applied" if count else "")
    ]


def _copy(runtime: Runtime, source: str, document: dict[str, object]) -> list[str]:
    if not runtime.is_shared:
        raise InvalidParameter(
            "--from copies into a postgresql:// database; name it with --database, "
            "or copy a file with `experience backup`"
        )
    from experience_runtime.store.postgres.copying import copy_store, count_rows

    with Runtime(replace(runtime.settings, database=source)) as old:
        path = old.database_path
        if not old.has_database:
            raise InvalidParameter(f"--from {source}: there is no such file; write sqlite:///PATH")
    lock = FileLock(path)
    if not lock.try_take():
        raise Conflict(
            f"a worker (process {lock.holder()}) delivers from {path}; stop it first: "
            "what it delivered meanwhile would be delivered again from the copy"
        )
    try:
        seen: dict[str, int] = {}
        with counted("copying", count_rows(path)) as progress:

            def heard(table: str, count: int) -> None:
                seen[table] = count
                progress(sum(seen.values()))

            copied = copy_store(path, runtime.settings.database, progress=heard)
    finally:
        lock.release()
    document["copied"] = [asdict(each) for each in copied]
    return [
        f"{each.table}: {each.rows} rows, sha256 {each.digest[:16]}…, the same in both" for each in copied
    ]
