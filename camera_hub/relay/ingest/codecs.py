"""H.264 and H.265 in one table each: what a relay must know of their NAL units."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.nal import SpsInfo


class NalRole(Enum):
    """What a NAL unit means to the relay."""

    SLICE = 1
    KEY_SLICE = 2
    PARAMETER_SET = 3
    DISCARDED = 4  # delimiters, filler, SEI: no browser needs them, and each would break a GSO run


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec. `header_size`: bytes of its NAL unit header. `roles`: by NAL type.

    `parameter_set_types`: NAL types of its parameter sets, in the order in which they are sent.
    """

    name: str
    header_size: int
    nal_type: Callable[[bytes], int]
    roles: tuple[NalRole, ...]
    parameter_set_types: tuple[int, ...]
    sps_type: int
    parse_sps: Callable[[bytes], SpsInfo]

    def role(self, unit: bytes) -> NalRole:
        """The role of a NAL unit (at least one byte)."""
        return self.roles[self.nal_type(unit)]

    def parameters_complete(self, units: Iterable[bytes]) -> bool:
        """Whether parameter sets of every type are among these NAL units."""
        return {self.nal_type(unit) for unit in units}.issuperset(self.parameter_set_types)


def _h264_role(nal_type: int) -> NalRole:
    if nal_type == nal.H264_IDR:
        return NalRole.KEY_SLICE
    if 1 <= nal_type <= 4:
        return NalRole.SLICE
    if nal_type in (nal.H264_SPS, nal.H264_PPS):
        return NalRole.PARAMETER_SET
    return NalRole.DISCARDED


def _h265_role(nal_type: int) -> NalRole:
    if 16 <= nal_type <= 21:  # IRAP pictures: BLA, IDR and CRA
        return NalRole.KEY_SLICE
    if nal_type < 32:
        return NalRole.SLICE
    if nal_type in (nal.H265_VPS, nal.H265_SPS, nal.H265_PPS):
        return NalRole.PARAMETER_SET
    return NalRole.DISCARDED


H264 = Codec(
    name="h264",
    header_size=1,
    nal_type=nal.h264_type,
    roles=tuple(_h264_role(nal_type) for nal_type in range(32)),
    parameter_set_types=(nal.H264_SPS, nal.H264_PPS),
    sps_type=nal.H264_SPS,
    parse_sps=nal.parse_h264_sps,
)
H265 = Codec(
    name="h265",
    header_size=2,
    nal_type=nal.h265_type,
    roles=tuple(_h265_role(nal_type) for nal_type in range(64)),
    parameter_set_types=(nal.H265_VPS, nal.H265_SPS, nal.H265_PPS),
    sps_type=nal.H265_SPS,
    parse_sps=nal.parse_h265_sps,
)
BY_NAME = {codec.name: codec for codec in (H264, H265)}
