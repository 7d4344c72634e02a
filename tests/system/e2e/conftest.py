"""The real thing: `experience` as processes on a project folder, and a real HTTP receiver."""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

DEADLINE_SECONDS = 120
SECRET_PATH = "T0SECRETPATH0000"
SECRET_QUERY = "q5ecretquery"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    at: datetime
    path: str
    webhook_id: str | None
    body: Any


@dataclass
class Receiver:
    """The other side: keeps every request and, while `open` is clear, holds it unanswered."""

    server: ThreadingHTTPServer
    status: int = 200
    answer: str = "ok"
    open: threading.Event = field(default_factory=threading.Event)
    requests: list[Request] = field(default_factory=list)
    _came: "queue.Queue[Request]" = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        port = self.server.server_address[1]
        return f"http://127.0.0.1:{port}/services/{SECRET_PATH}?token={SECRET_QUERY}"

    def keep(self, request: Request) -> None:
        self.requests.append(request)
        self._came.put(request)

    def next(self) -> Request:
        """Wait for the next request that has not been asked for."""
        return self._came.get(timeout=DEADLINE_SECONDS)

    def ids(self) -> list[str]:
        return [request.webhook_id or "" for request in self.requests]


class Worker:
    """An `experience worker` process whose log is read as it comes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for(self, text: str) -> str:
        """Wait for a line of the log that holds the text."""
        while True:
            line = self._lines.get(timeout=DEADLINE_SECONDS)
            if text in line:
                return line

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Wait for its end; return the exit code."""
        code = self._process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
        return code

    def is_running(self) -> bool:
        return self._process.poll() is None

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.log += line
                self._lines.put(line)


@dataclass
class Project:
    """A folder with settings, experiences and a database; commands run inside it."""

    folder: Path
    environ: dict[str, str]
    _workers: list[Worker] = field(default_factory=list)

    def experience(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        done = self.begin(*words)
        out, err = done.communicate(timeout=DEADLINE_SECONDS)
        return subprocess.CompletedProcess(words, done.returncode, out, err)

    def document(self, *words: str) -> Any:
        """Run one command with --json, which must succeed; return its document."""
        done = self.experience(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [_command(), *words],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def worker(self) -> Worker:
        """Start a worker; it is killed when the test ends."""
        process = subprocess.Popen(
            [_command(), "worker"],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._workers.append(Worker(process))
        return self._workers[-1]

    def write_experience(self, name: str, body: str) -> None:
        """Write NAME/variation.js; `body` sees `options` and `webhook`, `slack`."""
        folder = self.folder / name
        folder.mkdir()
        code = (
            "module.exports = function variation (options) {\n"
            "  const slack = options.integration('slack-update')\n"
            "  const webhook = options.integration('webhook')\n"
            f"  {body}\n"
            "}\n"
        )
        (folder / "variation.js").write_text(code)

    def execution(self, execution_id: str) -> Any:
        return self.document("executions", "show", execution_id)

    def wait_until(self, execution_id: str, is_so: Callable[[Any], bool]) -> Any:
        """Ask for an execution until it is so; each question is a process and takes its time."""
        ends_at = datetime.now(UTC).timestamp() + DEADLINE_SECONDS
        while datetime.now(UTC).timestamp() < ends_at:
            document = self.execution(execution_id)
            if is_so(document):
                return document
        raise AssertionError(f"still {document}")

    def stored_bytes(self) -> bytes:
        """Everything in the database's files."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.glob("experience.db*")))

    def close(self) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = datetime.now(UTC)
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made[0].keep(Request(at, self.path, self.headers["webhook-id"], body))
            made[0].open.wait(DEADLINE_SECONDS)
            answer = made[0].answer.replace("PATH", self.path).encode()
            with contextlib.suppress(OSError):  # the sender may be gone
                self.send_response(made[0].status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.append(Receiver(server))
    made[0].open.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield made[0]
    made[0].open.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(tmp_path: Path, receiver: Receiver) -> Iterator[Project]:
    (tmp_path / "experience.toml").write_text(
        '[integrations.slack-update]\nurl = "env:SLACK_WEBHOOK_URL"\n'
        '[integrations.webhook]\nurl = "env:SLACK_WEBHOOK_URL"\n'
        '[outbound]\nallow_private = ["127.0.0.1/32"]\n'
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EXPERIENCE_")}
    made = Project(tmp_path, environ | {"SLACK_WEBHOOK_URL": receiver.url})
    yield made
    made.close()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def statuses(executions: Sequence[Any]) -> set[str]:
    return {execution["status"] for execution in executions}


def _command() -> str:
    found = shutil.which("experience", path=str(Path(sys.executable).parent))
    assert found is not None, "the command `experience` is not installed beside this Python"
    return found
