"""The roles of NAL units as numbers, which the depacketizer compares for each packet. Pure."""

from typing import Final

from camera_hub.relay.ingest.codecs import Codec, NalRole

DISCARDED: Final = 0
SLICE: Final = 1
KEY_SLICE: Final = 2
PARAMETER_SET: Final = 3
DELIMITER: Final = 4  # begins an access unit, and is not passed on
SEI: Final = 5  # as well
_ROLES = {
    NalRole.DISCARDED: DISCARDED,
    NalRole.SLICE: SLICE,
    NalRole.KEY_SLICE: KEY_SLICE,
    NalRole.PARAMETER_SET: PARAMETER_SET,
}
_DELIMITER_TYPES, _SEI_TYPES = {1: (9,), 2: (35,)}, {1: (6,), 2: (39,)}
"""By the size of the NAL unit header. The suffix SEI of H.265 (40) follows its picture."""


def role_table(codec: Codec) -> bytes:
    """The role of each NAL type, as one of the numbers above."""
    roles = [_ROLES[role] for role in codec.roles]
    for nal_type in _DELIMITER_TYPES[codec.header_size]:
        roles[nal_type] = DELIMITER
    for nal_type in _SEI_TYPES[codec.header_size]:
        roles[nal_type] = SEI
    return bytes(roles)
