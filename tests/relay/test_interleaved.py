"""Interleaved packets in socket reads: the short way through a whole read gives what packets one by one give, however
the stream is cut into reads and whatever stands between the packets."""

import asyncio
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.rtp import interleaved_end
from camera_hub.relay.ingest.timestamps import TimestampMapper
from camera_hub.relay.ingest.video_pipeline import MadeFrame, VideoPipeline
from camera_hub.relay.rtsp.connection import CameraConnection
from camera_hub.relay.rtsp.message import write_interleaved
from tests.relay.socket_reads import read

SETS = (b"\x67\x42\xc0\x1e\xda\x02\x80\xf6\x84\x00", b"\x68\xce\x38\x80")
OWN, OTHER = 96, 97


def pipeline() -> VideoPipeline:
    return VideoPipeline("h264", SETS, TimestampMapper(), limit=1000, first=0, ordered=True, payload_type=OWN)


def rtp(sequence: int, timestamp: int, payload: bytes, *, marker: bool, kind: int = OWN, ssrc: int = 7) -> bytes:
    second = kind | 0x80 * marker
    return struct.pack("!BBHII", 0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """RTP packets of a camera, most of them as they should be."""
    sequence, timestamp, packets = draw(st.integers(0, 0xFFFF)), draw(st.integers(0, 0xFFFFFFFF)), []
    for _ in range(draw(st.integers(1, 12))):
        key = draw(st.booleans())
        size, cut = draw(st.integers(1, 3000)), draw(st.integers(50, 1400))
        body = bytes([0x65 if key else 0x41, 0x80]) + bytes(size)
        if len(body) <= cut:
            payloads = [body]
        else:
            pieces = [body[at : at + cut] for at in range(1, len(body), cut)]
            flags = [0x80, *[0] * (len(pieces) - 2), 0x40]
            payloads = [
                bytes([body[0] & 0xE0 | 28, flag | body[0] & 0x1F]) + piece
                for flag, piece in zip(flags, pieces, strict=False)
            ]
            payloads[-1] = payloads[-1][:1] + bytes([payloads[-1][1] | 0x40]) + payloads[-1][2:]
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            packet = rtp(sequence, timestamp, payload, marker=last)
            fault = draw(st.sampled_from(["none"] * 20 + ["lost", "twice", "foreign", "ssrc", "noise", "extension"]))
            if fault == "twice":
                packets.append(packet)
            elif fault == "foreign":
                packets.append(rtp(draw(st.integers(0, 0xFFFF)), timestamp, b"text", marker=True, kind=OTHER))
            elif fault == "ssrc":
                packet = rtp(sequence, timestamp, payload, marker=last, ssrc=8)
            elif fault == "noise":
                packets.append(draw(st.binary(max_size=20)))
            elif fault == "extension":
                packet = bytes([0x90]) + packet[1:12] + b"\xbe\xde\x00\x01abcd" + packet[12:]
            if fault != "lost":
                packets.append(packet)
            sequence += 1
        timestamp += 3600
    return packets


def seen(made: list[MadeFrame]) -> list[tuple[object, ...]]:
    return [
        (frame.first, frame.timestamp, frame.key, frame.payloads, [run.payloads for run in frame.runs], units)
        for frame, units in made
    ]


def counted(one: VideoPipeline) -> tuple[object, ...]:
    return one.packets, one.bad_packets, one.gaps, one.dropped, one.next_index, one.stats.lost


@pytest.mark.slow
@given(streams())
def test_a_whole_read_gives_what_its_packets_give_one_by_one(packets: list[bytes]) -> None:
    packets = [packet for packet in packets if len(packet) >= 12]
    at_once, one_by_one = pipeline(), pipeline()
    data = b"".join(write_interleaved(4, packet) for packet in packets)
    end, made = at_once.read_interleaved(data, 0, 4, 1.0)
    assert end == len(data)
    assert seen(made) == seen([frame for packet in packets for frame in one_by_one.read_packet(packet, 1.0)])
    assert counted(at_once) == counted(one_by_one)
    assert at_once.stats.receiver_report() == one_by_one.stats.receiver_report()


@dataclass
class Packets:
    """Keeps what it reads, by channel, up to a channel that it leaves to others."""

    kept: list[tuple[int, bytes]] = field(default_factory=list)
    channels: tuple[int, ...] = ()

    def read_interleaved(self, data: bytes, at: int) -> int:
        while at < len(data) and data[at] == 0x24 and (end := interleaved_end(data, at)) >= 0:
            self.kept.append((data[at + 1], data[at + 4 : end]))
            at = end
        return at

    def on_stray_bytes(self, times: int) -> None:
        raise AssertionError("no byte of these is stray")


_packet = st.tuples(st.sampled_from([0, 1, 2, 9]), st.binary(max_size=300))
_message = st.sampled_from(
    [b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\n$body", b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n\r\n"]
)


@given(st.lists(_packet | _message, max_size=12), st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_packets_and_messages_are_read_however_the_stream_is_cut(
    parts: list[tuple[int, bytes] | bytes], sizes: list[int]
) -> None:
    data = b"".join(write_interleaved(*part) if isinstance(part, tuple) else part for part in parts)

    async def run() -> list[tuple[int, bytes]]:
        packets = Packets()
        connection = CameraConnection(packets)
        at = number = 0
        while at < len(data):
            size = sizes[number % len(sizes)]
            read(connection, data[at : at + size])
            at, number = at + size, number + 1
        assert not connection.lost.done()
        return packets.kept

    assert asyncio.run(run()) == [part for part in parts if isinstance(part, tuple)]
