"""What a player asks for: camera and token in a URL or login, transport in a header. Pure; odd things are refused."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Quality = Literal["main", "sub"]

TRACK = "track1"
"""Control attribute of the one stream of a presentation."""

_TOKEN = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_QUALITIES: dict[str, Quality] = {"main": "main", "sub": "sub"}
_LOWEST_PORT = 1024
"""Nobody receives video below; a player must not aim it at its machine's own services."""


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """One camera's stream. `token` is None where the URL holds none: then it comes as the password of a login."""

    camera: int
    quality: Quality
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class InterleavedTransport:
    """RTP and RTCP inside the RTSP connection, on these channels."""

    media: int
    control: int


@dataclass(frozen=True, slots=True)
class UdpTransport:
    """RTP and RTCP over UDP, to these ports of the player."""

    media: int
    control: int


def read_target(url: str) -> StreamTarget | None:
    """rtsp://host/[token/]camera[/main|/sub][/track1]; main where nothing is said. None for anything else."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    parts = [part for part in path.split("/") if part]
    if parts and parts[-1] == TRACK:
        parts.pop()
    quality: Quality = "main"
    if parts and parts[-1] in _QUALITIES:
        quality = _QUALITIES[parts.pop()]
    token = parts.pop(0) if len(parts) == 2 else None
    if len(parts) != 1 or not _NUMBER.fullmatch(parts[0]) or not (token is None or _TOKEN.fullmatch(token)):
        return None
    return StreamTarget(int(parts[0]), quality, token)


def presentation(url: str) -> str:
    """The URL of a target as it is answered: without track, query, and whatever login a player left in it."""
    parts = urlsplit(url)
    path = "/".join(part for part in parts.path.split("/") if part)
    return f"rtsp://{parts.netloc.rpartition('@')[2]}/{path.removesuffix(TRACK).rstrip('/')}"


def read_login(header: str) -> str | None:
    """The password of a Basic login, if it can be a token. The user name may be anything: some decoders demand one."""
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic" or len(coded) > 512:
        return None
    try:
        password = base64.b64decode(coded.strip(), validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, ValueError):
        return None
    return password if _TOKEN.fullmatch(password) else None


def read_transport(header: str, address: str) -> InterleavedTransport | UdpTransport | None:
    """The first offered transport that can be served to the player at `address`; None when there is none.

    A `destination` other than the player itself is refused: video must not be aimed at somebody who did not ask.
    """
    for offer in header.split(","):
        words = [word.strip() for word in offer.split(";")]
        values = {key.lower(): value for key, _, value in (word.partition("=") for word in words[1:])}
        profile = words[0].upper()
        if "multicast" in values or values.get("destination", address) != address:
            continue
        if values.get("mode", "play").strip("\"'").upper() != "PLAY":
            continue
        if profile == "RTP/AVP/TCP" and (pair := _pair(values.get("interleaved", "0-1"), 0, 255)):
            return InterleavedTransport(*pair)
        ports = _pair(values.get("client_port", ""), _LOWEST_PORT, 65535)
        if profile in ("RTP/AVP", "RTP/AVP/UDP") and ports:
            return UdpTransport(*ports)
    return None


def _pair(text: str, low: int, high: int) -> tuple[int, int] | None:
    first, _, second = text.partition("-")
    if not (first.isascii() and first.isdigit() and len(first) <= 5):
        return None
    a = int(first)
    b = int(second) if second.isascii() and second.isdigit() and len(second) <= 5 else a + 1
    return (a, b) if low <= a <= high and low <= b <= high and a != b else None
