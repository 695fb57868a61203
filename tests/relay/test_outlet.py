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

from camera_hub.relay.webrtc.gso import gso_works
from camera_hub.relay.webrtc.outlet import SrtpOutlet
from camera_hub.relay.webrtc.port import Port, Way

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
        yield SimpleNamespace(socket=near, full=lambda: None, path=str(tmp_path / "far")), far


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
    ice: Any = SimpleNamespace(way=Way(port.path, []))
    outlet = SrtpOutlet(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=False)
    payloads = tuple(bytes([index]) * 400 for index in range(40))
    sequence, came = 0, []
    while not outlet.blocked:
        outlet.send(96, 7, sequence, 1000, payloads, 0, 40)
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
        async with Port("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(way=Way(far.getsockname(), []))
            outlet = SrtpOutlet(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=True)
            payloads = (*(bytes([index]) * 1000 for index in range(20)), b"short")
            outlet.send(96, 7, 100, 1000, payloads, 0, 21)
            assert outlet.figures.sends == 1
            assert outlet.figures.packets == 21
            inbound = session(Policy.SSRC_ANY_INBOUND)
            loop = asyncio.get_running_loop()
            far.setblocking(False)
            came = [rtp.RtpPacket.parse(inbound.unprotect(await loop.sock_recv(far, 2048))) for _ in payloads]
            assert [packet.payload for packet in came] == list(payloads)
            assert [packet.sequence_number for packet in came] == list(range(100, 121))


async def test_a_kernel_that_refuses_a_run_gets_its_packets_one_by_one_from_then_on() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        async with Port("127.0.0.1", 0) as port:
            ice: Any = SimpleNamespace(way=Way(far.getsockname(), []))
            outlet = SrtpOutlet(port, ice, session(Policy.SSRC_ANY_OUTBOUND), gso=True)
            payloads = (b"tiny",) * 600  # more segments than any kernel takes
            outlet.send(96, 7, 0, 1000, payloads, 0, 600)
            outlet.send(96, 7, 600, 1000, payloads, 0, 2)
            figures = outlet.figures
            assert (figures.gso_refused, figures.sends, figures.failed) == (1, 602, 0)
