"""The last step before the network, over a socket whose kernel says no: nothing lost, nothing encrypted twice."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import rtp
from pylibsrtp import Policy, Session

from camera_hub.relay.fanout.batch_fanout import BatchFanout
from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.fanout.interface import Address, Control, PeerSender, ReturnRoute
from camera_hub.relay.fanout.plain import PlainFanout
from camera_hub.relay.fanout.sendmmsg import send_many
from camera_hub.relay.fanout.sendmmsg_probe import many_works
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.udp_port import UdpPort

KEY = bytes(range(28))
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def session(direction: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=direction, srtp_profile=PROFILE))


class UnixSender:
    """A Unix datagram socket in the place of UDP: whatever the address is, `path` gets it."""

    def __init__(self, near: socket.socket, path: str) -> None:
        self._near = near
        self._path = path

    def sendmsg(self, buffers: Any, ancillary: Any, flags: int, _: Address) -> int:
        return self._near.sendmsg(buffers, ancillary, flags, self._path)

    def fileno(self) -> int:
        return self._near.fileno()


@dataclass
class NarrowSocket:
    """A Unix datagram socket as a UDP socket: whatever the address, all goes to `path`."""

    near: socket.socket
    path: str

    def fileno(self) -> int:
        return self.near.fileno()

    def sendmsg(self, buffers: tuple[memoryview, ...], control: Control, flags: int, address: Address) -> int:
        return self.near.sendmsg(buffers, control, flags, self.path)


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[tuple[Any, socket.socket]]:
    """A Unix datagram socket in the place of UDP: it is full after some datagrams (EAGAIN)."""
    far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    far.bind(str(tmp_path / "far"))
    far.setblocking(False)
    near = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with far, near:
        yield SimpleNamespace(socket=UnixSender(near, str(tmp_path / "far")), full=lambda: None), far


KINDS = ["no gso", "plain", "batch"]


def sender(
    kind: str, port: Any, peer: Any, keys: Session | None = None, on_stall: Callable[[], None] = lambda: None
) -> PeerSender:
    """One peer's, of each implementation."""
    keys = keys or session(Policy.SSRC_ANY_OUTBOUND)
    if kind == "plain":
        return PlainFanout(port).peer_sender(peer, keys, on_stall)
    many = send_many(port.socket)
    if many is None or (kind == "batch" and not (gso_works() and many_works())):
        pytest.skip("this kernel has no sendmmsg or no GSO")
    made = BatchFanout(port, many, lambda call: asyncio.get_running_loop().call_soon(call), gso=kind == "batch")
    return made.peer_sender(peer, keys, on_stall)


def received(far: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(far.recv(2048))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("kind", ["no gso", "plain"])
async def test_what_the_socket_does_not_accept_is_held_encrypted_and_sent_later(
    narrow: tuple[Any, socket.socket], kind: str
) -> None:
    port, far = narrow
    ice: Any = SimpleNamespace(route=ReturnRoute(("192.0.2.1", 9), []))
    made = sender(kind, port, ice)
    payloads = tuple(bytes([index]) * 400 for index in range(40))
    sequence, came = 0, []
    while not made.blocked:
        made.send(96, 7, sequence, 1000, PacketRun(payloads, 0, True))
        sequence += 40
    assert made.figures.blocked >= 1
    while made.blocked:
        came += received(far)
        made.flush()
    came += received(far)
    inbound = session(Policy.SSRC_ANY_INBOUND)
    packets = [rtp.RtpPacket.parse(inbound.unprotect(data)) for data in came]
    assert [packet.sequence_number for packet in packets] == list(range(sequence))
    assert [packet.payload for packet in packets[:40]] == list(payloads)
    assert [packet.marker for packet in packets[:40]] == [0] * 39 + [1]
    assert made.figures.failed == 0


async def test_a_frame_leaves_in_one_call_where_gso_works() -> None:
    if not gso_works():
        pytest.skip("this kernel has no UDP segmentation offload")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(route=ReturnRoute(far.getsockname(), []))
            made = sender("batch", port, ice)
            payloads = (*(bytes([index]) * 1000 for index in range(20)), b"short")
            made.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            made.send(96, 7, 100, 1000, PacketRun(payloads, 0, True))
            assert made.figures.sends == 2
            assert made.figures.packets == 22
            inbound = session(Policy.SSRC_ANY_INBOUND)
            loop = asyncio.get_running_loop()
            far.setblocking(False)
            inbound.unprotect(await loop.sock_recv(far, 2048))
            came = [rtp.RtpPacket.parse(inbound.unprotect(await loop.sock_recv(far, 2048))) for _ in payloads]
            assert [packet.payload for packet in came] == list(payloads)
            assert [packet.sequence_number for packet in came] == list(range(100, 121))


async def test_a_kernel_that_refuses_a_run_gets_its_packets_one_by_one_from_then_on() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(route=ReturnRoute(far.getsockname(), []))
            made = sender("batch", port, ice)
            made.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            payloads = (bytes(1900),) * 40  # more bytes than any kernel takes
            made.send(96, 7, 0, 1000, PacketRun(payloads, 0, True))
            made.send(96, 7, 40, 1000, PacketRun(payloads[:2], 0, True))
            figures = made.figures
            assert (figures.gso_refused, figures.sends, figures.failed) == (1, 43, 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_sent_in_the_clear_when_libsrtp_refuses(kind: str) -> None:
    """libsrtp refuses a packet behind its replay window; the run that holds it is not sent at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(route=ReturnRoute(far.getsockname(), []))
            made = sender(kind, port, ice)
            run = PacketRun((b"one" * 30, b"two" * 30), 0, True)
            made.send(96, 7, 30_000, 0, run)
            assert made.send(96, 7, 10_000, 0, run) == 0
            assert made.figures.failed == 2
            loop = asyncio.get_running_loop()
            assert len([await loop.sock_recv(far, 2048) for _ in range(2)]) == 2
            with pytest.raises(BlockingIOError):
                far.recv(2048)


async def test_a_peer_that_moves_leaves_its_batches_and_gets_the_next_one_at_its_new_address() -> None:
    if not (gso_works() and many_works()):
        pytest.skip("this kernel has no sendmmsg or no GSO")
    async with UdpPort("127.0.0.1", 0) as port:
        senders: list[PeerSender] = []
        ice = IcePeer(port, "theirs", lambda: 1.0, lambda: senders[0].route_changed() if senders else None)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as before,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as after,
        ):
            fallen: list[None] = []
            ends = {}
            for end in (before, after):
                end.bind(("127.0.0.1", 0))
                end.setblocking(False)
                ends[end] = ReturnRoute(end.getsockname(), [])
            assert ice.on_check(ends[before], True, b"one") is None
            made = sender("batch", port, ice, on_stall=lambda: fallen.append(None))
            senders.append(made)
            assert made.batch_stream(96, 7, 0, 0) is None, "what the cipher adds is not known yet"
            made.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            run = PacketRun((b"a" * 300, b"b" * 300), 0, True)
            for end, transaction in ((before, b"two"), (after, b"three")):
                assert ice.on_check(ends[end], True, transaction) is None
                stream = made.batch_stream(96, 7, 0, 0)
                assert stream is not None
                stream.sender.send(run, stream.sender.form_batch([stream]), 10 + len(transaction), 0)
                stream.sender.finish_frame()
            assert len(fallen) == 1
            await asyncio.sleep(0)  # the turn ends
            assert [len(received(end)) for end in (before, after)] == [3, 2]
