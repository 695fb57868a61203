"""A track's promises: one sequence that never repeats with other bytes, time that grows, resends that are the same."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.relay.ingest.frame import Frame, PacketRun, split_runs
from camera_hub.relay.ingest.gop_cache import GopCache
from camera_hub.relay.ingest.packetize import gso_runs
from camera_hub.relay.ingest.resend_history import ResendHistory
from camera_hub.relay.ingest.timestamps import RATE
from camera_hub.relay.messages import TrackPhase
from camera_hub.relay.peer.pacer import MANY_FRAMES, MANY_TILES, REPLAY_PAUSE, ReplayPause, TokenBucket, next_track
from camera_hub.relay.peer.track import PayloadTypes, Track


@dataclass
class Wire:
    """A sender that keeps what it is given, and blocks on request."""

    blocked: bool = False
    packets: list[tuple[int, int, int, int, bool, bytes]] = field(default_factory=list)
    resent: list[tuple[int, int, bool, bytes]] = field(default_factory=list)

    def send(self, payload_type: int, ssrc: int, sequence: int, timestamp: int, run: PacketRun) -> int:
        last = len(run.payloads) - 1
        for place, payload in enumerate(run.payloads):
            marker = run.ends_frame and place == last
            self.packets.append((payload_type, ssrc, (sequence + place) & 0xFFFF, timestamp, marker, payload))
        return sum(map(len, run.payloads))

    def send_one(
        self, payload_type: int, ssrc: int, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> int:
        self.resent.append((sequence, timestamp, marker, payload))
        return len(payload)

    def batch_stream(self, payload_type: int, ssrc: int, lag: int, base: int) -> None:
        return None


class Camera:
    """A feed as a track sees it."""

    def __init__(self, name: str, codec: str = "h264", seed: int = 0) -> None:
        self.name = name
        self.codec: str | None = codec
        self.gop_cache = GopCache(max_bytes=100_000, max_seconds=10)
        self.history = ResendHistory(max_packets=64, seconds=1.0)
        self._index = seed
        self._frames = 0

    def frame(self, now: float, *, key: bool = False, packets: int = 3, size: int = 100) -> Frame:
        payloads = tuple(f"{self.name}:{self._frames}:{place}:".encode().ljust(size, b".") for place in range(packets))
        made = Frame(
            self._index,
            round(now * RATE),
            key,
            payloads,
            split_runs(payloads, gso_runs(payloads, segments=2)),
            sum(map(len, payloads)),
            now,
        )
        self._index += packets
        self._frames += 1
        self.gop_cache.add(made)
        self.history.add(made, keep_from=self.gop_cache.first_index)
        return made


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_track(wire: Wire, time: Time, live: list[int] | None = None, backlog_bytes: int = 1 << 23) -> Track:
    types = PayloadTypes({"h264": (102, 103)})
    return Track(
        0,
        types,
        wire,
        time,
        on_live=lambda track: (live if live is not None else []).append(track.serial),
        backlog_bytes=backlog_bytes,
    )


def send_all(track: Track) -> None:
    """As a pacer with room for everything does."""
    while track.backlog:
        track.send_queued(10_000_000)


def test_a_switch_replays_the_cache_squeezed_and_goes_on_live() -> None:
    wire, time, live = Wire(), Time(), list[int]()
    track, camera = a_track(wire, time, live), Camera("a")
    for index in range(25):
        time.now += 0.04
        camera.frame(time.now, key=index == 0)
    track.show(camera, 7)
    assert str(track.phase) == "waiting"
    send_all(track)
    assert track.phase is TrackPhase.LIVE
    assert live == [7]
    assert len(wire.packets) == 75
    stamps = [packet[3] for packet in wire.packets[::3]]
    assert {after - before for before, after in pairwise(stamps)} == {90}
    time.now += 0.04
    track.send_live(camera.frame(time.now), 40_000)
    assert (wire.packets[-1][3] - stamps[-1]) & 0xFFFFFFFF == 3600
    assert live == [7]


def test_of_many_new_tiles_each_has_its_key_frame_before_any_has_the_rest_of_its_cache() -> None:
    time, order = Time(), list[tuple[int, bytes]]()
    tracks = [a_track(Wire(), time) for _ in range(16)]
    for number, track in enumerate(tracks):
        camera = Camera(f"{number}")
        for index in range(25):
            camera.frame(time.now + index * 0.04, key=index == 0, packets=2 + number % 3)
        track.show(camera, 1)
    while waiting := [track for track in tracks if track.backlog]:
        track = next_track(waiting, in_turn=False)
        wire = track.sender
        assert isinstance(wire, Wire)
        before = len(wire.packets)
        track.send_queued(600)
        order += [(tracks.index(track), packet[5].split(b":")[1]) for packet in wire.packets[before:]]
    keys = [place for place, (_, frame) in enumerate(order) if frame == b"0"]
    assert keys == list(range(sum(2 + number % 3 for number in range(16))))
    assert all(track.figures.frames == 25 for track in tracks)


@pytest.mark.parametrize("in_turn", [True, False])
def test_on_a_link_that_does_not_bear_all_key_frames_the_large_ones_have_their_turn(in_turn: bool) -> None:
    """It takes two packets of 1 kB each tenth of a second; each second bring key frames of 10, 10 and 20 of them."""
    time = Time()
    cameras = [Camera(name) for name in "abc"]
    tracks = [a_track(Wire(), time) for _ in cameras]
    for track, camera in zip(tracks, cameras, strict=True):
        track.thin_out(keys_only=True)
        track.show(camera, 1)
    for tenth in range(300):
        time.now += 0.1
        if tenth % 10 == 0:
            for track, camera, packets in zip(tracks, cameras, (10, 10, 20), strict=True):
                track.send_live(camera.frame(time.now, key=True, packets=packets, size=1000), 0)
        if waiting := [track for track in tracks if track.backlog]:
            next_track(waiting, in_turn=in_turn).send_queued(2000)
    sent = [track.figures.frames for track in tracks]
    assert sent[2] == (15 if in_turn else 1), sent  # the one that its picture begins with, and never another


def test_a_switch_names_the_time_that_divides_the_frames_before_from_those_after() -> None:
    wire, time = Wire(), Time()
    track, cameras = a_track(wire, time), [Camera("a"), Camera("b")]
    for index in range(50):
        time.now += 0.04
        for camera in cameras:
            camera.frame(time.now, key=index % 25 == 0)
    track.show(cameras[0], 1)
    track.send_queued(10_000_000)
    track.show(cameras[1], 2)
    before, _ = len(wire.packets), track.send_queued(10_000_000)
    assert wire.packets[before - 1][5].startswith(b"a:")
    assert wire.packets[before][5].startswith(b"b:")
    assert track.first_rtp == wire.packets[before][3]
    assert (wire.packets[before][3] - wire.packets[before - 1][3]) & 0xFFFFFFFF < 1 << 31


def test_without_a_cache_the_next_key_frame_begins() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    track.show(camera, 1)
    track.send_live(camera.frame(time.now), 40_000)
    assert wire.packets == []
    assert track.waits_for_key
    track.send_live(camera.frame(time.now + 1, key=True), 40_000)
    assert len(wire.packets) == 3
    assert [packet[4] for packet in wire.packets] == [False, False, True]
    assert not track.waits_for_key


def test_a_feed_of_a_codec_that_was_not_offered_is_never_sent() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a", codec="h265")
    camera.frame(time.now, key=True)
    track.show(camera, 1)
    track.send_live(camera.frame(time.now + 1, key=True), 40_000)
    track.send_queued(40_000)
    assert wire.packets == []


def test_a_slow_viewer_drops_to_the_next_key_frame_and_it_is_counted() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time, backlog_bytes=2000), Camera("a")
    track.show(camera, 1)
    track.send_live(camera.frame(time.now, key=True), 40_000)
    wire.blocked = True
    for index in range(8):
        track.send_live(camera.frame(time.now + index), 0)
    assert track.backlog == 0
    assert track.figures.dropped_frames == 8
    wire.blocked = False
    sent = len(wire.packets)
    track.send_live(camera.frame(time.now + 9), 40_000)
    assert len(wire.packets) == sent
    track.send_live(camera.frame(time.now + 10, key=True), 40_000)
    assert len(wire.packets) == sent + 3


def test_a_nack_is_answered_with_the_same_bytes_and_time() -> None:
    wire, time = Wire(), Time()
    track, camera, other = a_track(wire, time), Camera("a"), Camera("b", seed=500)
    camera.frame(time.now, key=True)
    camera.frame(time.now + 0.04)
    track.show(camera, 1)
    send_all(track)
    other.frame(time.now + 0.05, key=True)
    track.show(other, 2)
    track.send_queued(1 << 20)
    wanted = list(wire.packets)
    track.retransmit([packet[2] for packet in wanted], 1 << 20)
    assert track.figures.rtx == len(wanted) == 9
    for (_, timestamp, marker, payload), sent in zip(wire.resent, wanted, strict=True):
        assert payload == sent[2].to_bytes(2, "big") + sent[5]
        assert (timestamp, marker) == (sent[3], sent[4])
    numbers = [sequence for sequence, *_ in wire.resent]
    assert len(set(numbers)) == len(numbers)


def test_a_nack_for_what_was_never_sent_or_is_forgotten_is_counted() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    camera.frame(time.now, key=True)
    track.show(camera, 1)
    track.send_queued(1 << 20)
    first = wire.packets[0][2]
    camera.history.clear()
    track.retransmit([first, first + 100, (first - 1) & 0xFFFF], 1 << 20)
    assert (track.figures.rtx, track.figures.rtx_missed) == (0, 3)


def test_resends_have_a_budget_and_what_is_beyond_it_is_counted() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    camera.frame(time.now, key=True, packets=6)
    track.show(camera, 1)
    track.send_queued(1 << 20)
    wanted = [packet[2] for packet in wire.packets]
    assert track.retransmit(wanted, 250) == 306
    assert (track.figures.rtx, track.figures.rtx_refused) == (3, 3)
    assert track.retransmit(wanted, 0) == 0
    assert track.figures.rtx_refused == 9


def test_a_packet_is_not_resent_while_the_last_resend_may_be_on_its_way() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    camera.frame(time.now, key=True)
    track.show(camera, 1)
    track.send_queued(1 << 20)
    wanted = [packet[2] for packet in wire.packets]
    track.retransmit(wanted, 1 << 20)
    time.now += 0.01
    track.retransmit(wanted, 1 << 20)
    assert (track.figures.rtx, track.figures.rtx_repeated) == (3, 3)
    time.now += 0.01
    track.retransmit(wanted, 1 << 20)
    assert track.figures.rtx == 6
    track.figures.round_trip = 0.2
    time.now += 0.09
    track.retransmit(wanted, 1 << 20)
    assert (track.figures.rtx, track.figures.rtx_repeated) == (6, 6)
    time.now += 0.02
    track.retransmit(wanted, 1 << 20)
    assert track.figures.rtx == 9


def test_a_thin_link_is_sent_key_frames_alone_one_at_a_time_and_all_again_from_a_key_frame_on() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    track.show(camera, 1)
    track.send_live(camera.frame(time.now, key=True), 40_000)
    track.send_live(camera.frame(time.now + 1), 0)  # waits: it is dropped with the change
    track.thin_out(keys_only=True)
    sent = len(wire.packets)
    for second in range(2, 5):
        track.send_live(camera.frame(time.now + second), 40_000)
    assert (len(wire.packets), track.figures.thinned_frames) == (sent, 3)
    assert not track.waits_for_key, "the camera need not be asked for key frames"
    track.send_live(camera.frame(time.now + 5, key=True, packets=5), 0)
    track.send_queued(200)
    assert len(wire.packets) == sent + 2, "no whole run at once"
    track.send_live(camera.frame(time.now + 6, key=True), 0)
    track.send_queued(1 << 20)
    assert len(wire.packets) == sent + 5, "the one under way is finished, the one after it left out"
    assert track.figures.thinned_frames == 4
    time.now += 10
    track.on_picture_lost()
    assert track.figures.replays == 0
    track.thin_out(keys_only=False)
    track.send_live(camera.frame(time.now + 7), 40_000)
    assert len(wire.packets) == sent + 5
    track.send_live(camera.frame(time.now + 8, key=True), 40_000)
    track.send_live(camera.frame(time.now + 9), 40_000)
    assert len(wire.packets) == sent + 11


def test_a_camera_that_is_put_into_a_thin_tile_shows_its_cached_key_frame() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    for index in range(5):
        camera.frame(time.now + index, key=index == 0)
    track.thin_out(keys_only=True)
    track.show(camera, 1)
    track.send_queued(1 << 20)
    assert len(wire.packets) == 3
    assert track.phase is TrackPhase.LIVE


def test_a_limited_pace_holds_live_frames_too_and_gives_little_at_once() -> None:
    bucket = TokenBucket(8_000_000)
    bucket.refill(0.0)
    bucket.limit(80_000)
    assert not bucket.allows_live
    assert bucket.burst == 3_000
    bucket.spend(3_000)
    assert not bucket.allows_burst
    assert bucket.wait() == pytest.approx(0.3)
    bucket.refill(0.1)
    assert bucket.burst == 1_000
    assert bucket.allows_burst
    bucket.refill(60.0)
    assert bucket.burst == 3_000
    bucket.limit(None)
    assert bucket.allows_live
    bucket.refill(61.0)
    assert bucket.burst == 40_000


def test_a_pli_is_answered_once_a_second_and_not_just_after_a_switch() -> None:
    wire, time = Wire(), Time()
    track, camera = a_track(wire, time), Camera("a")
    camera.frame(time.now, key=True)
    track.show(camera, 1)
    track.send_queued(1 << 20)
    track.on_picture_lost()
    assert track.figures.replays == 1
    time.now += 1.1
    track.on_picture_lost()
    assert track.figures.replays == 2
    track.send_queued(1 << 20)
    track.on_picture_lost()
    assert track.figures.replays == 2
    assert track.figures.pli == 3


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("point"), st.integers(0, 2)),
        st.tuples(st.just("frame"), st.integers(0, 1)),
        st.tuples(st.just("key"), st.integers(0, 1)),
        st.tuples(st.just("work"), st.sampled_from([1, 250, 40_000])),
        st.tuples(st.just("block"), st.integers(0, 1)),
        st.tuples(st.just("pli"), st.just(0)),
        st.tuples(st.just("begin_anew"), st.integers(0, 1)),
        st.tuples(st.just("nack"), st.integers(0, 400)),
        st.tuples(st.just("thin"), st.integers(0, 1)),
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(ACTIONS, st.integers(32_000, 32_767))
def test_no_sequence_is_ever_used_for_other_bytes(actions: list[tuple[str, int]], start: int) -> None:
    wire, time = Wire(), Time()
    track = a_track(wire, time, backlog_bytes=3000)
    track._sequence = track._rtx_sequence = start
    cameras = [Camera("a"), Camera("b", seed=77)]
    for action, value in actions:
        time.now += 0.04
        if action == "point":
            track.show(cameras[value] if value < 2 else None, 1)
        elif action in ("frame", "key"):
            frame = cameras[value].frame(time.now, key=action == "key")
            if track.feed is cameras[value]:
                track.send_live(frame, 0 if wire.blocked else 40_000)
        elif action == "work":
            track.send_queued(value)
        elif action == "block":
            wire.blocked = bool(value)
        elif action == "pli":
            time.now += 1.0
            track.on_picture_lost()
        elif action == "begin_anew":
            cameras[value].gop_cache.clear()
            if track.feed is cameras[value]:
                track.expect_key()
        elif action == "nack" and wire.packets:
            track.retransmit([wire.packets[-1 - value % len(wire.packets)][2]], 1 << 20)
        elif action == "thin":
            track.thin_out(keys_only=bool(value))
    sent = [(packet[2], packet[3:]) for packet in wire.packets]
    assert [number for number, _ in sent] == [(start + index) & 0xFFFF for index in range(len(sent))]
    last = None
    for _, (timestamp, marker, _) in sent:
        if last is not None:
            step = (timestamp - last[0]) & 0xFFFFFFFF
            assert 0 < step < 1 << 31 or (step == 0 and not last[1])
        last = (timestamp, marker)
    original = {number: packet for number, packet in sent}
    assert len({sequence for sequence, *_ in wire.resent}) == len(wire.resent)
    for _, timestamp, marker, payload in wire.resent:
        assert original[int.from_bytes(payload[:2], "big")] == (timestamp, marker, payload[2:])


def test_first_sequences_lie_in_the_lower_half() -> None:
    for _ in range(200):
        track = a_track(Wire(), Time())
        assert track._sequence < 1 << 15
        assert track._rtx_sequence < 1 << 15


def test_the_pacer_lets_live_frames_overdraw_and_makes_replays_wait() -> None:
    bucket = TokenBucket(8_000_000, depth=40_000, overdraft=100_000)
    bucket.refill(0.0)
    assert bucket.burst == 40_000
    bucket.spend(90_000)
    assert bucket.burst == 0
    assert bucket.allows_live
    bucket.spend(90_000)
    assert not bucket.allows_live
    assert bucket.wait(20_000) == pytest.approx(0.16)
    bucket.refill(0.16)
    assert bucket.burst == pytest.approx(20_000, abs=1)
    bucket.refill(60.0)
    assert bucket.burst == 40_000


def test_a_new_walls_caches_take_a_breath_that_ends_however_many_tiles_are_opened() -> None:
    pause, many = ReplayPause(), (MANY_TILES, MANY_FRAMES)
    assert pause.remaining(5.0, *many) == 0.0, "nothing was opened"
    pause.key_frame_sent(10.0)
    assert pause.remaining(10.0, *many) == pytest.approx(REPLAY_PAUSE)
    assert pause.remaining(10.0, 1, 10_000) == 0.0, "one tile keeps no other from its picture"
    assert pause.remaining(10.0, 16, MANY_FRAMES - 1) == 0.0, "they are soon decoded"
    assert pause.remaining(10.0 + REPLAY_PAUSE, *many) == 0.0
    for step in range(20):
        pause.key_frame_sent(20.0 + 0.1 * step)
    assert pause.remaining(20.0 + 2 * REPLAY_PAUSE, *many) == 0.0, (
        "tile after tile does not hold the first ones for ever"
    )
    pause.key_frame_sent(30.0)
    assert pause.remaining(30.1, *many) == pytest.approx(REPLAY_PAUSE - 0.1)
