"""The stage: a temporary directory in which a document's commands are run as a reader would run them."""

import importlib.util
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, TracebackType

from . import in_process

ROOT = Path(__file__).resolve().parents[2]
SECONDS_PER_COMMAND = 180
PORT = "8080"
"""The port that documents serve on; on the stage a free one stands in for it."""

_DATABASE = re.compile(r"postgresql://experience@db\.internal/\w+")


def _load_dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dev = _load_dev()
DEV_VERBS = frozenset(re.findall(r"^  (\w+)  ", dev.HELP, re.MULTILINE))


class OtherSide:
    """The other side of every integration: a real HTTP server on this machine that takes whatever is posted.

    `called` holds the paths that were posted to. `/slack-update` answers as Slack does, the others with JSON.
    """

    def __init__(self) -> None:
        called = self.called = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                called.append(self.path)
                answer = b"ok" if self.path == "/slack-update" else b'{"accepted": true}'
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def url(self, integration: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{integration}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Stage:
    """A directory with a copy of the samples, and the `experience` of this very interpreter on PATH."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name, "checkout")
        shutil.copytree(ROOT / "sample_experiences", self.folder / "sample_experiences")
        programs = Path(self._folder.name, "bin")
        programs.mkdir()
        _make_program(
            programs / "experience",
            f"#!{sys.executable}\nfrom experience_runtime.cli import main\nmain(prog_name='experience')\n",
        )
        _make_program(programs / "python3", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        self.environment = {
            "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
            "HOME": self._folder.name,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "runtime"), str(ROOT / "integrations")]),
            "EXPERIENCE_OUTBOUND_ALLOW_PRIVATE": "127.0.0.1/32",
        }
        self.other_side = OtherSide()
        self._port = _free_port()
        self._serving: list[subprocess.Popen[str]] = []
        self._databases: dict[str, str] = {}  # the address in the document -> ours

    def run(self, command: str) -> tuple[int, list[str]]:
        """Run one command of a document; return its exit code, and the lines a terminal would show.

        `dev.py demo` becomes the command it hands over to; another verb of dev.py is only recognized.
        `experience serve` goes on serving while the commands after it run, as in a terminal of its own.
        """
        match shlex.split(command)[:2]:
            case ["python3", "dev.py"]:
                verb, *rest = shlex.split(command)[2:] or [""]
                if verb not in DEV_VERBS:
                    return 2, [f"dev.py has no command {verb!r}"]
                if verb != "demo":
                    return 0, []
                command = shlex.join([*dev.DEMO, *rest])
            case ["experience", "serve"] if "||" not in command:
                return self._serve(shlex.split(command))
        command = self._with_own_places(command)
        if (own := in_process.words_of(command)) is not None:
            words, tells_code = own
            code, lines = in_process.run(
                words, folder=self.folder, environment=self.environment, tells_code=tells_code
            )
            return code, [line.replace(self._port, PORT) for line in lines]
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=SECONDS_PER_COMMAND,
            check=False,
        )
        return ended.returncode, ended.stdout.replace(self._port, PORT).splitlines()

    def _with_own_places(self, command: str) -> str:
        """The command with this stage's port, and empty databases of a server of ours for those it names."""
        command = command.replace(PORT, self._port)
        return _DATABASE.sub(lambda named: self._database(named[0]), command)

    def _database(self, named: str) -> str:
        if named not in self._databases:
            from tests.support import postgres as server

            self._databases[named] = server.shared().empty_database()
        return self._databases[named]

    def _serve(self, words: list[str]) -> tuple[int, list[str]]:
        """Start serving; return what it says until its address is there, or until it ends."""
        serving = subprocess.Popen(
            [*words, *([] if "--port" in words else ["--port", self._port])],
            executable=shutil.which(words[0], path=self.environment["PATH"]),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self._serving.append(serving)
        assert serving.stdout is not None
        said: list[str] = []
        for line in serving.stdout:
            said.append(line.rstrip("\n").replace(self._port, PORT))
            if f"http://127.0.0.1:{PORT}" in said[-1]:
                return 0, said
        return serving.wait(), said

    def save(self, name: str, text: str) -> Path:
        """Put a file where the document says it is."""
        path = (self.folder / name).resolve()
        assert path.is_relative_to(self.folder.resolve()), f"{name} leads out of the stage"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def answer_for(self, references: Mapping[str, str]) -> None:
        """Let the variables that settings refer to lead to the other side: variable -> integration."""
        for variable, integration in references.items():
            self.environment[variable] = self.other_side.url(integration)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for serving in self._serving:
            serving.terminate()
            serving.communicate(timeout=SECONDS_PER_COMMAND)
        self.other_side.close()
        self._folder.cleanup()


def _make_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return str(listening.getsockname()[1])
