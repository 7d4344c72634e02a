"""The reader process: an author's files in, one JSON out; confined before it sees the first of them.

Started as a `ConfinedProcess`. One question is a frame: microseconds of CPU, a line end, and a JSON object
`{"ask": "read" | "check" | "advise", "files": [{"file", "role", "text"}], …}`; its answer is a frame of JSON,
or `{"fault": …}` for a defect of ours. Past its CPU the kernel ends the process.
"""

import json
import os
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from experience_runtime.confined.confine import confine
from experience_runtime.confined.cpu_timer import CpuTimer
from experience_runtime.confined.frames import Frames
from experience_runtime.scripts.reading.check import look_through, read_package
from experience_runtime.scripts.reading.error_advice import advise
from experience_runtime.scripts.reading.form import read_form
from experience_runtime.scripts.reading.source import Source

OUT_OF_MEMORY = 71

_QUESTIONS: Mapping[str, Callable[[list[Source], Mapping[str, Any]], Any]] = {
    "advise": advise,
    "check": look_through,
    "package": read_package,
    "read": lambda files, asked: [read_form(each, repair=asked["repair"]) for each in files],
}


def main(descriptor: int) -> None:
    """Answer until the host closes the socket."""
    frames = Frames(descriptor)
    timer = CpuTimer()
    in_force = confine()
    frames.write(("R" + " ".join(in_force)).encode())
    while True:
        try:
            head, _, body = frames.read().partition(b"\n")
            timer.arm(int(head) / 1e6)
            answer = _answer(json.loads(body))
            timer.disarm()
            frames.write(answer)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)


def _answer(asked: Mapping[str, Any]) -> bytes:
    try:
        files = [Source(each["file"], each["role"], each["text"]) for each in asked["files"]]
        answer = _QUESTIONS[asked["ask"]](files, asked)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the host logs it; a process that died would say less
        answer = {"fault": traceback.format_exc(limit=-5)[-2000:]}
    return json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode("ascii")
