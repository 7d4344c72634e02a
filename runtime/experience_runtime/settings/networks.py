"""Networks: the addresses a setting names, such as `10.0.0.0/8` or `127.0.0.1`."""

import ipaddress

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import shown

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_network(text: str, *, where: str) -> Network:
    """Read an address or a network; `where` names the setting in a refusal."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        fix = f'write "{ipaddress.ip_network(text, strict=False)}"'
    except ValueError:
        fix = 'write an address and its prefix, for instance "127.0.0.1/32"'
    raise InvalidParameter(f"{where}: {shown(text)} is not a network; {fix}")
