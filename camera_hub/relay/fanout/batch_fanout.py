"""Sending in batches: packets are laid out and encrypted in shared buffers, and a run of equal ones is one system call.

This is what makes a relay cheap (see the figures in batch.py, sendmmsg.py and run_writer.py), and the riskiest code of
it. plain.py does the same without.
"""

import errno
import struct
from collections.abc import Callable
from typing import Any

from pylibsrtp import Session

from camera_hub.relay.fanout.batch import BatchSender, BatchStream
from camera_hub.relay.fanout.gso import segment
from camera_hub.relay.fanout.interface import ReturnRoute, RoutedPeer, SenderFigures, SendSocket
from camera_hub.relay.fanout.run_writer import VERSION, RunWriter
from camera_hub.relay.fanout.send_queue import PATIENCE, SendQueue
from camera_hub.relay.fanout.sendmmsg import Destination, SendMany
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.libraries import ffi, lib, srtp_pointer

_HEADER = struct.Struct("!BBHII")
_GSO_REFUSED = frozenset({errno.EMSGSIZE, errno.EIO, errno.EINVAL, errno.EOPNOTSUPP})
MAX_PACKET = 2048
"""Bytes of one packet with its trailer (libsrtp's is 144 at most)."""


class BatchFanout:
    """Implements Fanout. Buffers are shared by all peers; `at_turn_end`, `patience`: see SendQueue."""

    name = "batch"

    def __init__(
        self,
        socket: SendSocket,
        send_many: SendMany,
        at_turn_end: Callable[[Callable[[], None]], object],
        *,
        gso: bool,
        patience: int = PATIENCE,
    ) -> None:
        self.gso = gso
        self.queue = SendQueue(send_many, at_turn_end, patience=patience)
        self._socket = socket
        self._send_many = send_many
        self._writers: dict[int, RunWriter] = {}
        self._batch_senders: dict[int, BatchSender] = {}

    def peer_sender(self, peer: RoutedPeer, session: Session, on_stall: Callable[[], None]) -> "BatchPeerSender":
        return BatchPeerSender(self, self._socket, peer, session, on_stall)

    def writer(self, trailer: int) -> RunWriter:
        """What writes and encrypts runs, for a cipher that adds `trailer` bytes."""
        found = self._writers.get(trailer)
        if found is None:
            found = self._writers[trailer] = RunWriter(trailer, self.queue)
        return found

    def batch_sender(self, trailer: int) -> BatchSender:
        """What sends runs to many peers whose cipher adds `trailer` bytes."""
        found = self._batch_senders.get(trailer)
        if found is None:
            found = self._batch_senders[trailer] = BatchSender(self.writer(trailer), self.queue, self._send_many)
        return found


class BatchPeerSender:
    """Implements PeerSender. Sends to wherever the peer's ICE points now."""

    def __init__(
        self,
        fanout: BatchFanout,
        socket: SendSocket,
        peer: RoutedPeer,
        session: Session,
        on_stall: Callable[[], None],
    ) -> None:
        self.figures = SenderFigures()
        self._fanout = fanout
        self._socket = socket
        self._peer = peer
        self._session = session
        self._on_stall = on_stall
        self._srtp = srtp_pointer(session)
        self._gso = fanout.gso
        self._raw: Any = ffi.new("unsigned char[]", MAX_PACKET)
        self._view = memoryview(ffi.buffer(self._raw))
        self._length: Any = ffi.new("int *")
        self._writer: RunWriter | None = None  # its trailer is that of the first packet
        self._held: list[tuple[bytes, int]] = []
        self._destination: Destination | None = None

    @property
    def blocked(self) -> bool:
        return bool(self._held)

    def flush(self) -> bool:
        held, self._held = self._held, []
        while held:
            data, width = held.pop(0)
            self._transmit(memoryview(data), width)
            if self._held:
                self._held.extend(held)
                return False
        return True

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        writer, queue, figures, route = self._writer, self._fanout.queue, self.figures, self._peer.route
        assert route is not None
        if writer is None or not writer.fits(run):
            return self._one_by_one(payload_type, ssrc, sequence, timestamp, run)
        queue.flush()  # may hold earlier packets of this stream
        total = writer.write(
            writer.image(run), run, self._srtp, VERSION | payload_type << 16, ssrc, sequence, timestamp
        )
        if not total:
            figures.failed += len(run.payloads)
            return 0
        figures.packets += len(run.payloads)
        figures.bytes += total
        if self._held:
            self._held.append((bytes(queue.view[:total]), writer.width(run)))
        elif self._gso:
            figures.sends += 1
            queue.push(self, self._destination or self._settle_destination(route), total, writer.width(run))
            queue.flush()
        else:
            self._transmit_each(queue.view[:total], writer.width(run))
        return total

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        _HEADER.pack_into(self._view, 0, 0x80, payload_type | 0x80 * marker, sequence, timestamp, ssrc)
        size = 12 + len(payload)
        self._view[12:size] = payload
        self._length[0] = size
        if lib.srtp_protect(self._srtp, self._raw, self._length):
            self.figures.failed += 1
            return 0
        total = int(self._length[0])
        if self._writer is None:
            self._writer = self._fanout.writer(total - size)
        self.figures.packets += 1
        self.figures.bytes += total
        self._transmit(self._view[:total], total)
        return total

    def batch_stream(self, payload_type: int, ssrc: int, lag: int, base: int) -> BatchStream | None:
        writer, route = self._writer, self._peer.route
        if not self._gso or self._held or writer is None or route is None:
            return None
        destination = self._destination or self._settle_destination(route)
        sender = self._fanout.batch_sender(writer.trailer)
        return BatchStream(sender, self, self._srtp, destination, payload_type, ssrc, lag, base)

    def _settle_destination(self, route: ReturnRoute) -> Destination:
        self._destination = destination = Destination(route.address, route.control)
        return destination

    def route_changed(self) -> None:
        """Tracks leave their batches, and join again with the new destination."""
        if self._destination is not None:
            self._destination = None
            self._on_stall()

    def count(self, packets: int, size: int, sends: int) -> None:
        """A batch has sent so much to this peer, or taken it back."""
        self.figures.packets += packets
        self.figures.bytes += size
        self.figures.sends += sends

    def protect_failed(self, count: int, size: int) -> None:
        """A batch could not encrypt so many packets, which were counted as sent."""
        self.count(-count, -size, -1)
        self.figures.failed += count

    def _one_by_one(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        """Send a run packet by packet: the first one, which shows how long this cipher's trailer is."""
        last = len(run.payloads) - 1
        return sum(
            self.send_one(
                payload_type, ssrc, (sequence + index) & 0xFFFF, timestamp, run.ends_frame and index == last, payload
            )
            for index, payload in enumerate(run.payloads)
        )

    def send_rtcp(self, packet: bytes) -> None:
        route = self._peer.route
        assert route is not None
        self._socket.send(self._session.protect_rtcp(packet), route)

    def send_refused(self, error: OSError, data: memoryview, width: int) -> None:
        """The socket did not accept a run: it is held, or its packets are sent one by one from now on."""
        if isinstance(error, BlockingIOError):
            self._hold(data, width)
        elif len(data) > width and error.errno in _GSO_REFUSED:
            self._gso = False
            self.figures.gso_refused += 1
            self._on_stall()
            self._transmit_each(data, width)
        else:
            self.figures.failed += 1

    def _transmit(self, data: memoryview, width: int) -> None:
        """Send a run of datagrams of `width` bytes; what the socket does not accept is held, encrypted."""
        if len(data) <= width or not self._gso:
            self._transmit_each(data, width)
            return
        route = self._peer.route
        assert route is not None
        try:
            self._socket.socket.sendmsg((data,), (segment(width), *route.control), 0, route.address)
            self.figures.sends += 1
        except OSError as error:
            self.send_refused(error, data, width)

    def _transmit_each(self, data: memoryview, width: int) -> None:
        route = self._peer.route
        assert route is not None
        for at in range(0, len(data), width):
            try:
                self._socket.socket.sendmsg((data[at : at + width],), route.control, 0, route.address)
                self.figures.sends += 1
            except BlockingIOError:
                self._hold(data[at:], width)
                return
            except OSError:
                self.figures.failed += 1

    def _hold(self, data: memoryview, width: int) -> None:
        self._held.append((bytes(data), width))
        self.figures.blocked += 1
        self._socket.full()
        self._on_stall()
