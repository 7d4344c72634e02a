"""A confined process, from the host's side: start it, speak with it in frames, and end it."""

import contextlib
import importlib.util
import math
import select
import socket
import subprocess
import sys
from pathlib import Path

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InternalError

_START_SECONDS = 10.0
_PROGRAM = "import sys; sys.path[:0] = sys.argv[3:]; from {0} import main; main(int(sys.argv[2]))"


class FrameTooLong(EOFError):
    """The process says more than it may."""


class ConfinedProcess:
    """One process. It starts at once and says when it is ready; nobody waits for that before they must."""

    def __init__(
        self, module: str, folders: tuple[str, ...], *, ready_seconds: float = _START_SECONDS
    ) -> None:
        """`module` has `main(descriptor)`; `folders` are all that it may import from.

        Its first frame is `R` and what confines it, or `F` and why it cannot run here.
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
        ours.setblocking(False)
        self._socket = ours
        self._readable = select.poll()
        self._readable.register(ours, select.POLLIN)
        self._in_force: list[str] | None = None  # None: it has yet to say that it is ready
        self._ready_seconds = ready_seconds
        self._left = b""

    @property
    def process_id(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def is_whole(self) -> bool:
        """Wait until it is ready; False when it is gone."""
        if not self.is_alive():
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
                ready = self._read(monotonic() + self._ready_seconds, 100_000)
            except (OSError, EOFError):
                raise InternalError(
                    f"a confined process did not start (status {self.kill()}); `experience doctor` says more"
                ) from None
            if ready[:1] == b"F":
                self.kill()
                raise InternalError(ready[1:].decode())
            self._in_force = ready[1:].decode().split()
        return self._in_force

    def expect_ready(self, seconds: float) -> None:
        """It was told something after which it says anew, within so long, that it is ready."""
        self._in_force, self._ready_seconds = None, seconds

    def send(self, *frames: bytes) -> None:
        """Send frames; it need not be ready yet. One that cannot take them is found out when it is read."""
        data = b"".join(part for frame in frames for part in (len(frame).to_bytes(4, "big"), frame))
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return
        if sent < len(data):
            self._socket.settimeout(_START_SECONDS)
            with contextlib.suppress(OSError):
                self._socket.sendall(data[sent:])
            with contextlib.suppress(OSError):  # closed meanwhile
                self._socket.setblocking(False)

    def receive(self, seconds: float, most_bytes: int) -> bytes:
        """Read one frame; TimeoutError after `seconds`, EOFError when it is gone or says too much."""
        self.in_force()
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
        left = self._left
        while len(left) < 4:
            left += self._receive(deadline)
        size = int.from_bytes(left[:4], "big") + 4
        if size > most_bytes + 4:
            raise FrameTooLong("a frame that long is not ours")
        if len(left) < size:
            parts, held = [left], len(left)
            while held < size:
                part = self._receive(deadline)
                parts.append(part)
                held += len(part)
            left = b"".join(parts)
        self._left = left[size:]
        return left[4:size]

    def _receive(self, deadline: float) -> bytes:
        while True:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            if self._readable.poll(math.ceil(left * 1000)):
                break
        part = self._socket.recv(1 << 18)
        if not part:
            raise EOFError("the process is gone")
        return part


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
