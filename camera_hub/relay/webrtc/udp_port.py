"""The relay's one UDP socket: every browser's STUN, DTLS and SRTP pass here, and everything else is dropped.

The filter is applied before any library: one empty datagram closes a stock aiortc peer, and aioice passes on whatever
arrives.
"""

import asyncio
import hmac
import socket
import struct
from collections import Counter
from types import TracebackType
from typing import Protocol, Self

from aioice import stun

from camera_hub.errors import HubError, Kind
from camera_hub.relay.fanout.interface import Address, Control, ReturnRoute

IP_PKTINFO = 8
_SOURCE_V4 = struct.Struct("=I4s4s")  # in_pktinfo: interface, source on sending, destination
_SOURCE_V6 = struct.Struct("=16sI")  # in6_pktinfo: address, interface

MAX_DATAGRAM = 1500
READS_PER_TURN = 64
BUFFER = 4 * 1024 * 1024


class PortPeer(Protocol):
    """What the port needs of a peer: its ICE credentials, and where its datagrams go."""

    ufrag: str
    password: str
    remote_ufrag: str

    def on_check(self, route: ReturnRoute, nominated: bool, transaction: bytes) -> str | None:
        """A binding request of this peer, with valid integrity, came by this route. Returns why it is dropped (see
        `counts`), None when it is accepted."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it has sent a check lately, so that its addresses are still its own."""
        ...

    def on_datagram(self, data: bytes) -> str | None:
        """A DTLS or SRTP datagram from a checked address. Returns why it was dropped, if it was (see `counts`)."""
        ...


class UdpPort:
    """The socket, which peer is behind which address, and how many datagrams were dropped why (`counts`)."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self.socket = _bound(host, port)
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"UDP port {port} on {host} cannot be used: {error.strerror}; choose another udp_port"
            ) from error
        self.ipv6 = self.socket.family == socket.AF_INET6
        self.number: int = self.socket.getsockname()[1]
        self.counts: Counter[str] = Counter()
        self._by_ufrag: dict[str, PortPeer] = {}
        self._by_address: dict[Address, PortPeer] = {}
        self._writable: asyncio.Event = asyncio.Event()
        self._writable.set()

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.socket.fileno())
        loop.remove_writer(self.socket.fileno())
        self.socket.close()

    def add(self, peer: PortPeer) -> None:
        self._by_ufrag[peer.ufrag] = peer

    def remove(self, peer: PortPeer) -> None:
        """Forget the peer and its addresses."""
        self._by_ufrag.pop(peer.ufrag, None)
        for address in [known for known, owner in self._by_address.items() if owner is peer]:
            del self._by_address[address]

    def send(self, data: bytes, route: ReturnRoute) -> None:
        """Send one control datagram (STUN, DTLS, RTCP). A full socket drops it, counted: all three are repeated."""
        try:
            self.socket.sendmsg((data,), route.control, 0, route.address)
        except BlockingIOError:
            self.counts["control_blocked"] += 1
        except OSError:
            self.counts["send_failed"] += 1

    def full(self) -> None:
        """A sender met EAGAIN: `writable` waits until the socket accepts more."""
        if self._writable.is_set():
            self._writable.clear()
            asyncio.get_running_loop().add_writer(self.socket.fileno(), self._on_writable)
        self.counts["blocked"] += 1

    async def writable(self) -> None:
        await self._writable.wait()

    def _on_writable(self) -> None:
        asyncio.get_running_loop().remove_writer(self.socket.fileno())
        self._writable.set()

    def _read(self) -> None:
        for _ in range(READS_PER_TURN):
            try:
                data, control, _, address = self.socket.recvmsg(MAX_DATAGRAM + 1, 128)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of some earlier send
                self.counts["receive_failed"] += 1
                continue
            self._classify(data, address, control)

    def _classify(self, data: bytes, address: Address, control: Control) -> None:
        if not data or len(data) > MAX_DATAGRAM:
            self.counts["bad_size"] += 1
            return
        first = data[0]
        if first < 4:
            self._stun(data, ReturnRoute(address, [entry for entry in map(_source, control) if entry is not None]))
        elif 19 < first < 64 or (127 < first < 192 and len(data) >= 12):
            peer = self._by_address.get(address)
            if peer is None:
                self.counts["unknown_source"] += 1
            elif (dropped := peer.on_datagram(data)) is not None:
                self.counts[dropped] += 1
        else:
            self.counts["bad_first_byte"] += 1

    def _stun(self, data: bytes, route: ReturnRoute) -> None:
        try:
            message = stun.parse_message(data)
        except (ValueError, IndexError, struct.error):
            self.counts["bad_stun"] += 1
            return
        if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
            self.counts["foreign_stun"] += 1
            return
        ours, _, theirs = str(message.attributes.get("USERNAME", "")).partition(":")
        peer = self._by_ufrag.get(ours)
        if peer is None or not hmac.compare_digest(theirs.encode(), peer.remote_ufrag.encode()):
            self.counts["unknown_user"] += 1
            return
        if not message.check_message_integrity(peer.password.encode()):
            self.counts["bad_integrity"] += 1
            return
        address = route.address
        owner = self._by_address.get(address)
        if owner is not None and owner is not peer and owner.alive:
            self.counts["address_taken"] += 1  # one viewer's credentials must not divert another one's datagrams
            return
        refused = peer.on_check(route, "USE-CANDIDATE" in message.attributes, message.transaction_id)
        if refused is not None:
            self.counts[refused] += 1
            return
        self._by_address[address] = peer
        answer = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
        )
        answer.attributes["XOR-MAPPED-ADDRESS"] = (address[0].removeprefix("::ffff:").partition("%")[0], address[1])
        answer.add_message_integrity(peer.password.encode())
        self.send(bytes(answer), route)


def _source(entry: tuple[int, int, bytes]) -> tuple[int, int, bytes] | None:
    """Received packet information as ancillary data for sending: the same address, any interface."""
    level, kind, data = entry
    if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and len(data) == _SOURCE_V6.size:
        address, interface = _SOURCE_V6.unpack(data)
        link_local = address[0] == 0xFE and address[1] & 0xC0 == 0x80
        return level, kind, _SOURCE_V6.pack(address, interface if link_local else 0)
    if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO) and len(data) == _SOURCE_V4.size:
        _, local, _ = _SOURCE_V4.unpack(data)
        return level, kind, _SOURCE_V4.pack(0, local, bytes(4))
    return None


def _bound(host: str, port: int) -> socket.socket:
    """A bound UDP socket; `::` accepts IPv4 too, and means all of IPv4 where the machine has no IPv6."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if family == socket.AF_INET6 and host == "::" and not _has_ipv6():
        family, host = socket.AF_INET, "0.0.0.0"
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        made.bind((host, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
