"""RTSP messages and SDP without sockets: parser, limits, serializer, which stream is chosen."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Reason
from camera_hub.relay.rtsp.connection import CameraConnection
from camera_hub.relay.rtsp.message import MAX_BODY, Parser, Request, Response, write_request
from camera_hub.relay.rtsp.video_sdp import parse_video, resolve_control
from tests.relay.socket_reads import NoPackets, read

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\nX: a\r\nx: b\r\n\r\nhello"
STREAM = b"\r\n" + ANSWER + b"$\x00\x00\x03abc" + b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n" + b"$\x01\x00\x00"


def expected() -> list[Response | Request | tuple[int, bytes]]:
    return [
        Response(200, "OK", {"cseq": ("2",), "content-length": ("5",), "x": ("a", "b")}, b"hello"),
        (0, b"abc"),
        Request("OPTIONS", {"cseq": ("9",)}, "*", "RTSP/1.0"),
        (1, b""),
    ]


@given(st.lists(st.integers(1, len(STREAM)), max_size=12))
def test_messages_and_packets_are_the_same_however_the_bytes_are_split(cuts: list[int]) -> None:
    parser = Parser()
    places = [0, *sorted(set(cuts)), len(STREAM)]
    found = [message for a, b in pairwise(places) for message in parser.feed(STREAM[a:b])]
    assert found == expected()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", Reason.NOT_RTSP),
        (b"<html>", Reason.NOT_RTSP),
        (b"<!DOCTYPE HTML PUBLIC>\n", Reason.NOT_RTSP),
        (b"\x15\x03\x01\x00\x02\x02\x16", Reason.TLS_NEEDED),
        (b"\x16\x03\x01\x02", Reason.BAD_REPLY),
        (b"RTSP/1.0 abc\r\n\r\n", Reason.BAD_REPLY),
        (b"RTSP/1.0 200 OK\r\nno colon\r\n", Reason.BAD_REPLY),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", Reason.BAD_REPLY),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 1503238553\r\n\r\n", Reason.REPLY_TOO_LARGE),
        (f"RTSP/1.0 200 OK\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode(), Reason.REPLY_TOO_LARGE),
        (b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * 65, Reason.REPLY_TOO_LARGE),
        (b"RTSP/1.0 200 " + b"x" * 9000, Reason.REPLY_TOO_LARGE),
    ],
)
def test_a_hostile_answer_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    with pytest.raises(HubError) as raised:
        Parser().feed(data)
    assert raised.value.reason == reason


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    reason: str = Reason.BAD_REPLY
    try:
        Parser().feed(data)
    except HubError as error:
        reason = error.reason
    assert reason in (Reason.BAD_REPLY, Reason.REPLY_TOO_LARGE, Reason.NOT_RTSP, Reason.TLS_NEEDED)


def test_a_request_smuggles_no_line() -> None:
    with pytest.raises(HubError):
        write_request("DESCRIBE", "rtsp://10.0.0.1/a\r\nX: y", {})


SDP = (
    "v=0\r\ns=x\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:track1\r\n"
    "m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
    "a=fmtp:97 packetization-mode=1; profile-level-id=640028; sprop-parameter-sets=Z2QAKKw=,aO48gA==\r\n"
    "a=control:track2\r\n"
)
BASE = "rtsp://10.1.1.1:554/live/"


def test_the_video_stream_of_an_sdp() -> None:
    stream = parse_video(SDP, BASE)
    assert (stream.codec, stream.payload_type, stream.profile) == ("h264", 97, "640028")
    assert stream.control == "rtsp://10.1.1.1:554/live/track2"
    assert stream.parameters == (bytes.fromhex("67640028ac"), bytes.fromhex("68ee3c80"))


@pytest.mark.parametrize(
    ("control", "url"),
    [
        ("", BASE),
        ("*", BASE),
        ("trackID=1", BASE + "trackID=1"),
        ("/other/1", "rtsp://10.1.1.1:554/other/1"),
        ("rtsp://evil.example/live/t?x=1", "rtsp://10.1.1.1:554/live/t?x=1"),
        ("rtsp://10.1.1.1:554/live/t", "rtsp://10.1.1.1:554/live/t"),
    ],
)
def test_a_control_url_never_leaves_the_host(control: str, url: str) -> None:
    assert resolve_control(BASE, control) == url


@pytest.mark.parametrize(
    ("sdp", "reason"),
    [
        ("<html>", Reason.BAD_REPLY),
        ("v=0\r\nm=video x RTP/AVP zz\r\n", Reason.BAD_REPLY),
        ("v=0\r\n" + "m=audio 0 RTP/AVP 0\r\n" * 9, Reason.BAD_REPLY),
        ("v=0\r\nm=audio 0 RTP/AVP 0\r\n", Reason.NO_MEDIA),
        ("v=0\r\nm=video 0 RTP/AVP 26\r\n", Reason.CODEC_UNSUPPORTED),
        ("v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n", Reason.CODEC_UNSUPPORTED),
    ],
)
def test_an_sdp_that_cannot_be_relayed_says_why(sdp: str, reason: Reason) -> None:
    with pytest.raises(HubError) as raised:
        parse_video(sdp, BASE)
    assert raised.value.reason == reason


def test_of_several_videos_the_first_one_that_can_be_relayed_is_taken() -> None:
    sdp = (
        "v=0\r\nm=video 0 RTP/AVP 26\r\na=control:jpeg\r\n"
        "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=control:first\r\n"
        "m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=control:second\r\n"
    )
    stream = parse_video(sdp, BASE)
    assert (stream.codec, stream.payload_type, stream.control) == ("h265", 98, BASE + "first")


@pytest.mark.parametrize("cseq", ["9" * 5000, "\N{SUPERSCRIPT TWO}", "-1", "", "7"])
async def test_an_answer_to_no_request_is_ignored(cseq: str) -> None:
    connection = CameraConnection(NoPackets())
    read(connection, f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n".encode())
    assert not connection.lost.done()


def test_an_unsupported_codec_is_named() -> None:
    with pytest.raises(HubError) as raised:
        parse_video("v=0\r\nm=video 0 RTP/AVP 26\r\n", BASE)
    assert raised.value.params["codec"] == "mjpeg"


@given(st.text(max_size=200))
def test_any_sdp_is_read_or_refused(text: str) -> None:
    with pytest.raises(HubError):
        parse_video("v=0\r\nm=video 0 RTP/AVP 96\r\n" + text.replace("rtpmap", ""), BASE)


@pytest.mark.parametrize("type_", ["²", "9" * 5000, "-1", "٣", "128"])
def test_a_payload_type_that_is_no_number_is_refused(type_: str) -> None:
    with pytest.raises(HubError) as raised:
        parse_video(f"v=0\r\nm=video 0 RTP/AVP {type_}\r\n", BASE)
    assert raised.value.reason == Reason.BAD_REPLY


@pytest.mark.parametrize("control", ["rtsp://[evil/1", "rtsp://\u2100.example/1", "x://[::1"])
def test_a_control_that_is_no_url_is_refused(control: str) -> None:
    with pytest.raises(HubError) as raised:
        resolve_control(BASE, control)
    assert raised.value.reason == Reason.BAD_REPLY
