"""RTCP receiver reports to a camera: packets received and lost of its stream. Pure (RFC 3550 section 6.4.2)."""

import struct

from camera_hub.relay.ingest.rtp import RtpPacket, Unwrapper

_RECEIVER_REPORT = 201


class ReceiverStats:
    """Reception of one RTP stream. A new SSRC starts the counts again."""

    def __init__(self) -> None:
        self._unwrap = Unwrapper(16)
        self._first: int | None = None
        self._highest = 0
        self._received = 0
        self._ssrc = 0
        self._reported = (0, 0)  # expected and lost at the last report

    def restart(self) -> None:
        """The numbering begins anew with the next packet."""
        self._first = None
        self._unwrap = Unwrapper(16)

    def count(self, packet: RtpPacket) -> None:
        """Count one packet, in order of arrival."""
        number = self._unwrap(packet.sequence)
        if self._first is None or packet.ssrc != self._ssrc:
            self._first, self._highest, self._received, self._ssrc = number, number, 0, packet.ssrc
            self._reported = (0, 0)
        self._highest = max(self._highest, number)
        self._received += 1

    def count_in_order(self, packets: int) -> None:
        """Count so many packets, each of which continued the sequence of the one before it under the same SSRC."""
        self._highest = max(self._highest, self._unwrap.advance(packets))
        self._received += packets

    @property
    def lost(self) -> int:
        """Packets that never arrived."""
        return 0 if self._first is None else max(0, self._highest - self._first + 1 - self._received)

    def receiver_report(self, own_ssrc: int = 1) -> bytes | None:
        """One RTCP RR packet with one report block; None before the first RTP packet.

        Jitter, LSR and DLSR are 0: no camera is known to use them.
        """
        if self._first is None:
            return None
        expected, lost = self._highest - self._first + 1, self.lost
        before_expected, before_lost = self._reported
        self._reported = (expected, lost)
        fraction = 0
        if expected > before_expected:
            fraction = min(255, max(0, (lost - before_lost) * 256 // (expected - before_expected)))
        return struct.pack(
            "!BBHIIIIIII",
            0x81,
            _RECEIVER_REPORT,
            7,
            own_ssrc,
            self._ssrc,
            fraction << 24 | min(lost, 0x7FFFFF),
            self._highest & 0xFFFFFFFF,
            0,
            0,
            0,
        )
