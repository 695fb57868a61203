"""RTCP as browsers write it, by aiortc's writer; and as nobody should."""

import random
import struct

import pytest
from aiortc import rtp

from camera_hub.relay.sender_report import ntp_time, sender_report
from camera_hub.relay.webrtc.rtcp import MAX_NACKED, Nack, PictureLost, Reception, read


def block(
    ssrc: int, *, lost: int = 0, fraction: int = 0, highest: int = 0, lsr: int = 0, dlsr: int = 0
) -> rtp.RtcpReceiverInfo:
    return rtp.RtcpReceiverInfo(
        ssrc=ssrc, fraction_lost=fraction, packets_lost=lost, highest_sequence=highest, jitter=0, lsr=lsr, dlsr=dlsr
    )


def receiver_report(*blocks: rtp.RtcpReceiverInfo) -> bytes:
    return bytes(rtp.RtcpRrPacket(ssrc=1, reports=list(blocks)))


def feedback(kind: int, format_: int, media: int, control: bytes = b"") -> bytes:
    return struct.pack("!BBHII", 0x80 | format_, kind, 2 + len(control) // 4, 1, media) + control


def test_one_compound_packet_may_speak_of_many_streams_and_in_many_ways() -> None:
    data = b"".join(
        [
            receiver_report(block(7, fraction=64, lost=5, highest=70_000), block(8, lost=-3)),
            bytes(rtp.RtcpSdesPacket(chunks=[rtp.RtcpSourceInfo(ssrc=1, items=[(1, b"browser")])])),
            bytes(rtp.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=7, lost=[3, 4, 30])),
            bytes(rtp.RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=8)),
        ]
    )
    assert read(data, 0.0) == [
        (7, Reception(0.25, 5, 70_000, None)),
        (8, Reception(0.0, -3, 0, None)),
        (7, Nack([3, 4, 30])),
        (8, PictureLost()),
    ]


def test_the_round_trip_is_told_by_the_sender_report_that_came_back() -> None:
    sent, now = 1_800_000_000.0, 1_800_000_000.35
    middle = ntp_time(sent) >> 16 & 0xFFFFFFFF
    [(_, seen)] = read(receiver_report(block(7, lsr=middle, dlsr=int(0.25 * 65536))), now)
    assert isinstance(seen, Reception)
    assert seen.round_trip == pytest.approx(0.1, abs=0.001)
    [(_, seen)] = read(receiver_report(block(7, lsr=middle, dlsr=int(0.25 * 65536))), sent)
    assert isinstance(seen, Reception)
    assert seen.round_trip == 0.0, "a clock that was set back"


def test_blocks_may_stand_in_a_sender_report() -> None:
    data = bytes(
        rtp.RtcpSrPacket(
            ssrc=1,
            sender_info=rtp.RtcpSenderInfo(ntp_timestamp=1, rtp_timestamp=2, packet_count=3, octet_count=4),
            reports=[block(7, lost=9)],
        )
    )
    assert read(data, 0.0) == [(7, Reception(0.0, 9, 0, None))]
    assert read(sender_report(7, 1.0, 2, 3, 4), 0.0) == []


def test_a_nack_names_lost_packets_across_the_wrap() -> None:
    data = feedback(205, 1, 7, struct.pack("!HHHH", 0xFFFA, 0b1000_0000_0010_0001, 40, 0))
    assert read(data, 0.0) == [(7, Nack([0xFFFA, 0xFFFB, 0, 10, 40]))]
    draw = random.Random(5)
    for _ in range(200):
        lost = sorted(draw.sample(range(1000, 1200), draw.randrange(1, 60)))
        assert read(bytes(rtp.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=7, lost=lost)), 0.0) == [(7, Nack(lost))]


def test_a_nack_for_everything_is_cut_short() -> None:
    data = feedback(205, 1, 7, struct.pack("!HH", 1, 0xFFFF) * 300)
    named = [report.sequences for _, report in read(3 * data, 0.0) if isinstance(report, Nack)]
    assert [len(sequences) for sequences in named] == [MAX_NACKED, 0, 0], "however many packets one datagram holds"


def test_a_full_intra_request_names_its_streams_in_its_entries() -> None:
    assert read(feedback(206, 4, 0, struct.pack("!IIII", 7, 0, 8, 0)), 0.0) == [(7, PictureLost()), (8, PictureLost())]


def test_what_nobody_asks_for_is_passed_over() -> None:
    goodbye = struct.pack("!BBHI", 0x81, 203, 1, 1)
    remb = feedback(206, 15, 0, b"REMB" + struct.pack("!II", 0x01000000, 7))
    transport_cc = feedback(205, 15, 7, bytes(8))
    assert read(goodbye + remb + transport_cc + receiver_report(block(7)), 0.0) == [(7, Reception(0.0, 0, 0, None))]


@pytest.mark.parametrize(
    "data",
    [
        receiver_report()[:-1],
        receiver_report(block(7))[:-4],
        receiver_report() + b"\x80",
        b"\x40" + receiver_report()[1:],  # version 1
        struct.pack("!BBHI", 0x81, 201, 1, 1),  # says one block, has none
        struct.pack("!BBHI", 0x81, 200, 1, 1),
        struct.pack("!BBHI", 0x80, 201, 0xFFFF, 1),
        struct.pack("!BBHI", 0x81, 205, 1, 1),
        struct.pack("!BBHII", 0x81, 205, 2, 1, 7),
        struct.pack("!BBHI", 0x81, 206, 1, 1),
    ],
    ids=lambda data: data.hex(),
)
def test_what_is_no_rtcp_is_refused_whole(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"RTCP|report|NACK|PLI"):
        read(receiver_report(block(7)) + data, 0.0)
