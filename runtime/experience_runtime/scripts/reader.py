"""The reader: what an author's files say, asked of confined processes, and kept by the files' digest.

Nothing in the host reads a guest's text but in linear, bounded steps. What the reader tells is a courtesy: a
text on which it gives up runs as it is, and the engine's own words stand.
"""

import atexit
import hashlib
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from experience_runtime.confined.process import ConfinedProcess, import_folders

CPU_SECONDS = 0.4
"""For one question. Files of 1 MiB of ordinary code take half of it."""

CHECK_CPU_SECONDS = 1.0
"""For `check`, which nobody's message waits for."""

WALL_SECONDS = 10.0
MOST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_KEPT_BYTES = 32 * 1024 * 1024
_MOST_AT_ONCE = 2
_LOGGER = logging.getLogger(__name__)
_MODULE = "experience_runtime.scripts.reading.main"
_PACKAGES = ("tree_sitter", "tree_sitter_javascript", "tree_sitter_typescript")


class Reader:
    """Gives out answers. Safe for several threads; at most two questions are worked at, the rest wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._idle: list[ConfinedProcess] = []
        self._kept: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self._kept_bytes = 0

    def ask(self, question: Mapping[str, Any], *, cpu_seconds: float = CPU_SECONDS) -> Any:
        """The answer to a question as `reading.main` takes it; None when the reader gave up on the files.

        InternalError when no reader starts on this machine.
        """
        text = json.dumps(question, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        digest = hashlib.sha256(text).digest()
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest][0]
        with self._turns:
            answer, size = self._asked(text, cpu_seconds)
        self._keep(digest, answer, size)
        return answer

    def in_force(self) -> list[str]:
        """What confines a reader on this machine, by asking one."""
        process = self._take()
        in_force = process.in_force()
        self._give_back(process)
        return in_force

    def close(self) -> None:
        """End the idle processes; the next question starts another."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _asked(self, text: bytes, cpu_seconds: float) -> tuple[Any, int]:
        process = self._take()
        try:
            process.send(str(int(cpu_seconds * 1e6)).encode() + b"\n" + text)
            told = process.receive(WALL_SECONDS, MOST_ANSWER_BYTES)
            answer = json.loads(told)
        except (OSError, EOFError, ValueError) as fault:
            status = process.kill()
            _LOGGER.info("the reader gave up on %d bytes (status %s, %r)", len(text), status, fault)
            return None, 0
        self._give_back(process)
        if isinstance(answer, dict) and "fault" in answer:
            _LOGGER.error("the reader failed, which is a defect of ours: %s", answer["fault"])
            return None, 0
        return answer, len(told)

    def _keep(self, digest: bytes, answer: Any, size: int) -> None:
        with self._lock:
            if digest in self._kept:
                return
            self._kept[digest] = (answer, size + 200)
            self._kept_bytes += size + 200
            while self._kept_bytes > MOST_KEPT_BYTES:
                _, (_, freed) = self._kept.popitem(last=False)
                self._kept_bytes -= freed

    def _take(self) -> ConfinedProcess:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return ConfinedProcess(_MODULE, import_folders(*_PACKAGES))
            if process.is_whole():
                return process
            process.kill()

    def _give_back(self, process: ConfinedProcess) -> None:
        with self._lock:
            self._idle.append(process)


_SHARED = Reader()
atexit.register(_SHARED.close)


def shared_reader() -> Reader:
    """The one reader of this process: a text is read once, whoever asks."""
    return _SHARED
