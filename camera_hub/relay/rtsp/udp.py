"""RTP over UDP, from cameras that refuse TCP and to players that ask for it: a pair of ports, bound to one peer."""

import asyncio
import socket
from collections.abc import Callable

from camera_hub.errors import HubError, Kind, Reason

MAX_TRIES = 32
"""Attempts to find an even port whose odd neighbour is free, too."""
RECEIVE_BUFFER = 2 * 1024 * 1024


class _DatagramReceiver(asyncio.DatagramProtocol):
    """Passes on datagrams of one address; others are counted in `foreign` and dropped."""

    def __init__(self, address: str, on_datagram: Callable[[bytes], None]) -> None:
        self._address = address
        self._on_datagram = on_datagram
        self.foreign = 0
        self.writable = True

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0].partition("%")[0] != self._address:
            self.foreign += 1
            return
        self._on_datagram(data)


class UdpPair:
    """RTP on an even port, RTCP on the odd one after it (RFC 3550 section 11)."""

    def __init__(
        self, receiver: _DatagramReceiver, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport, port: int
    ) -> None:
        self._receiver = receiver
        self._rtp = rtp
        self._rtcp = rtcp
        self.port = port
        self._rtp_peer: tuple[str, int] | None = None
        self._rtcp_peer: tuple[str, int] | None = None

    def receive_from(self, address: str, rtp_port: int, rtcp_port: int) -> None:
        """The camera's ports: an empty RTP packet opens a firewall for what it sends, RTCP goes to the other one."""
        self._rtcp_peer = (address, rtcp_port)
        self._rtp.sendto(b"\x80\x00\x00\x00" + bytes(8), (address, rtp_port))

    def send_to(self, address: str, rtp_port: int, rtcp_port: int) -> None:
        """A player's ports, for `send_rtp` and `send_rtcp`."""
        self._rtp_peer, self._rtcp_peer = (address, rtp_port), (address, rtcp_port)

    def send_rtp(self, packet: bytes) -> bool:
        """Send one RTP packet; False: the socket buffer is full, and the packet was dropped."""
        if self._rtp_peer is None or not self._receiver.writable:
            return False
        self._rtp.sendto(packet, self._rtp_peer)
        return True

    def send_rtcp(self, packet: bytes) -> None:
        """Send one RTCP packet; nothing before the peer's ports are known."""
        if self._rtcp_peer is not None:
            self._rtcp.sendto(packet, self._rtcp_peer)

    def close(self) -> None:
        """Close both sockets."""
        self._rtp.close()
        self._rtcp.close()


async def open_udp_pair(
    address: str,
    on_rtp: Callable[[bytes], None],
    on_rtcp: Callable[[bytes], None] = lambda _: None,
    *,
    host: str = "",
) -> UdpPair:
    """Bind a free pair of ports, on `host` where it is given, for datagrams from `address`.

    Raises HubError(UNAVAILABLE, BUSY) when there is none: the hub's own shortage, not the camera's.
    """
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    host = host or ("::" if family == socket.AF_INET6 else "0.0.0.0")
    for _ in range(MAX_TRIES):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port = int(first.getsockname()[1])
            if port % 2:
                raise OSError
            second.bind((host, port + 1))
            first.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        except OSError:
            first.close()
            second.close()
            continue
        try:
            rtp, receiver = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(address, on_rtp), sock=first)
        except BaseException:
            second.close()
            raise
        try:
            rtcp, _ = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(address, on_rtcp), sock=second)
        except BaseException:
            rtp.close()
            raise
        return UdpPair(receiver, rtp, rtcp, port)
    raise HubError(
        Kind.UNAVAILABLE,
        "no free pair of UDP ports for RTP; raise the hub's limit of open files, or set the transport to TCP",
        reason=Reason.BUSY,
    )
