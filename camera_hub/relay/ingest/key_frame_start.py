"""Whether an RTP payload begins a key frame, told from its first bytes alone. Pure (RFC 6184, RFC 7798)."""

from camera_hub.relay.ingest.access_unit import AP, FU, FU_A, STAP_A
from camera_hub.relay.ingest.nal import START_CODE, STARTS_I_PICTURE

_PROFILES = frozenset({44, 66, 77, 88, 100, 110, 122, 244})
"""profile_idc of H.264 streams."""


def begins_key_frame(payload: bytes, h265: bool) -> bool:
    """Whether an RTP payload is beyond doubt the first of a key frame: it begins an SPS (H.265: or a VPS), or the first
    slice of an IDR picture (H.265: of an IRAP picture). Bytes of something else hardly ever look so."""
    if payload[:4].endswith(START_CODE) or payload.startswith(START_CODE):
        payload = payload[payload.index(1) + 1 :]
    return _begins_key_h265(payload) if h265 else _begins_key_h264(payload)


def _begins_key_h264(payload: bytes) -> bool:
    if len(payload) > 4 and payload[0] & 0x9F == STAP_A:
        payload = payload[3:]
    if len(payload) < 4 or payload[0] & 0x80 or not payload[0] & 0x60:
        return False
    nal_type, at = payload[0] & 0x1F, 1
    if nal_type == FU_A:
        if payload[1] & 0xC0 != 0x80:
            return False
        nal_type, at = payload[1] & 0x1F, 2
    if nal_type == 5:
        return STARTS_I_PICTURE[payload[at]] == 1
    return nal_type == 7 and payload[at] in _PROFILES and not payload[at + 1] & 0x03


def _begins_key_h265(payload: bytes) -> bool:
    if len(payload) > 6 and payload[0] == AP << 1:
        payload = payload[4:]
    if len(payload) < 5 or payload[0] & 0x81 or payload[1] != 1:  # base layer, temporal id 0
        return False
    nal_type, at = payload[0] >> 1, 2
    if nal_type == FU:
        if payload[2] & 0xC0 != 0x80:
            return False
        nal_type, at = payload[2] & 0x3F, 3
    if 16 <= nal_type <= 21:
        return payload[at] & 0x80 != 0
    return nal_type in (32, 33)
