"""How stream addresses are written: typed by a person, answered by a device, shown to people. Pure.

A stream URL is rtsp or rtsps, printable ASCII, with a plain host: no local path, no line break, no option disguised as
a host, no look-alike letters. A login in it is moved out. A URL that a device answers gets the host where the hub
reaches the device, whatever host the device names (usually one in its own LAN).

Which of these addresses are connected to is decided elsewhere (reach), when a name has been resolved. URLs may hold a
login in their path or query: they are stored sealed, and only their `redacted` form is shown.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from camera_hub.cameras.reach import canonical, impossible
from camera_hub.errors import HubError, Kind, Reason

PORTS = {"rtsp": 554, "rtsps": 322}
LONGEST = 512
"""Characters of a URL. What is longer is refused unread."""
_MOST_AT_SIGNS = 16
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,64}\]|[^:\[\]]+)(?::(?P<port>\d{0,5}))?")
_CONTROL = re.compile(r"%(0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff])")
_LAST_PORT = re.compile(r"(?P<before>.*):(?P<port>\d{0,5})")
_USUAL_PORTS = frozenset({"322", "554", "5554", "7070", "8554", "10554"})
_PATH_BEGINS = re.compile(r"[/?#]|$")
_CREDENTIAL = re.compile(
    r"user|usr|uid|account|login|admin|root|pass|pwd|psw|token|auth|secret|key|sign|session|cred|access|ticket",
    re.IGNORECASE,
)
_PLAIN_NAMES = frozenset(
    re.findall(
        r"\w+",
        "channel channelid chn ch subtype stream streamtype streamid profile proto type unicast multicast "
        "transportmode video audio track trackid resolution cam camera",
    )
)
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9._-]{0,16}")
_PATH_WORDS = frozenset(
    re.findall(
        r"\w+",
        "h ch av s m c id live stream streams streaming streamid channel channels cam camera realmonitor main sub "
        "major minor video audio media mediainput input profile preview onvif isapi psia unicast multicast track sdp "
        "hevc mpeg mp axis amp default primary secondary first second third rtsp play open openurl real tcp udp high "
        "low cif hd sd ultra jpeg mjpeg snl vod nvr dvr ipc trackid",
    )
)
"""Words that vendors use in paths. What is not among them may be anything, a password too, and is not shown."""
_PATH_TOKEN = re.compile(r"[A-Za-z]+|\d+|[._=-]")
_MOST_DIGITS = 3
_SHORTEST_SECRET = 3
MASK = "…"


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """A checked stream URL: `url` contains no user-info; `port` is the explicit one or the scheme's default.

    `repaired`: what a device answered and what was taken of it, both redacted; "" when nothing had to be repaired.
    """

    url: str = field(repr=False)
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    repaired: str = ""


def host(text: str) -> str:
    """A checked host: an IP address in its one form, or a plain name. Raises HubError(INVALID, bad_host)."""
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
    return str(canonical(bare) or address)


def check_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Refuse addresses that no camera can have, wherever it is. Raises HubError(INVALID, bad_host)."""
    scoped = isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None
    if scoped or impossible(address) is not None:
        raise HubError(
            Kind.INVALID, f"{address} cannot be a camera's address; give the camera's own address", reason="bad_host"
        )


def stream_url(text: str) -> StreamUrl:
    """A checked rtsp(s) URL as a person gives it. Raises HubError(INVALID, bad_url) with cause and remedy.

    The host follows the last "@" before the first path slash that follows a valid host, since passwords are often
    typed with raw "@", "#" and "/". Where that can be read in two ways it is refused; nothing typed is repeated.
    """
    if len(text) > LONGEST:
        raise _bad("too_long")
    if not _PRINTABLE.fullmatch(text):
        raise _bad("characters")
    match = _SCHEME.fullmatch(text)
    if match is None or match["scheme"].lower() not in PORTS:
        raise _bad("scheme")
    scheme, rest = match["scheme"].lower(), match["rest"]
    if "\\" in rest:
        raise _bad("backslash")
    found = _host_in(rest)
    username, _, password = rest[: max(found.start - 1, 0)].partition(":")
    username, password = unquote(username), unquote(password)
    if not (username + password).isprintable():
        raise _bad("login_characters")
    path = rest[found.end :].partition("#")[0]
    if _CONTROL.search(path):
        raise _bad("path_characters")
    port = found.port if found.port is not None else PORTS[scheme]
    return StreamUrl(_joined(scheme, found.host, found.port, path), found.host, port, username, password)


def onto(answered: str, reached: str) -> StreamUrl:
    """A stream URL that a device answered, with the host where the device was reached.

    Only scheme, port and path are taken. Of several ports ("host:80:554", some recorders) it is the last one, else the
    scheme's default. White space and NUL around the URL, an IPv6 host without brackets and a login are borne; of all
    but the login `repaired` tells. Raises HubError(UNREACHABLE, bad_reply).
    """
    text = answered.strip("\x00\t\r\n\f\v ") if len(answered) <= 2 * LONGEST else ""
    match = _SCHEME.fullmatch(text)
    if match is None or match["scheme"].lower() not in PORTS or len(text) > LONGEST:
        raise _no_answer("is not an rtsp URL")
    if not _PRINTABLE.fullmatch(text) or "\\" in text or _CONTROL.search(text):
        raise _no_answer("contains characters that no rtsp URL may have")
    scheme, rest = match["scheme"].lower(), match["rest"]
    start, end = _answered_place(rest)
    ports, odd = _answered_ports(rest[start:end])
    port = int(ports[-1]) if ports else None
    if port is not None and not 0 < port < 65536:
        raise _no_answer("names an impossible port")
    path = rest[end:].partition("#")[0]
    url = _joined(scheme, reached, port, path if path.startswith("/") else f"/{path}")
    repaired = f"{redacted(text)} → {redacted(url)}"[:256] if odd or text != answered else ""
    return StreamUrl(url, reached, port or PORTS[scheme], repaired=repaired)


def known(url: str) -> StreamUrl:
    """The parts of a URL that was checked before (by `stream_url` or `onto`): it has no user-info."""
    scheme, _, rest = url.partition("://")
    end = _path_begins(rest)
    place = _PLACE.fullmatch(rest[:end])
    if place is None or scheme not in PORTS:
        raise _bad("unreadable")
    return StreamUrl(url, place["host"].strip("[]"), int(place["port"] or PORTS[scheme]))


def at_port(url: str, port: int) -> str:
    """A URL that was checked before, at another port."""
    scheme, _, rest = url.partition("://")
    return _joined(scheme, known(url).host, port, rest[_path_begins(rest) :])


def service_path(answered: str | None, default: str) -> str:
    """Path and query of a service address; the host and port that it names are never used."""
    match = _SCHEME.fullmatch(answered.strip()[: 4 * LONGEST]) if answered else None
    if match is None or match["scheme"].lower() not in ("http", "https"):
        return default
    path = match["rest"][_path_begins(match["rest"]) :].partition("#")[0]
    return path if path.startswith("/") and _PRINTABLE.fullmatch(path) and len(path) <= 255 else default


def redacted(url: str, *secrets: str) -> str:
    """The URL as people may see it: scheme, host, port, and of path and query what cannot be a login.

    Of the path only vendors' words and short numbers are left, and nothing after a word that looks like a credential's
    name; of the query names and values that choose a stream. What contains one of the `secrets` (the device's user name
    and password) is masked everywhere.
    """
    match = _SCHEME.match(url)
    if match is None:
        return MASK
    rest = match["rest"]
    start, end = _answered_place(rest)
    path, mark, query = rest[end:].partition("#")[0].partition("?")
    secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
    shown = f"{match['scheme'].lower()}://{rest[start:end]}{_shown_path(path, secrets)}"
    if mark and not shown.endswith(MASK):
        shown += "?" + "&".join(_shown_parameter(one, secrets) for one in query.split("&"))
    return "".join(one if one.isprintable() else MASK for one in shown)[:LONGEST]


class _Place(NamedTuple):
    """Where the host (and port) of a URL begins and ends."""

    start: int
    end: int
    host: str
    port: int | None
    is_address: bool


def _host_in(rest: str) -> _Place:
    """The host of what follows "://". Raises HubError(INVALID, bad_url) where none is found, or two may be."""
    starts = [0, *(one.end() for one in re.finditer("@", rest))]
    if len(starts) > _MOST_AT_SIGNS:
        raise _bad("two_ways")
    places = [place for start in starts if (place := _place(rest, start)) is not None]
    # A fragment right behind the host means nothing in RTSP: it rather is a "#" of the password.
    places = [one for one in places if rest[one.end : one.end + 1] != "#"] or places
    if not places:
        raise _bad("login" if len(starts) > 1 else "no_host")
    first = places[0] if places[0].start == 0 and places[0].is_address else None
    chosen = first or next((one for one in places if rest[one.end : one.end + 1] == "/"), places[-1])
    others = [one for one in places if one is not chosen]
    sure = not others or (chosen.is_address and (chosen is first or not any(one.is_address for one in others)))
    if not sure:
        raise _bad("two_ways")
    try:
        return chosen._replace(host=host(chosen.host))
    except HubError:
        raise _bad("host") from None


def _place(rest: str, start: int) -> _Place | None:
    """The host that begins there, None where none does."""
    end = start + _path_begins(rest[start:])
    match = _PLACE.fullmatch(rest[start:end])
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        return None
    bare = match["host"].strip("[]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        labels = bare.split(".")
        fits = all(_LABEL.fullmatch(label) for label in labels) and not _NUMERIC.fullmatch(labels[-1])
        return _Place(start, end, bare, port, False) if fits else None
    return _Place(start, end, bare, port, True)


def _answered_place(rest: str) -> tuple[int, int]:
    """Where host and ports of a device's answer begin and end; its login may hold anything."""
    if "@" in rest:
        try:
            found = _host_in(rest)
        except HubError:
            pass
        else:
            return found.start, found.end
    end = _path_begins(rest)
    return rest[:end].rfind("@") + 1, end


def _answered_ports(place: str) -> tuple[list[str], bool]:
    """The ports of "host:port:port", and whether it is written oddly. Raises HubError(UNREACHABLE, bad_reply)."""
    before, ports = re.sub(r"%[^:\]]*", "", place), list[str]()  # without a zone
    while True:
        if _is_v6(before):
            head, _, last = before.rpartition(":")
            if not ports and last in _USUAL_PORTS and _is_v6(head):
                ports = [last]
            return [one for one in ports if one], True
        match = _LAST_PORT.fullmatch(before)
        if match is None or before.endswith("]"):
            break
        before, ports = match["before"], [match["port"], *ports]
    if ":" in before and not (before.startswith("[") and before.endswith("]")):
        raise _no_answer("names a host that cannot be read")
    return [one for one in ports if one], len(ports) > 1 or "" in ports


def _is_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _path_begins(rest: str) -> int:
    """Where path, query or fragment begin."""
    match = _PATH_BEGINS.search(rest)
    return match.start() if match is not None else len(rest)


def _shown_path(path: str, secrets: Sequence[str]) -> str:
    shown = ""
    for number, segment in enumerate(path.split("/")):
        shown += "/" if number else ""
        plain = unquote(segment)
        if (word := _CREDENTIAL.search(plain)) is not None:
            return shown + (segment[: word.end()] if plain == segment else "") + MASK
        known = any(secret in plain for secret in secrets)
        shown += segment if not known and plain == segment and _is_vendors(segment) else MASK
    return shown


def _is_vendors(segment: str) -> bool:
    """Whether the segment is made of words and short numbers that choose a stream."""
    tokens = _PATH_TOKEN.findall(segment)
    return "".join(tokens) == segment and all(map(_is_plain, tokens))


def _is_plain(token: str) -> bool:
    return len(token) <= _MOST_DIGITS if token.isdigit() else not token.isalpha() or token.lower() in _PATH_WORDS


def _shown_parameter(text: str, secrets: Sequence[str]) -> str:
    name, equals, value = text.partition("=")
    if name.lower() not in _PLAIN_NAMES:
        return f"{name}={MASK}" if re.fullmatch(r"[A-Za-z_]{1,16}", name) and equals else MASK
    known = any(secret in value for secret in secrets)
    return text if _PLAIN_VALUE.fullmatch(value) and not known else f"{name}={MASK}"


def _joined(scheme: str, name: str, port: int | None, rest: str) -> str:
    place = f"[{name}]" if ":" in name else name
    return f"{scheme}://{place}{f':{port}' if port is not None else ''}{rest}"


_OWN_FIELDS = "put user name and password in their own fields"
_WORDS = {
    "too_long": f"it is longer than {LONGEST} characters",
    "characters": "it contains spaces, line breaks or characters outside ASCII",
    "scheme": "it must begin with rtsp:// or rtsps://",
    "backslash": "it contains a backslash",
    "no_host": "it names no host",
    "host": "its host cannot be a camera's address",
    "login": f"its host is not found behind its user name and password; {_OWN_FIELDS}",
    "two_ways": f"what is its host and what its password can be read in two ways; {_OWN_FIELDS}",
    "login_characters": "its login contains characters that no device accepts",
    "path_characters": "its path contains line breaks or control characters",
    "unreadable": "it cannot be read",
}


def _bad(why: str) -> HubError:
    return HubError(
        Kind.INVALID,
        f"this stream address is refused: {_WORDS[why]}; give one such as rtsp://192.168.1.64:554/stream1",
        reason="bad_url",
        why=why,
    )


def _no_answer(why: str) -> HubError:
    return HubError(Kind.UNREACHABLE, f"the stream address that the device answers {why}", reason=Reason.BAD_REPLY)
