"""The last step before the network, over a socket whose kernel says no: nothing lost, nothing encrypted twice."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import rtp
from pylibsrtp import Policy, Session

from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.fanout.sendmmsg import many_works
from camera_hub.relay.fanout.srtp_batch import SrtpBatch
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.webrtc.ice import IcePeer
from camera_hub.relay.webrtc.srtp_sender import SrtpSender
from camera_hub.relay.webrtc.udp_port import ReturnRoute, UdpPort

KEY = bytes(range(28))
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def session(direction: int) -> Session:
    return Session(Policy(key=KEY, ssrc_type=direction, srtp_profile=PROFILE))


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[tuple[Any, socket.socket]]:
    """A Unix datagram socket in the place of UDP: it is full after some datagrams (EAGAIN)."""
    far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    far.bind(str(tmp_path / "far"))
    far.setblocking(False)
    near = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with far, near:
        yield SimpleNamespace(socket=near, full=lambda: None, press=SrtpBatch, path=str(tmp_path / "far")), far


def received(far: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(far.recv(2048))
        except BlockingIOError:
            return found


async def test_what_the_socket_does_not_take_is_held_encrypted_and_sent_later(
    narrow: tuple[Any, socket.socket],
) -> None:
    port, far = narrow
    ice: Any = SimpleNamespace(way=ReturnRoute(port.path, []))
    outlet = SrtpSender(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=False)
    payloads = tuple(bytes([index]) * 400 for index in range(40))
    sequence, came = 0, []
    while not outlet.blocked:
        outlet.send(96, 7, sequence, 1000, PacketRun(payloads, 0, True))
        sequence += 40
    assert outlet.figures.blocked >= 1
    while outlet.blocked:
        came += received(far)
        outlet.flush()
    came += received(far)
    inbound = session(Policy.SSRC_ANY_INBOUND)
    packets = [rtp.RtpPacket.parse(inbound.unprotect(data)) for data in came]
    assert [packet.sequence_number for packet in packets] == list(range(sequence))
    assert [packet.payload for packet in packets[:40]] == list(payloads)
    assert [packet.marker for packet in packets[:40]] == [0] * 39 + [1]
    assert outlet.figures.failed == 0


async def test_a_frame_leaves_in_one_call_where_gso_works() -> None:
    if not gso_works():
        pytest.skip("this kernel has no UDP segmentation offload")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(way=ReturnRoute(far.getsockname(), []))
            outlet = SrtpSender(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=True)
            payloads = (*(bytes([index]) * 1000 for index in range(20)), b"short")
            outlet.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            outlet.send(96, 7, 100, 1000, PacketRun(payloads, 0, True))
            assert outlet.figures.sends == 2
            assert outlet.figures.packets == 22
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
            ice: Any = SimpleNamespace(way=ReturnRoute(far.getsockname(), []))
            outlet = SrtpSender(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=True)
            outlet.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            payloads = (bytes(1900),) * 40  # more bytes than any kernel takes
            outlet.send(96, 7, 0, 1000, PacketRun(payloads, 0, True))
            outlet.send(96, 7, 40, 1000, PacketRun(payloads[:2], 0, True))
            figures = outlet.figures
            assert (figures.gso_refused, figures.sends, figures.failed) == (1, 43, 0)


@pytest.mark.parametrize("profile", [PROFILE, Policy.SRTP_PROFILE_AES128_CM_SHA1_80])
@pytest.mark.parametrize("sequence", [5, 0xFFFD])
async def test_a_run_is_the_same_packets_as_one_by_one(profile: int, sequence: int) -> None:
    """The press writes what the plain road writes: headers, marker, wrap of the sequence, every byte."""
    key = KEY if profile == PROFILE else bytes(range(30))

    def made(direction: int) -> Session:
        return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        loop = asyncio.get_running_loop()
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(way=ReturnRoute(far.getsockname(), []))
            run = PacketRun((b"one" * 30, b"two" * 30, b"six" * 30, b"end"), 0, True)
            came: list[list[bytes]] = []
            for runs in (2, 0):  # the first run of an outlet goes one by one
                outlet = SrtpSender(port, ice, made(Policy.SSRC_ANY_OUTBOUND), gso=gso_works())
                if runs == 2:
                    outlet.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
                    await loop.sock_recv(far, 2048)
                outlet.send(96, 7, sequence, 1 << 31, run)
                came.append([await loop.sock_recv(far, 2048) for _ in run.payloads])
            assert came[0] == came[1]
            inbound = made(Policy.SSRC_ANY_INBOUND)
            packets = [rtp.RtpPacket.parse(inbound.unprotect(data)) for data in came[0]]
            assert [packet.sequence_number for packet in packets] == [(sequence + n) & 0xFFFF for n in range(4)]
            assert [packet.marker for packet in packets] == [0, 0, 0, 1]
            assert {(packet.payload_type, packet.ssrc, packet.timestamp) for packet in packets} == {(96, 7, 1 << 31)}
            assert tuple(packet.payload for packet in packets) == run.payloads


async def test_nothing_leaves_in_the_clear_when_libsrtp_refuses() -> None:
    """libsrtp refuses a packet behind its replay window; the run that holds it is not sent at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.setblocking(False)
        async with UdpPort("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(way=ReturnRoute(far.getsockname(), []))
            outlet = SrtpSender(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=gso_works())
            run = PacketRun((b"one" * 30, b"two" * 30), 0, True)
            outlet.send(96, 7, 30_000, 0, run)
            assert outlet.send(96, 7, 10_000, 0, run) == 0
            assert outlet.figures.failed == 2
            loop = asyncio.get_running_loop()
            assert len([await loop.sock_recv(far, 2048) for _ in range(2)]) == 2
            with pytest.raises(BlockingIOError):
                far.recv(2048)


async def test_a_peer_that_moves_falls_out_of_step_and_is_aimed_at_anew() -> None:
    if not (gso_works() and many_works()):
        pytest.skip("this kernel has no sendmmsg or no GSO")
    async with UdpPort("127.0.0.1", 0) as port:
        ice = IcePeer(port, "theirs", lambda: 1.0)
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
            assert ice.checked(ends[before], True, b"one") is None
            outlet = SrtpSender(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=True)
            outlet.stalled = lambda: fallen.append(None)
            assert outlet.leg(96, 7, 0, 0) is None, "what the cipher adds is not known yet"
            outlet.send_one(97, 8, 1, 0, False, b"the first packet tells the trailer of the cipher")
            run = PacketRun((b"a" * 300, b"b" * 300), 0, True)
            for end, transaction in ((before, b"two"), (after, b"three")):
                assert ice.checked(ends[end], True, transaction) is None
                leg = outlet.leg(96, 7, 0, 0)
                assert leg is not None
                leg.broadcast.send(run, leg.broadcast.form([leg]), 10 + len(transaction), 0)
            assert len(fallen) == 1
            assert [len(received(end)) for end in (before, after)] == [3, 2]
