"""Packets of one peer on their way out: header written, encrypted in place, one send for a run of equal ones.

The work per packet is one struct.pack_into, one copy and one call into libsrtp; the kernel is called once per run.
"""

import errno
import struct
from dataclasses import dataclass
from typing import Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from camera_hub.relay.webrtc.gso import segment
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.port import Port

_HEADER = struct.Struct("!BBHII")
_BUFFER = 1 << 17
_GSO_REFUSED = frozenset({errno.EMSGSIZE, errno.EIO, errno.EINVAL, errno.EOPNOTSUPP})
TRAILER = 144
"""Bytes that libsrtp may append at most (SRTP_MAX_TRAILER_LEN)."""


@dataclass(slots=True)
class OutletFigures:
    """Counters of one peer."""

    packets: int = 0
    bytes: int = 0
    sends: int = 0
    blocked: int = 0
    failed: int = 0
    gso_refused: int = 0


class SrtpOutlet:
    """Implements track.Outlet over a finished DTLS handshake. Sends to wherever the peer's ICE points now."""

    def __init__(self, port: Port, ice: IcePeer, session: Session, *, gso: bool) -> None:
        self.figures = OutletFigures()
        self._port = port
        self._ice = ice
        self._session = session
        self._srtp = session._srtp[0]
        self._gso = gso
        self._raw: Any = ffi.new("unsigned char[]", _BUFFER)
        self._buffer = ffi.buffer(self._raw)
        self._view = memoryview(self._buffer)
        self._length: Any = ffi.new("int *")
        self._held: list[tuple[bytes, int]] = []

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

    def send(
        self,
        payload_type: int,
        ssrc: int,
        sequence: int,
        timestamp: int,
        payloads: tuple[bytes, ...],
        start: int,
        end: int,
    ) -> int:
        buffer, view, length, raw, srtp = self._buffer, self._view, self._length, self._raw, self._srtp
        pack, protect = _HEADER.pack_into, lib.srtp_protect
        last = len(payloads) - 1
        at = width = 0
        for index in range(start, end):
            payload = payloads[index]
            marked = payload_type | 0x80 if index == last else payload_type
            pack(view, at, 0x80, marked, sequence, timestamp, ssrc)
            size = 12 + len(payload)
            buffer[at + 12 : at + size] = payload
            length[0] = size
            sequence = (sequence + 1) & 0xFFFF
            if protect(srtp, raw + at, length):
                self.figures.failed += 1
                continue
            at += length[0]
            width = width or length[0]
        figures = self.figures
        figures.packets += end - start
        figures.bytes += at
        if at:
            self._out(view[:at], width)
        return int(at)

    def send_rtx(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        _HEADER.pack_into(self._view, 0, 0x80, payload_type | 0x80 * marker, sequence, timestamp, ssrc)
        size = 12 + len(payload)
        self._buffer[12:size] = payload
        self._length[0] = size
        if lib.srtp_protect(self._srtp, self._raw, self._length):
            self.figures.failed += 1
            return 0
        size = int(self._length[0])
        self.figures.packets += 1
        self.figures.bytes += size
        self._out(self._view[:size], size)
        return size

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound RTCP packet; dropped, counted, when the socket is full."""
        assert self._ice.way is not None
        self._port.send(self._session.protect_rtcp(packet), self._ice.way)

    def _out(self, data: memoryview, width: int) -> None:
        """Hand a run of datagrams of `width` bytes to the socket; what it does not take is held, encrypted."""
        socket, way, total = self._port.socket, self._ice.way, len(data)
        assert way is not None
        try:
            if total <= width:
                socket.sendmsg((data,), way.control, 0, way.address)
                self.figures.sends += 1
                return
            if self._gso:
                socket.sendmsg((data,), [segment(width), *way.control], 0, way.address)
                self.figures.sends += 1
                return
        except BlockingIOError:
            self._hold(data, width)
            return
        except OSError as error:
            if total <= width or error.errno not in _GSO_REFUSED:
                self.figures.failed += 1
                return
            self._gso = False
            self.figures.gso_refused += 1
        self._plain(data, width)

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
