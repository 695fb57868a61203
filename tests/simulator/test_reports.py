"""RTCP against parsers that are not ours."""

import struct
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket

from camera_hub.simulator.rtsp import reports
from camera_hub.simulator.rtsp.packets import Packet
from camera_hub.simulator.rtsp.receiver import Conditions, Receiver

NOW = datetime(2026, 11, 23, 8, 0, 0, 500_000, tzinfo=UTC)


def test_a_report_is_a_compound_that_a_strict_parser_reads() -> None:
    data = reports.sender_report(0xDEADBEEF, NOW, 123_456, (1 << 32) + 7, 8_000)
    report, described = RtcpPacket.parse(data)
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(described, RtcpSdesPacket)
    info = report.sender_info
    assert (report.ssrc, info.rtp_timestamp, info.packet_count, info.octet_count) == (0xDEADBEEF, 123_456, 7, 8_000)
    assert info.ntp_timestamp & 0xFFFFFFFF == 1 << 31
    assert (info.ntp_timestamp >> 32) - 2_208_988_800 == int(NOW.timestamp())
    assert [(chunk.ssrc, chunk.items) for chunk in described.chunks] == [(0xDEADBEEF, [(1, b"camera")])]
    assert bytes(report) + bytes(described) == data, "what another library writes for the same values"


@pytest.mark.parametrize("name", [b"c", b"ca", b"cam", b"came", b"camera-07"])
def test_a_chunk_of_any_length_ends_with_a_zero_and_a_whole_word(monkeypatch: pytest.MonkeyPatch, name: bytes) -> None:
    monkeypatch.setattr(reports, "CNAME", name)
    data = reports.sender_report(1, NOW, 2, 3, 4)
    described = data[28:]
    assert len(described) == 4 * (1 + struct.unpack("!H", described[2:4])[0])
    assert described[10 + len(name)] == 0
    (_, parsed) = RtcpPacket.parse(data)
    assert isinstance(parsed, RtcpSdesPacket)
    assert parsed.chunks[0].items == [(1, name)]


class Outlet:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.reports: list[bytes] = []

    def rtp(self, packets: object, *, key: bool, conditions: Conditions) -> bool:
        return True

    def rtcp(self, packet: bytes) -> None:
        self.reports.append(packet)

    def close(self) -> None:
        pass


def test_a_receiver_is_sent_one_every_five_seconds_each_readable() -> None:
    outlet = Outlet()
    receiver = Receiver(outlet)
    for number in range(200):
        receiver.deliver(
            (Packet(b"x" * 100, True),),
            number * 9000,
            key=False,
            conditions=Conditions(),
            now=NOW,
            monotonic=number / 10,
        )
    counted = []
    for data in outlet.reports:
        report, _ = RtcpPacket.parse(data)
        assert isinstance(report, RtcpSrPacket)
        assert report.ssrc == receiver.ssrc
        counted.append((report.sender_info.packet_count, report.sender_info.octet_count))
    assert len(counted) == 4
    assert all(later[0] - earlier[0] == 50 for earlier, later in pairwise(counted))
    assert all(octets == packets * 100 for packets, octets in counted)
