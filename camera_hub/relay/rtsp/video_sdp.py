"""The video of a camera's SDP (RFC 4566): the one stream to set up, its codec, parameter sets and control URL. Pure.

Of several video streams the first one in H.264 or H.265 is taken, and of its payload types the first such one. Whatever
host a control URL names, only the pinned address is dialled: the URL gives a path, nothing more.

Read from the first m-line on: cameras leave the lines of the session out, end lines by CR alone or NUL, and put blanks
anywhere.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from camera_hub.errors import HubError, Kind, Reason

MAX_SECTIONS = 8
"""Media sections of one SDP."""
MAX_PAYLOAD_TYPES = 32
"""Payload types of one m-line; further ones are ignored."""
CODECS = {"H264": "h264", "H265": "h265", "HEVC": "h265"}
"""rtpmap encoding names of the codecs that are relayed → our names."""
_OTHER_CODECS = {"JPEG": "mjpeg", "MP4V-ES": "mpeg4", "SMARTCODEC": "smart"}
_STATIC = {26: "JPEG", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"}
"""Static payload types of video (RFC 3551 section 6), which need no rtpmap."""

_LINE_END = re.compile(r"[\r\n\0]+")
_LINE = re.compile(r"([A-Za-z])\s*=\s*(.*)", re.DOTALL)
_ATTRIBUTE = re.compile(r"(rtpmap|fmtp)\s*:\s*([0-9]{1,3})\s+(.*)", re.DOTALL | re.IGNORECASE)
_PAYLOAD_TYPE = re.compile("[0-9]{1,3}")
_MULTICAST = re.compile(r"IN\s+IP4\s+(22[4-9]|23[0-9])\.|IN\s+IP6\s+ff", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The stream to set up. `control`: absolute URL, of the attribute as it stands in `relative`. `parameters`:
    parameter sets as NAL units, perhaps none.

    `profile`: profile-level-id of H.264, in hex. `multicast`: the connection address is a multicast group.
    """

    codec: str
    payload_type: int
    control: str
    parameters: tuple[bytes, ...]
    profile: str | None
    relative: str = ""
    multicast: bool = False


def parse_video(text: str, base: str) -> VideoStream:
    """The first video stream in H.264 or H.265. `base`: URL that relative control attributes belong to.

    Raises HubError: BAD_REPLY for what is not a valid SDP, NO_MEDIA without video, CODEC_UNSUPPORTED (params: codec)
    where no video stream has a codec that is relayed.
    """
    sections = split_sections(text)
    if not sections[0] and len(sections) == 1:
        raise HubError(
            Kind.INVALID, "the camera answered DESCRIBE without an SDP; check the stream's URL", reason=Reason.BAD_REPLY
        )
    if len(sections) - 1 > MAX_SECTIONS:
        raise HubError(
            Kind.INVALID,
            f"the camera's SDP has over {MAX_SECTIONS} streams; update its firmware",
            reason=Reason.BAD_REPLY,
        )
    multicast = any(_MULTICAST.search(line) for section in sections for line in section if line.startswith("c="))
    base = aggregate_url(sections[0], base)
    videos = [section for section in sections[1:] if section[0].lower().startswith("m=video")]
    if not videos:
        raise HubError(
            Kind.UNSUPPORTED,
            "the camera's SDP has no video; switch the video of this stream on in the camera",
            reason=Reason.NO_MEDIA,
        )
    others: list[str] = []
    for section in videos:
        attributes = payload_attributes(section)
        for payload_type in payload_types(section):
            fields = _fields(attributes.get(("fmtp", payload_type), ""))
            codec = _codec(attributes.get(("rtpmap", payload_type), ""), payload_type, fields)
            if codec in CODECS.values():
                return _stream(section, base, codec, payload_type, fields, multicast=multicast)
            others.append(codec)
    if not others:
        raise HubError(
            Kind.INVALID, "the camera's SDP has a malformed m-line; update its firmware", reason=Reason.BAD_REPLY
        )
    raise _unsupported(next((codec for codec in others if codec), ""))


def _unsupported(codec: str) -> HubError:
    sentence = (
        f"the camera's video is {codec}, which is not relayed; set the stream to H.264 or H.265"
        if codec
        else "the camera does not say which codec its video has (no rtpmap in its SDP); set the stream to H.264 once "
        "more in the camera, or update its firmware"
    )
    return HubError(Kind.UNSUPPORTED, sentence, reason=Reason.CODEC_UNSUPPORTED, codec=codec or "unknown")


def split_sections(text: str) -> list[list[str]]:
    """Lines of the session description, then those of each media description; what is no line of an SDP is left out.
    Each begins with its letter and "=", whatever blanks there were."""
    sections: list[list[str]] = [[]]
    for raw in _LINE_END.split(text):
        found = _LINE.fullmatch(raw.strip().lstrip("\ufeff"))
        if found is None:
            continue
        line = f"{found[1].lower()}={found[2]}"
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def control_of(section: list[str]) -> str:
    """The control attribute of a session or media description; empty without one."""
    for line in section:
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "a=control":
            return value.strip()
    return ""


def aggregate_url(head: list[str], base: str) -> str:
    """The URL that the streams' control attributes belong to, by the session's own one. Raises HubError(INVALID)."""
    return resolve_control(base, control_of(head))


def session_control(text: str, base: str) -> str | None:
    """The URL of the session's own control attribute, on which PLAY belongs; None where it is missing or "*"."""
    control = control_of(split_sections(text)[0])
    return resolve_control(base, control) if control and control != "*" else None


def payload_types(section: list[str]) -> list[int]:
    """Those of its m-line, each once, in the order of preference."""
    words = section[0].split()[3 : 3 + MAX_PAYLOAD_TYPES]
    return list(dict.fromkeys(int(word) for word in words if _PAYLOAD_TYPE.fullmatch(word) and int(word) < 128))


def payload_attributes(section: list[str]) -> dict[tuple[str, int], str]:
    """The values of ("rtpmap" or "fmtp", payload type); of a repeated one the first counts."""
    found: dict[tuple[str, int], str] = {}
    for line in section:
        match = _ATTRIBUTE.fullmatch(line[2:]) if line.startswith("a=") else None
        if match is not None:
            found.setdefault((match[1].lower(), int(match[2])), match[3].strip())
    return found


def _fields(text: str) -> dict[str, str]:
    """The parameters of an fmtp attribute, names in lower case."""
    fields = {}
    for item in text.split(";"):
        key, _, value = item.strip().partition("=")
        fields[key.strip().lower()] = value.strip()
    return fields


def _codec(rtpmap: str, payload_type: int, fields: dict[str, str]) -> str:
    """Our name of the codec; empty where neither rtpmap nor the format's parameters tell it."""
    encoding = rtpmap.split("/")[0].strip().upper() or _STATIC.get(payload_type, "")
    if not encoding and fields.keys() & {"sprop-vps", "sprop-sps"}:
        encoding = "H265"
    elif not encoding and fields.keys() & {"sprop-parameter-sets", "packetization-mode"}:
        encoding = "H264"
    return CODECS.get(encoding) or _OTHER_CODECS.get(encoding) or encoding.lower()[:16]


def _stream(
    section: list[str], base: str, codec: str, payload_type: int, fields: dict[str, str], *, multicast: bool
) -> VideoStream:
    keys = ("sprop-parameter-sets",) if codec == "h264" else ("sprop-vps", "sprop-sps", "sprop-pps")
    return VideoStream(
        codec=codec,
        payload_type=payload_type,
        control=resolve_control(base, control := control_of(section)),
        parameters=tuple(unit for key in keys for unit in _decode_parameter_sets(fields.get(key, ""))),
        profile=fields.get("profile-level-id"),
        relative=control,
        multicast=multicast,
    )


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
