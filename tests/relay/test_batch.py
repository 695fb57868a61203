"""One run to many peers over real sockets: what each receives, from where, and what is not sent."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from aiortc import rtp
from pylibsrtp import Policy, Session

from camera_hub.relay.fanout.batch import FEW, SLOTS, STRIDE, BatchSender, BatchStream
from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.fanout.run_writer import RunWriter
from camera_hub.relay.fanout.send_queue import FULL, GATHERED, MESSAGES, PATIENCE, TRIED_EVERY, SendQueue
from camera_hub.relay.fanout.sendmmsg import Destination, SendMany, send_many
from camera_hub.relay.fanout.sendmmsg_probe import many_works
from camera_hub.relay.ingest.frame import PacketRun
from camera_hub.relay.libraries import srtp_pointer
from camera_hub.relay.webrtc.udp_port import IP_PKTINFO, UdpPort

GCM, SHA1 = Policy.SRTP_PROFILE_AEAD_AES_128_GCM, Policy.SRTP_PROFILE_AES128_CM_SHA1_80
TRAILERS = {GCM: 16, SHA1: 10}
pytestmark = pytest.mark.skipif(not (gso_works() and many_works()), reason="this kernel has no sendmmsg or no GSO")


@dataclass
class Far:
    """A peer: its socket, and the keys at both ends. Also what a batch reports to it."""

    socket: socket.socket
    key: bytes
    profile: int
    refusals: list[tuple[type[OSError], bytes, int]] = field(default_factory=list)
    failures: int = 0
    counts: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.near = Session(Policy(key=self.key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=self.profile))
        self._opens = Session(Policy(key=self.key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=self.profile))
        self.address = self.socket.getsockname()

    def send_refused(self, error: OSError, data: memoryview, width: int) -> None:
        self.refusals.append((type(error), bytes(data), width))

    def protect_failed(self, count: int, size: int) -> None:
        self.failures += count

    def count(self, packets: int, size: int, sends: int) -> None:
        self.counts.append((packets, size, sends))

    def received(self) -> list[rtp.RtpPacket]:
        found = []
        while True:
            try:
                found.append(rtp.RtpPacket.parse(self._opens.unprotect(self.socket.recv(2048))))
            except BlockingIOError:
                return found


@pytest.fixture
def near() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def far_ends(stack: ExitStack, count: int, profile: int = GCM) -> list[Far]:
    made = []
    for number in range(count):
        end = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        made.append(Far(end, bytes([number]) * (28 if profile == GCM else 30), profile))
    return made


def batch_sender(near: socket.socket, profile: int = GCM) -> BatchSender:
    send = send_many(near)
    assert send is not None
    return batch_sender_by(send, profile)


def batch_sender_by(
    send: SendMany, profile: int = GCM, at_turn_end: Callable[[Callable[[], None]], object] = lambda call: call()
) -> BatchSender:
    """A turn of the event loop ends at once."""
    queue = SendQueue(send, at_turn_end)
    return BatchSender(RunWriter(TRAILERS[profile], queue), queue, send)


def streams_of(of: BatchSender, ends: list[Far]) -> list[BatchStream]:
    return [
        BatchStream(
            of,
            end,
            srtp_pointer(end.near),
            Destination(end.address, []),
            96 + number % 20,
            1000 + number,
            number,
            50 * number,
        )
        for number, end in enumerate(ends)
    ]


@pytest.mark.parametrize("profile", [GCM, SHA1])
@pytest.mark.parametrize("index", [500, 0xFFFF + 3])
@pytest.mark.parametrize("peers", [50, FEW + 1, FEW, 1])
def test_each_peer_gets_the_run_under_its_own_numbers(
    near: socket.socket, stack: ExitStack, profile: int, index: int, peers: int
) -> None:
    ends = far_ends(stack, peers, profile)
    made = batch_sender(near, profile)
    streams = streams_of(made, ends)
    run = PacketRun((b"a" * 900, b"b" * 900, b"c" * 900, b"d" * 30), 0, True)
    assert 50 * len(run.payloads) > SLOTS, "more than one pass"
    made.send(run, made.form_batch(streams), index, 0xFFFFFF00)
    made.send(PacketRun((b"next" * 20,), 0, False), made.form_batch(streams), index + 4, 0xFFFFFF00)
    made.finish_frame()
    for number, end in enumerate(ends):
        came = end.received()
        assert [packet.payload for packet in came] == [*run.payloads, b"next" * 20]
        assert [packet.sequence_number for packet in came] == [(index - number + n) & 0xFFFF for n in range(5)]
        assert [packet.marker for packet in came] == [0, 0, 0, 1, 0]
        assert {packet.timestamp for packet in came} == {(0xFFFFFF00 + 50 * number) & 0xFFFFFFFF}
        assert {(packet.ssrc, packet.payload_type) for packet in came} == {(1000 + number, 96 + number % 20)}
        assert (end.refusals, end.failures) == ([], 0)
        assert streams[number].count_sent(5, 2810, 2) == 2810 + 5 * (12 + TRAILERS[profile])
        assert end.counts == [(5, 2810 + 5 * (12 + TRAILERS[profile]), 2)]


@pytest.mark.parametrize("others", [FEW, FEW - 1])
def test_a_peer_whose_cipher_refuses_is_sent_nothing_and_the_others_everything(
    near: socket.socket, stack: ExitStack, others: int
) -> None:
    """libsrtp refuses what lies behind its replay window: here, where one peer's numbers would step back."""
    ends = far_ends(stack, 1 + others)
    made = batch_sender(near)
    streams = streams_of(made, ends)
    run = PacketRun((b"a" * 300, b"b" * 300), 0, True)
    made.send(run, made.form_batch(streams), 40_000, 0)
    streams[2].lag = 20_000
    made.send(run, made.form_batch(streams), 40_002, 0)
    made.finish_frame()
    assert [len(end.received()) for end in ends] == [4, 4, 2, 4, 4][: len(ends)]
    assert [end.failures for end in ends] == [0, 0, 2, 0, 0][: len(ends)]


@pytest.mark.parametrize("peers", [FEW, FEW + 2])
def test_what_a_full_socket_does_not_take_is_handed_back_encrypted_and_in_order(stack: ExitStack, peers: int) -> None:
    ends = far_ends(stack, peers)
    taken: list[int] = []

    def full_after_two(heads: int, count: int) -> int:
        taken.append(count)
        if len(taken) == 1:
            return 2
        raise BlockingIOError

    turns: list[Callable[[], None]] = []
    made = batch_sender_by(full_after_two, at_turn_end=turns.append)
    run = PacketRun((b"a" * 300, b"b" * 300, b"c" * 20), 0, True)
    made.send(run, made.form_batch(streams_of(made, ends)), 7, 0)
    made.finish_frame()
    for turn in turns:
        turn()
    assert taken == [peers, peers - 2]
    assert [len(end.refusals) for end in ends] == [0, 0] + [1] * (peers - 2)
    for end in ends[2:]:
        [(kind, data, width)] = end.refusals
        assert end.counts == [(0, 0, -1)], "it counts what it sends itself"
        assert (kind, width) == (BlockingIOError, 300 + 12 + 16)
        for at in range(0, len(data), width):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as later:
                later.sendto(data[at : at + width], end.address)
        assert [packet.payload for packet in end.received()] == list(run.payloads)


@pytest.mark.parametrize("peers", [3, FEW + 3])
def test_a_peer_that_cannot_be_reached_is_passed_over(near: socket.socket, stack: ExitStack, peers: int) -> None:
    ends = far_ends(stack, peers)
    made = batch_sender(near)
    streams = streams_of(made, ends)
    streams[1].destination = Destination(("255.255.255.255", 9), [])  # to all, which this socket may not
    run = PacketRun((b"a" * 300,), 0, True)
    made.send(run, made.form_batch(streams), 7, 0)
    made.finish_frame()
    assert [len(end.received()) for end in ends] == [1, 0] + [1] * (peers - 2)
    assert [[kind for kind, _, _ in end.refusals] for end in ends] == [[], [PermissionError]] + [[]] * (peers - 2)


def test_what_several_feeds_send_in_one_turn_leaves_together_and_in_order(
    near: socket.socket, stack: ExitStack
) -> None:
    ends = far_ends(stack, 6)
    calls: list[int] = []
    send = send_many(near)
    assert send is not None

    def counted(headers: int, count: int) -> int:
        calls.append(count)
        return send(headers, count)

    turns: list[Callable[[], None]] = []
    made = batch_sender_by(counted, at_turn_end=turns.append)
    streams = streams_of(made, ends)
    feeds = [made.form_batch(streams[at : at + 2]) for at in (0, 2, 4)]
    for number in range(3):
        for feed in feeds:
            made.send(PacketRun((bytes([number]) * 700, b"end"), 0, True), feed, 10 + 2 * number, number)
            made.finish_frame()
    assert calls == [GATHERED, GATHERED], "no frame waits for more than so many messages"
    assert len(turns) == 1
    turns.pop()()
    assert calls == [GATHERED, GATHERED, 18 - 2 * GATHERED]
    made.send(PacketRun((b"next turn",), 0, True), feeds[0], 16, 3)
    made.finish_frame()
    turns.pop()()
    assert calls[3:] == [2]
    for number, end in enumerate(ends):
        sequences = [packet.sequence_number for packet in end.received()]
        assert sequences == [(10 - number + place) & 0xFFFF for place in range(7 if number < 2 else 6)]


def test_frames_wait_for_others_only_as_long_as_others_come(near: socket.socket, stack: ExitStack) -> None:
    [end] = far_ends(stack, 1)
    turns: list[Callable[[], None]] = []
    send = send_many(near)
    assert send is not None
    made = batch_sender_by(send, at_turn_end=turns.append)
    batch = made.form_batch(streams_of(made, [end]))
    index = 100

    def waits() -> bool:
        """Whether the next frame does."""
        nonlocal index
        index += 1
        made.send(PacketRun((b"frame",), 0, True), batch, index, index)
        made.finish_frame()
        if turns:
            assert end.received() == []
            return True
        assert len(end.received()) == 1
        return False

    def turn(frames: int) -> int:
        """So many frames in one turn; how many of them waited."""
        waited = sum([waits() for _ in range(frames)])
        while turns:
            turns.pop()()
        assert len(end.received()) == waited
        return waited

    assert [turn(1) for _ in range(PATIENCE + 3)] == [1] * PATIENCE + [0] * 3
    assert [turn(1) for _ in range(TRIED_EVERY - 2)] == [0] * (TRIED_EVERY - 3) + [1], "one tries"
    assert [turn(2) for _ in range(TRIED_EVERY // 2 + 1)] == [0] * (TRIED_EVERY // 2) + [2]
    assert [turn(3), turn(1), turn(2), turn(1)] == [3, 1, 2, 1]
    assert [turn(1) for _ in range(PATIENCE)] == [1] * (PATIENCE - 1) + [0]


def test_a_queue_that_is_full_does_not_wait_for_the_end_of_the_turn(near: socket.socket, stack: ExitStack) -> None:
    ends = far_ends(stack, 2)
    for end in ends:
        end.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    turns: list[Callable[[], None]] = []
    send = send_many(near)
    assert send is not None
    made = batch_sender_by(send, at_turn_end=turns.append)
    batch = made.form_batch(streams_of(made, ends))
    for number in range(MESSAGES):
        made.send(PacketRun((b"a" * 100,), 0, True), batch, 100 + number, number)
    assert [len(end.received()) for end in ends] == [MESSAGES, MESSAGES]
    sent = 0
    while not (came := ends[0].received()):
        made.send(PacketRun((b"b" * 1400,) * 20, 0, True), batch, 100 + MESSAGES + 20 * sent, MESSAGES)
        sent += 1
    assert len(came) == 20 * sent
    assert len(ends[1].received()) == 20 * sent
    assert 2 * 20 * (sent - 1) * 1428 < FULL <= 2 * 20 * sent * 1428


def test_many_streams_do_not_overtake_what_few_of_them_were_sent(near: socket.socket, stack: ExitStack) -> None:
    ends = far_ends(stack, FEW + 1)
    send = send_many(near)
    assert send is not None
    made = batch_sender_by(send, at_turn_end=lambda _: None)
    streams = streams_of(made, ends)
    made.send(PacketRun((b"first",), 0, True), made.form_batch(streams[:FEW]), 10, 0)
    made.send(PacketRun((b"second",), 0, True), made.form_batch(streams), 11, 1)
    assert [[packet.payload for packet in end.received()] for end in ends] == [
        *([b"first", b"second"] for _ in range(FEW)),
        [b"second"],
    ]


@pytest.mark.parametrize("peers", [1, FEW + 1])
def test_a_run_that_is_too_large_is_refused(near: socket.socket, stack: ExitStack, peers: int) -> None:
    made = batch_sender(near)
    batch = made.form_batch(streams_of(made, far_ends(stack, peers)))
    for payloads in ((bytes(STRIDE),), (b"x",) * (SLOTS + 1)):
        run = PacketRun(payloads, 0, True)
        assert not made.fits(run)
        with pytest.raises(ValueError, match="does not fit"):
            made.send(run, batch, 0, 0)


def test_a_peer_is_answered_from_the_address_that_it_has_reached(stack: ExitStack) -> None:
    [end] = far_ends(stack, 1)
    port = UdpPort("0.0.0.0", 0)
    stack.callback(port.socket.close)
    made = batch_sender(port.socket)
    [stream] = streams_of(made, [end])
    source = (socket.IPPROTO_IP, IP_PKTINFO, bytes(4) + socket.inet_aton("127.0.0.77") + bytes(4))
    stream.destination = Destination(end.address, [source])
    made.send(PacketRun((b"a" * 300,), 0, True), made.form_batch([stream]), 7, 0)
    made.finish_frame()
    _, address = end.socket.recvfrom(2048)
    assert address == ("127.0.0.77", port.number)


@pytest.mark.skipif(not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"), reason="this machine has no IPv6")
def test_over_ipv6(stack: ExitStack) -> None:
    far = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    far.bind(("::1", 0))
    far.setblocking(False)
    end = Far(far, bytes(28), GCM)
    port = UdpPort("::", 0)
    stack.callback(port.socket.close)
    made = batch_sender(port.socket)
    source = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, socket.inet_pton(socket.AF_INET6, "::1") + bytes(4))
    stream = BatchStream(made, end, srtp_pointer(end.near), Destination(end.address, [source]), 96, 7, 0, 0)
    made.send(PacketRun((b"a" * 300, b"b" * 300), 0, True), made.form_batch([stream]), 7, 0)
    made.finish_frame()
    assert [packet.payload for packet in end.received()] == [b"a" * 300, b"b" * 300]
