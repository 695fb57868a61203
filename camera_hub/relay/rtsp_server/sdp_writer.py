"""The SDP that a player is given in answer to DESCRIBE: one video stream with its parameter sets. Pure (RFC 4566)."""

import base64
from collections.abc import Sequence

from camera_hub.relay.ingest.codecs import BY_NAME, Codec
from camera_hub.relay.rtsp_server.stream_url import TRACK

PAYLOAD_TYPE = 96


def write_sdp(codec: str, parameters: Sequence[bytes], *, session: int, ipv6: bool) -> str:
    """SDP of a live stream, H.264 as in RFC 6184, H.265 as in RFC 7798.

    `parameters`: parameter sets as NAL units. `session`: number for the o-line.
    """
    rules = BY_NAME[codec]
    any_address = "IN IP6 ::" if ipv6 else "IN IP4 0.0.0.0"
    lines = (
        "v=0",
        f"o=- {session} 1 {any_address}",
        "s=camera hub",
        f"c={any_address}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {rules.name.upper()}/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {_format_parameters(rules, parameters)}",
        f"a=control:{TRACK}",
        "",
    )
    return "\r\n".join(lines)


def _format_parameters(rules: Codec, parameters: Sequence[bytes]) -> str:
    by_type = [
        [unit for unit in parameters if rules.nal_type(unit) == nal_type] for nal_type in rules.parameter_set_types
    ]
    if rules.name == "h264":
        profile = next((unit[1:4].hex().upper() for unit in by_type[0]), "")
        sets = ",".join(_base64(unit) for units in by_type for unit in units)
        level = f";profile-level-id={profile}" if profile else ""
        return f"packetization-mode=1{level};sprop-parameter-sets={sets}"
    names = ("sprop-vps", "sprop-sps", "sprop-pps")
    return ";".join(
        f"{name}={','.join(map(_base64, units))}" for name, units in zip(names, by_type, strict=True) if units
    )


def _base64(unit: bytes) -> str:
    return base64.b64encode(unit).decode()
