"""experience dev: check and prove on each save, beside a playground that plays what is on disk."""

import functools
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from experience_runtime.cli.common import everywhere, say
from experience_runtime.cli.serve import listen
from experience_runtime.cli.shown import line_of, show_problem
from experience_runtime.cli.stopping import on_stop
from experience_runtime.cli.terminal import indented, styled
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import iso
from experience_runtime.proving.finding import find_experiences, find_stories, is_experience
from experience_runtime.proving.suite import prove
from experience_runtime.proving.watching import Watched
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import name_of, prepare, source_of
from experience_runtime.settings.load import Settings
from experience_runtime.settings.serving import EXPERIENCE_NAME, Served
from experience_runtime.web.bench import Bench, Said

if TYPE_CHECKING:
    import uvicorn

LOOK_SECONDS = 0.1
"""How often the files are looked at."""


@click.command(
    epilog="""\b
Examples:
  experience dev
  experience dev my-experience --port 9000

The playground is on this machine only. Ctrl-C ends it."""
)
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free one."
)
@functools.partial(everywhere, reads_strangers=True)
def dev(folder: Path, port: int, settings: Settings, as_json: bool) -> None:
    """Check the experiences in DIR and play their stories on each save, beside a playground.

    Nothing leaves the machine and nothing is stored: the playground has an empty database of its own.
    """
    if as_json:
        raise InvalidParameter("dev goes on and on, so --json has no document; use `experience test --json`")
    stop = threading.Event()

    served = _served(folder)
    bench = Bench(folder, served)
    with (
        tempfile.TemporaryDirectory() as own,
        Runtime(replace(settings, database=f"sqlite:///{Path(own) / 'dev.db'}", served=served)) as runtime,
        _playground(runtime, bench, port) as address,
    ):
        on_stop(stop.set)
        watched = Watched(folder)
        for name, path in served.released.items():
            say(f"{path}: {address}/playground?experience={quote(name)}")
        bench.tell("As the files were at the beginning", look(runtime, [folder]))
        # in a thread: a signal would find the Event in use by the very thread that its handler stops
        watching = threading.Thread(target=_watch, args=(runtime, bench, folder, watched, stop))
        watching.start()
        watching.join()


def _watch(runtime: Runtime, bench: Bench, folder: Path, watched: Watched, stop: threading.Event) -> None:
    while not stop.wait(LOOK_SECONDS):
        if changed := watched.changed():
            heading = f"{iso(runtime.clock.now())[11:19]}  {changed[0].name} changed"
            click.echo(styled(heading, bold=True))
            bench.tell(heading, look(runtime, _touched(changed, folder)))


def _touched(changed: Sequence[Path], folder: Path) -> list[Path]:
    """The experiences that the files belong to; all of the folder's when that is not plain."""
    found = []
    for path in changed:
        above = next((each for each in path.parents if each.is_dir() and is_experience(each)), None)
        if above is None or not above.resolve().is_relative_to(folder.resolve()):
            return [folder]
        if above not in found:
            found.append(above)
    return found


def look(runtime: Runtime, paths: Sequence[Path]) -> list[Said]:
    """Check the experiences at the paths and play the stories below them; show what comes of it."""
    told = []
    for path in find_experiences(paths):
        checked = runtime.check(partial(prepare, path))
        for problem in checked.problems:
            show_problem(problem, source=source_of(problem, path, checked.script))
            told.append(Said(text=line_of(problem), passed=False))
        if not checked.problems:
            click.echo(styled(f"checked {path}", fg="green"))
            told.append(Said(text=f"checked {path}", passed=True))
    try:
        stories = find_stories(paths)
    except InvalidParameter:
        say("there is no story to play; `experience new` writes one")
        return told
    for story in stories:
        proved = prove(runtime, story)
        word, colour = ("passed ", "green") if proved.passed else ("FAILED ", "red")
        click.echo(styled(f"{word} {story}", fg=colour))
        for line in proved.lines():
            click.echo(indented(line))
        told.append(Said(text=f"{word} {story}", passed=proved.passed, more=proved.lines()))
    return told


def _served(folder: Path) -> Served:
    """The experiences in the folder by their names, and whatever comes into it later."""
    found: dict[str, Path] = {}
    for path in find_experiences([folder]):
        if EXPERIENCE_NAME.fullmatch(name := name_of(path)):
            found.setdefault(name, path)
    return Served(released=found, drafts=None if is_experience(folder) else folder, per_second=0)


@contextmanager
def _playground(runtime: Runtime, bench: Bench, port: int) -> Iterator[str]:
    """Serve the pages to this machine, in a thread; give their address."""
    import uvicorn

    from experience_runtime.web.server import make_web

    runtime.for_serving()  # requests come on many threads
    web = make_web(runtime, is_open=True, bench=bench)
    server = uvicorn.Server(
        uvicorn.Config(web, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none")
    )
    with listen("127.0.0.1", port) as listener:
        serving = threading.Thread(target=_run(server, listener))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            bench.end()
            server.should_exit = True
            serving.join()
            web.state.jobs.close()


def _run(server: "uvicorn.Server", listener: socket.socket) -> Callable[[], None]:
    return lambda: server.run(sockets=[listener])
