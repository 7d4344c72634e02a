"""Hosts: the names in Host and Origin, read whole."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit


def is_same_origin(origin: str, host: str) -> bool:
    """Tell whether an Origin is the Host asked; the scheme, with its usual port, is a proxy's business."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    port = _USUAL_PORTS.get(parts.scheme)
    if port is None:
        return False
    return parts.netloc.lower().removesuffix(port) == host.lower().removesuffix(port) != ""


_USUAL_PORTS = {"http": ":80", "https": ":443"}
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]@/\s]+))(?::[0-9]{1,5})?")


def host_name(host: str) -> str:
    """The name of a Host header, without its port; empty when any part of it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]) if found else ""


@lru_cache(maxsize=1024)
def is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def origin_name(origin: str) -> str:
    """The name in an Origin, without scheme and port; empty when it is none."""
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
