"""Where a stream's packets go: one session's RTP packets, over its TCP connection or UDP ports, with sender reports."""

import asyncio
import secrets
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from camera_hub.simulator.rtsp.packets import Packet
from camera_hub.simulator.rtsp.reports import sender_report
from camera_hub.simulator.rtsp.sdp import PAYLOAD_TYPE

_TCP_BUFFER_LIMIT = 1 << 20
_REPORT_EVERY = 5.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is wrong with the way of one frame's packets."""

    drip: bool = False
    rate: float | None = None  # bit/s at most, over TCP
    stray: bytes = b""  # sent in front of the frame, over TCP
    new_ssrc: bool = False
    new_sequence: bool = False


class Outlet(Protocol):
    """The transport of a receiver."""

    def rtp(self, packets: Sequence[bytes], *, key: bool, conditions: Conditions) -> bool:
        """Send one frame's packets; False when they had to be dropped."""
        ...

    def rtcp(self, packet: bytes) -> None: ...
    def close(self) -> None: ...


class Receiver:
    """One playing session: headers, sequence numbers, sender reports."""

    def __init__(self, outlet: Outlet, payload_type: int = PAYLOAD_TYPE) -> None:
        self.outlet = outlet
        self._payload_type = payload_type
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(15)
        self._sent = 0
        self._octets = 0
        self._reported: float | None = None

    def deliver(
        self,
        packets: Sequence[Packet],
        timestamp: int,
        *,
        key: bool,
        conditions: Conditions,
        now: datetime,
        monotonic: float,
    ) -> bool:
        """Send one frame; False when it was dropped because the peer does not read fast enough."""
        if conditions.new_ssrc:
            self.ssrc = secrets.randbits(32)
        if conditions.new_sequence:
            self.sequence = 0
        frames = []
        for packet in packets:
            kind = self._payload_type if packet.foreign_type is None else packet.foreign_type
            if packet.lost:
                self.sequence = self.sequence + 1 & 0xFFFF
                continue
            first, second = 0xA0 if packet.padding else 0x80, 0x80 | kind if packet.last else kind
            head = struct.pack("!BBHII", first, second, self.sequence, timestamp, self.ssrc)
            whole = head + packet.payload
            frames.append(whole + _padding(packet.padding) if packet.padding else whole)
            self.sequence = self.sequence + 1 & 0xFFFF
            self._octets += len(packet.payload)
        self._sent += len(frames)
        if self._reported is None or monotonic - self._reported >= _REPORT_EVERY:
            self._reported = monotonic
            if not conditions.drip:
                self.outlet.rtcp(sender_report(self.ssrc, now, timestamp, self._sent, self._octets))
        return self.outlet.rtp(frames, key=key, conditions=conditions)


def _padding(size: int) -> bytes:
    """Zeros, and in the last byte their number, itself included (RFC 3550 section 5.1)."""
    return bytes(size - 1) + bytes([size])


class TcpOutlet:
    """Interleaved in the RTSP connection. A frame that would overflow the buffer is dropped, and those up to the next
    key frame.
    """

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        channel: int,
        monotonic: Callable[[], float],
        beside: "TcpOutlet | None" = None,
    ) -> None:
        """`beside`: another outlet of the connection, whose partly sent packets must not be interrupted."""
        self._beside = beside
        self._transport = writer.transport
        self._channel = channel
        self._monotonic = monotonic
        self._waiting_for_key = False
        self._drip = b""
        self._dripped_at = 0.0
        self._thin: deque[bytes] = deque()
        self._thin_size = 0
        self._thin_at = 0.0

    @property
    def dripping(self) -> bool:
        """Whether a packet is partly sent, or waits for a thin link."""
        return bool(self._drip or self._thin)

    def rtp(self, packets: Sequence[bytes], *, key: bool, conditions: Conditions) -> bool:
        drip, rate = conditions.drip, conditions.rate
        if self._transport.is_closing() or (self._beside is not None and self._beside.dripping):
            return False
        if self._drip or drip:
            return self._drip_out(packets, drip=drip)
        if self._transport.get_write_buffer_size() + self._thin_size > _TCP_BUFFER_LIMIT:
            self._waiting_for_key = True
        elif key:
            self._waiting_for_key = False
        if rate is None and not self._thin:
            if not self._waiting_for_key:
                self._transport.write(conditions.stray + self._interleaved(packets, self._channel))
            return not self._waiting_for_key
        if not self._waiting_for_key:
            if not self._thin:
                self._thin_at = self._monotonic()
            self._thin.extend(self._interleaved([packet], self._channel) for packet in packets)
            self._thin_size += sum(map(len, packets))
        self._pass_on(rate)
        return not self._waiting_for_key

    def _pass_on(self, rate: float | None) -> None:
        """Send what waits: all of it, or the whole packets that a thin link could have carried by now."""
        now = self._monotonic()
        passed = float("inf") if rate is None else (now - self._thin_at) * rate / 8
        while self._thin and len(self._thin[0]) <= passed:
            packet = self._thin.popleft()
            passed -= len(packet)
            self._thin_size -= len(packet) - 4
            self._transport.write(packet)
        if rate is not None:
            self._thin_at = now - passed * 8 / rate

    def _drip_out(self, packets: Sequence[bytes], *, drip: bool) -> bool:
        """One byte a second; a packet that was begun is finished when the fault ends, or the framing would break."""
        if not drip:
            self._transport.write(self._drip)
            self._drip = b""
            self._waiting_for_key = True
            return False
        taken = not self._drip
        if taken:
            self._drip = self._interleaved(packets, self._channel)
        if self._monotonic() - self._dripped_at >= 1:
            self._dripped_at = self._monotonic()
            self._transport.write(self._drip[:1])
            self._drip = self._drip[1:]
        return taken

    def rtcp(self, packet: bytes) -> None:
        if not self._transport.is_closing() and not self._drip:
            self._transport.write(self._interleaved([packet], self._channel + 1))

    def close(self) -> None:
        pass  # the connection belongs to the server

    @staticmethod
    def _interleaved(packets: Sequence[bytes], channel: int) -> bytes:
        return b"".join(struct.pack("!cBH", b"$", channel, len(packet)) + packet for packet in packets)


class UdpOutlet(asyncio.DatagramProtocol):
    """A pair of UDP ports of the device. Whatever arrives there keeps the session alive."""

    def __init__(self, address: str, peer: tuple[str, int], heard: Callable[[], None]) -> None:
        self._rtp_peer = peer
        self._rtcp_peer = (peer[0], peer[1] + 1)
        self._heard = heard
        self._rtp_socket, self._rtcp_socket = _port_pair(address)
        self._transport: asyncio.DatagramTransport | None = None
        self.ports = (self._rtp_socket.getsockname()[1], self._rtcp_socket.getsockname()[1])

    async def open(self) -> None:
        """Start to listen for reports."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._rtcp_socket)
        except BaseException:
            self.close()
            raise

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard()

    def rtp(self, packets: Sequence[bytes], *, key: bool, conditions: Conditions) -> bool:
        if conditions.drip:
            return False
        try:
            for packet in packets:
                self._rtp_socket.sendto(packet, self._rtp_peer)
        except OSError:
            return False  # the buffer is full, or the peer's port is closed: RTP is lost, as on a real network
        return True

    def rtcp(self, packet: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(packet, self._rtcp_peer)

    def close(self) -> None:
        self._rtp_socket.close()
        if self._transport is not None:
            self._transport.close()
        else:
            self._rtcp_socket.close()


def _port_pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets on adjacent ports, the first one even (RFC 3550, 11)."""
    for _ in range(64):
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.setblocking(False)
        second.setblocking(False)
        try:
            first.bind((address, 0))
            port = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((address, port + 1))
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise OSError("no pair of free UDP ports")
