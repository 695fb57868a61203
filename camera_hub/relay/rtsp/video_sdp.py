"""The video of a camera's SDP (RFC 4566): the one stream to set up, its codec, parameter sets and control URL. Pure.

Of several video streams the first one in H.264 or H.265 is taken. Whatever host a control URL names, only the pinned
address is dialled: the URL gives a path, nothing more.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from camera_hub.errors import HubError, Kind, Reason

MAX_SECTIONS = 8
"""Media sections of one SDP."""
CODECS = {"H264": "h264", "H265": "h265", "HEVC": "h265"}
"""rtpmap encoding names of the codecs that are relayed → our names."""
_OTHER_CODECS = {"JPEG": "mjpeg", "MP4V-ES": "mpeg4", "SMARTCODEC": "smart"}


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The stream to set up. `control`: absolute URL. `parameters`: parameter sets as NAL units, perhaps none.

    `profile`: profile-level-id of H.264, in hex.
    """

    codec: str
    payload_type: int
    control: str
    parameters: tuple[bytes, ...]
    profile: str | None


def parse_video(text: str, base: str) -> VideoStream:
    """The first video stream in H.264 or H.265. `base`: URL that relative control attributes belong to.

    Raises HubError: BAD_REPLY for what is not a valid SDP, NO_MEDIA without video, CODEC_UNSUPPORTED (params: codec)
    where no video stream has a codec that is relayed.
    """
    sections = split_sections(text)
    if not text.lstrip().startswith("v="):
        raise HubError(
            Kind.INVALID, "the camera answered DESCRIBE without an SDP; check the stream's URL", reason=Reason.BAD_REPLY
        )
    if len(sections) - 1 > MAX_SECTIONS:
        raise HubError(
            Kind.INVALID,
            f"the camera's SDP has over {MAX_SECTIONS} streams; update its firmware",
            reason=Reason.BAD_REPLY,
        )
    base = aggregate_url(sections[0], base)
    unsupported: str | None = None
    for section in sections[1:]:
        if not section[0].startswith("m=video"):
            continue
        found = _video(section, base)
        if found.codec in CODECS.values():
            return found
        unsupported = unsupported or found.codec
    if unsupported is None:
        raise HubError(
            Kind.UNSUPPORTED,
            "the camera's SDP has no video; switch the video of this stream on in the camera",
            reason=Reason.NO_MEDIA,
        )
    raise HubError(
        Kind.UNSUPPORTED,
        f"the camera's video is {unsupported}, which is not relayed; set the stream to H.264 or H.265",
        reason=Reason.CODEC_UNSUPPORTED,
        codec=unsupported,
    )


def split_sections(text: str) -> list[list[str]]:
    """Lines of the session description, then those of each media description."""
    sections: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            sections.append([])
        if line:
            sections[-1].append(line)
    return sections


def aggregate_url(head: list[str], base: str) -> str:
    """The URL that the streams' control attributes belong to, by the session's own one. Raises HubError(INVALID)."""
    return resolve_control(base, next((line[10:].strip() for line in head if line.startswith("a=control:")), ""))


def _video(section: list[str], base: str) -> VideoStream:
    words = section[0].split()
    if len(words) < 4 or not re.fullmatch("[0-9]{1,3}", words[3]) or int(words[3]) > 127:
        raise HubError(
            Kind.INVALID, "the camera's SDP has a malformed m-line; update its firmware", reason=Reason.BAD_REPLY
        )
    payload_type = int(words[3])
    encoding, format_parameters, control = ("JPEG" if payload_type == 26 else ""), "", ""
    for line in section:
        if line.startswith(f"a=rtpmap:{payload_type} "):
            encoding = line.split(" ", 1)[1].strip().split("/")[0].upper()
        elif line.startswith(f"a=fmtp:{payload_type} "):
            format_parameters = line.split(" ", 1)[1]
        elif line.startswith("a=control:"):
            control = line[10:].strip()
    fields = {}
    for item in format_parameters.split(";"):
        key, _, value = item.strip().partition("=")
        fields[key.lower()] = value.strip()
    codec = CODECS.get(encoding) or _OTHER_CODECS.get(encoding) or (encoding.lower()[:16] or "unknown")
    keys = ("sprop-parameter-sets",) if codec == "h264" else ("sprop-vps", "sprop-sps", "sprop-pps")
    parameters = tuple(unit for key in keys for unit in _decode_parameter_sets(fields.get(key, "")))
    return VideoStream(codec, payload_type, resolve_control(base, control), parameters, fields.get("profile-level-id"))


def _decode_parameter_sets(text: str) -> list[bytes]:
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


def resolve_control(base: str, control: str) -> str:
    """URL of a control attribute. An absolute one keeps its path and query, but never its host.

    Raises HubError(INVALID) for one that cannot be parsed.
    """
    if not control or control == "*":
        return base
    if "://" in control:
        try:
            own, other = urlsplit(base), urlsplit(control)
        except ValueError as error:
            raise HubError(
                Kind.INVALID,
                "the camera's SDP has a malformed control URL; update its firmware",
                reason=Reason.BAD_REPLY,
            ) from error
        return urlunsplit((own.scheme, own.netloc, other.path, other.query, ""))
    if control.startswith("/"):
        own = urlsplit(base)
        return f"{own.scheme}://{own.netloc}{control}"
    return f"{base.rstrip('/')}/{control}"
