"""RTCP from browsers: what their reports mean for a track."""

from dataclasses import dataclass

from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
)

from camera_hub.relay.reports import ntp_time

MAX_NACKED = 1000
"""Packets that are looked up for one report. It may name 6,000, and be sent again at once: 7 MB for 1,500 bytes."""


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


def read(packet: object, ssrc: int, unix_time: float) -> Nack | PictureLost | Reception | None:
    """What a parsed packet says about this SSRC; None when nothing."""
    if isinstance(packet, RtcpRtpfbPacket):
        return Nack(packet.lost[:MAX_NACKED]) if packet.fmt == RTCP_RTPFB_NACK and packet.media_ssrc == ssrc else None
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
