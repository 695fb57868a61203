"""Access units as they came from the camera, in the payloads of RFC 6184 (H.264) and RFC 7798 (H.265). Pure.

An access unit keeps the payloads that it came in. Nearly all frames are one slice, which can be sent on in the camera's
own fragments or cut anew without anything else being read; only key frames and frames of many parts are taken apart.
"""

from typing import Final

STAP_A: Final = 24
FU_A: Final = 28
"""Types of H.264's aggregation packets and fragments (RFC 6184 table 3)."""
AP: Final = 48
FU: Final = 49
"""The same of H.265 (RFC 7798 section 4.4)."""


class AccessUnit:
    """One frame, without delimiters, filler and SEI. `timestamp` as received (32 bit).

    `payloads`: its NAL units and fragments in order, as they came; aggregates are taken apart. `one_slice`: it is one
    NAL unit, a slice, whole or in fragments. `b_picture`: a slice of it starts a B picture (H.264 only). `fresh`: the
    first one of a stream whose timestamps have begun anew.
    """

    __slots__ = ("_h265", "b_picture", "fresh", "key", "one_slice", "payloads", "timestamp")

    def __init__(
        self,
        timestamp: int,
        key: bool,
        payloads: tuple[bytes, ...],
        one_slice: bool,
        b_picture: bool,
        fresh: bool,
        h265: bool,
    ) -> None:
        self.timestamp = timestamp
        self.key = key
        self.payloads = payloads
        self.one_slice = one_slice
        self.b_picture = b_picture
        self.fresh = fresh
        self._h265 = h265

    @property
    def units(self) -> tuple[bytes, ...]:
        """Its NAL units, joined from the payloads at each call."""
        return join_h265(self.payloads) if self._h265 else join_h264(self.payloads)


def units_of(payloads: tuple[bytes, ...], *, h265: bool) -> tuple[bytes, ...]:
    """The NAL units of a frame's RTP payloads: aggregates are taken apart, fragments joined."""
    flat: list[bytes] = []
    header = 2 if h265 else 1
    for payload in payloads:
        nal_type = (payload[0] >> 1) & 0x3F if h265 else payload[0] & 0x1F
        if nal_type != (AP if h265 else STAP_A):
            flat.append(payload)
            continue
        at = header
        while at + 2 <= len(payload):
            end = at + 2 + (payload[at] << 8 | payload[at + 1])
            flat.append(payload[at + 2 : end])
            at = end
    return join_h265(tuple(flat)) if h265 else join_h264(tuple(flat))


def join_h264(payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """NAL units from single NAL units and complete series of FU-A (RFC 6184 section 5.8)."""
    units: list[bytes] = []
    parts: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != FU_A:
            units.append(payload)
            continue
        fu_header = payload[1]
        if fu_header & 0x80:  # S: start of the NAL unit
            parts = [bytes(((payload[0] & 0xE0) | (fu_header & 0x1F),))]
        parts.append(payload[2:])
        if fu_header & 0x40:  # E: end of the NAL unit
            units.append(b"".join(parts))
    return tuple(units)


def join_h265(payloads: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """NAL units from single NAL units and complete series of FU (RFC 7798 section 4.4.3)."""
    units: list[bytes] = []
    parts: list[bytes] = []
    for payload in payloads:
        if (payload[0] >> 1) & 0x3F != FU:
            units.append(payload)
            continue
        fu_header = payload[2]
        if fu_header & 0x80:
            parts = [bytes(((payload[0] & 0x81) | ((fu_header & 0x3F) << 1), payload[1]))]
        parts.append(payload[3:])
        if fu_header & 0x40:
            units.append(b"".join(parts))
    return tuple(units)
