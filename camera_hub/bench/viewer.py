"""One light viewer: its own UDP socket, real ICE and DTLS, then datagrams are counted and discarded.

It has no GRO and requests no resends, so `lost` is what the server, or the kernel on the viewer's side, lost.
"""

import array
import secrets
import socket
import struct
from collections.abc import Callable, Iterator
from typing import cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80

from camera_hub.bench.check import Check, Checked
from camera_hub.bench.counting import Stream
from camera_hub.bench.ice import IceEnd
from camera_hub.bench.plan import Cipher
from camera_hub.bench.sdp import MEDIA, Local, read_answer, write_offer
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.libraries import send_srtp, set_dtls_role, srtp_sessions

_PROFILES = {"sha1_80": SRTP_AES128_CM_SHA1_80, "gcm": SRTP_AEAD_AES_128_GCM}
TAGS = {"sha1_80": 10, "gcm": 16}
"""Bytes that SRTP appends to a packet (RFC 3711, RFC 7714)."""

RECEIVE_BUFFER = 4 * 1024 * 1024
_SO_RCVBUFFORCE, _SO_MEMINFO, _DROPS = 33, 55, 8
_HEADER = struct.Struct("!BBHII")
_MARKED = MEDIA | 0x80
_MEDIA = frozenset({MEDIA, _MARKED})


class Viewer:
    """Created, offered, connected, then `drain`ed whenever its socket is readable."""

    def __init__(
        self,
        number: int,
        cipher: Cipher,
        certificate: RTCCertificate,
        clock: Clock,
        *,
        checked: bool,
        address: str = "127.0.0.1",
    ) -> None:
        self.number = number
        self.foreign = 0
        self._streams: dict[int, Stream] = {}
        self._check = Check() if checked else None
        self._certificate = certificate
        self._ssrc = secrets.randbits(32)
        self.socket = _socket(address)
        self._recv_into: Callable[[bytearray], int] = self.socket.recv_into
        self.ice = IceEnd(self.socket, clock)
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, self.ice), [certificate])
        set_dtls_role(self._dtls, "client", [_PROFILES[cipher]])

    def offer(self, tracks: int) -> str:
        """The SDP for the server."""
        fingerprint = next(one for one in self._certificate.getFingerprints() if one.algorithm == "sha-256")
        address, port = self.socket.getsockname()
        return write_offer(
            Local(self.ice.ufrag, self.ice.password, f"sha-256 {fingerprint.value}", address, port), tracks
        )

    async def connect(self, answer: str, deadline: float) -> None:
        """ICE, then DTLS; the socket must be drained meanwhile. Raises HubError when the answer or handshake fails."""
        remote = read_answer(answer)
        await self.ice.connect(remote, deadline)
        prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in remote.fingerprints]
        await self._dtls.start(RTCDtlsParameters(prints))
        if self._dtls.state != "connected":
            raise HubError(
                Kind.UNAVAILABLE, "the DTLS handshake failed; the server may not support the requested cipher"
            )

    def drain(self, buffer: bytearray) -> None:
        """Read all that waits in the socket. About 2 µs per packet: this loop carries the whole load."""
        receive, unpack, streams, check = self._recv_into, _HEADER.unpack_from, self._streams, self._check
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                return
            except ConnectionError:  # an ICMP error: the server has closed its port
                return
            if size < 12:
                self.foreign += 1
                continue
            first, second, sequence, _, ssrc = unpack(buffer)
            if second in _MEDIA:
                if first >> 6 != 2:
                    self._control(first, bytes(buffer[:size]))
                    continue
                stream = streams.get(ssrc)
                if stream is None:
                    stream = streams[ssrc] = Stream(sequence)
                if first != 0x80:
                    stream.overhead += _overhead(first, buffer)
                if sequence == stream.next:
                    stream.next = (sequence + 1) & 0xFFFF
                    stream.packets += 1
                    stream.bytes += size
                    if second == _MARKED:
                        stream.frames += 1
                else:
                    stream.out_of_order(sequence, size, second == _MARKED)
                if check is not None:
                    check.add(bytes(buffer[:size]))
            else:
                self._control(first, bytes(buffer[:size]))

    def _control(self, first: int, data: bytes) -> None:
        """STUN, DTLS, RTCP, or something unknown."""
        if first < 4:
            self.ice.received(data)
        elif 19 < first < 64:
            self.ice.datagram(data)
        elif not (first >> 6 == 2 and 192 <= data[1] <= 223):  # the server's reports need no answer
            self.foreign += 1

    def named_streams(self) -> Iterator[tuple[str, Stream]]:
        """Its streams, with names that are unique to this viewer."""
        return ((f"{self.number}/{ssrc:08x}", stream) for ssrc, stream in self._streams.items())

    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped because the socket was full (SO_MEMINFO)."""
        return array.array("I", self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))[_DROPS]

    async def report(self) -> None:
        """One receiver report over all streams (RFC 3550 6.4.2): no loss, no jitter; 31 blocks at most."""
        streams = list(self._streams.items())[:31]
        if not streams or self._dtls.state != "connected":
            return
        head = struct.pack("!BBHI", 0x80 | len(streams), 201, 1 + 6 * len(streams), self._ssrc)
        blocks = b"".join(
            struct.pack("!IIIIII", ssrc, 0, (stream.next - 1) & 0xFFFF, 0, 0, 0) for ssrc, stream in streams
        )
        await send_srtp(self._dtls, head + blocks)

    def checked(self) -> Checked | None:
        """The result of the spot check; None if this viewer has none. Call once, at the end."""
        if self._check is None or srtp_sessions(self._dtls)[1] is None:
            return None
        return self._check.result(srtp_sessions(self._dtls)[1])

    async def close(self) -> None:
        """End DTLS and close the socket."""
        await self._dtls.stop()
        self.ice.close()
        self.socket.close()


def _overhead(first: int, buffer: bytearray) -> int:
    """Bytes of CSRCs and header extension. The length of padding is encrypted, so padding counts as payload."""
    size = (first & 0x0F) * 4
    if first & 0x10:
        size += 4 + 4 * int.from_bytes(buffer[12 + size + 2 : 12 + size + 4], "big")
    return size


def _socket(address: str) -> socket.socket:
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setblocking(False)
    try:
        own.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    own.bind((address, 0))
    return own
