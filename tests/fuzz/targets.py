"""What is fuzzed: each target takes any bytes, and may refuse them in its own way only. Anything else is a crash."""

from collections.abc import Callable
from typing import Any

from camera_hub.errors import HubError
from camera_hub.http_auth import Authenticator
from camera_hub.relay.ingest import nal
from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.ingest.depacketize import MAX_UNIT, Depacketizer
from camera_hub.relay.ingest.rtp import parse_rtp
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import VideoPipeline
from camera_hub.relay.rtsp.audio_sdp import parse_audio
from camera_hub.relay.rtsp.message import MAX_BODY, MAX_LINE, Parser, Response
from camera_hub.relay.rtsp.video_sdp import parse_video
from camera_hub.relay.webrtc import rtcp
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, write_answer
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.offer import read_offer
from camera_hub.relay.webrtc.udp_port import UdpPort
from tests.fuzz.device_targets import DEVICE_TARGETS
from tests.fuzz.onvif_targets import ONVIF_TARGETS
from tests.fuzz.sheet_targets import SHEET_TARGETS

BASE = "rtsp://10.0.0.1:554/live/1"
SECRET = "pass-word-of-the-fuzzer"


def rtsp(data: bytes) -> None:
    """A camera's side of a conversation, in two reads; and the same bytes from a player."""
    for camera in (True, False):
        _conversation(data, Parser(camera=camera))


def _conversation(data: bytes, parser: Parser) -> None:
    parser.described, parser.channels = True, (0, 1)
    try:
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            for message in parser.feed(part):
                if isinstance(message, Response):
                    login = Authenticator("admin", SECRET, basic=True)
                    login.unauthorized(message.headers.get("www-authenticate", ()))
                    signed = login.authorization("DESCRIBE", BASE, "c") or ""
                    assert SECRET not in signed
        parser.finish()
    except HubError:
        return
    assert len(parser._buffer) <= max(MAX_BODY, MAX_LINE, 65_540)


def sdp(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        stream = parse_video(text, BASE)
    except HubError:
        return
    sound = parse_audio(text, BASE)  # which never raises where there is a picture
    assert sound is None or sound.control.startswith("rtsp://10.0.0.1:554")
    assert stream.control.startswith("rtsp://10.0.0.1:554"), "a camera's SDP named another host, and was believed"


def offer(data: bytes) -> None:
    for audio, tracks in ((False, None), (True, 1)):  # of a page, of a player
        try:
            read = read_offer(data.decode("utf-8", "replace"), audio=audio, tracks=tracks)
        except HubError:
            continue
        served = {number: Ssrcs(1, 2) for number, section in enumerate(read.sections) if section.served}
        answer = write_answer(read, Transport("uf", "pw", "sha-256 CC", ("192.0.2.7",), 8189), served, 1)
        assert all(line for line in answer.split("\r\n")[:-1])
        assert not set("\r\n") & set(answer.replace("\r\n", ""))


def datagram(data: bytes) -> None:
    """The filter of the relay's one port, where a viewer is waited for whose names an onlooker knows."""
    port = UdpPort("127.0.0.1", 0)
    try:
        peer = IcePeer(port, "theirs", lambda: 1.0)
        port.remove(peer)
        peer.ufrag = "ours"
        port.add(peer)
        port._classify(data, ("192.0.2.9", 1234), [])
        assert peer.route is None, "nobody knows the password"
        assert sum(port.counts.values()) == 1
    finally:
        port.socket.close()


def rtp(data: bytes) -> None:
    """Packets, two bytes of length before each: through reordering, joining, parameter sets, cutting."""
    for name in BY_NAME:
        for ordered in (True, False):
            pipeline = VideoPipeline(name, (), TimestampMapper(), limit=1200, first=0, ordered=ordered)
            try:
                _push_all(pipeline, data)
            except HubError as error:
                if error.reason not in ("b_frames", "codec_unsupported"):
                    raise


def _push_all(pipeline: VideoPipeline, data: bytes) -> None:
    at, now = 0, 1.0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "big") & 0x7FF
        packet = parse_rtp(data[at + 2 : at + 2 + size])
        at, now = at + 2 + size, now + 0.01
        if packet is None:
            continue
        for frame, _ in pipeline.push(packet, now):
            assert frame.payloads
            assert max(map(len, frame.payloads)) <= 1200
            assert frame.size <= 2 * MAX_UNIT
    depacketizer: Any = pipeline._depacketizer
    assert isinstance(depacketizer, Depacketizer)
    assert depacketizer._size <= MAX_UNIT


def parameters(data: bytes) -> None:
    for read, lead in ((nal.parse_h264_sps, b"\x67"), (nal.parse_h265_sps, b"\x42\x01")):
        for whole in (data, lead + data[1:]):
            try:
                info = read(whole)
            except ValueError:
                continue
            assert info.width > 0
            assert info.height > 0


def reports(data: bytes) -> None:
    try:
        found = rtcp.read(data, 1.0)
    except ValueError:
        return
    for _, report in found:
        if isinstance(report, rtcp.Nack):
            assert len(report.sequences) <= rtcp.MAX_NACKED
            assert all(0 <= number <= 0xFFFF for number in report.sequences)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "rtsp": rtsp,
    "sdp": sdp,
    "offer": offer,
    "stun": datagram,
    "rtp": rtp,
    "rtcp": reports,
    "sps": parameters,
    **DEVICE_TARGETS,
    **ONVIF_TARGETS,
    **SHEET_TARGETS,
}
"""By the beginning of a corpus file's name."""
