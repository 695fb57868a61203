"""NAL units of H.264 and H.265, as far as a relay must read them: type, SPS (size, profile, B-frames), B slices. Pure.

A NAL unit is its bytes without a start code. Sources: ITU-T H.264 (08/2021) 7.3, ITU-T H.265 (08/2021) 7.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

H264_SLICE, H264_IDR, H264_SEI, H264_SPS, H264_PPS, H264_AUD, H264_FILLER = 1, 5, 6, 7, 8, 9, 12
H265_VPS, H265_SPS, H265_PPS, H265_AUD, H265_FILLER, H265_SEI, H265_SEI_AFTER = 32, 33, 34, 35, 38, 39, 40

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MAX_SIDE = 16384
MAX_SPS_BYTES = 2048
"""Bytes of an SPS that are read; scaling lists and HRD tables of real ones stay under 600."""


@dataclass(frozen=True, slots=True)
class SpsInfo:
    """What a sequence parameter set says: size in pixels after cropping, profile (and level) in hex, B-frames, and
    whether pictures may be fields (H.264 only)."""

    width: int
    height: int
    profile: str
    has_b_frames: bool = False
    interlaced: bool = False


class BitReader:
    """Bits and Exp-Golomb codes of a NAL unit's payload, emulation prevention removed. `skip`: bytes of headers.

    Only the first MAX_SPS_BYTES are read: the cost grows with their square, and a hostile unit may have megabytes.
    """

    def __init__(self, nal: bytes, skip: int) -> None:
        payload = nal[skip:MAX_SPS_BYTES].replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def bits(self, count: int) -> int:
        """u(n). Raises ValueError past the end."""
        if count > self._left:
            raise ValueError("the parameter set ends too early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """ue(v). Raises ValueError past the end, or when it has over 32 leading zeros."""
        zeros = 0
        while self.bits(1) == 0:
            zeros += 1
            if zeros > 32:
                raise ValueError("an Exp-Golomb code is too long")
        return (1 << zeros) - 1 + (self.bits(zeros) if zeros else 0)

    def se(self) -> int:
        """se(v). Raises ValueError as `ue` does."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def h264_type(nal: bytes) -> int:
    """nal_unit_type, 0 … 31."""
    return nal[0] & 0x1F


def h265_type(nal: bytes) -> int:
    """nal_unit_type, 0 … 63."""
    return (nal[0] >> 1) & 0x3F


def _slice_is_b(first: int) -> bool:
    """Whether a slice header with first byte `first` starts a B picture: first_mb_in_slice 0, slice_type 1 or 6."""
    return first & 0xF0 == 0xA0 or first & 0xFC == 0x9C


STARTS_B_PICTURE = bytes(_slice_is_b(value) for value in range(256))


def h264_is_b(nal: bytes) -> bool:
    """Whether this is the first slice of a B picture."""
    return nal[0] & 0x1F == H264_SLICE and len(nal) > 1 and STARTS_B_PICTURE[nal[1]] == 1


def _slice_is_intra(first: int) -> bool:
    """Whether a slice header with first byte `first` starts an I picture: first_mb_in_slice 0, slice_type 2 or 7."""
    return first & 0xF0 == 0xB0 or first == 0x88


STARTS_I_PICTURE = bytes(_slice_is_intra(value) for value in range(256))

_RECOVERY_POINT = 6
"""payloadType of the recovery point SEI (H.264 table D-1, H.265 table D.1)."""
_MAX_SEI_BYTES = 1500


def has_recovery_point(sei: bytes, header_size: int) -> bool:
    """Whether an SEI NAL unit (H.264 7.3.2.3, H.265 7.3.2.4) says that a decoder may begin here."""
    at, size = header_size, min(len(sei), _MAX_SEI_BYTES)
    while at + 2 <= size:
        kind = length = 0
        while at < size and sei[at] == 0xFF:
            kind += 255
            at += 1
        if at >= size:
            return False
        kind += sei[at]
        at += 1
        while at < size and sei[at] == 0xFF:
            length += 255
            at += 1
        if at >= size:
            return False
        length += sei[at]
        at += 1 + length
        if kind == _RECOVERY_POINT:
            return True
    return False


START_CODE: Final = b"\x00\x00\x01"


def split_at_start_codes(data: bytes) -> list[bytes]:
    """The NAL units of what a camera has put into one NAL unit, start codes (of three or four bytes) between them.

    Emulation prevention keeps start codes out of NAL units, so what stands between two of them is one.
    """
    if START_CODE not in data:
        return [data] if data else []
    return [part for part in (piece.rstrip(b"\x00") for piece in data.split(START_CODE)) if part]


def parse_h264_sps(sps: bytes) -> SpsInfo:
    """Parse an H.264 SPS (7.3.2.1.1). Raises ValueError when it is malformed.

    `has_b_frames` stays False: the SPS does not say it (see `h264_is_b`).
    """
    if len(sps) < 4 or h264_type(sps) != H264_SPS:
        raise ValueError("not an H.264 SPS")
    profile = sps[1]
    read = BitReader(sps, 4)
    read.ue()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = read.ue()
        if chroma == 3:
            read.bits(1)
        read.ue()
        read.ue()
        read.bits(1)
        if read.bits(1):
            for index in range(12 if chroma == 3 else 8):
                if read.bits(1):
                    _skip_scaling_list(read, 16 if index < 6 else 64)
    read.ue()
    order = read.ue()
    if order == 0:
        read.ue()
    elif order == 1:
        read.bits(1)
        read.se()
        read.se()
        for _ in range(min(read.ue(), 255)):
            read.se()
    read.ue()
    read.bits(1)
    width = (read.ue() + 1) * 16
    map_units = read.ue() + 1
    frames_only = read.bits(1)
    height = (2 - frames_only) * map_units * 16
    if not frames_only:
        read.bits(1)
    read.bits(1)
    if read.bits(1):
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
        left, right, top, bottom = read.ue(), read.ue(), read.ue(), read.ue()
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    return _checked(width, height, sps[1:4].hex(), interlaced=not frames_only)


def _skip_scaling_list(read: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following != 0:
            following = (last + read.se()) % 256
        last = following or last


def parse_h265_sps(sps: bytes) -> SpsInfo:
    """Parse an H.265 SPS (7.3.2.2). Raises ValueError when it is malformed.

    `has_b_frames`: sps_max_num_reorder_pics is over 0 for some sub-layer.
    """
    if len(sps) < 4 or h265_type(sps) != H265_SPS:
        raise ValueError("not an H.265 SPS")
    read = BitReader(sps, 2)
    read.bits(4)
    layers = read.bits(3)
    read.bits(1)
    profile = _skip_profile_tier_level(read, layers)
    read.ue()
    chroma = read.ue()
    if chroma == 3:
        read.bits(1)
    width, height = read.ue(), read.ue()
    if read.bits(1):
        unit_x, unit_y = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        left, right, top, bottom = read.ue(), read.ue(), read.ue(), read.ue()
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    read.ue()
    read.ue()
    read.ue()
    has_b_frames = False
    for _ in range(layers + 1 if read.bits(1) else 1):
        read.ue()
        has_b_frames = read.ue() > 0 or has_b_frames
        read.ue()
    return _checked(width, height, profile, has_b_frames)


def _skip_profile_tier_level(read: BitReader, layers: int) -> str:
    profile = f"{read.bits(8):02x}"
    read.bits(80)
    level = read.bits(8)
    flags = [(read.bits(1), read.bits(1)) for _ in range(layers)]
    if layers:
        read.bits(2 * (8 - layers))
    for has_profile, has_level in flags:
        read.bits(88 * has_profile + 8 * has_level)
    return f"{profile}{level:02x}"


def _checked(width: int, height: int, profile: str, has_b_frames: bool = False, interlaced: bool = False) -> SpsInfo:
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise ValueError(f"the SPS states {width} x {height} pixels, which no camera has")
    return SpsInfo(width, height, profile, has_b_frames, interlaced)


def annex_b(nals: Iterable[bytes]) -> bytes:
    """NAL units as an Annex B byte stream: each behind a four-byte start code."""
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)
