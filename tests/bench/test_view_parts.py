"""The pure parts of `bench view`: whose frame it is, how old, and which sent frame is which received one."""

from dataclasses import replace

import pytest

from camera_hub.bench.view_frames import Seen, age, ahead, first_live, first_own, frames, hub_time, spread
from camera_hub.bench.view_latency import matched
from camera_hub.errors import HubError

WRAP = 1 << 32


def playing(count: int, *, at: float = 1000.0, rtp: int = WRAP - 6000, road: float = 3.0) -> list[Seen]:
    """15 frames a second that are received `road` ms after the hub had them, and presented 10 ms later."""
    return [
        Seen(0, at + number * 1000 / 15 + road + 10, (rtp + number * 6000) % WRAP, at + number * 1000 / 15 + road)
        for number in range(count)
    ]


def test_only_frames_of_the_tile_that_came_by_network_count() -> None:
    rows: list[list[float | None]] = [
        [0, 1.0, 5, 0.5],
        [1, 1.0, 5, 0.5],
        [0, 2.0, None, None],
        [0, 3.0, 7, None],
        [0, 4.0, 9, 3.5],
    ]
    assert frames(rows, 0) == [Seen(0, 1.0, 5, 0.5), Seen(0, 4.0, 9, 3.5)]


def test_timestamps_are_compared_over_their_wrap() -> None:
    assert ahead(10, WRAP - 10) == 20
    assert ahead(WRAP - 10, 10) == -20
    seen = playing(3)
    own = first_own(seen, 0)
    assert own is seen[1]
    assert first_own(seen, 90_000) is None


def test_a_tracks_clock_is_that_of_its_quickest_frame() -> None:
    seen = playing(30)
    late = [replace(frame, received=frame.received + 20 * (place % 3 > 0)) for place, frame in enumerate(seen)]
    offset = hub_time(late)
    assert all(age(frame, offset) == pytest.approx(10.0, abs=0.01) for frame in seen)


def test_the_live_edge_is_no_frame_of_the_replayed_cache() -> None:
    before = playing(15)
    offset = hub_time(before)
    clicked, first_rtp = before[-1].at + 5, (before[-1].rtp + 10) % WRAP
    newest = before[-1].rtp + 1000  # what the hub had when the click came is squeezed up to here
    replay = [Seen(0, clicked + 20 + place, (newest - (4 - place) * 90) % WRAP, clicked + 18) for place in range(5)]
    at = clicked + 70
    fresh = Seen(0, at, round((at - 30 - offset) * 90) % WRAP, at - 10)
    seen = [*replay, fresh]
    assert first_own(seen, first_rtp) is replay[0]
    found = first_live([replay[0], fresh], first_rtp, offset, clicked, 1000 / 15)
    assert found is fresh
    stale = replace(fresh, at=fresh.at + 100)
    assert first_live([stale], first_rtp, offset, clicked, 1000 / 15) is None


def test_a_spread_is_by_nearest_rank() -> None:
    found = spread([float(value) for value in range(20, 0, -1)])
    assert (found.n, found.p50, found.p95, found.max) == (20, 10.0, 19.0, 20.0)
    assert spread([7.0]).p95 == 7.0
    with pytest.raises(ValueError, match="nothing"):
        spread([])


SIZES = [900 + 1000 * (number * 7919 % 40) for number in range(80)]


def sent(offset: float = 0.0) -> list[tuple[float, int]]:
    return [(offset + number * 0.04, size) for number, size in enumerate(SIZES)]


def test_received_frames_are_matched_to_the_one_place_where_their_sizes_fit() -> None:
    received = [(at + 0.002, size + 30) for at, size in sent()[10:60]]
    assert matched([sent()[20:], sent()], received) == pytest.approx([0.002] * 50)


def test_a_lost_frame_is_no_match() -> None:
    received = [(at + 0.002, size) for at, size in sent()[10:60]]
    with pytest.raises(HubError, match="0 places"):
        matched([sent()], [*received[:20], *received[21:]])
    with pytest.raises(HubError, match="lost"):
        matched([sent()], [])
