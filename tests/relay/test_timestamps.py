"""Timestamps on the hub's clock: lateness, jitter, jumps, and those of a replayed GOP."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.timestamps import JUMP, RATE, TimestampMapper, replay_timestamps


@given(st.integers(1, 300), st.one_of(st.none(), st.integers(0, 2_000_000)), st.integers(0, 1_000_000))
def test_replay_timestamps_increase_and_come_after_what_was_sent(count: int, last: int | None, newest: int) -> None:
    times = replay_timestamps(count, last, newest)
    assert len(times) == count
    assert all(before < after for before, after in pairwise(times))
    assert last is None or times[0] > last
    if last is None or newest - last >= count * 90:
        assert times[-1] == newest


def test_timestamps_follow_arrival_and_lateness_is_measured() -> None:
    mapper = TimestampMapper()
    first = mapper.map(0xFFFFFFF0, 50.0)
    assert first == 50 * RATE
    assert mapper.map((0xFFFFFFF0 + 3600) & 0xFFFFFFFF, 50.04) == pytest.approx(first + 3600, abs=2)
    mapper.map((0xFFFFFFF0 + 7200) & 0xFFFFFFFF, 51.08)
    assert mapper.lateness == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("jump", [3600 * RATE, -int((JUMP + 5) * RATE)])
def test_a_jump_of_the_cameras_clock_does_not_move_the_hubs(jump: int) -> None:
    mapper = TimestampMapper()
    for index in range(100):
        before = mapper.map(10**9 + index * 3600, 10 + index * 0.04)
    after = mapper.map(10**9 + 100 * 3600 + jump, 10 + 100 * 0.04)
    assert after - before == pytest.approx(3600, abs=10)
    assert mapper.jumps == 1


def test_a_reopened_streams_timestamps_increase_further() -> None:
    mapper = TimestampMapper()
    before = mapper.map(5 * RATE, 20.0)
    mapper.restart()
    assert mapper.map(0, 21.0) == pytest.approx(before + RATE, abs=2)
    assert mapper.lateness == 0


def test_jitter_is_the_smoothed_change_of_delay_and_a_jump_is_none() -> None:
    mapper = TimestampMapper()
    for index in range(200):
        mapper.map(index * 3600, 10 + index * 0.04 + (0.008 if index % 2 else 0.0))
    assert mapper.jitter == pytest.approx(0.008, rel=0.01)
    before = mapper.jitter
    mapper.map(200 * 3600 + 60 * RATE, 10 + 200 * 0.04)  # the camera's clock leapt by a minute
    assert mapper.jitter == before
    mapper.restart()
    assert mapper.jitter == 0.0
