"""Tracks in step are sent what each would send by itself, counted as each would count, and leave when they must."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from camera_hub.relay.fanout.in_step import InStepTracks
from camera_hub.relay.ingest.frame import Frame, PacketRun
from camera_hub.relay.peer.pacer import BURST
from camera_hub.relay.peer.track import PayloadTypes, Track
from tests.relay.test_track import Camera, Time, Wire

RTP = 12


@dataclass
class Stream:
    sender: "Sender"
    wire: "Line"
    payload_type: int
    ssrc: int
    lag: int
    base: int

    def count_sent(self, packets: int, payload_bytes: int, runs: int) -> int:
        self.wire.counted.append((packets, payload_bytes, runs))
        return payload_bytes + RTP * packets


@dataclass(eq=False)
class Sender:
    """Sends to wires, as they would be sent to alone."""

    largest: int = 1 << 20
    before: Callable[[], None] = lambda: None
    finished: int = 0

    def fits(self, run: PacketRun) -> bool:
        return sum(map(len, run.payloads)) <= self.largest

    def finish_frame(self) -> None:
        self.finished += 1

    def form_batch(self, streams: Sequence[Stream]) -> Sequence[Stream]:
        return tuple(streams)

    def send(self, run: PacketRun, batch: Sequence[Stream], index: int, timestamp: int) -> None:
        self.before()
        for stream in batch:
            out = (timestamp + stream.base) & 0xFFFFFFFF
            Wire.send(stream.wire, stream.payload_type, stream.ssrc, (index - stream.lag) & 0xFFFF, out, run)


@dataclass
class Line(Wire):
    """A sender whose tracks can be in step."""

    sender: Sender = field(default_factory=Sender)
    counted: list[tuple[int, int, int]] = field(default_factory=list)

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        return super().send(payload_type, ssrc, sequence, timestamp, run) + RTP * len(run.payloads)

    def batch_stream(self, payload_type: int, ssrc: int, lag: int, base: int) -> Stream | None:  # type: ignore[override]  # Wire has none
        return None if self.blocked else Stream(self.sender, self, payload_type, ssrc, lag, base)


@dataclass
class Stage:
    """One camera, and tracks that show it. With `alone` nobody joins, which is how it must look."""

    alone: bool = False
    time: Time = field(default_factory=Time)
    camera: Camera = field(default_factory=lambda: Camera("a"))
    in_step: InStepTracks = field(default_factory=InStepTracks)
    sender: Sender = field(default_factory=Sender)
    tracks: list[Track] = field(default_factory=list)
    served: list[int] = field(default_factory=list)

    def track(self) -> Track:
        number = len(self.tracks)
        made = Track(number, PayloadTypes({"h264": (102, 103)}), Line(sender=self.sender), self.time,
                     on_live=lambda _: None, ssrc=number + 1)  # fmt: skip
        made._sequence, made._base = 65_500 - number, 4_294_900_000 + number
        made.show(self.camera, 1)
        self.tracks.append(made)
        return made

    def frame(self, *, key: bool = False, packets: int = 3, size: int = 100) -> Frame:
        self.time.now += 0.04
        made = self.camera.frame(self.time.now, key=key, packets=packets, size=size)
        self.send(made)
        return made

    def send(self, frame: Frame) -> None:
        served = self.in_step.send_frame(frame)
        self.served.append(len(served))
        for track in self.tracks:
            if track.feed is self.camera and track.number not in served:
                track.send_live(frame, BURST)
                if not self.alone:
                    track.join_in_step(self.in_step, track.number)

    def wire(self, track: Track) -> Line:
        assert isinstance(track.sender, Line)
        return track.sender


def three(*, alone: bool = False) -> Stage:
    stage = Stage(alone)
    for _ in range(3):
        stage.track()
    stage.frame(key=True)
    return stage


def test_what_is_sent_and_counted_is_what_each_would_have_sent_and_counted_alone() -> None:
    together, alone = three(), three(alone=True)
    for stage in (together, alone):
        for number in range(60):
            stage.frame(key=number == 30, packets=1 + number % 5, size=100 + number)
    assert together.served[2:] == [3] * 59
    assert set(alone.served) == {0}
    for one, other in zip(together.tracks, alone.tracks, strict=True):
        one.settle()
        assert together.wire(one).packets == alone.wire(other).packets
        assert one.figures == other.figures
        assert one.last_timestamp == other.last_timestamp
        assert one.collect_unspent() + 3 * (100 + RTP) == one.figures.bytes, "the first frame was sent alone"
        assert one.collect_unspent() == 0
        packets, payload, sends = map(sum, zip(*together.wire(one).counted, strict=True))
        assert (packets, payload + RTP * packets) == (one.figures.packets - 3, one.figures.bytes - 3 * (100 + RTP))
        assert sends > 60


def test_resends_of_what_went_out_in_step_hold_the_same_bytes() -> None:
    stage = three()
    for _ in range(10):
        stage.frame()
    track = stage.tracks[1]
    sent = {packet[2]: packet for packet in stage.wire(track).packets[-6:]}
    track.retransmit(list(sent), 1 << 20)
    again = stage.wire(track).resent
    assert len(again) == 6
    for _, timestamp, marker, payload in again:
        original = sent[int.from_bytes(payload[:2], "big")]
        assert (timestamp, marker, payload[2:]) == original[3:]
    stage.frame()
    assert stage.served[-1] == 3, "a resend is no reason to leave"


@pytest.mark.parametrize(
    ("deed", "served"),
    [
        pytest.param(lambda track: track.show(Camera("b"), 2), [2, 2, 2, 2, 2], id="another camera"),
        pytest.param(lambda track: track.show(None, 2), [2, 2, 2, 2, 2], id="nothing"),
        pytest.param(lambda track: track.replay(), [2, 2, 2, 2, 2], id="replay"),
        pytest.param(lambda track: track.expect_key(), [2, 2, 2, 2, 3], id="the feed begins anew"),
        pytest.param(lambda track: track.thin_out(keys_only=True), [2, 2, 2, 2, 2], id="a thin link"),
        pytest.param(lambda track: track.leave_in_step(), [2, 3, 3, 3, 3], id="a full socket"),
    ],
)
def test_a_track_leaves_the_others_do_not_notice_and_no_number_is_left_out(
    deed: Callable[[Track], None], served: list[int]
) -> None:
    stage = three()
    for _ in range(5):
        stage.frame()
    leaver = stage.tracks[0]
    deed(leaver)
    assert len(stage.in_step) == 2
    for number in range(5):
        stage.frame(key=number == 3)
    assert stage.served[-5:] == served
    while leaver.backlog:
        leaver.send_queued(BURST)
    for track in stage.tracks:
        sequences = [packet[2] for packet in stage.wire(track).packets]
        assert {(after - before) & 0xFFFF for before, after in pairwise(sequences)} == {1}
        track.settle()
        assert track.figures.packets == len(sequences)
    assert len(stage.wire(stage.tracks[1]).packets) == 33


def test_a_track_that_has_caught_up_joins_again() -> None:
    stage = three()
    stage.frame()
    stage.tracks[0].replay()
    stage.frame()
    assert stage.served[-1] == 2
    while stage.tracks[0].backlog:
        stage.tracks[0].send_queued(BURST)
    stage.frame()
    stage.frame()
    assert stage.served[-1] == 3


def test_a_peer_whose_socket_is_full_keeps_the_rest_of_the_frame_and_its_order() -> None:
    stage = three()
    stage.frame()
    full = stage.tracks[1]
    runs = 0

    def fill() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            stage.wire(full).blocked = True
            full.leave_in_step()

    stage.sender.before = fill
    frame = stage.frame(packets=7)  # in four runs; the second one is still held for it
    assert len(frame.runs) == 4
    assert full.backlog == frame.size
    stage.wire(full).blocked = False
    stage.frame()
    while full.backlog:
        full.send_queued(BURST)
    for track in stage.tracks:
        track.settle()
        assert track.figures.frames == 4
        payloads = [packet[5] for packet in stage.wire(track).packets]
        assert payloads == [packet[5] for packet in stage.wire(stage.tracks[0]).packets]


@pytest.mark.parametrize("what", ["too large", "does not fit", "out of order in time", "with a hole before it"])
def test_what_is_out_of_the_ordinary_is_left_to_each_track(what: str) -> None:
    stage, alone = three(), three(alone=True)
    for one in (stage, alone):
        one.frame()
        one.time.now += 0.04
        match what:
            case "too large":
                one.frame(packets=60, size=1000)
            case "does not fit":
                one.sender.largest = 150
                one.frame()
                one.sender.largest = 1 << 20
            case "out of order in time":
                one.send(one.camera.frame(one.time.now - 1.0))
            case "with a hole before it":
                one.camera._index += 5
                one.frame()
        assert one.served[-1] == 0
        for _ in range(3):
            for track in one.tracks:
                while track.backlog:
                    track.send_queued(BURST)
            one.frame()
    assert stage.served[-1] == 3
    for track, other in zip(stage.tracks, alone.tracks, strict=True):
        track.settle()
        assert stage.wire(track).packets == alone.wire(other).packets
        assert track.figures == other.figures


def test_no_number_is_used_again_when_somebody_elses_fault_cuts_a_frame_short() -> None:
    """A taker that raises keeps the frame from those behind it; a sender that raises, from some of the members."""
    stage = three()
    stage.frame()
    stage.time.now += 0.04
    assert not stage.in_step.send_frame(stage.camera.frame(stage.time.now, packets=60, size=1000)), (
        "nobody gets this one"
    )
    assert len(stage.in_step) == 0
    for _ in range(3):
        stage.frame()

    def fail() -> None:
        stage.sender.before = lambda: None
        raise RuntimeError

    stage.sender.before = fail
    with pytest.raises(RuntimeError):
        stage.frame(packets=7)
    for track in stage.tracks:
        track.leave_in_step()
    for _ in range(30):
        stage.frame()
    for track in stage.tracks:
        sent = [(packet[2], packet[5]) for packet in stage.wire(track).packets]
        assert len({number for number, _ in sent}) == len(sent)


def test_who_leaves_between_frames_is_forgotten() -> None:
    stage = three()
    stage.tracks[0].show(None, 2)
    assert stage.in_step._left == []
