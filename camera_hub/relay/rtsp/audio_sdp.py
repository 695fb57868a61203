"""A camera's SDP: the one audio stream that comes with its video, and whether browsers can play it. Pure (RFC 4566).

Nothing is ever re-encoded, so what plays is what every browser decodes: G.711 at 8 kHz and Opus (RFC 7874).
"""

import re
from dataclasses import dataclass

from camera_hub.errors import HubError
from camera_hub.relay.rtsp.sdp import base_of, resolve, split

RATES = {"pcmu": 8000, "pcma": 8000, "opus": 48_000}
"""Codecs that are passed on → their RTP clock in Hz."""

_STATIC = {0: "PCMU/8000", 4: "G723/8000", 5: "DVI4/8000", 8: "PCMA/8000", 9: "G722/8000", 14: "MPA/90000"}
"""RFC 3551 section 6: types that need no rtpmap."""

_NAMES = {"mpeg4-generic": "aac", "mp4a-latm": "aac", "mpa": "mp2", "l16": "pcm"}
_MAX_NAME = 16
_NUMBER = re.compile("[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class AudioStream:
    """`codec` as it is called on pages; `rate`: RTP clock in Hz, 0 where the stream is not passed on."""

    codec: str
    payload_type: int
    control: str
    rate: int

    @property
    def plays(self) -> bool:
        return self.rate > 0


def read_audio(text: str, base: str) -> AudioStream | None:
    """The first audio stream that browsers play, else the first one, else None. Never raises: sound is an extra.

    A stream of the camera is recvonly, the way back to its loudspeaker sendonly (ONVIF Streaming section 5.3); some
    cameras mean the opposite and say so of their video, too.
    """
    head, *sections = split(text)
    base = base_of(head, base)
    backwards = any(section[0].startswith("m=video") and "a=sendonly" in section for section in sections)
    streams = [
        stream
        for section in sections
        if section[0].startswith("m=audio") and (backwards or "a=sendonly" not in section)
        for stream in _streams(section, base)
    ]
    return next((stream for stream in streams if stream.plays), streams[0] if streams else None)


def _streams(section: list[str], base: str) -> list[AudioStream]:
    """One per payload type of the m-line, which nearly always names only one."""
    types = [int(word) for word in section[0].split()[3:] if _NUMBER.fullmatch(word) and int(word) < 128]
    control = next((line[10:].strip() for line in section if line.startswith("a=control:")), "")
    maps = dict(_STATIC)
    for line in section:
        number, _, mapped = line.removeprefix("a=rtpmap:").strip().partition(" ")
        if line.startswith("a=rtpmap:") and _NUMBER.fullmatch(number):
            maps[int(number)] = mapped.strip()
    try:
        url = resolve(base, control)
    except HubError:  # a control that is no URL
        return []
    return [_stream(number, maps.get(number, ""), url) for number in types]


def _stream(number: int, mapped: str, control: str) -> AudioStream:
    name, _, rest = mapped.lower().partition("/")
    rate, _, channels = rest.partition("/")
    codec = "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "-."))[:_MAX_NAME]
    codec = _NAMES.get(codec, codec) or "unknown"
    known = RATES.get(codec, 0)
    if known and (rate != str(known) or (codec != "opus" and channels not in ("", "1"))):
        odd = f"{codec}/{rest}" if rest.isascii() and rest.replace("/", "").isdigit() else codec
        return AudioStream(odd[:_MAX_NAME], number, control, 0)
    return AudioStream(codec, number, control, known)
