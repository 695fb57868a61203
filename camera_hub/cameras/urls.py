"""Which addresses the hub connects to at all, and how stream URLs are parsed. Pure; every address from outside is
checked here.

A stream URL is rtsp or rtsps, printable ASCII, with a plain host: no local path, no line break, no option disguised as
a host, no look-alike letters. A login in it is moved out. A URL that a device answers gets the host where the hub
reaches the device, whatever host the device names (usually one in its own LAN).
"""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from camera_hub.errors import HubError, Kind, Reason

PORTS = {"rtsp": 554, "rtsps": 322}
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")
# A device's answer: scheme, host and up to two ports ("host:port:port" is sent by some recorders), the rest.
_ANSWERED = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:[^/@\s]*@)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:/?#\s]*)"
    r"(?::(?P<port>\d{1,5}))?(?::\d{1,5})*(?P<rest>[/?][^\s]*)?"
)


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """A checked stream URL: `url` contains no login; `port` is the explicit one or the scheme's default."""

    url: str
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)


def host(text: str) -> str:
    """A checked host: an IP address or a plain name. Raises HubError(INVALID, bad_host)."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        labels = bare.split(".")
        # A numeric last label is an address in disguise (0x7f.1, 2130706433), as inet_aton would read it.
        fits = (
            len(bare) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not _NUMERIC.fullmatch(labels[-1])
        )
        if not fits:
            raise HubError(
                Kind.INVALID,
                "this is not an IP address or host name; give an address such as 192.168.1.64",
                reason="bad_host",
            ) from None
        return bare.lower()
    check_address(address)
    return str(address)


def check_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Refuse addresses that no camera can have. Raises HubError(INVALID, bad_host)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.scope_id is not None:
            raise _refused_address(address)
    if (
        address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or (
            address.version == 4
            and (address in ipaddress.ip_network("0.0.0.0/8") or address in ipaddress.ip_network("240.0.0.0/4"))
        )
    ):
        raise _refused_address(address)


def stream_url(text: str) -> StreamUrl:
    """A checked rtsp(s) URL as a person gives it. Raises HubError(INVALID, bad_url) with cause and remedy."""
    if not _PRINTABLE.fullmatch(text):
        raise _bad("it contains spaces, line breaks or characters outside ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad("it cannot be read") from None
    if parts.scheme not in PORTS or not text.lower().startswith(f"{parts.scheme}://"):
        raise _bad("it must begin with rtsp:// or rtsps://")
    if not parts.hostname or "\\" in text or port == 0:
        raise _bad("it names no host")
    try:
        name = host(parts.hostname)
    except HubError:
        raise _bad("its host cannot be a camera's address") from None
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (username + password).isprintable():
        raise _bad("its login contains characters that no device accepts")
    rest = parts._replace(scheme="", netloc="", fragment="").geturl()
    return StreamUrl(_joined(parts.scheme, name, port, rest), name, port or PORTS[parts.scheme], username, password)


def onto(answered: str, reached: str) -> StreamUrl:
    """A stream URL that a device answered, with the host where the device was reached.

    The port is the one that the device names, else the scheme's default. Raises HubError(UNREACHABLE, bad_reply).
    """
    text = answered.strip()
    match = _ANSWERED.fullmatch(text)
    if (
        match is None
        or match["scheme"].lower() not in PORTS
        or not _PRINTABLE.fullmatch(text)
        or "\\" in text
        or len(text) > 512
    ):
        raise HubError(
            Kind.UNREACHABLE, "the device answers with an address that is not an rtsp URL", reason=Reason.BAD_REPLY
        )
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise HubError(Kind.UNREACHABLE, "the device answers with an impossible port", reason=Reason.BAD_REPLY)
    rest = (match["rest"] or "/").partition("#")[0]
    return StreamUrl(_joined(scheme, reached, port, rest), reached, port or PORTS[scheme])


def service_path(answered: str | None, default: str) -> str:
    """Path and query of a service address; the host and port that it names are never used."""
    if not answered:
        return default
    match = _ANSWERED.fullmatch(answered.strip())
    if match is None or match["scheme"].lower() not in ("http", "https"):
        return default
    rest = (match["rest"] or "").partition("#")[0]
    return rest if rest.startswith("/") and _PRINTABLE.fullmatch(rest) and len(rest) <= 255 else default


def _joined(scheme: str, name: str, port: int | None, rest: str) -> str:
    place = f"[{name}]" if ":" in name else name
    return f"{scheme}://{place}{f':{port}' if port is not None else ''}{rest}"


def _bad(why: str) -> HubError:
    return HubError(
        Kind.INVALID,
        f"this stream address is refused: {why}; give one such as rtsp://192.168.1.64:554/stream1",
        reason="bad_url",
    )


def _refused_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> HubError:
    return HubError(
        Kind.INVALID, f"{address} cannot be a camera's address; give the camera's own address", reason="bad_host"
    )
