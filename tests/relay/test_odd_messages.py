"""RTSP messages, headers and SDPs as cameras of the field write them, without sockets: bytes in, what is read out."""

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Reason
from camera_hub.relay.rtsp import connection as connections
from camera_hub.relay.rtsp.connection import CameraConnection
from camera_hub.relay.rtsp.headers import control_urls, read_session, read_transport, rebased
from camera_hub.relay.rtsp.message import MAX_STRAY, Parser, Response, write_interleaved
from camera_hub.relay.rtsp.pending import MAX_GIVEN_UP
from camera_hub.relay.rtsp.video_sdp import parse_video, session_control
from tests.relay.socket_reads import NoPackets, read

OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
URL = "rtsp://10.1.1.1:554/live"


def rtp(number: int = 0, size: int = 20) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, number, 0, 7) + bytes(size)


def responses(data: bytes, *, camera: bool = True) -> list[Response]:
    return [one for one in Parser(camera=camera).feed(data) if isinstance(one, Response)]


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"RTSP/1.0 200 OK\r\n \r\nCSeq: 3\r\n\r\n", {"cseq": ("3",)}),  # case 02
        (b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\t \r\nX: y\r\n \r\n\r\n", {"cseq": ("3",), "x": ("y",)}),
        (b"RTSP/1.0 200 OK\r\nX: a\r\n b\r\n\tc\r\nCSeq: 3\r\n\r\n", {"x": ("a b c",), "cseq": ("3",)}),
        (b"RTSP/1.0 200 OK\r\nX:\r\n a\r\nX: b\r\n  c\r\n\r\n", {"x": ("a", "b c")}),
        (b"RTSP/1.0 200 OK\nCSeq: 3\n\n", {"cseq": ("3",)}),
        (b"\r\n\r\n \r\nrtsp/1.0  200   ok\r\ncseq : 3\r\n\r\n", {"cseq": ("3",)}),
        (b"RTSP/1.0 200\r\nCSEQ:3\r\n\r\n", {"cseq": ("3",)}),
        (b"RTSP/1.0 200 OK\r\nX: a\r\n\x00\xffjunk\r\n more\r\nCSeq: 3\r\n\r\n", {"x": ("a",), "cseq": ("3",)}),
    ],
)
def test_heads_are_read_however_they_are_set_out(head: bytes, headers: dict[str, tuple[str, ...]]) -> None:
    (answer,) = responses(head)
    assert (answer.status, answer.headers) == (200, headers)


@pytest.mark.parametrize("kind", [b"Content-Type: application/sdp\r\n", b""])
@pytest.mark.parametrize(
    "length",
    [
        b"",
        b"Content-Length: 0\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 7\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 7, 7\r\n",
    ],
)
@pytest.mark.parametrize("after", [OK, write_interleaved(0, rtp()), b"OPTIONS * RTSP/1.0\r\n\r\n"])
def test_an_sdp_ends_where_its_lines_do_whatever_length_is_stated(kind: bytes, length: bytes, after: bytes) -> None:
    parser = Parser(camera=True)
    parser.described = True
    first, second = parser.feed(b"RTSP/1.0 200 OK\r\n" + kind + length + b"\r\n" + SDP + after)
    assert isinstance(first, Response)
    assert first.body == SDP
    assert not isinstance(second, Response) or second.headers == {"cseq": ("1",)}
    assert parser.strays == 0


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_an_sdp_without_length_is_the_same_however_the_bytes_are_split(sizes: list[int]) -> None:
    data = b"RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n" + SDP + OK
    parser, found, at, number = Parser(camera=True), list[object](), 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        found += parser.feed(data[at : at + size])
        at, number = at + size, number + 1
    assert [one.body for one in found if isinstance(one, Response)] == [SDP, b""]


async def test_an_sdp_that_states_too_great_a_length_is_taken_when_nothing_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "QUIET", 0.0)
    for length in (b"", b"Content-Length: 9000\r\n"):
        connection = CameraConnection(NoPackets())
        pending = connection.send("DESCRIBE", URL, {})
        read(connection, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n" + length + b"\r\n" + SDP)
        assert (await pending.answer(5)).body == SDP


async def test_an_sdp_is_taken_when_the_camera_hangs_up_behind_it() -> None:
    connection = CameraConnection(NoPackets())
    pending = connection.send("DESCRIBE", URL, {})
    read(connection, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 9000\r\n\r\n" + SDP)
    connection.connection_lost(None)
    assert (await pending.answer(5)).body == SDP
    with pytest.raises(HubError):
        connection.send("SETUP", URL, {})


def test_of_players_nothing_of_that_is_borne() -> None:
    head = b"RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n"
    with pytest.raises(HubError):
        Parser().feed(head + SDP)


class Kept:
    """Keeps the packets of channel 0, and leaves what is no frame to the parser."""

    channels: tuple[int, ...] = (0, 1)

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.times = 0

    def read_interleaved(self, data: bytes, at: int) -> int:
        while at + 4 <= len(data) and data[at] == 0x24 and data[at + 1] in self.channels:
            end = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
            if end > len(data):
                break
            self.packets.append(data[at + 4 : end])
            at = end
        return at

    def on_stray_bytes(self, times: int) -> None:
        self.times = times


STRAY = st.binary(min_size=1, max_size=20).filter(lambda text: text.strip(b" \t\r\n") == text and text[:1] not in b"$R")


@given(st.lists(st.booleans() | STRAY, max_size=12), st.lists(st.integers(1, 90), min_size=1, max_size=20))
def test_after_stray_bytes_the_next_packet_or_message_is_found(parts: list[bool | bytes], sizes: list[int]) -> None:
    """Case 03. True: a packet, False: a response, else bytes that belong to nothing, with a packet behind."""
    stream, packets, answers, strays = OK, list[bytes](), 0, 0
    for part in parts:
        if part is False:
            stream += OK
            answers += 1
            continue
        if isinstance(part, bytes):
            stream += part
            strays += 1
        packets.append(rtp(len(packets)))
        stream += write_interleaved(0, packets[-1])

    async def run() -> None:
        kept = Kept()
        connection = CameraConnection(kept)
        at = number = 0
        while at < len(stream):
            size = sizes[number % len(sizes)]
            read(connection, stream[at : at + size])
            at, number = at + size, number + 1
        assert not connection.lost.done()
        assert kept.packets == packets
        assert kept.times <= strays

    asyncio.run(run())


@pytest.mark.parametrize(
    "stray",
    [
        b"\x00\x00\x00",
        b"\xff" * 20,
        b"ABC",
        b"OPTION\x00",
        b"$",
        b"$$$",
        b"$\x07\x00\x05xx",
        b"RTSP/2",
        b"RTSPxx",
        b"\r\n\x00",
        b"x" * 5000,
    ],
)
async def test_no_packet_behind_stray_bytes_is_lost(stray: bytes) -> None:
    kept = Kept()
    connection = CameraConnection(kept)
    read(connection, OK)
    sent = [rtp(number, 200) for number in range(60)]
    frames = [write_interleaved(0, packet) for packet in sent]
    read(connection, frames[0] + stray + frames[1] + frames[2])
    for one in frames[3:]:
        read(connection, one)
    read(connection, OK)
    assert not connection.lost.done()
    assert kept.packets == sent
    assert kept.times == 1
    assert 0 < connection.stray_bytes <= len(stray) + 1


async def test_stray_bytes_without_end_end_the_session() -> None:
    connection = CameraConnection(Kept())
    read(connection, OK)
    for _ in range(MAX_STRAY // 30_000 + 1):
        read(connection, b"\x00" * 30_000)
    with pytest.raises(HubError) as caught:
        connection.lost.result()
    assert caught.value.reason == Reason.BAD_REPLY


@pytest.mark.parametrize("cseq", [b"", b"CSeq: 0\r\n", b"CSeq: 6\r\n", b"CSeq: x\r\n", b"CSeq: 99\r\n"])
async def test_the_next_response_is_the_answer_to_the_only_request(cseq: bytes) -> None:
    """Case 01."""
    connection = CameraConnection(NoPackets())
    pending = connection.send("OPTIONS", URL, {})
    read(connection, b"RTSP/1.0 100 Continue\r\n\r\nRTSP/1.0 200 OK\r\n" + cseq + b"\r\n")
    assert (await pending.answer(1)).status == 200
    assert connection.responses.quirk == ("wrong" if cseq else "missing")


async def test_a_response_without_number_answers_none_of_several_requests() -> None:
    connection = CameraConnection(NoPackets())
    first, second = connection.send("OPTIONS", URL, {}), connection.send("DESCRIBE", URL, {})
    read(connection, b"RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n")
    assert (first.over, second.over, connection.responses.quirk) == (False, False, "")
    read(connection, b"RTSP/1.0 404 No\r\nCSeq: 2\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")
    assert ((await first.answer(1)).status, (await second.answer(1)).status) == (200, 404)


async def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    connection = CameraConnection(NoPackets())
    late = connection.send("OPTIONS", URL, {})
    with pytest.raises(HubError) as caught:
        await late.answer(0)
    assert caught.value.reason == Reason.TIMED_OUT
    pending = connection.send("GET_PARAMETER", URL, {})
    read(connection, b"RTSP/1.0 500 Late\r\nCSeq: 1\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n")
    assert (await pending.answer(1)).status == 200
    for _ in range(100):
        connection.send("OPTIONS", URL, {}).give_up()
    assert len(connection.responses._waiting) <= MAX_GIVEN_UP + 1


BARE = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


@pytest.mark.parametrize(
    ("sdp", "codec", "payload_type", "control"),
    [
        (BARE, "h264", 96, f"{URL}/track1"),  # case 09
        (BARE.replace("\r\n", "\r"), "h264", 96, f"{URL}/track1"),
        (BARE.replace("\r\n", "\n\0\n") + "\0\0", "h264", 96, f"{URL}/track1"),
        ("\ufeff  \r\n garbage\r\n" + BARE.replace("\r\n", "  \r\n\r\n "), "h264", 96, f"{URL}/track1"),
        ("v = 0\nm = video 0 RTP/AVP 96\na = rtpmap : 96 h265/90000\n", "h265", 96, URL),
        (  # case 10
            "v=0\r\nm=video 0 RTP/AVP 98 96\r\na=rtpmap:98 vnd.x/90000\r\na=rtpmap: 96 H264/90000\r\n"
            "a=fmtp: 96 packetization-mode=1\r\n",
            "h264",
            96,
            URL,
        ),
        ("v=0\nm=video 0 RTP/AVP 26 97 96\na=rtpmap:97 HEVC/90000\na=rtpmap:96 H264/90000\n", "h265", 97, URL),
        ("v=0\nm=video 0 RTP/AVP x 999 96\na=rtpmap:96 H264/90000\n", "h264", 96, URL),
        ("m=video 0 RTP/AVP\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n", "h264", 96, URL),
        ("m=video 0 RTP/AVP 96\na=fmtp:96 sprop-parameter-sets=Z2QAKKw=,aO48gA==\n", "h264", 96, URL),
        ("m=video 0 RTP/AVP 96\na=fmtp:96 sprop-vps=QAEMAf//; sprop-sps=QgEB\n", "h265", 96, URL),
    ],
)
def test_sdps_are_read_from_the_first_m_line_on(sdp: str, codec: str, payload_type: int, control: str) -> None:
    stream = parse_video(sdp, URL)
    assert (stream.codec, stream.payload_type, stream.control) == (codec, payload_type, control)


@pytest.mark.parametrize(
    ("sdp", "reason", "codec"),
    [
        ("m=video 0 RTP/AVP 96\r\n", Reason.CODEC_UNSUPPORTED, "unknown"),
        ("m=video 0 RTP/AVP 96 97\r\na=rtpmap:97 VP8/90000\r\n", Reason.CODEC_UNSUPPORTED, "vp8"),
        ("m=video 0 RTP/AVP 33\r\n", Reason.CODEC_UNSUPPORTED, "mp2t"),
        ("", Reason.BAD_REPLY, None),
        ("\0\0\0", Reason.BAD_REPLY, None),
        ("<html><a href=x></html>", Reason.BAD_REPLY, None),
        ("m=audio 0 RTP/AVP 0\r\n", Reason.NO_MEDIA, None),
    ],
)
def test_an_sdp_of_which_nothing_plays_says_why(sdp: str, reason: Reason, codec: str | None) -> None:
    with pytest.raises(HubError) as caught:
        parse_video(sdp, URL)
    assert (caught.value.reason, caught.value.params.get("codec")) == (reason, codec)


def test_an_sdp_of_many_types_and_attributes_is_read_in_one_pass() -> None:
    types = " ".join(str(number % 128) for number in range(20_000))
    text = f"m=video 0 RTP/AVP {types}\n" + "a=rtpmap:5 x/1\n" * 5000 + "a=rtpmap:31 H264/90000\n"
    assert parse_video(text, URL).payload_type == 31
    with pytest.raises(HubError):  # what stands behind the first types is not looked at
        parse_video(text.replace("rtpmap:31", "rtpmap:99"), URL)


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("", None),
        ("a=control:*", None),
        ("a=control:rtsp://10.9.9.9/x?ctrl=1", "rtsp://10.1.1.1:554/x?ctrl=1"),
        ("a=control: all", f"{URL}/all"),
    ],
)
def test_the_sessions_own_control_url(head: str, url: str | None) -> None:
    assert session_control(f"v=0\r\n{head}\r\nm=video 0 RTP/AVP 96\r\n", URL) == url


def test_the_urls_of_play_in_their_order() -> None:
    """Case 04."""
    three = [("session", "s"), ("base", "b"), ("request", "r")]
    assert control_urls("s", "b", "r", None) == three
    assert control_urls("s", "b", "r", "request") == [three[2], three[0], three[1]]
    assert control_urls(None, "b", "r", None) == three[1:]
    assert control_urls(None, "r", "r", None) == [("base", "r")]


@pytest.mark.parametrize(
    ("text", "name", "timeout"),
    [
        ("77;timeout=60", "77", 60),
        (" 77 ; Timeout = 60.5 ;x", "77", 60),
        ('77;timeout="30"', "77", 30),
        ("77", "77", None),
        ("77;timeout=", "77", None),
        ("77;timeout=-5", "77", None),
        ("77;timeout=999999999999", "77", 999_999_999),
        ("", "", None),
    ],
)
def test_session_headers(text: str, name: str, timeout: int | None) -> None:
    assert read_session(text) == (name, timeout)


@pytest.mark.parametrize(
    ("text", "channel", "ports", "interleaved"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=4-5", 4, None, True),
        ("RTP/AVP/TCP;unicast;Interleaved = 2", 2, None, True),
        ("RTP/AVP/TCP;unicast", None, None, True),
        ("", None, None, True),
        ("RTP/AVP/TCP;interleaved=999", None, None, True),
        ("RTP/AVP;unicast;client_port=1-2;server_port=5000-5001", None, (5000, 5001), False),
        ("RTP/AVP;unicast;server_port=5000", None, (5000, 5001), False),
        ("RTP/AVP;unicast;server_port=0-0", None, None, True),
        ("RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001", None, None, False),
    ],
)
def test_transport_headers(text: str, channel: int | None, ports: tuple[int, int] | None, interleaved: bool) -> None:
    answer = read_transport(text)
    assert (answer.channel, answer.ports, answer.interleaved) == (channel, ports, interleaved)


@pytest.mark.parametrize(
    ("stated", "url"),
    [
        ("rtsp://10.1.1.1:554/live/", "rtsp://10.1.1.1:554/live/"),
        ("rtsp://192.168.1.64/other/?x=1", "rtsp://10.1.1.1:554/other/?x=1"),
        ("rtsp://::ffff:10.1.1.1/live/", "rtsp://10.1.1.1:554/live/"),  # case 11
        ("rtsp://[evil/live", "rtsp://10.1.1.1:554/live"),
        ("rtsp://admin:p@ss@10.1.1.1:554/live", "rtsp://10.1.1.1:554/live"),
        (' "<rtsp://10.1.1.1/live/>" ', "rtsp://10.1.1.1:554/live/"),
        ("/live/", "rtsp://10.1.1.1:554/live/"),
        ("rtsp://10.1.1.1", None),
        ("live", None),
        ("rtsp://x/a b", None),
        ("rtsp://x/a\x00", None),
        ("", None),
    ],
)
def test_a_base_keeps_its_path_and_never_its_host(stated: str, url: str | None) -> None:
    assert rebased(stated, URL) == url
