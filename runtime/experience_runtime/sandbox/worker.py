"""The worker process: the engine, put back as it was before every run, and nothing else.

Started by the pool as `python -I -S -c "… worker.main(FD)"`, it speaks over one socket in frames: a kind
byte, a head line, and a body.

    host -> worker   L key turn_us memory_bytes \\n files          a script's files, see `EngineContext.load`
                     S key turn_us run_us memory_bytes \\n boot    begin a run and take its first turn
                     T \\n text                                    take one more turn
                     E                                            end the run
    worker -> host   R in force                                   ready: at the start, and after each E
                     F text                                       cannot run here, and why; it ends then
                     N                                            to S: tell me of this script first
                     O cpu_us [{limit, stack}] \\n text          a turn is over; {…} if a limit ended it

Whatever goes wrong in here that is no limit ends the process, and the host carries on with another.
"""

import gc
import json
import os
from functools import lru_cache

from experience_runtime.confined.frames import BROKEN, OUT_OF_MEMORY, Frames


def main(descriptor: int) -> None:
    """Serve runs until the host closes the socket."""
    try:
        _serve(Frames(descriptor))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BaseException:  # noqa: BLE001 - nobody is there to be told, and what a guest left is not to be trusted
        os._exit(BROKEN)


def _serve(frames: Frames) -> None:
    try:
        # here, and not above: an engine that does not fit says so when it is looked up
        from experience_runtime.confined.confine import confine
        from experience_runtime.confined.cpu_timer import CpuTimer
        from experience_runtime.sandbox.engine_context import EngineContext, RunLimits
        from experience_runtime.sandbox.prelude_files import compile_prelude

        prelude = compile_prelude(os.path.join(os.path.dirname(__file__), "prelude"))
        context = EngineContext(prelude, CpuTimer())
        in_force = confine()
    except (ImportError, OSError) as unfit:
        frames.write(b"F", str(unfit).encode())
        return
    gc.collect()
    gc.freeze()
    gc.disable()  # nothing below makes cycles
    ready = ("R" + " ".join(in_force)).encode()
    frames.write(ready)

    @lru_cache(maxsize=16)
    def limits(turn_us: str, run_us: str, memory_bytes: str) -> RunLimits:
        return RunLimits(
            turn_seconds=int(turn_us) / 1e6, run_seconds=int(run_us) / 1e6, memory_bytes=int(memory_bytes)
        )

    while True:
        kind, head, body = _parted(frames.read())
        match kind:
            case b"T":
                taken = context.turn(body)
            case b"S":
                key, turn_us, run_us, memory_bytes = head.split(" ")
                if not context.knows(key):
                    frames.write(b"N")
                    continue
                context.begin(key, limits(turn_us, run_us, memory_bytes))
                taken = context.first_turn(key, body)
            case b"L":
                key, turn_us, memory_bytes = head.split(" ")
                context.load(key, body, limits(turn_us, turn_us, memory_bytes))
                continue
            case _:
                context.clear()
                frames.write(ready)
                continue
        ends = "" if taken.limit is None else json.dumps({"limit": taken.limit, "stack": taken.stack})
        frames.write(b"O%d %b\n" % (taken.cpu_us, ends.encode()), taken.asked)


def _parted(frame: bytes) -> tuple[bytes, str, bytes]:
    head, _, body = frame[1:].partition(b"\n")
    return frame[:1], head.decode(), body
