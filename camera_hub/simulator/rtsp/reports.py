"""The RTCP packets that a camera sends (RFC 3550)."""

import struct
from datetime import UTC, datetime

CNAME = b"camera"
_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_SENDER_REPORT, _SOURCE_DESCRIPTION = 200, 202
_CNAME_ITEM = 1


def sender_report(ssrc: int, now: datetime, timestamp: int, packets: int, octets: int) -> bytes:
    """A compound packet: sender report (6.4.1) and canonical name (6.5). `timestamp`: RTP time of `now`."""
    ntp = round((now - _NTP_EPOCH).total_seconds() * (1 << 32)) & (1 << 64) - 1
    counts = struct.pack("!II", packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    report = struct.pack("!IQI", ssrc, ntp, timestamp) + counts
    return _packet(0, _SENDER_REPORT, report) + _packet(1, _SOURCE_DESCRIPTION, _chunk(ssrc))


def _chunk(ssrc: int) -> bytes:
    """Items end with at least one zero byte, and with as many as fill the last word."""
    chunk = struct.pack("!IBB", ssrc, _CNAME_ITEM, len(CNAME)) + CNAME
    return chunk + bytes(4 - len(chunk) % 4)


def _packet(count: int, kind: int, body: bytes) -> bytes:
    """The length field counts 32-bit words without the first one, which is the body's number of words."""
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
