"""RTP over UDP, from cameras that refuse TCP and to players that ask for it: a pair of ports that hears one address."""

import asyncio
import socket
from collections.abc import Callable

from camera_hub.errors import HubError, Kind, Reason

TRIES = 32
BUFFER = 2 * 1024 * 1024


class _DatagramReceiver(asyncio.DatagramProtocol):
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
        self, ear: _DatagramReceiver, media: asyncio.DatagramTransport, control: asyncio.DatagramTransport, port: int
    ) -> None:
        self._ear = ear
        self._media = media
        self._control = control
        self.port = port
        self._remote: tuple[str, int] | None = None
        self._player: tuple[str, int] | None = None

    def reach(self, address: str, media: int, control: int) -> None:
        """The camera named its ports; a packet to each opens the way through a firewall."""
        self._remote = (address, control)
        self._media.sendto(b"\x80\x00\x00\x00" + bytes(8), (address, media))

    def aim(self, address: str, media: int, control: int) -> None:
        """A player named its ports: `send` and `report` go there."""
        self._player, self._remote = (address, media), (address, control)

    def send(self, packet: bytes) -> bool:
        """Send one RTP packet to the player; False when the socket takes no more just now: it is dropped."""
        if self._player is None or not self._ear.writable:
            return False
        self._media.sendto(packet, self._player)
        return True

    def report(self, packet: bytes) -> None:
        """Send RTCP."""
        if self._remote is not None:
            self._control.sendto(packet, self._remote)

    def close(self) -> None:
        self._media.close()
        self._control.close()


async def open_pair(
    address: str,
    on_media: Callable[[bytes], None],
    on_control: Callable[[bytes], None] = lambda _: None,
    *,
    host: str = "",
) -> UdpPair:
    """Bind a free pair of ports, of `host` where it is given. Raises HubError(UNAVAILABLE) when there is none."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    host = host or ("::" if family == socket.AF_INET6 else "0.0.0.0")
    for _ in range(TRIES):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port = int(first.getsockname()[1])
            if port % 2:
                raise OSError
            second.bind((host, port + 1))
        except OSError:
            first.close()
            second.close()
            continue
        first.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        media, ear = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(address, on_media), sock=first)
        control, _ = await loop.create_datagram_endpoint(lambda: _DatagramReceiver(address, on_control), sock=second)
        return UdpPair(ear, media, control, port)
    raise HubError(Kind.UNAVAILABLE, "no free pair of UDP ports", reason=Reason.NO_MEDIA)
