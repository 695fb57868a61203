"""The plain fallback: each packet is encrypted by pylibsrtp's public call and sent by a call of its own.

No ctypes, no private pointer, no sendmmsg, no GSO: two to three times the CPU of batch_fanout.py, and nothing that an
update of a library or kernel could break.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from camera_hub.relay.fanout.interface import RoutedPeer, SenderFigures, SendSocket
from camera_hub.relay.ingest.frame import PacketRun

MAX_PAYLOAD = 1300
"""Session.protect takes packets of 1,356 bytes at most; a retransmission has two more than the payload."""
_HEADER = struct.Struct("!BBHII")
_HEADER_SIZE = 12


class PlainFanout:
    """Implements Fanout."""

    name = "plain"
    gso = False

    def __init__(self, socket: SendSocket) -> None:
        self._socket = socket
        self._batches = PlainBatchSender()

    def peer_sender(self, peer: RoutedPeer, session: Session, on_stall: Callable[[], None]) -> "PlainPeerSender":
        return PlainPeerSender(self._socket, peer, session, on_stall, self._batches)


class PlainPeerSender:
    """Implements PeerSender."""

    def __init__(
        self,
        socket: SendSocket,
        peer: RoutedPeer,
        session: Session,
        on_stall: Callable[[], None],
        batches: "PlainBatchSender",
    ) -> None:
        self.figures = SenderFigures()
        self._socket = socket
        self._peer = peer
        self._session = session
        self._on_stall = on_stall
        self._batches = batches
        self._held: list[bytes] = []
        self._trailer: int | None = None  # what this cipher adds to each packet

    @property
    def blocked(self) -> bool:
        return bool(self._held)

    def flush(self) -> bool:
        held, self._held = self._held, []
        self.figures.sends += self._transmit(held)
        return not self._held

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        packets = self._protect(payload_type, ssrc, sequence, timestamp, run)
        size = sum(map(len, packets))
        self.figures.packets += len(packets)
        self.figures.bytes += size
        self.figures.sends += self._transmit(packets)
        return size

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        return self.send(payload_type, ssrc, sequence, timestamp, PacketRun((payload,), 0, marker))

    def send_rtcp(self, packet: bytes) -> None:
        route = self._peer.route
        assert route is not None
        self._socket.send(self._session.protect_rtcp(packet), route)

    def batch_stream(self, payload_type: int, ssrc: int, lag: int, base: int) -> "PlainBatchStream | None":
        if self._held or self._trailer is None or self._peer.route is None:
            return None
        return PlainBatchStream(self._batches, self, payload_type, ssrc, lag, base)

    def route_changed(self) -> None:
        """Nothing: each packet asks for the route."""

    def send_in_batch(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> None:
        """As `send`, but the packets are counted later, by `count_sent`: here only what went wrong is taken back."""
        count = len(run.payloads)
        packets = self._protect(payload_type, ssrc, sequence, timestamp, run)
        if not packets:
            size = sum(map(len, run.payloads)) + count * (_HEADER_SIZE + (self._trailer or 0))
            self.figures.packets -= count
            self.figures.bytes -= size
        self.figures.sends += self._transmit(packets) - count

    def count_sent(self, packets: int, payload_bytes: int) -> int:
        """Count what batches have sent. Bytes with headers and trailers."""
        size = payload_bytes + packets * (_HEADER_SIZE + (self._trailer or 0))
        self.figures.packets += packets
        self.figures.bytes += size
        self.figures.sends += packets
        return size

    def _protect(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> list[bytes]:
        """All packets of the run, or none when libsrtp refuses one."""
        last = len(run.payloads) - 1
        packets = []
        try:
            for place, payload in enumerate(run.payloads):
                marker = 0x80 if run.ends_frame and place == last else 0
                header = _HEADER.pack(0x80, marker | payload_type, (sequence + place) & 0xFFFF, timestamp, ssrc)
                packets.append(self._session.protect(header + payload))
        except (SrtpError, ValueError):
            self.figures.failed += len(run.payloads)
            return []
        self._trailer = len(packets[0]) - _HEADER_SIZE - len(run.payloads[0])
        return packets

    def _transmit(self, packets: list[bytes]) -> int:
        """Send, or keep what the socket does not accept. How many were sent."""
        if self._held:
            self._held += packets
            return 0
        route = self._peer.route
        assert route is not None
        sent = 0
        for place, packet in enumerate(packets):
            try:
                self._socket.socket.sendmsg((packet,), route.control, 0, route.address)
            except BlockingIOError:
                self._held = packets[place:]
                self.figures.blocked += 1
                self._socket.full()
                self._on_stall()
                break
            except OSError:
                self.figures.failed += 1
            else:
                sent += 1
        return sent


@dataclass(frozen=True, slots=True)
class PlainBatchStream:
    """Implements BatchStream."""

    sender: "PlainBatchSender"
    peer: PlainPeerSender
    payload_type: int
    ssrc: int
    lag: int
    base: int

    def count_sent(self, packets: int, payload_bytes: int, runs: int) -> int:
        return self.peer.count_sent(packets, payload_bytes)


class PlainBatchSender:
    """Implements BatchSender: one stream after the other."""

    def fits(self, run: PacketRun) -> bool:
        return True

    def form_batch(self, streams: Sequence[PlainBatchStream]) -> tuple[PlainBatchStream, ...]:
        return tuple(streams)

    def send(self, run: PacketRun, batch: tuple[PlainBatchStream, ...], index: int, timestamp: int) -> None:
        for stream in batch:
            sequence, rtp_time = (index - stream.lag) & 0xFFFF, (timestamp + stream.base) & 0xFFFFFFFF
            stream.peer.send_in_batch(stream.payload_type, stream.ssrc, sequence, rtp_time, run)

    def finish_frame(self) -> None:
        """Nothing: each packet has left."""
