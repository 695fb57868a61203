"""What differs between H.264 and H.265 for a relay: kinds of NAL units. One frozen table per codec."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.nal import Picture


class Part(Enum):
    """What a NAL unit is for us."""

    PICTURE = 1
    KEY = 2
    PARAMETERS = 3
    USELESS = 4  # delimiters, filler, SEI: no browser needs them, and each would break a GSO run


@dataclass(frozen=True, slots=True)
class Codec:
    """The rules of one codec. `parameters` are the NAL types of its parameter sets in their order, the SPS named."""

    name: str
    header: int  # bytes of a NAL unit header
    kind: Callable[[bytes], int]
    parts: tuple[Part, ...]  # by NAL type
    parameters: tuple[int, ...]
    sps: int
    picture: Callable[[bytes], Picture]

    def part(self, unit: bytes) -> Part:
        return self.parts[self.kind(unit)]


def _h264_part(kind: int) -> Part:
    if kind == nal.H264_IDR:
        return Part.KEY
    if 1 <= kind <= 4:
        return Part.PICTURE
    if kind in (nal.H264_SPS, nal.H264_PPS):
        return Part.PARAMETERS
    return Part.USELESS


def _h265_part(kind: int) -> Part:
    if 16 <= kind <= 21:  # BLA, IDR and CRA pictures
        return Part.KEY
    if kind < 32:
        return Part.PICTURE
    if kind in (nal.H265_VPS, nal.H265_SPS, nal.H265_PPS):
        return Part.PARAMETERS
    return Part.USELESS


H264 = Codec(
    name="h264",
    header=1,
    kind=nal.h264_type,
    parts=tuple(_h264_part(kind) for kind in range(32)),
    parameters=(nal.H264_SPS, nal.H264_PPS),
    sps=nal.H264_SPS,
    picture=nal.h264_picture,
)
H265 = Codec(
    name="h265",
    header=2,
    kind=nal.h265_type,
    parts=tuple(_h265_part(kind) for kind in range(64)),
    parameters=(nal.H265_VPS, nal.H265_SPS, nal.H265_PPS),
    sps=nal.H265_SPS,
    picture=nal.h265_picture,
)
BY_NAME = {codec.name: codec for codec in (H264, H265)}
