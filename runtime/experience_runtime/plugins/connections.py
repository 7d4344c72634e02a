"""Outbound's connections: a name looked up once, every address checked, every wait inside one budget."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import httpcore2

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import BlockedAddress
from experience_runtime.plugins.addresses import Network, refusal

Resolve = Callable[[str, int], Sequence[str]]

_ADDRESSES_TRIED = 8
_LOOKUPS_AT_ONCE = 64


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system has them; raises OSError when there are none."""
    # bytes: a str goes through Python's own IDNA codec first, which refuses names the resolver accepts
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Budget(threading.local):
    """How long the call of this thread may still take. `ends_at` is on the monotonic clock."""

    ends_at: float | None = None

    def left(self, timeout: float | None = None) -> float:
        """The seconds left, at most `timeout`; TimeoutError when there are none."""
        if self.ends_at is None:
            raise TimeoutError  # outside a call nothing is read or written
        seconds = self.ends_at - monotonic()
        if seconds <= 0:  # 0 would make the socket non-blocking, which is another error
            raise TimeoutError
        return seconds if timeout is None else min(seconds, timeout)


class GuardedBackend(httpcore2.NetworkBackend):
    """Looks a name up, checks every address it has, connects to one that was checked."""

    def __init__(self, budget: Budget, resolve: Resolve, allow_private: Sequence[Network]) -> None:
        self._budget = budget
        self._resolve = resolve
        self._allow_private = allow_private
        self._sockets = httpcore2.SyncBackend()
        self._slots = threading.BoundedSemaphore(_LOOKUPS_AT_ONCE)
        self._mutex = threading.Lock()
        self._lookups: dict[tuple[str, int], Future[Sequence[str]]] = {}

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = self._checked(host, self._look_up(host, port))[:_ADDRESSES_TRIED]
            failure: Exception = httpcore2.ConnectError("no address")
            for waiting, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
                try:
                    # a share of the time each: one dead address must not take it all
                    share = self._budget.left(timeout) / waiting
                    stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as problem:
                    failure = problem
                else:
                    return _BudgetedStream(stream, self._budget)
            raise failure
        except TimeoutError:
            raise httpcore2.ConnectTimeout from None

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Resolve on a thread of its own: getaddrinfo knows no timeout.

        Calls that want the same name at the same time share one lookup: a name server that hangs holds up
        its own names, and others only when as many names as there are slots hang at once.
        """
        if _is_address(host):
            return [host]
        seconds = self._budget.left()
        with self._mutex:
            found = self._lookups.get((host, port))
            is_first = found is None
            if found is None:
                found = self._lookups[host, port] = Future()
        if is_first:
            self._begin_lookup(host, port, found, seconds)
        try:
            return found.result(timeout=self._budget.left())
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError("the name was not found") from None

    def _begin_lookup(self, host: str, port: int, found: "Future[Sequence[str]]", seconds: float) -> None:
        def run() -> None:
            outcome: Sequence[str] | Exception
            try:
                outcome = self._resolve(host, port)
            except Exception as problem:  # noqa: BLE001 whatever it is, the calls that wait must hear of it
                outcome = problem
            self._slots.release()
            self._end_lookup(host, port, found, outcome)

        if not self._slots.acquire(timeout=seconds):
            self._end_lookup(host, port, found, TimeoutError())
            return
        try:
            threading.Thread(target=run, name="experience-lookup", daemon=True).start()
        except RuntimeError:  # the machine gives no more threads
            self._slots.release()
            self._end_lookup(host, port, found, OSError())

    def _end_lookup(
        self, host: str, port: int, found: "Future[Sequence[str]]", outcome: Sequence[str] | Exception
    ) -> None:
        with self._mutex:
            # the next call looks again: an address that was right may be wrong by then
            del self._lookups[host, port]
        if isinstance(outcome, Exception):
            found.set_exception(outcome)
        else:
            found.set_result(outcome)

    def _checked(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        for address in addresses:
            why = refusal(ipaddress.ip_address(address), self._allow_private)
            if why is not None:
                raise BlockedAddress(
                    f'the host "{host}" is {why}, which must not be called; use a public address,'
                    " or for development list the network in [outbound] allow_private"
                )
        return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _BudgetedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the budget."""

    def __init__(self, stream: httpcore2.NetworkStream, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._stream.read(max_bytes, self._budget.left(timeout))
        except TimeoutError:
            raise httpcore2.ReadTimeout from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore2's own write starts its timeout anew with every piece the receiver takes
        connection: socket.socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(self._budget.left(timeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError:
            raise httpcore2.WriteTimeout from None
        except OSError as problem:
            raise httpcore2.WriteError(str(problem)) from None

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            left = self._budget.left(timeout)
        except TimeoutError:
            self.close()
            raise httpcore2.ConnectTimeout from None
        return _BudgetedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._budget)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
