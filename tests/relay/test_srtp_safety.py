"""No track repeats a sequence number, every resend is what was sent: over the real senders, decrypted at the far end.

Only public methods are used (of Track, the senders and a feed's history), so that these tests outlive the inside.
"""

import ctypes
import random
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from camera_hub.relay.fanout.batch_fanout import BatchFanout
from camera_hub.relay.fanout.gso import SOL_UDP, UDP_SEGMENT
from camera_hub.relay.fanout.in_step import InStepTracks
from camera_hub.relay.fanout.interface import Fanout, PeerSender, ReturnRoute
from camera_hub.relay.fanout.plain import PlainFanout
from camera_hub.relay.fanout.send_queue import PATIENCE
from camera_hub.relay.ingest.frame import Frame, PacketRun
from camera_hub.relay.peer.track import PayloadTypes, Track
from tests.relay.receiver import Judge
from tests.relay.test_track import Camera, Time

PROFILES = {
    "gcm": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, bytes(range(28))),
    "sha1": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, bytes(range(30))),
}
TYPES = PayloadTypes({"h264": (102, 103), "h265": (104, 105)})
TRACKS = 2
BEGIN = (1 << 16) - 12_000


def session(profile: str, direction: int) -> Session:
    number, key = PROFILES[profile]
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=number)
    policy.allow_repeat_tx = direction == Policy.SSRC_ANY_OUTBOUND  # as aiortc sets it: libsrtp will not save us
    policy.window_size = 1024
    return Session(policy)


class Kernel:
    """Stands for the socket: loses nothing, cuts runs as UDP_SEGMENT does, and says EAGAIN when it is full. It also
    ends turns of the event loop, with `gathers` only when told to."""

    def __init__(self, room: int, *, gathers: bool) -> None:
        self._room = room
        self._gathers = gathers
        self._at_turn_end: list[Callable[[], None]] = []
        self.sent: deque[bytes] = deque()

    def at_turn_end(self, call: Callable[[], None]) -> None:
        self._at_turn_end.append(call)
        if not self._gathers:
            self.end_turn()

    def end_turn(self) -> None:
        calls, self._at_turn_end = self._at_turn_end, []
        for call in calls:
            call()

    def sendmsg(
        self, buffers: tuple[memoryview, ...], control: Sequence[tuple[int, int, bytes]], flags: int, address: object
    ) -> int:
        if len(self.sent) >= self._room:
            raise BlockingIOError
        data = b"".join(buffers)
        widths = [int.from_bytes(value, sys.byteorder) for level, kind, value in control if kind == UDP_SEGMENT]
        width = widths[0] if widths else len(data)
        self.sent.extend(data[at : at + width] for at in range(0, len(data), width))
        return len(data)

    def send_many(self, heads: int, count: int) -> int:
        """sendmmsg(2)."""
        for number in range(count):
            if len(self.sent) >= self._room:
                if number:
                    return number
                raise BlockingIOError
            data, width = message(heads + 64 * number)
            self.sent.extend(data[at : at + width] for at in range(0, len(data), width))
        return count


def message(head: int) -> tuple[bytes, int]:
    """The bytes of a struct mmsghdr, and how long each datagram of them is to be."""
    _, _, pieces, count, control, size, _, _ = struct.unpack("8Q", ctypes.string_at(head, 64))
    words = struct.unpack(f"{2 * count}Q", ctypes.string_at(pieces, 16 * count))
    data = b"".join(ctypes.string_at(words[at], words[at + 1]) for at in range(0, len(words), 2))
    length, level, kind, width = struct.unpack_from("@NiiH", ctypes.string_at(control, size))
    assert (length, level, kind) == (18, SOL_UDP, UDP_SEGMENT)
    return data, width


@dataclass
class Stage:
    """Two tracks of one viewer and three cameras; the socket between is small enough to be full at times."""

    sender: PeerSender
    near: "Kernel"
    judge: Judge
    time: Time = field(default_factory=Time)
    tracks: list[Track] = field(default_factory=list)
    cameras: list[Camera] = field(default_factory=lambda: [Camera("a"), Camera("b", seed=77), Camera("c", "h265")])
    in_step: dict[str, InStepTracks] = field(default_factory=lambda: {name: InStepTracks() for name in "abc"})
    sent_in_step: int = 0
    clogged: bool = False

    def drain(self) -> None:
        """The far end reads, until nothing is held back any more."""
        while True:
            self.near.end_turn()
            while self.near.sent:
                self.judge.take(self.near.sent.popleft())
            if not self.sender.blocked:
                return
            self.sender.flush()

    def act(self, action: str, track: int, value: int) -> None:
        """One thing that happens to a track or a camera."""
        shown, camera = self.tracks[track], self.cameras[value % len(self.cameras)]
        self.time.now += 0.04
        if not self.clogged:
            self.drain()
        match action:
            case "point":
                shown.show(camera if value < len(self.cameras) else None, value)
            case "frame" | "key":
                self._frame(camera, camera.frame(self.time.now, key=action == "key", packets=1 + value % 7))
            case "burst":
                self._frame(camera, camera.frame(self.time.now, key=True, packets=400 + value, size=24))
            case "work":
                shown.send_queued((1, 250, 40_000)[value % 3])
            case "turn":
                self.near.end_turn()
            case "clog":
                self.clogged = not self.clogged
            case "lost":
                self.time.now += 1.1
                shown.on_picture_lost()
            case "replay":
                shown.replay()
            case "codec":
                self._begin_anew(camera, "h265" if camera.codec == "h264" else "h264")
            case "begin_anew":
                self._begin_anew(camera, camera.codec)
            case "forget":
                camera.gop_cache.clear()
                camera.history.clear()
            case "nack":
                sent = self.judge.packets.get(shown.ssrc, [])
                shown.retransmit(
                    [packet.index & 0xFFFF for packet in sent[-1 - value : len(sent) - value // 2]], 1 << 20
                )
            case "nack_nonsense":
                shown.retransmit([(value * 7919 + number) & 0xFFFF for number in range(20)], 1 << 20)

    def _begin_anew(self, camera: Camera, codec: str | None) -> None:
        camera.gop_cache.clear()
        camera.codec = codec
        for track in self.tracks:
            if track.feed is camera:
                track.expect_key()

    def _frame(self, camera: Camera, frame: Frame) -> None:
        in_step = self.in_step[camera.name]
        served = in_step.send_frame(frame)
        self.sent_in_step += len(served)
        for track in self.tracks:
            if track.feed is camera and track.number not in served:
                track.send_live(frame, 0 if self.sender.blocked else 40_000)
                track.join_in_step(in_step, track.number)

    def leave_in_step(self) -> None:
        """As a viewer does whose socket is full."""
        for track in self.tracks:
            track.leave_in_step()

    def newest(self, track: Track) -> int:
        """How far the far end has come with a track; 2^16 = the first wrap."""
        sent = self.judge.packets.get(track.ssrc)
        return sent[-1].index if sent else 0

    def verdict(self) -> int:
        """Everything is out and right; how many packets were resent."""
        for _ in range(10_000):
            self.drain()
            if not any(track.send_queued(1 << 20) for track in self.tracks):
                break
        self.drain()
        self.leave_in_step()
        assert self.sender.figures.failed == 0
        media = [packet for track in self.tracks for packet in self.judge.packets.get(track.ssrc, [])]
        assert len(media) == sum(track.figures.packets for track in self.tracks)
        for track in self.tracks:
            self.judge.check_media(track.ssrc)
        resent = sum(self.judge.check_resent(track.ssrc, track.rtx_ssrc) for track in self.tracks)
        assert resent == sum(track.figures.rtx for track in self.tracks)
        assert len(self.judge.packets) <= 2 * len(self.tracks)
        return resent


KINDS = ("batch", "gathered", "no gso", "plain")


def stage(profile: str = "gcm", *, room: int = 2000, kind: str = "no gso") -> Stage:
    """`room`: datagrams that the socket accepts before it is full."""
    near = Kernel(room, gathers=kind == "gathered")
    port: Any = SimpleNamespace(socket=near, full=lambda: None)
    fanout: Fanout
    fanout = (
        PlainFanout(port)
        if kind == "plain"
        else BatchFanout(
            port,
            near.send_many,
            near.at_turn_end,
            gso=kind in ("batch", "gathered"),
            patience={"gathered": 1 << 30, "batch": 0}.get(kind, PATIENCE),
        )
    )
    peer: Any = SimpleNamespace(route=ReturnRoute(("192.0.2.7", 9), []))
    keys = session(profile, Policy.SSRC_ANY_OUTBOUND)
    sender = fanout.peer_sender(peer, keys, lambda: made.leave_in_step())
    made = Stage(sender, near, Judge(session(profile, Policy.SSRC_ANY_INBOUND)))
    made.tracks = [
        Track(number, TYPES, sender, made.time, on_live=lambda _: None, backlog_bytes=30_000)
        for number in range(TRACKS)
    ]
    return made


ACTIONS = (
    "point frame frame frame key key burst work work turn clog lost replay codec begin_anew forget nack nack "
    "nack_nonsense"
)
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(set(ACTIONS.split()))), st.integers(0, TRACKS - 1), st.integers(0, 30)),
    min_size=30,
    max_size=90,
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS, st.sampled_from(KINDS))
def test_whatever_happens_no_number_is_used_twice(steps: list[tuple[str, int, int]], kind: str) -> None:
    made = stage(room=25, kind=kind)
    for action, track, value in steps:
        made.act(action, track, value)
    made.verdict()


@pytest.fixture
def near_the_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracks begin at BEGIN, and not at chance below 2^15: what happens around the wrap needs no way there."""
    chance = random.randrange
    monkeypatch.setattr(random, "randrange", lambda *bounds: BEGIN if bounds == (1 << 15,) else chance(*bounds))


@pytest.mark.slow
@pytest.mark.usefixtures("near_the_wrap")
@pytest.mark.parametrize(
    ("profile", "kind"),
    [
        ("gcm", "batch"),
        ("gcm", "gathered"),
        ("gcm", "no gso"),
        ("gcm", "plain"),
        ("sha1", "batch"),
        ("sha1", "gathered"),
        ("sha1", "plain"),
    ],
)
def test_a_long_life_goes_through_the_wrap_without_using_a_number_twice(profile: str, kind: str) -> None:
    draw = random.Random(profile)
    made = stage(profile, room=300, kind=kind)
    for number, track in enumerate(made.tracks):
        track.show(made.cameras[number], number)
    actions = ACTIONS.split()
    while min(made.newest(track) for track in made.tracks) < (1 << 16) + 5000:
        made.act("burst", 0, draw.randrange(30))
        made.act(draw.choice(actions), draw.randrange(TRACKS), draw.randrange(31))
        for track in made.tracks:
            if track.feed is None:
                track.show(draw.choice(made.cameras[:2]), 1)
            track.send_queued(1 << 20)
            made.act("nack", track.number, draw.randrange(31))
        for _ in range(6):  # long enough without anything else for tracks to be in step
            made.act("frame", 0, draw.randrange(31))
    assert made.verdict() > 100
    assert made.sent_in_step > 100 if kind != "no gso" else made.sent_in_step == 0, made.sent_in_step


@pytest.mark.usefixtures("near_the_wrap")
def test_the_stream_of_resends_wraps_too() -> None:
    made = stage()
    track, camera = made.tracks[0], made.cameras[0]
    track.show(camera, 1)
    made.act("burst", 0, 0)
    made.drain()
    while BEGIN + track.figures.rtx <= 1 << 16:
        made.time.now += 1.0  # the last resends have arrived
        made.drain()
        track.retransmit([packet.index & 0xFFFF for packet in made.judge.packets[track.ssrc]], 1 << 20)
    assert made.verdict() > (1 << 16) - BEGIN
    assert made.judge.packets[track.rtx_ssrc][-1].index >= 1 << 16


def test_a_nack_finds_the_last_use_of_a_number_never_one_of_a_round_before() -> None:
    made = stage()
    track, camera = made.tracks[0], made.cameras[0]
    track.show(camera, 1)
    while len(made.judge.packets.get(track.ssrc, ())) < (1 << 16) + 1000:
        made.act("burst", 0, 0)
        made.drain()
    newest = made.judge.packets[track.ssrc][-40:]
    track.retransmit([packet.index & 0xFFFF for packet in newest], 1 << 20)
    made.drain()
    resent = made.judge.packets[track.rtx_ssrc]
    assert [(one.timestamp, one.payload[2:]) for one in resent] == [(one.timestamp, one.payload) for one in newest]


def test_the_judge_finds_a_sender_that_repeats_itself() -> None:
    made = stage()
    for payload in (b"one", b"two"):
        made.sender.send(102, 9, 500, 1000, PacketRun((payload,), 0, True))
    with pytest.raises(AssertionError, match="used index 500 twice, for other bytes"):
        made.drain()


def test_the_judge_finds_a_resend_that_was_never_sent() -> None:
    made = stage()
    made.sender.send(102, 9, 500, 1000, PacketRun((b"one",), 0, True))
    made.sender.send_one(103, 10, 7, 1000, True, (500).to_bytes(2, "big") + b"two")
    made.drain()
    with pytest.raises(AssertionError, match="RTX of 500"):
        made.judge.check_resent(9, 10)
