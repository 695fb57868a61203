"""A camera's SDP: the one video stream we can relay, its codec, parameter sets and control URL. Pure (RFC 4566).

Whatever host stands in it, only the pinned address is dialled: control URLs give a path, nothing more.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from camera_hub.errors import HubError, Kind, Reason

MAX_SECTIONS = 8
CODECS = {"H264": "h264", "H265": "h265", "HEVC": "h265"}
NAMED = {"JPEG": "mjpeg", "MP4V-ES": "mpeg4", "SMARTCODEC": "smart"}


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The stream to pull. `parameters`: NAL units of parameter sets from the SDP, may be empty."""

    codec: str
    payload_type: int
    control: str
    parameters: tuple[bytes, ...]
    profile: str | None


def read_sdp(text: str, base: str) -> VideoStream:
    """The first video stream whose codec we relay. `base`: URL that relative controls belong to.

    Raises HubError: BAD_REPLY for nonsense, NO_MEDIA without video, CODEC_UNSUPPORTED (params: codec).
    """
    sections = split(text)
    if not text.lstrip().startswith("v="):
        raise HubError(Kind.INVALID, "the camera's answer holds no SDP", reason=Reason.BAD_REPLY)
    if len(sections) - 1 > MAX_SECTIONS:
        raise HubError(Kind.INVALID, f"the camera's SDP has over {MAX_SECTIONS} streams", reason=Reason.BAD_REPLY)
    base = base_of(sections[0], base)
    refused: str | None = None
    for section in sections[1:]:
        if not section[0].startswith("m=video"):
            continue
        found = _video(section, base)
        if found.codec in CODECS.values():
            return found
        refused = refused or found.codec
    if refused is None:
        raise HubError(Kind.UNSUPPORTED, "the camera offers no video", reason=Reason.NO_MEDIA)
    raise HubError(
        Kind.UNSUPPORTED,
        f"the camera's video is {refused}; set the stream to H.264 or H.265",
        reason=Reason.CODEC_UNSUPPORTED,
        codec=refused,
    )


def split(text: str) -> list[list[str]]:
    """Lines of the session's head, then those of each m-line's section."""
    sections: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            sections.append([])
        if line:
            sections[-1].append(line)
    return sections


def base_of(head: list[str], base: str) -> str:
    """The URL that the streams' controls belong to, by the session's own control."""
    return resolve(base, next((line[10:].strip() for line in head if line.startswith("a=control:")), ""))


def _video(section: list[str], base: str) -> VideoStream:
    words = section[0].split()
    if len(words) < 4 or not re.fullmatch("[0-9]{1,3}", words[3]) or int(words[3]) > 127:
        raise HubError(Kind.INVALID, "the camera's SDP has a broken m-line", reason=Reason.BAD_REPLY)
    payload_type = int(words[3])
    name, format_, control = ("JPEG" if payload_type == 26 else ""), "", ""
    for line in section:
        if line.startswith(f"a=rtpmap:{payload_type} "):
            name = line.split(" ", 1)[1].strip().split("/")[0].upper()
        elif line.startswith(f"a=fmtp:{payload_type} "):
            format_ = line.split(" ", 1)[1]
        elif line.startswith("a=control:"):
            control = line[10:].strip()
    fields = {}
    for item in format_.split(";"):
        key, _, value = item.strip().partition("=")
        fields[key.lower()] = value.strip()
    codec = CODECS.get(name) or NAMED.get(name) or (name.lower()[:16] or "unknown")
    keys = ("sprop-parameter-sets",) if codec == "h264" else ("sprop-vps", "sprop-sps", "sprop-pps")
    parameters = tuple(unit for key in keys for unit in _units(fields.get(key, "")))
    return VideoStream(codec, payload_type, resolve(base, control), parameters, fields.get("profile-level-id"))


def _units(text: str) -> list[bytes]:
    units = []
    for item in text.split(","):
        try:
            unit = base64.b64decode(item.strip() + "=" * (-len(item.strip()) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        unit = unit.removeprefix(b"\x00\x00\x00\x01")
        if len(unit) > 2:
            units.append(unit)
    return units


def resolve(base: str, control: str) -> str:
    """URL of a control attribute. An absolute one keeps its path and query, but never its host."""
    if not control or control == "*":
        return base
    if "://" in control:
        try:
            own, other = urlsplit(base), urlsplit(control)
        except ValueError as error:
            raise HubError(
                Kind.INVALID, "the camera's SDP names a stream by a broken URL", reason=Reason.BAD_REPLY
            ) from error
        return urlunsplit((own.scheme, own.netloc, other.path, other.query, ""))
    if control.startswith("/"):
        own = urlsplit(base)
        return f"{own.scheme}://{own.netloc}{control}"
    return f"{base.rstrip('/')}/{control}"
