"""Sender reports with hub time, for whoever is sent to: browsers and players of RTSP out. Pure (RFC 3550)."""

import struct

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""


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
