"""Packets of one peer on their way out: made up and encrypted in the press, one send for a run of equal ones."""

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from camera_hub.relay.fanout.batch import BatchLeg
from camera_hub.relay.fanout.gso import segment
from camera_hub.relay.fanout.sendmmsg import Destination
from camera_hub.relay.fanout.srtp_batch import SrtpBatch
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.udp_port import UdpPort

_HEADER = struct.Struct("!BBHII")
_GSO_REFUSED = frozenset({errno.EMSGSIZE, errno.EIO, errno.EINVAL, errno.EOPNOTSUPP})
MAX_PACKET = 2048
"""Bytes of one packet with its trailer (libsrtp's is 144 at most)."""


@dataclass(slots=True)
class SenderFigures:
    """Counters of one peer."""

    packets: int = 0
    bytes: int = 0
    sends: int = 0
    blocked: int = 0
    failed: int = 0
    gso_refused: int = 0


def _nobody() -> None:
    """Nobody wants to know."""


class SrtpSender:
    """Implements track.Outlet over a finished DTLS handshake. Sends to wherever the peer's ICE points now."""

    def __init__(self, port: UdpPort, ice: IcePeer, session: Session, *, gso: bool) -> None:
        self.figures = SenderFigures()
        self._port = port
        self._ice = ice
        self._session = session
        self._srtp = session._srtp[0]
        self._gso = gso
        self._raw: Any = ffi.new("unsigned char[]", MAX_PACKET)
        self._view = memoryview(ffi.buffer(self._raw))
        self._length: Any = ffi.new("int *")
        self._press: SrtpBatch | None = None  # its trailer is that of the first packet
        self._held: list[tuple[bytes, int]] = []
        self._aim: Destination | None = None
        self.stalled: Callable[[], None] = _nobody
        """Called when the socket is full or takes no more runs: no track of this peer is in step any more."""

    @property
    def blocked(self) -> bool:
        return bool(self._held)

    def flush(self) -> bool:
        """Send what the socket did not take. False when it still does not."""
        held, self._held = self._held, []
        while held:
            data, width = held.pop(0)
            self._out(memoryview(data), width)
            if self._held:
                self._held.extend(held)
                return False
        return True

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        press, figures = self._press, self.figures
        if press is None:
            return self._one_by_one(payload_type, ssrc, sequence, timestamp, run)
        cut = press.cut(run)
        if not press.protect(self._srtp, cut, payload_type, ssrc, sequence, timestamp):
            figures.failed += cut.count
            return 0
        total = cut.total
        figures.packets += cut.count
        figures.bytes += total
        data = press.view[:total]
        if self._gso:
            # The usual case, here rather than in _out: one call less for each frame and track.
            way = self._ice.way
            assert way is not None
            try:
                self._port.socket.sendmsg((data,), (cut.segment, *way.control), 0, way.address)
            except OSError as error:
                self.refused(error, data, cut.width)
            else:
                figures.sends += 1
        else:
            self._plain(data, cut.width)
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
        if self._press is None:
            self._press = self._port.press(total - size)
        self.figures.packets += 1
        self.figures.bytes += total
        self._out(self._view[:total], total)
        return total

    def leg(self, payload_type: int, ssrc: int, lag: int, base: int) -> BatchLeg | None:
        press, way = self._press, self._ice.way
        if not self._gso or self._held or press is None or way is None:
            return None
        broadcast = self._port.broadcast(press.trailer)
        if broadcast is None:
            return None
        if self._aim is None:
            self._aim = Destination(way.address, way.control)
            self._ice.moved = self._moved
        return BatchLeg(broadcast, self, self._srtp, self._aim, payload_type, ssrc, lag, base)

    def _moved(self) -> None:
        """The peer is elsewhere: whoever is in step falls out, and in again with the new aim."""
        self._aim = None
        self.stalled()

    def count(self, packets: int, size: int, sends: int) -> None:
        """A broadcast has sent so much to this peer."""
        self.figures.packets += packets
        self.figures.bytes += size
        self.figures.sends += sends

    def spoiled(self, count: int, size: int) -> None:
        """A broadcast could not encrypt so many packets, which count as sent."""
        self.count(-count, -size, -1)
        self.figures.failed += count

    def _one_by_one(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        """Send a run packet by packet: the first one, which tells how long this cipher's trailer is."""
        last = len(run.payloads) - 1
        return sum(
            self.send_one(
                payload_type, ssrc, (sequence + index) & 0xFFFF, timestamp, run.ends_frame and index == last, payload
            )
            for index, payload in enumerate(run.payloads)
        )

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound RTCP packet; dropped, counted, when the socket is full."""
        assert self._ice.way is not None
        self._port.send(self._session.protect_rtcp(packet), self._ice.way)

    def refused(self, error: OSError, data: memoryview, width: int) -> None:
        """The socket did not take a run: it is held, or its packets go one by one from now on."""
        if isinstance(error, BlockingIOError):
            self._hold(data, width)
        elif len(data) > width and error.errno in _GSO_REFUSED:
            self._gso = False
            self.figures.gso_refused += 1
            self.stalled()
            self._plain(data, width)
        else:
            self.figures.failed += 1

    def _out(self, data: memoryview, width: int) -> None:
        """Hand a run of datagrams of `width` bytes to the socket; what it does not take is held, encrypted."""
        if len(data) <= width or not self._gso:
            self._plain(data, width)
            return
        way = self._ice.way
        assert way is not None
        try:
            self._port.socket.sendmsg((data,), (segment(width), *way.control), 0, way.address)
            self.figures.sends += 1
        except OSError as error:
            self.refused(error, data, width)

    def _plain(self, data: memoryview, width: int) -> None:
        way = self._ice.way
        assert way is not None
        for at in range(0, len(data), width):
            try:
                self._port.socket.sendmsg((data[at : at + width],), way.control, 0, way.address)
                self.figures.sends += 1
            except BlockingIOError:
                self._hold(data[at:], width)
                return
            except OSError:
                self.figures.failed += 1

    def _hold(self, data: memoryview, width: int) -> None:
        self._held.append((bytes(data), width))
        self.figures.blocked += 1
        self._port.full()
        self.stalled()
