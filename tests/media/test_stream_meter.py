"""What streams deliver, told from the counters of key frames: of feeds that run on, and of those opened for a look."""

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.stream_meter import KEPT, MEASURE_EVERY, StreamMeter
from camera_hub.media.interface import NO_FIGURES, StreamFigures
from camera_hub.relay.messages import KeyFrame

KEY = FeedKey(0, "s1")


def key_frame(at: float, frames: int, size: int, *, keys: int = 1, gaps: int = 0, opened: float = 1.0) -> KeyFrame:
    return KeyFrame("s1", "h264", at, opened, frames, keys, size, gaps)


def test_a_look_at_one_key_frame_tells_bytes_and_a_second_one_tells_rates() -> None:
    meter = StreamMeter()
    meter.add(KEY, key_frame(100.0, 1, 50_000))
    assert meter.is_due(KEY)
    meter.add(KEY, key_frame(102.0, 51, 300_000, keys=2, gaps=3))
    assert not meter.is_due(KEY)
    assert meter.end(KEY) == StreamFigures(25.0, 1000.0, 2.0, 3, 300_000)
    meter.add(KEY, key_frame(400.0, 1, 60_000, opened=390.0))
    assert not meter.is_due(KEY), "it was measured a moment ago"
    assert meter.end(KEY) == StreamFigures(None, None, None, 0, 60_000)
    meter.add(KEY, key_frame(102.0 + MEASURE_EVERY, 1, 60_000, opened=MEASURE_EVERY))
    assert meter.is_due(KEY)


def test_a_feed_that_runs_on_is_measured_from_look_to_look() -> None:
    meter = StreamMeter()
    meter.add(KEY, key_frame(100.0, 1000, 5_000_000, keys=20))
    meter.end(KEY)
    meter.add(KEY, key_frame(400.0, 7000, 35_000_000, keys=120, gaps=7))
    assert meter.end(KEY) == StreamFigures(20.0, 800.0, 3.0, 7, 30_000_000)


def test_a_pull_that_began_anew_is_not_reckoned_with_the_one_before() -> None:
    meter = StreamMeter()
    meter.add(KEY, key_frame(100.0, 1000, 5_000_000, keys=20))
    meter.end(KEY)
    meter.add(KEY, key_frame(400.0, 2000, 6_000_000, keys=40, opened=390.0))
    assert meter.end(KEY) == StreamFigures(None, None, None, 0, 6_000_000)


def test_a_look_without_a_key_frame_tells_nothing_and_what_is_kept_is_bounded() -> None:
    meter = StreamMeter()
    assert meter.end(KEY) == NO_FIGURES
    for number in range(KEPT + 10):
        key = FeedKey(0, f"s{number}")
        meter.add(key, key_frame(100.0, 1, 1))
        meter.end(key)
    assert len(meter._last) == KEPT
