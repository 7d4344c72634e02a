"""A proxy of Debian's in front of a server, as an operator runs it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from .certificates import CERTIFICATE, KEY
from .needs import lacking

PATIENCE_SECONDS = 30


class Proxy:
    """One program, run in a folder of its own; its certificate is for localhost."""

    def __init__(self, program: str, place: Path, *, package: str) -> None:
        command = shutil.which(program, path="/usr/sbin:/usr/bin")
        if command is None:
            lacking(f"{program} is not installed; install {package}")
        self.command: str = command
        self.place = place
        self._running: list[subprocess.Popen[bytes]] = []
        place.mkdir()
        (place / "both.pem").write_text(CERTIFICATE + KEY)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    def settings(self, sample: str, places: Mapping[str, str]) -> str:
        """A file of `deploy/` with the certificate of here, and these of its words replaced."""
        own = dict.fromkeys(
            ("/etc/ssl/ops.example.pem", "/etc/ssl/ops.example.key"), str(self.place / "both.pem")
        )
        for word, value in {**places, **own}.items():
            assert word in sample, word
            sample = sample.replace(word, value)
        return sample

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> None:
        """Start it, and wait until it listens."""
        log = self.place / "error.log"
        with log.open("wb") as errors:
            process = subprocess.Popen([self.command, *words], env=environment, stderr=errors)
        self._running.append(process)
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                continue
            return
        pytest.fail(f"{self.command} does not listen: {log.read_text()}")

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
