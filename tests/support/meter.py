"""A meter: what the worker of a pool used, in CPU seconds, and what processes hold, in bytes."""

import os
import resource
from pathlib import Path

from experience_runtime.sandbox.pool import Pool


class Meter:
    """Measures from its making, on a pool whose one worker is idle."""

    def __init__(self, pool: Pool) -> None:
        pool.in_force()  # waits until it is ready
        (self._process_id,) = pool.process_ids()
        self._pool = pool
        self._of_process = _cpu_seconds(self._process_id)
        self._of_dead = _cpu_seconds_of_dead()

    def worker_seconds(self) -> float:
        """What the worker has used since, alive or dead; not real seconds, which others use too."""
        if self._process_id in self._pool.process_ids():
            return _cpu_seconds(self._process_id) - self._of_process
        return _cpu_seconds_of_dead() - self._of_dead - self._of_process


def resident_bytes(process_id: int | None = None) -> int:
    """What a process holds in memory now; this one when none is named."""
    statm = Path(f"/proc/{process_id or 'self'}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu_seconds_of_dead() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
