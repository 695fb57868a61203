"""RTCP from browsers (RFC 3550, 4585, 5104): which reports a compound packet carries, and about which stream.

Parsed here rather than by aiortc: a peer reports every second or more often about each of its tracks, and a relay with
hundreds of them would spend more on unused objects than on the reports.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from camera_hub.relay.sender_report import ntp_time

SENDER_REPORT, RECEIVER_REPORT, TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 205, 206
NACK, PLI, FIR = 1, 1, 4
MAX_NACKED = 1000
"""Packets that one datagram may request. Else 1,500 bytes could request 6,000 packets, 7 MB of retransmissions."""
MAX_ROUND_TRIP = 60.0
"""Seconds; a longer one means that a clock was set."""

_HEADER = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IIIIII")
_WORD = struct.Struct("!I")
_LOST = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Nack:
    """The browser misses these packets (16-bit sequence numbers)."""

    sequences: list[int]


@dataclass(frozen=True, slots=True)
class PictureLost:
    """The browser cannot go on decoding (PLI or FIR)."""


@dataclass(frozen=True, slots=True)
class Reception:
    """A report block: share lost since the last one, packets lost in total, highest sequence number (with its cycles),
    round trip in seconds if it is known."""

    fraction_lost: float
    lost: int
    highest: int
    round_trip: float | None


Report = Nack | PictureLost | Reception


def read(data: bytes, unix_time: float) -> list[tuple[int, Report]]:
    """The reports of a compound packet: (SSRC that it is about, report). Other packet types are skipped.

    Raises ValueError when it is not valid RTCP; then nothing of it counts.
    """
    found: list[tuple[int, Report]] = []
    at, end, nacked = 0, len(data), 0
    while at < end:
        if end - at < 4:
            raise ValueError("RTCP ends within a header")
        first, kind, words = _HEADER.unpack_from(data, at)
        stop = at + 4 * words + 4
        if first >> 6 != 2 or stop > end:
            raise ValueError("RTCP has a wrong version or length")
        if kind == RECEIVER_REPORT:
            found += _blocks(data, at + 8, stop, first & 31, unix_time)
        elif kind == SENDER_REPORT:
            found += _blocks(data, at + 28, stop, first & 31, unix_time)
        elif kind == TRANSPORT_FEEDBACK and first & 31 == NACK:
            if stop < at + 16:
                raise ValueError("a NACK names no packet")
            sequences = _sequences(data, at + 12, stop, MAX_NACKED - nacked)
            nacked += len(sequences)
            found.append((_WORD.unpack_from(data, at + 8)[0], Nack(sequences)))
        elif kind == PAYLOAD_FEEDBACK and first & 31 == PLI:
            if stop < at + 12:
                raise ValueError("a PLI names no stream")
            found.append((_WORD.unpack_from(data, at + 8)[0], PictureLost()))
        elif kind == PAYLOAD_FEEDBACK and first & 31 == FIR:  # each entry names a stream, the header none
            found += [(_WORD.unpack_from(data, place)[0], PictureLost()) for place in range(at + 12, stop - 7, 8)]
        at = stop
    return found


def _blocks(data: bytes, at: int, stop: int, count: int, unix_time: float) -> Iterator[tuple[int, Report]]:
    if at + count * _BLOCK.size > stop:
        raise ValueError("a report has fewer blocks than it says")
    for place in range(at, at + count * _BLOCK.size, _BLOCK.size):
        ssrc, losses, highest, _, report_before, since = _BLOCK.unpack_from(data, place)
        lost = losses & 0xFFFFFF
        if lost & 0x800000:
            lost -= 1 << 24
        round_trip = None
        if report_before:
            middle = ntp_time(unix_time) >> 16 & 0xFFFFFFFF
            round_trip = ((middle - report_before - since) & 0xFFFFFFFF) / 65536
            round_trip = round_trip if round_trip < MAX_ROUND_TRIP else 0.0
        yield ssrc, Reception((losses >> 24) / 256, lost, highest, round_trip)


def _sequences(data: bytes, at: int, stop: int, most: int) -> list[int]:
    """The packets that a NACK requests, `most` at most: each entry is one, and up to 16 after it."""
    found: list[int] = []
    for place in range(at, stop - 3, 4):
        sequence, mask = _LOST.unpack_from(data, place)
        found.append(sequence)
        found += [sequence + 1 + bit & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(found) >= most:
            return found[:most]
    return found
