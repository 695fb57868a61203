"""RTCP sender reports with the hub's time, to browsers and to players of RTSP out. Pure (RFC 3550 section 6.4.1)."""

import struct

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 (NTP) to 1970 (Unix)."""


def sender_report(ssrc: int, unix_time: float, rtp_time: int, packets: int, octets: int, name: bytes = b"hub") -> bytes:
    """One compound packet: SR, and SDES with the CNAME `name`.

    `unix_time`: the hub's wall clock in seconds, and `rtp_time` the RTP timestamp (32 bit) of the same moment.
    `packets`, `octets`: sent so far (wrapped to 32 bit here).
    """
    ntp = ntp_time(unix_time)
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, rtp_time, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\x00"
    chunk += bytes(-len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


def ntp_time(unix_time: float) -> int:
    """Unix time in seconds as a 64-bit NTP timestamp (RFC 3550 section 4)."""
    return int((unix_time + NTP_EPOCH) * (1 << 32))
