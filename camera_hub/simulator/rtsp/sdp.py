"""Session descriptions of a stream (RFC 4566, RFC 6184 section 8, RFC 7798 section 7)."""

import base64

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.loops import ParameterSets

PAYLOAD_TYPE = 96
TRACK = "trackID=1"


def describe(spec: StreamSpec, parameters: ParameterSets, address: str) -> bytes:
    """The description that DESCRIBE answers."""
    if spec.codec == "h265":
        name = "H265"
        form = f"sprop-vps={_text(parameters.vps)};sprop-sps={_text(parameters.sps)};sprop-pps={_text(parameters.pps)}"
    else:
        name = "H264"
        form = (
            f"packetization-mode=1;profile-level-id={parameters.sps[1:4].hex()};"
            f"sprop-parameter-sets={_text(parameters.sps)},{_text(parameters.pps)}"
        )
    return "\r\n".join(
        [
            "v=0",
            f"o=- 1 1 IN IP4 {address}",
            "s=Media Presentation",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            f"b=AS:{spec.bitrate // 1000}",
            f"a=control:{TRACK}",
            f"a=rtpmap:{PAYLOAD_TYPE} {name}/90000",
            f"a=fmtp:{PAYLOAD_TYPE} {form}",
            f"a=framerate:{spec.fps}",
            "a=recvonly",
            "",
        ]
    ).encode()


def _text(parameter_set: bytes) -> str:
    return base64.b64encode(parameter_set).decode()
