"""The SDP that a player is given: one video stream, with the parameter sets that decoders want beforehand. Pure."""

import base64
from collections.abc import Sequence

from camera_hub.relay.ingest.codecs import BY_NAME, Codec
from camera_hub.relay.rtsp_server.player_request import TRACK

PAYLOAD_TYPE = 96


def complete(codec: str, parameters: Sequence[bytes]) -> bool:
    """Whether every kind of parameter set of the codec is there: some decoders start with nothing less."""
    rules = BY_NAME[codec]
    return {rules.kind(unit) for unit in parameters} >= set(rules.parameters)


def write_sdp(codec: str, parameters: Sequence[bytes], *, session: int, ipv6: bool) -> str:
    """SDP (RFC 4566) of a live stream: H.264 as RFC 6184 wants it, H.265 as RFC 7798."""
    rules = BY_NAME[codec]
    anywhere = "IN IP6 ::" if ipv6 else "IN IP4 0.0.0.0"
    lines = (
        "v=0",
        f"o=- {session} 1 {anywhere}",
        "s=camera hub",
        f"c={anywhere}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {rules.name.upper()}/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {_format(rules, parameters)}",
        f"a=control:{TRACK}",
        "",
    )
    return "\r\n".join(lines)


def _format(rules: Codec, parameters: Sequence[bytes]) -> str:
    by_kind = [[unit for unit in parameters if rules.kind(unit) == kind] for kind in rules.parameters]
    if rules.name == "h264":
        profile = next((unit[1:4].hex().upper() for unit in by_kind[0]), "")
        sets = ",".join(_coded(unit) for units in by_kind for unit in units)
        level = f";profile-level-id={profile}" if profile else ""
        return f"packetization-mode=1{level};sprop-parameter-sets={sets}"
    names = ("sprop-vps", "sprop-sps", "sprop-pps")
    return ";".join(
        f"{name}={','.join(map(_coded, units))}" for name, units in zip(names, by_kind, strict=True) if units
    )


def _coded(unit: bytes) -> str:
    return base64.b64encode(unit).decode()
