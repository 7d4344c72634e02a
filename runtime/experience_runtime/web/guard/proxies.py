"""Proxies: what a trusted one says of who asks, under which name, and below which path.

The proxies that `[serve] trusted_proxies` names are believed, and nobody else. They send

    X-Forwarded-For     who asks: the last address that is none of theirs
    X-Forwarded-Proto   http or https, as the browser asked
    X-Forwarded-Host    the name the browser asked for
    X-Forwarded-Prefix  the path below which the server lies, which the proxy has taken off
    X-Request-Id        what the request is called in its log
"""

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experience_runtime.domain.values import shown
from experience_runtime.settings.networks import Network
from experience_runtime.web.guard.hosts import is_loopback, origin_name

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")


_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

REQUEST_ID = "X-Request-Id"


class Trust:
    """Which addresses are proxies of ours."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def __call__(self, address: str) -> bool:
        if not self._networks:
            return False
        known = _address(address)
        return known is not None and any(known in network for network in self._networks)


class Proxied:
    """Puts what a trusted proxy says where everything inside reads it. Stands around everything."""

    def __init__(self, app: ASGIApp, *, is_trusted: Trust) -> None:
        self._app = app
        self._is_trusted = is_trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if scope["type"] != "http" or client is None or not self._is_trusted(client[0]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope = dict(scope)
        if _REQUEST_ID.fullmatch(said := headers.get(REQUEST_ID, "")):
            scope["state"] = {**scope.get("state", {}), "request_id": said}
        if address := self._client(headers.getlist("x-forwarded-for")):
            scope["client"] = (address, 0)
        if (scheme := _said(headers, "x-forwarded-proto").lower()) in ("http", "https"):
            scope["scheme"] = scheme
        if _HOST.fullmatch(host := _said(headers, "x-forwarded-host")):
            scope["headers"] = [(n, v) for n, v in scope["headers"] if n != b"host"]
            scope["headers"].insert(0, (b"host", host.encode("ascii")))
        prefix = _said(headers, "x-forwarded-prefix").rstrip("/")
        if not _PREFIX.fullmatch(prefix):
            await self._app(scope, receive, send)
            return
        scope["state"] = {**scope.get("state", {}), "prefix": prefix}

        async def below(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                location = answer.get("location", "")
                if location.startswith("/") and not location.startswith("//"):
                    answer["location"] = prefix + location
            await send(message)

        await self._app(scope, receive, below)

    def _client(self, forwarded: Sequence[str]) -> str | None:
        """The last of the addresses that is no proxy of ours; all of them may be."""
        found = None
        for text in reversed(",".join(forwarded).split(",")):
            known = _address(_without_port(text.strip()))
            if known is None:
                break
            found = str(known)
            if not self._is_trusted(found):
                break
        return found


def request_id(scope: Scope) -> str | None:
    """What a trusted proxy calls this request."""
    said = scope.get("state", {}).get("request_id")
    return said if isinstance(said, str) else None


def path_prefix(scope: Scope) -> str:
    """The path below which a browser finds this server, such as `/runtime`; mostly empty."""
    return str(scope.get("state", {}).get("prefix", ""))


def came_through_proxy(scope: Scope) -> str | None:
    """What of a request only a proxy makes, as a sentence says it; None when there is nothing.

    An nginx that was told nothing adds no header: it asks in HTTP/1.0, which no browser does.
    """
    headers = Headers(scope=scope)
    for name in headers:
        if name in _ADDED or name.startswith(_BEGUN):
            return f"{name} is set"
    if scope["http_version"] == "1.0":
        return "it is HTTP/1.0"
    origin = headers.get("origin", "")
    if headers.get("sec-fetch-site") == "same-origin" and not is_loopback(origin_name(origin) or "localhost"):
        return f"the browser asked {shown(origin)}"
    return None


_ADDED = frozenset(
    {
        *("forwarded", "forwarded-for", "via", "max-forwards", "true-client-ip", "cdn-loop"),
        *("x-host", "x-scheme", "x-request-start", "surrogate-capability"),
    }
)
_BEGUN = (
    *("x-forwarded", "x-original-", "x-real-", "x-client-", "x-cluster-", "x-proxy"),
    *("x-envoy-", "x-nginx-", "x-varnish", "x-arr-", "tailscale-", "ngrok-"),
    *("x-amzn-", "x-amz-cf-", "cloudfront-", "cf-", "fastly-", "fly-", "akamai-", "x-akamai-", "incap-"),
    *("x-appengine-", "x-cloud-", "x-azure-", "x-vercel-", "do-connecting-"),
)


def _said(headers: Headers, name: str) -> str:
    """What the nearest proxy said: the last of a list."""
    return ",".join(headers.getlist(name)).rpartition(",")[2].strip()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        known = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
