"""The sound in descriptions as cameras of the field give them, and in those that nobody should give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.rtsp.audio_sdp import AudioStream, parse_audio
from camera_hub.relay.rtsp.video_sdp import parse_video

BASE = "rtsp://192.0.2.9:554/stream/"

HIKVISION = """v=0
o=- 1700000000000000 1700000000000000 IN IP4 192.0.2.9
s=Media Presentation
e=NONE
b=AS:5100
t=0 0
a=control:rtsp://192.0.2.9:554/Streaming/Channels/101/
m=video 0 RTP/AVP 96
c=IN IP4 0.0.0.0
b=AS:5000
a=recvonly
a=x-dimensions:2560,1440
a=control:rtsp://192.0.2.9:554/Streaming/Channels/101/trackID=1
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=Z00AKp2oHgCJ+WbgICAoAAAfQAAGGoQg,aO48gA==
m=audio 0 RTP/AVP 8
c=IN IP4 0.0.0.0
b=AS:50
a=recvonly
a=control:rtsp://192.0.2.9:554/Streaming/Channels/101/trackID=2
a=rtpmap:8 PCMA/8000
a=Media_header:MEDIAINFO=494D4B48010200000400000111710110401F000000FA000000000000000000000000000000000000;
a=appversion:1.0
"""

DAHUA = """v=0
o=- 2252310609 2252310609 IN IP4 0.0.0.0
s=Media Server
c=IN IP4 0.0.0.0
t=0 0
a=control:*
a=packetization-supported:DH
a=rtppayload-supported:DH
a=range:npt=now-
m=video 0 RTP/AVP 96
a=control:trackID=0
a=framerate:25.000000
a=rtpmap:96 H265/90000
a=fmtp:96 profile-id=1;sprop-sps=QgEBAWAAAAMAsAAAAwAAAwB4oAKAgC0Wj5ckmWuTEiWtMQ==;sprop-pps=RAHA8vA8kAA=
a=recvonly
m=audio 0 RTP/AVP 97
a=control:trackID=1
a=rtpmap:97 MPEG4-GENERIC/16000
a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408
a=recvonly
m=application 0 RTP/AVP 107
a=control:trackID=4
a=rtpmap:107 vnd.onvif.metadata/90000
a=recvonly
"""

UNIVIEW = """v=0
o=- 1001 1 IN IP4 192.0.2.9
s=VCP IPC Realtime stream
m=video 0 RTP/AVP 105
c=IN IP4 192.0.2.9
a=control:rtsp://192.0.2.9:554/media/video1/video
a=rtpmap:105 H264/90000
a=fmtp:105 profile-level-id=640028; packetization-mode=1; sprop-parameter-sets=Z2QAKKwVKAeAIn5U,aO48sA==
a=recvonly
m=audio 0 RTP/AVP 0
c=IN IP4 192.0.2.9
a=fmtp:0 RTCP=0
a=control:rtsp://192.0.2.9:554/media/video1/audio1
a=recvonly
m=application 0 RTP/AVP 107
c=IN IP4 192.0.2.9
a=control:rtsp://192.0.2.9:554/media/video1/metadata
a=rtpmap:107 vnd.onvif.metadata/90000
a=recvonly
"""

LOUDSPEAKER = """v=0
s=ONVIF back channel first
m=audio 0 RTP/AVP 0
a=control:audioback
a=rtpmap:0 PCMU/8000
a=sendonly
m=video 0 RTP/AVP 96
a=control:video
a=rtpmap:96 H264/90000
a=recvonly
m=audio 0 RTP/AVP 98
a=control:audio
a=rtpmap:98 opus/48000/2
a=recvonly
"""


@pytest.mark.parametrize(
    ("sdp", "expected"),
    [
        (HIKVISION, AudioStream("pcma", 8, "rtsp://192.0.2.9:554/Streaming/Channels/101/trackID=2", 8000)),
        (DAHUA, AudioStream("aac", 97, BASE + "trackID=1", 0)),
        (UNIVIEW, AudioStream("pcmu", 0, "rtsp://192.0.2.9:554/media/video1/audio1", 8000)),
        (LOUDSPEAKER, AudioStream("opus", 98, BASE + "audio", 48_000)),
    ],
    ids=["hikvision", "dahua", "uniview", "loudspeaker"],
)
def test_the_sound_of_a_camera(sdp: str, expected: AudioStream) -> None:
    text = sdp.replace("\n", "\r\n")
    assert parse_audio(text, BASE) == expected
    assert parse_video(text, BASE).codec in ("h264", "h265")


def test_a_camera_that_takes_directions_the_other_way_round_is_heard() -> None:
    sent = HIKVISION.replace("a=recvonly", "a=sendonly")
    assert parse_audio(sent, BASE) == parse_audio(HIKVISION, BASE)


def test_no_sound_is_no_error() -> None:
    assert parse_audio(HIKVISION[: HIKVISION.index("m=audio")], BASE) is None


@pytest.mark.parametrize(
    ("lines", "codec"),
    [
        ("m=audio 0 RTP/AVP 8\na=rtpmap:8 PCMA/16000", "pcma/16000"),
        ("m=audio 0 RTP/AVP 99\na=rtpmap:99 PCMU/8000/2", "pcmu/8000/2"),
        ("m=audio 0 RTP/AVP 102\na=rtpmap:102 G726-16/8000", "g726-16"),
        ("m=audio 0 RTP/AVP 11\na=rtpmap:11 L16/44100", "pcm"),
        ("m=audio 0 RTP/AVP 14", "mp2"),
        ("m=audio 0 RTP/AVP 9", "g722"),
        ("m=audio 0 RTP/AVP 100", "unknown"),
        ("m=audio 0 RTP/AVP 100\na=rtpmap:100 <b>evil" + "x" * 400, "bevilxxxxxxxxxxx"),
    ],
)
def test_what_browsers_cannot_play_is_named_and_not_played(lines: str, codec: str) -> None:
    found = parse_audio(f"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n{lines}\na=control:t2\n", BASE)
    assert found is not None
    assert (found.codec, found.plays) == (codec, False)


def test_of_several_sounds_the_one_that_plays_is_taken() -> None:
    both = DAHUA + "m=audio 0 RTP/AVP 8\na=control:trackID=5\n"
    assert parse_audio(both, BASE) == AudioStream("pcma", 8, BASE + "trackID=5", 8000)
    one_line = DAHUA.replace("RTP/AVP 97", "RTP/AVP 97 0")
    assert parse_audio(one_line, BASE) == AudioStream("pcmu", 0, BASE + "trackID=1", 8000)


@given(st.text(), st.text())
def test_any_text_is_read_or_left_out(line: str, attribute: str) -> None:
    found = parse_audio(f"v=0\nm=audio {line}\na=control:{attribute}\na=rtpmap:{attribute}\n{line}", BASE)
    assert found is None or len(found.codec) <= 16
