"""The far end of an SRTP session, as a judge: it opens every packet, and remembers what each number stood for.

Under one key, one SSRC and one packet index may protect one plaintext only (RFC 3711 9.1, RFC 7714 8.1): with AES-GCM
a second one gives both pictures and the authentication key away. libsrtp does not stop a sender that repeats itself.
"""

import struct
from dataclasses import dataclass, field
from itertools import pairwise

from pylibsrtp import Session

_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet in the clear. `index`: sequence unwrapped, 48 bits in SRTP's words."""

    ssrc: int
    index: int
    payload_type: int
    marker: bool
    timestamp: int
    payload: bytes


@dataclass
class Judge:
    """`take` raises AssertionError for what no sender may do. `packets`: all there was, by SSRC, in order."""

    session: Session
    packets: dict[int, list[Packet]] = field(default_factory=dict)
    _newest: dict[int, int] = field(default_factory=dict)
    _seen: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def take(self, protected: bytes) -> Packet:
        """Open one datagram."""
        first, second, sequence, _, ssrc = _HEADER.unpack_from(protected)
        newest = self._newest.get(ssrc)
        index = sequence
        if newest is not None:
            step = (sequence - newest) & 0xFFFF
            index = newest + (step if step < 0x8000 else step - 0x10000)
        before = self._seen.setdefault((ssrc, index), protected)
        assert before is protected, f"SSRC {ssrc:08x} used index {index} twice, for {_same(before, protected)} bytes"
        self._newest[ssrc] = max(index, newest if newest is not None else index)
        clear = self.session.unprotect(protected)
        assert first == 0x80
        packet = Packet(ssrc, index, second & 0x7F, second > 127, _HEADER.unpack_from(clear)[3], clear[12:])
        self.packets.setdefault(ssrc, []).append(packet)
        return packet

    def check_media(self, ssrc: int) -> None:
        """Numbers without a hole, times that grow from frame to frame, one marker at the end of each."""
        packets = self.packets.get(ssrc, [])
        assert [packet.index for packet in packets] == [packets[0].index + place for place in range(len(packets))]
        for before, after in pairwise(packets):
            step = (after.timestamp - before.timestamp) & 0xFFFFFFFF
            assert 0 < step < 1 << 31 or (step == 0 and not before.marker), (before, after)

    def check_resent(self, media: int, rtx: int) -> int:
        """Each packet of the RTX stream is, byte for byte, one that went out before (RFC 4588). How many there were."""
        sent: dict[int, list[Packet]] = {}
        for packet in self.packets.get(media, []):
            sent.setdefault(packet.index & 0xFFFF, []).append(packet)
        for packet in self.packets.get(rtx, []):
            original = int.from_bytes(packet.payload[:2], "big")
            assert any(
                (one.timestamp, one.marker, one.payload) == (packet.timestamp, packet.marker, packet.payload[2:])
                for one in sent.get(original, [])
            ), f"RTX of {original} holds what was never sent under that number"
        return len(self.packets.get(rtx, []))


def _same(one: bytes, other: bytes) -> str:
    return "the same" if one == other else "other"
