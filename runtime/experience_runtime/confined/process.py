"""A confined process, from the host's side: start it, speak with it in frames, and end it."""

import contextlib
import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InternalError

_START_SECONDS = 10.0
_PROGRAM = "import sys; sys.path[:0] = sys.argv[3:]; from {0} import main; main(int(sys.argv[2]))"


class ConfinedProcess:
    """One process. It starts at once and says when it is ready; nobody waits for that before they must."""

    def __init__(
        self, module: str, folders: tuple[str, ...], *, ready_seconds: float = _START_SECONDS
    ) -> None:
        """`module` has `main(descriptor)`; `folders` are all that it may import from.

        Its first frame is `R` and what confines it.
        """
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as on_failure:
            on_failure.callback(ours.close)
            theirs_fd = theirs.fileno()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _PROGRAM.format(module),
                    module,
                    str(theirs_fd),
                    *folders,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                close_fds=True,
                pass_fds=(theirs_fd,),
                start_new_session=True,  # Ctrl-C is for the host, not for its processes
            )
            on_failure.pop_all()
        self._socket = ours
        self._in_force: list[str] | None = None  # None: it has yet to say that it is ready
        self._ready_seconds = ready_seconds

    @property
    def process_id(self) -> int:
        return self._process.pid

    def is_whole(self) -> bool:
        """Wait until it is ready; False when it is gone."""
        if self._process.poll() is not None:
            return False
        try:
            self.in_force()
        except InternalError:
            return False
        return True

    def in_force(self) -> list[str]:
        """Wait until it is ready; return what confines it. InternalError when it does not start."""
        if self._in_force is None:
            try:
                ready = self._read(monotonic() + self._ready_seconds, 1000)
            except (OSError, EOFError):
                raise InternalError(
                    f"a confined process did not start (status {self.kill()}); `experience doctor` says more"
                ) from None
            self._in_force = ready[1:].decode().split()
        return self._in_force

    def send(self, frame: bytes) -> None:
        self.in_force()
        self._socket.settimeout(_START_SECONDS)
        self._socket.sendall(len(frame).to_bytes(4, "big") + frame)

    def receive(self, seconds: float, most_bytes: int) -> bytes:
        """Read one frame; TimeoutError after `seconds`, EOFError when it is gone or says too much."""
        return self._read(monotonic() + seconds, most_bytes)

    def kill(self) -> int:
        """End the process now; return its status, a negative signal number when one ended it."""
        self._socket.close()
        gone = self._process.poll()
        if gone is None:
            # it may be dying of its own accord: its status is the one that tells why
            try:
                gone = self._process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                self._process.kill()
                gone = self._process.wait()
        return gone

    def end(self) -> None:
        """Close the socket: an idle process leaves by itself."""
        self._socket.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self, deadline: float, most_bytes: int) -> bytes:
        length = int.from_bytes(self._read_exactly(4, deadline), "big")
        if length > most_bytes:
            raise EOFError("a frame that long is not ours")
        return self._read_exactly(length, deadline)

    def _read_exactly(self, count: int, deadline: float) -> bytes:
        parts = []
        while count:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(min(count, 1 << 20))
            if not part:
                raise EOFError("the process is gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def import_folders(*packages: str) -> tuple[str, ...]:
    """Where our package and these others stand. InternalError for one that is not installed."""
    folders = [str(Path(__file__).resolve().parents[2])]
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise InternalError(f"the package {package} is not installed; reinstall experience-runtime")
        origin = Path(spec.origin)
        folder = str(origin.parent.parent if spec.submodule_search_locations else origin.parent)
        if folder not in folders:
            folders.append(folder)
    return tuple(folders)
