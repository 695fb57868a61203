"""GOP cache and packet history: their bounds, and when a replay is worth it."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.frame import Frame, split_runs
from camera_hub.relay.ingest.gop_cache import GopCache, worth_replaying
from camera_hub.relay.ingest.resend_history import ResendHistory
from camera_hub.relay.messages import RelayConfig
from tests.relay.test_track import Camera, Time, Wire, a_track, send_all


def test_the_gop_cache_is_bounded_in_bytes_and_in_age() -> None:
    camera = Camera("a")
    camera.frame(0.0, key=True)
    camera.frame(10.1)
    assert camera.gop_cache.frames == []
    assert camera.gop_cache.overflows == 1
    camera.frame(11.0)
    assert camera.gop_cache.frames == []
    camera.frame(12.0, key=True)
    camera.frame(12.1, size=60_000, packets=2)
    assert camera.gop_cache.frames == []
    assert camera.gop_cache.overflows == 2


def test_the_history_drops_the_oldest_packets_but_never_the_cached_gop() -> None:
    camera = Camera("a")
    camera.frame(0.0)
    for index in range(40):
        camera.frame(1.0 + index / 25, key=index == 0)
    assert camera.history.packet(0) is None
    found = camera.history.packet(3)
    assert found is not None
    assert found[0].key
    for index in range(40):
        camera.frame(3.0 + index / 25, key=index == 20)
    assert camera.history.packet(3) is None
    assert camera.history.packet(3 + 40 * 3 + 20 * 3) is not None
    assert camera.gop_cache.gop_seconds == pytest.approx(2.8)


@pytest.mark.parametrize(
    ("age", "gop", "size", "worth"), [(0.1, 2.0, 500_000, True), (1.9, 2.0, 500_000, False), (5, None, 4_000_000, True)]
)
def test_a_replay_is_worth_it_when_the_next_key_frame_is_far(
    age: float, gop: float | None, size: int, worth: bool
) -> None:
    assert worth_replaying(age, gop, size) is worth


STEPS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([False, False, False, True]), st.integers(1, 6), st.booleans()),
    min_size=1,
    max_size=120,
)
"""Per frame: time since the last one (0.1 s), whether it is a key frame, its packets, whether its GOP is replayed."""


@given(STEPS)
def test_the_history_holds_the_last_seconds_what_may_be_replayed_and_what_was_and_nothing_else(
    steps: list[tuple[int, bool, int, bool]],
) -> None:
    seconds, most = 2.0, 40
    cache, history = GopCache(max_bytes=10_000, max_seconds=10.0), ResendHistory(max_packets=most, seconds=seconds)
    frames: list[Frame] = []
    replayed: dict[int, float] = {}  # a GOP's first packet → kept until
    now, index = 0.0, 0
    for pause, key, packets, replay in steps:
        now += pause / 10
        payloads = (b"x" * 100,) * packets
        frame = Frame(index, round(now * 90_000), key, payloads, split_runs(payloads, [packets]), 100 * packets, now)
        index += packets
        frames.append(frame)
        cache.add(frame)
        history.add(frame, keep_from=cache.first_index)
        running = {first for first, until in replayed.items() if until > now}
        if replay and cache.first_index is not None:
            replayed[cache.first_index] = now + seconds
            history.on_replay(cache.first_index, now)
        always = min([*running, frame.first if cache.first_index is None else cache.first_index])
        behind = list(accumulate(len(one.payloads) for one in reversed(frames)))[::-1]
        for one, count in zip(frames, behind, strict=True):
            wanted = one.first >= always or (one.arrived >= now - seconds and count <= most)
            for place in range(len(one.payloads)):
                assert history.packet(one.first + place) == ((one, place) if wanted else None)
    assert history.packet(index) is None


def test_a_replay_of_a_long_gop_can_be_repaired_after_the_next_key_frame() -> None:
    wire, time, camera = Wire(), Time(), Camera("a")
    track = a_track(wire, time)
    for number in range(100):
        time.now += 0.09
        camera.frame(time.now, key=number == 0)
    track.show(camera, 1)
    send_all(track)
    first = wire.packets[0][2]
    for number in range(8):
        time.now += 0.09
        camera.frame(time.now, key=number == 0)
    track.retransmit([first, first + 1, first + 299], 1 << 20)
    assert [payload[2:] for _, _, _, payload in wire.resent] == [wire.packets[at][5] for at in (0, 1, 299)]
    time.now += 1.0
    camera.frame(time.now)
    track.retransmit([first + 2], 1 << 20)
    assert track.figures.rtx_missed == 1


def test_a_browser_s_ten_requests_at_a_round_trip_of_200_ms_are_answered() -> None:
    assert RelayConfig().history_seconds >= 10 * 0.2
