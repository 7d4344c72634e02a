"""Refusing: why a server lets nobody in, by its code. Its words are in whatever language it speaks."""

import os
import re
import select

from psycopg import pq

from experience_runtime.clocks import monotonic

_SECONDS = 2.0
_CODE = re.compile(rb'\bErrorResponse\t.*? C "([0-9A-Z]{5})"')
_NO_ENTRY = ("28", "3D000", "42501")
"""Invalid authorization, no such database, no right to connect to it."""


def lets_nobody_in(conninfo: str) -> bool:
    """Try to connect; whether the server answers, and refuses this user, password or database for good.

    False when it is away, starting or full, and where the client's library is one that does not tell codes.
    """
    try:
        trace = os.memfd_create("connecting", os.MFD_CLOEXEC)  # a password may pass through it: no file
    except (AttributeError, OSError):
        return False
    try:
        connecting = pq.PGconn.connect_start(conninfo.encode())
        try:
            return _is_refused(connecting, trace)
        finally:
            connecting.finish()
    finally:
        os.close(trace)


def _is_refused(connecting: pq.abc.PGconn, trace: int) -> bool:
    if connecting.status == pq.ConnStatus.BAD:
        return False
    connecting.trace(trace)
    connecting.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
    gives_up_at = monotonic() + _SECONDS
    state: int = pq.PollingStatus.WRITING
    while state in (pq.PollingStatus.WRITING, pq.PollingStatus.READING) and monotonic() < gives_up_at:
        waits = [connecting.socket]
        is_read = state == pq.PollingStatus.READING
        if any(select.select(waits if is_read else [], [] if is_read else waits, [], _SECONDS)):
            state = connecting.connect_poll()
    connecting.untrace()
    if state != pq.PollingStatus.FAILED:
        return False
    codes = _CODE.findall(os.pread(trace, os.fstat(trace).st_size, 0))
    return connecting.needs_password or bool(codes and codes[-1].decode().startswith(_NO_ENTRY))
