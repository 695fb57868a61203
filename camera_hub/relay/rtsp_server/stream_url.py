"""The URL that a player asks for: camera, quality and token, `rtsp://host/[token/]camera[/main|/sub]`. Pure.

The token may also come as the password of a Basic login, for decoders that cannot have it in the URL.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Quality = Literal["main", "sub"]

TRACK = "track1"
"""Control attribute of a presentation's one stream."""

_TOKEN = re.compile(r"[0-9a-f]{32}")
_CAMERA_ID = re.compile(r"[1-9][0-9]{0,8}")
_QUALITIES: dict[str, Quality] = {"main": "main", "sub": "sub"}


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """One camera's stream. `token`: None where the URL has none; it is then the password of the login."""

    camera: int
    quality: Quality
    token: str | None = field(default=None, repr=False)


def parse_target(url: str) -> StreamTarget | None:
    """Parse rtsp://host/[token/]camera[/main|/sub][/track1]; the default is main. None for any other URL."""
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
    if len(parts) != 1 or not _CAMERA_ID.fullmatch(parts[0]) or not (token is None or _TOKEN.fullmatch(token)):
        return None
    return StreamTarget(int(parts[0]), quality, token)


def presentation_url(url: str) -> str:
    """The URL for Content-Base and RTP-Info: without track, query and login, but with the player's own token."""
    parts = urlsplit(url)
    path = "/".join(part for part in parts.path.split("/") if part)
    return f"rtsp://{parts.netloc.rpartition('@')[2]}/{path.removesuffix(TRACK).rstrip('/')}"


def token_of_login(authorization: str) -> str | None:
    """The token that is the password of a Basic login (RFC 7617), of an Authorization header; None without one.

    The user name may be anything: some decoders demand one.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic" or len(credentials) > 512:
        return None
    try:
        password = base64.b64decode(credentials.strip(), validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, ValueError):
        return None
    return password if _TOKEN.fullmatch(password) else None
