"""Session descriptions of a stream (RFC 4566, RFC 6184 section 8, RFC 7798 section 7)."""

import base64

from camera_hub.simulator.model import Sound, StreamSpec
from camera_hub.simulator.picture.loops import ParameterSets

PAYLOAD_TYPE = 96
TRACK = "trackID=1"
SOUND_TRACK = "trackID=2"
SOUND_TYPES = {Sound.PCMU: 0, Sound.PCMA: 8, Sound.OPUS: 97, Sound.AAC: 104}
_SOUND_LINES = {
    Sound.PCMU: ("a=rtpmap:0 PCMU/8000",),
    Sound.PCMA: ("a=rtpmap:8 PCMA/8000",),
    Sound.OPUS: ("a=rtpmap:97 opus/48000/2",),
    Sound.AAC: (
        "a=rtpmap:104 mpeg4-generic/16000/1",
        "a=fmtp:104 mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3",
    ),
}


def describe(spec: StreamSpec, parameters: ParameterSets, address: str, sound: Sound = Sound.NONE) -> bytes:
    """The session description that DESCRIBE returns."""
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
            *(_sound(sound) if sound else ()),
            "",
        ]
    ).encode()


def _sound(sound: Sound) -> tuple[str, ...]:
    return (
        f"m=audio 0 RTP/AVP {SOUND_TYPES[sound]}",
        f"a=control:{SOUND_TRACK}",
        *_SOUND_LINES[sound],
        "a=recvonly",
    )


def _text(parameter_set: bytes) -> str:
    return base64.b64encode(parameter_set).decode()
