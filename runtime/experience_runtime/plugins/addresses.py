"""Addresses: which ones may be called. Nothing private, nothing of this machine, no cloud's metadata."""

import ipaddress
from collections.abc import Mapping, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def refusal(address: Address, allow_private: Sequence[Network] = ()) -> str | None:
    """Tell why an address must not be called ("a loopback address"), or None when it may be.

    An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as that IPv4 address.
    """
    inner = _embedded(address)
    if any(form in network for network in allow_private for form in (address, inner)):
        return None
    if isinstance(inner, ipaddress.IPv6Address) and inner not in _GLOBAL_UNICAST:
        return _kind(inner)
    return _kind(inner) if any(inner in network for network in _SPECIAL) else None


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# IANA's special-purpose registries, by hand: `is_private` and `is_global` differ between Python releases.
_SPECIAL: Mapping[Network, str] = {
    ipaddress.ip_network(text): kind
    for text, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud provider's metadata address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a tunnel address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a tunnel or reserved address"),  # Teredo among them
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a tunnel address"),  # 6to4
        ("3fff::/20", "a documentation address"),
    )
}


def _kind(address: Address) -> str:
    return next((kind for network, kind in _SPECIAL.items() if address in network), "a reserved address")


def _embedded(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
