"""GOP cache and packet history: their bounds, and when a replay is worth it."""

import pytest

from camera_hub.relay.ingest.gop_cache import worth_replaying
from tests.relay.test_track import Camera


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
