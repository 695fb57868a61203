"""RTCP towards and from browsers: sender reports with hub time, and what the browser's reports mean for a track."""

import struct
from dataclasses import dataclass

from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
)

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The browser misses these packets (16-bit sequences)."""

    sequences: list[int]


@dataclass(frozen=True, slots=True)
class PictureLost:
    """The browser cannot decode on (PLI or FIR)."""


@dataclass(frozen=True, slots=True)
class Reception:
    """A report block: share lost since the last, packets lost in all, highest sequence number (with its rounds), the
    round trip in seconds if it can be told."""

    fraction_lost: float
    lost: int
    highest: int
    round_trip: float | None


def sender_report(ssrc: int, unix_time: float, rtp_time: int, packets: int, octets: int, name: bytes = b"hub") -> bytes:
    """SR with the hub's wall clock, and SDES with the CNAME, as one compound packet (RFC 3550)."""
    ntp = ntp_time(unix_time)
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, rtp_time, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\x00"
    chunk += bytes(-len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def ntp_time(unix_time: float) -> int:
    """64-bit NTP time."""
    return int((unix_time + NTP_EPOCH) * (1 << 32))


def read(packet: object, ssrc: int, unix_time: float) -> Nack | PictureLost | Reception | None:
    """What a parsed packet says about this SSRC; None when nothing."""
    if isinstance(packet, RtcpRtpfbPacket):
        return Nack(packet.lost) if packet.fmt == RTCP_RTPFB_NACK and packet.media_ssrc == ssrc else None
    if isinstance(packet, RtcpPsfbPacket):
        return PictureLost() if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR) else None
    if isinstance(packet, RtcpRrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc:
                round_trip = None
                if report.lsr:
                    middle = ntp_time(unix_time) >> 16 & 0xFFFFFFFF
                    round_trip = ((middle - report.lsr - report.dlsr) & 0xFFFFFFFF) / 65536
                    round_trip = round_trip if round_trip < 60 else 0.0
                return Reception(report.fraction_lost / 256, report.packets_lost, report.highest_sequence, round_trip)
    return None
