"""Both implementations of Fanout: the same bytes on the wire, the same counters, and which one a relay uses."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import rtp
from pylibsrtp import Policy, Session

from camera_hub.relay import libraries
from camera_hub.relay.fanout import sender_choice as selection
from camera_hub.relay.fanout.batch_fanout import BatchFanout
from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.fanout.interface import Fanout, PeerSender, ReturnRoute
from camera_hub.relay.fanout.plain import MAX_PAYLOAD, PlainFanout
from camera_hub.relay.fanout.sender_choice import ENVIRONMENT, make_fanout, plain_reason
from camera_hub.relay.fanout.sendmmsg import send_many
from camera_hub.relay.fanout.sendmmsg_probe import many_works
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.webrtc.udp_port import UdpPort
from tests.relay.hub import relay

GCM, SHA1 = Policy.SRTP_PROFILE_AEAD_AES_128_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80
KEYS = {GCM: bytes(range(28)), SHA1: bytes(range(30))}
PEERS = 3


def session(profile: int, direction: int) -> Session:
    return Session(Policy(key=KEYS[profile], ssrc_type=direction, srtp_profile=profile))


def fanout(kind: str, port: UdpPort) -> Fanout:
    if kind == "plain":
        return PlainFanout(port)
    many = send_many(port.socket)
    if many is None or (kind == "batch" and not (gso_works() and many_works())):
        pytest.skip("this kernel has no sendmmsg or no GSO")
    return BatchFanout(port, many, lambda call: asyncio.get_running_loop().call_soon(call), gso=kind == "batch")


async def wire(kind: str, profile: int, sequence: int) -> tuple[list[list[bytes]], list[tuple[int, int, int]]]:
    """What three peers receive of a retransmission, two runs of their own and two runs in a batch; packets, bytes and
    failures of each."""
    loop = asyncio.get_running_loop()
    alone = PacketRun((b"one" * 300, b"two" * 300, b"six" * 300, b"end"), 0, True)
    together = [PacketRun((b"a" * 900, b"b" * 900, b"c" * 30), 0, False), PacketRun((b"last" * 20,), 3, True)]
    async with UdpPort("127.0.0.1", 0) as port:
        made = fanout(kind, port)
        ends, senders = [], list[PeerSender]()
        for _ in range(PEERS):
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
            ends.append(end)
            peer: Any = SimpleNamespace(route=ReturnRoute(end.getsockname(), []))
            senders.append(made.peer_sender(peer, session(profile, Policy.SSRC_ANY_OUTBOUND), lambda: None))
        for number, sender in enumerate(senders):
            sender.send_one(103, 77, 5, 1 << 31, True, b"\0\1retransmitted")
            sender.send(102, 7 + number, sequence, 1 << 31, alone)
            sender.send(102, 7 + number, (sequence + 4) & 0xFFFF, 0xFFFFFFF0, together[0])
        base, index = 500, 100_000
        lag = index - (sequence + 7)
        streams = [sender.batch_stream(102, 7 + number, lag, base) for number, sender in enumerate(senders)]
        if kind == "no gso":  # which sends no batches
            assert streams == [None] * PEERS
            for number, sender in enumerate(senders):
                for run in together:
                    first = (sequence + 7 + run.place) & 0xFFFF
                    sender.send(102, 7 + number, first, (0xFFFFFFF0 + base) & 0xFFFFFFFF, run)
        else:
            known = [stream for stream in streams if stream is not None]
            assert len({id(stream.sender) for stream in known}) == 1
            batch = known[0].sender.form_batch(known)
            for run in together:
                assert known[0].sender.fits(run)
                known[0].sender.send(run, batch, index + run.place, 0xFFFFFFF0)
            known[0].sender.finish_frame()
            for stream in known:
                stream.count_sent(4, 900 + 900 + 30 + 80, 2)
        received = [[await loop.sock_recv(end, 2048) for _ in range(1 + 4 + 3 + 4)] for end in ends]
        for end in ends:
            with end, pytest.raises(BlockingIOError):
                end.recv(2048)
        figures = [(one.figures.packets, one.figures.bytes, one.figures.failed) for one in senders]
        assert all(one.figures.sends > 0 for one in senders)
    return received, figures


@pytest.mark.parametrize("profile", [GCM, SHA1])
@pytest.mark.parametrize("sequence", [5, 0xFFFD])
@pytest.mark.parametrize("kind", ["no gso", "batch"])
async def test_every_implementation_puts_the_same_bytes_on_the_wire_and_counts_the_same(
    profile: int, sequence: int, kind: str
) -> None:
    received, figures = await wire("plain", profile, sequence)
    assert await wire(kind, profile, sequence) == (received, figures)
    for number, datagrams in enumerate(received):
        keys = session(profile, Policy.SSRC_ANY_INBOUND)
        packets = [rtp.RtpPacket.parse(keys.unprotect(data)) for data in datagrams]
        media = packets[1:]
        assert [packet.sequence_number for packet in media] == [(sequence + place) & 0xFFFF for place in range(11)]
        assert [packet.marker for packet in media] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
        assert {(packet.payload_type, packet.ssrc) for packet in media} == {(102, 7 + number)}
        assert [packet.timestamp for packet in media] == [1 << 31] * 4 + [0xFFFFFFF0] * 3 + [484] * 4
        assert (packets[0].ssrc, packets[0].payload) == (77, b"\0\1retransmitted")
        assert figures[number] == (12, sum(map(len, datagrams)), 0)


async def test_a_full_socket_makes_the_plain_sender_leave_its_batch_and_nothing_is_lost() -> None:
    """The socket accepts five datagrams: the sixth of eight waits, and those after it keep their order."""
    sent: list[bytes] = []
    room, stalls = 5, list[None]()

    def sendmsg(buffers: tuple[bytes, ...], *_: object) -> int:
        if len(sent) >= room:
            raise BlockingIOError
        sent.append(buffers[0])
        return len(buffers[0])

    port: Any = SimpleNamespace(socket=SimpleNamespace(sendmsg=sendmsg), full=lambda: None)
    peer: Any = SimpleNamespace(route=ReturnRoute(("192.0.2.7", 9), []))
    made = PlainFanout(port).peer_sender(peer, session(GCM, Policy.SSRC_ANY_OUTBOUND), lambda: stalls.append(None))
    assert made.batch_stream(96, 7, 0, 0) is None, "what the cipher adds is not known yet"
    made.send(96, 7, 0, 0, PacketRun((b"a" * 300, b"b" * 300), 0, True))
    stream = made.batch_stream(96, 7, 0, 0)
    assert stream is not None
    stream.sender.send(PacketRun(tuple(bytes([n]) * 300 for n in range(6)), 0, True), (stream,), 2, 0)
    stream.count_sent(6, 1800, 1)
    assert made.blocked
    assert len(stalls) == 1
    assert made.batch_stream(96, 7, 0, 0) is None
    assert (made.figures.sends, made.figures.blocked) == (5, 1)
    assert not made.flush()
    room = 100
    assert made.flush()
    assert not made.blocked
    keys = session(GCM, Policy.SSRC_ANY_INBOUND)
    assert [rtp.RtpPacket.parse(keys.unprotect(data)).sequence_number for data in sent] == list(range(8))
    assert (made.figures.packets, made.figures.sends, made.figures.failed) == (8, 8, 0)


async def test_a_batch_that_libsrtp_refuses_is_taken_back_from_the_counters() -> None:
    async with UdpPort("127.0.0.1", 0) as port:
        peer: Any = SimpleNamespace(route=ReturnRoute(("127.0.0.1", port.number), []))
        made = PlainFanout(port).peer_sender(peer, session(GCM, Policy.SSRC_ANY_OUTBOUND), lambda: None)
        run = PacketRun((b"a" * 300, b"b" * 300), 0, True)
        made.send(96, 7, 40_000, 0, run)
        before = (made.figures.packets, made.figures.bytes, made.figures.sends)
        stream = made.batch_stream(96, 7, 0, 0)
        assert stream is not None
        stream.sender.send(run, (stream,), 20_000, 0)  # behind the replay window
        stream.count_sent(2, 600, 1)
        assert (made.figures.packets, made.figures.bytes, made.figures.sends) == before
        assert made.figures.failed == 2


def test_the_plain_sender_takes_the_largest_packets_that_it_promises() -> None:
    keys = session(GCM, Policy.SSRC_ANY_OUTBOUND)
    header = rtp.RtpPacket(payload_type=96, sequence_number=1, timestamp=0, ssrc=7).serialize()
    assert len(keys.protect(header + bytes(MAX_PAYLOAD + 2))) == 12 + MAX_PAYLOAD + 2 + 16


@pytest.mark.parametrize(
    ("configured", "environ", "plain"),
    [
        (False, {}, False),
        (True, {}, True),
        (False, {ENVIRONMENT: "true"}, True),
        (False, {ENVIRONMENT: '"1"'}, True),
        (False, {ENVIRONMENT: "false"}, False),
        (True, {ENVIRONMENT: "false"}, True),
    ],
)
@pytest.mark.skipif(not many_works(), reason="this system has no sendmmsg")
def test_the_setting_or_the_environment_chooses_plain_sending(
    configured: bool, environ: dict[str, str], plain: bool
) -> None:
    assert (plain_reason(configured, environ) is not None) is plain


@pytest.mark.parametrize("missing", ["srtp_pointer_works", "many_works"])
def test_what_batches_need_and_is_not_there_chooses_plain_sending(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, missing, lambda: False)
    assert plain_reason(False, {}) is not None


def test_a_pylibsrtp_without_its_binding_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert libraries.srtp_pointer_works()
    monkeypatch.setattr(libraries, "ffi", None)
    assert not libraries.srtp_pointer_works()


async def test_make_fanout_follows_the_choice() -> None:
    async with UdpPort("127.0.0.1", 0) as port:
        assert make_fanout(port, plain=True).name == "plain"
        assert make_fanout(port, plain=not many_works()).name == ("batch" if many_works() else "plain")


async def test_a_relay_says_how_it_sends() -> None:
    async with relay(plain_sending=True, payload_limit=1400) as hub:
        figures = (await hub.call("figures"))["relay"]
        assert (figures["sending"], figures["gso"]) == ("plain", False)
