"""A served process of its own for a benchmark, in a folder of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve what is in the folder, with its log in `log.txt` there; gives the process id and the port."""
    command = str(Path(sys.executable).parent / "experience")
    with (
        (folder / "log.txt").open("w") as log,
        subprocess.Popen(
            [command, "serve", "--port", "0", "--json"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        try:
            yield server.pid, int(address.rpartition(":")[2])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
