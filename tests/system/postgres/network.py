"""A network of its own for a worker, whose cable can be pulled: a namespace, where this user may make one."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.needs import lacking

_COUNT = itertools.count(os.getpid() % 60 * 4)


@dataclass(frozen=True)
class Network:
    """`name` is the namespace; the host is at `host` from inside it."""

    name: str
    host: str
    _outside: str

    def unplug(self) -> None:
        """From now on every packet is lost, and nobody is told."""
        _ip("link", "set", self._outside, "down")

    def plug(self) -> None:
        _ip("link", "set", self._outside, "up")


@contextmanager
def a_network() -> Iterator[Network]:
    """Make a namespace with one cable to the host."""
    number = next(_COUNT) % 250
    name, outside, inside = f"pgtest{number}", f"pgout{number}", f"pgin{number}"
    if os.geteuid() != 0 or shutil.which("ip") is None or not _ip("netns", "add", name):
        lacking("a network namespace cannot be made here (as root; apt-get install iproute2)")
    try:
        made = all(
            _ip(*words.split())
            for words in (
                f"link add {outside} type veth peer name {inside}",
                f"link set {inside} netns {name}",
                f"addr add 10.213.{number}.1/24 dev {outside}",
                f"link set {outside} up",
                f"-n {name} addr add 10.213.{number}.2/24 dev {inside}",
                f"-n {name} link set {inside} up",
            )
        )
        if not made:
            lacking("a network namespace cannot have a cable here")
        yield Network(name, f"10.213.{number}.1", outside)
    finally:
        _ip("link", "del", outside)
        _ip("netns", "del", name)


def _ip(*words: str) -> bool:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0
