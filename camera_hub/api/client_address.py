"""Where a request came from, behind proxies that the settings name. Any other's word is not taken for it."""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_HOPS = 16


def origin(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The address of the client. Pure.

    X-Forwarded-For is read from the right, where the nearest proxy writes, as long as each who wrote is trusted: the
    first address that is not is the client's, whatever stands before it. What is no address ends the reading.
    """
    found = _address(peer)
    if found is None or not _among(found, trusted):
        return str(found) if found is not None else peer
    for text in reversed(forwarded.split(",")[-MAX_HOPS:]):
        hop = _address(text)
        if hop is None:
            break
        found = hop
        if not _among(hop, trusted):
            break
    return str(found)


class ClientAddress:
    """Middleware: puts the client's address, and the scheme that it used, in the place of the proxy's."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = [ipaddress.ip_network(text) for text in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope.get("client"):
            peer, port = scope["client"]
            headers = Headers(scope=scope)
            client = origin(peer, ",".join(headers.getlist("x-forwarded-for")), self._trusted)
            scope = {**scope, "client": (client, port)}
            proxy = _address(peer)
            scheme = headers.get("x-forwarded-proto", "").strip().lower()
            if proxy is not None and _among(proxy, self._trusted) and scheme in ("http", "https"):
                secure = scheme == "https"
                plain = "https" if secure else "http"
                scope["scheme"] = plain if scope["type"] == "http" else "wss" if secure else "ws"
        await self._app(scope, receive, send)


def _address(text: str) -> Address | None:
    """An address as proxies write it: bare, in brackets, with a port; IPv4-mapped IPv6 is IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _among(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
