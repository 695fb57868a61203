"""The audio of a camera's SDP (RFC 4566): the one stream to set up, and whether browsers can play it. Pure.

Nothing is re-encoded, so what plays is what every browser decodes: G.711 at 8 kHz and Opus (RFC 7874).
"""

from dataclasses import dataclass

from camera_hub.errors import HubError
from camera_hub.relay.rtsp.video_sdp import (
    aggregate_url,
    control_of,
    payload_attributes,
    payload_types,
    resolve_control,
    split_sections,
)

RATES = {"pcmu": 8000, "pcma": 8000, "opus": 48_000}
"""Codecs that are passed on → RTP clock in Hz."""

_STATIC = {0: "PCMU/8000", 4: "G723/8000", 5: "DVI4/8000", 8: "PCMA/8000", 9: "G722/8000", 14: "MPA/90000"}
"""Static payload types (RFC 3551 section 6), which need no rtpmap."""

_NAMES = {"mpeg4-generic": "aac", "mp4a-latm": "aac", "mpa": "mp2", "l16": "pcm"}
_MAX_NAME = 16


@dataclass(frozen=True, slots=True)
class AudioStream:
    """`codec`: lower-case name as shown on pages. `rate`: RTP clock in Hz, 0 where browsers cannot play the stream."""

    codec: str
    payload_type: int
    control: str
    rate: int

    @property
    def plays(self) -> bool:
        """Whether browsers can play it."""
        return self.rate > 0


def parse_audio(text: str, base: str) -> AudioStream | None:
    """The first audio stream that browsers can play, else the first one, else None. Never raises: audio is optional.

    `base`: URL that relative control attributes belong to. The camera's own audio is recvonly, the back channel to its
    loudspeaker sendonly (ONVIF Streaming Specification section 5.3); some cameras mark both media the other way round.
    """
    head, *sections = split_sections(text)
    base = aggregate_url(head, base)
    reversed_directions = any(section[0].startswith("m=video") and "a=sendonly" in section for section in sections)
    streams = [
        stream
        for section in sections
        if section[0].startswith("m=audio") and (reversed_directions or "a=sendonly" not in section)
        for stream in _streams(section, base)
    ]
    return next((stream for stream in streams if stream.plays), streams[0] if streams else None)


def _streams(section: list[str], base: str) -> list[AudioStream]:
    """One stream per payload type of the m-line, which nearly always has only one."""
    try:
        url = resolve_control(base, control_of(section))
    except HubError:  # the control attribute is not a URL
        return []
    attributes = payload_attributes(section)
    return [
        _stream(number, attributes.get(("rtpmap", number)) or _STATIC.get(number, ""), url)
        for number in payload_types(section)
    ]


def _stream(number: int, mapped: str, control: str) -> AudioStream:
    name, _, rest = mapped.lower().partition("/")
    rate, _, channels = rest.partition("/")
    codec = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-."))[:_MAX_NAME]
    codec = _NAMES.get(codec, codec) or "unknown"
    expected_rate = RATES.get(codec, 0)
    if expected_rate and (rate != str(expected_rate) or (codec != "opus" and channels not in ("", "1"))):
        variant = f"{codec}/{rest}" if rest.isascii() and rest.replace("/", "").isdigit() else codec
        return AudioStream(variant[:_MAX_NAME], number, control, 0)
    return AudioStream(codec, number, control, expected_rate)
