"""The hard CPU timer: the kernel ends the process when it has used so much more CPU.

Not `setitimer(ITIMER_PROF)` where it can be helped: that one counts whole ticks of the scheduler. On a busy
machine it charges a process for time it did not run, which then dies before it can be told softly.
"""

import ctypes
import platform
import signal
import struct
import sys

from experience_runtime.confined.confine import CALLS

_TIMER_CREATE = {"x86_64": 222, "aarch64": 107}  # before the filter, so it need not let it through
_CLOCK_THREAD_CPUTIME = 3


class CpuTimer:
    """Ends the process by SIGPROF. Made by the one thread there is, whose CPU it counts."""

    def __init__(self) -> None:
        self._settime: int | None = None
        machine = platform.machine()
        if sys.platform != "linux" or machine not in _TIMER_CREATE:
            return
        self._library = ctypes.CDLL(None, use_errno=True)
        # struct sigevent: a value, the signal, SIGEV_SIGNAL
        event = ctypes.create_string_buffer(struct.pack("=qii48x", 0, signal.SIGPROF, 0), 64)
        timer = ctypes.c_int()
        made = self._library.syscall(
            _TIMER_CREATE[machine], _CLOCK_THREAD_CPUTIME, event, ctypes.byref(timer)
        )
        if made != 0:
            raise OSError(ctypes.get_errno(), "the CPU timer was refused")
        self._timer = timer
        self._settime = CALLS[machine][1]["timer_settime"]

    def arm(self, seconds: float) -> None:
        """Let the process live for so many more seconds of CPU."""
        if self._settime is None:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            return
        whole = int(seconds)
        # struct itimerspec: no interval, then the time left
        spec = struct.pack("=qqqq", 0, 0, whole, int((seconds - whole) * 1e9))
        if self._library.syscall(self._settime, self._timer, 0, spec, None) != 0:
            raise OSError(ctypes.get_errno(), "the CPU timer could not be set")

    def disarm(self) -> None:
        self.arm(0)
