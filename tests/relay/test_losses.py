"""When a feed is said to lose its frames, and by which cause; how a camera's clock is found wrong."""

import pytest

from camera_hub.errors import Reason
from camera_hub.relay.ingest.feed_state import loss_error, with_loss
from camera_hub.relay.ingest.losses import LossCause, LossWindow
from camera_hub.relay.ingest.timestamps import RATE, CameraClock, TimestampMapper
from camera_hub.relay.messages import FeedPhase, FeedState

FPS = 25


class Stream:
    """A stream of 25 frames a second whose losses a test decides; the window is fed every half second."""

    def __init__(self) -> None:
        self.window, self.now, self.delivered, self.lost = LossWindow(), 100.0, 0.0, [0.0] * len(LossCause)
        self.changes: list[str | None] = []

    def run(self, seconds: float, lost: float = 0.0, cause: LossCause = LossCause.GAP, *, every: int = 1) -> None:
        """So long; of every so many half seconds' frames this share is lost."""
        for beat in range(round(seconds * 2)):
            share = lost if beat % every == 0 else 0.0
            self.now += 0.5
            self.delivered += FPS / 2 * (1 - share)
            self.lost[list(LossCause).index(cause)] += FPS / 2 * share
            if self.window.update(self.now, round(self.delivered), [round(one) for one in self.lost]):
                self.changes.append(self.window.lossy.cause if self.window.lossy is not None else None)


def test_a_feed_that_loses_nothing_is_never_lossy() -> None:
    stream = Stream()
    stream.run(120)
    assert stream.changes == []


def test_one_accident_is_no_lossy_feed() -> None:
    stream = Stream()
    stream.run(40)
    stream.run(4, lost=1.0)  # until the next key frame
    stream.run(40)
    assert stream.changes == []


def test_losses_that_go_on_are_told_soon_and_until_they_are_long_over() -> None:
    stream = Stream()
    stream.run(30)
    stream.run(20, lost=0.3)
    assert stream.changes == [LossCause.GAP]
    stream.run(25)
    assert stream.changes == [LossCause.GAP], "a window of mostly losses does not end at once"
    stream.run(35)
    assert stream.changes == [LossCause.GAP, None]


def test_a_few_per_cent_do_not_flap() -> None:
    stream = Stream()
    stream.run(60, lost=0.3)
    for _ in range(4):
        stream.run(20, lost=0.04)
        stream.run(20, lost=0.06)
    assert stream.changes == [LossCause.GAP]


def test_the_weightiest_cause_is_told_with_the_share() -> None:
    stream = Stream()
    stream.run(30, lost=0.2)
    stream.run(60, lost=0.5, cause=LossCause.BROKEN)
    assert stream.changes == [LossCause.GAP, LossCause.BROKEN]
    loss = stream.window.lossy
    assert loss is not None
    assert loss.percent == pytest.approx(50, abs=2)


def test_a_lossy_feed_says_why_and_what_helps_and_nothing_once_it_is_over() -> None:
    stream, live = Stream(), FeedState("s1", FeedPhase.LIVE)
    stream.run(30, lost=0.2)
    loss = stream.window.lossy
    assert loss is not None
    state = with_loss(live, loss_error(loss, ordered=False))
    assert (state.phase, state.reason, state.params["cause"]) == (FeedPhase.LIVE, Reason.LOSSY, "gap")
    assert "set its transport to TCP" in state.detail
    by_tcp = with_loss(live, loss_error(loss, ordered=True))
    assert by_tcp.params["cause"] == "gap_tcp"
    assert "overloaded" in by_tcp.detail
    assert with_loss(state, None) == live
    assert FeedState.of(state.head("feed.state")) == state


@pytest.mark.parametrize(
    ("rate", "fps", "clock"),
    [
        (RATE, 25, CameraClock.WELL),
        (RATE, 60, CameraClock.WELL),
        (RATE, 1, CameraClock.WELL),
        (0, 25, CameraClock.STANDING),
        (8_000, 25, CameraClock.WRONG_RATE),
        (1_000, 12, CameraClock.WRONG_RATE),
        (25, 25, CameraClock.WRONG_RATE),
        (1_000_000, 25, CameraClock.WRONG_RATE),
    ],
)
def test_a_clock_that_is_none_is_found_and_frames_are_stamped_by_arrival(
    rate: int, fps: int, clock: CameraClock
) -> None:
    mapper = TimestampMapper()
    stamps = [mapper.map(round(n * rate / fps), 50 + n / fps) for n in range(20 * fps)]
    assert mapper.clock is clock
    assert stamps[-1] - stamps[10 * fps] == pytest.approx((10 * fps - 1) * RATE / fps, rel=0.01)
    assert mapper.lateness < 0.1


def test_a_thin_link_is_no_wrong_clock() -> None:
    mapper = TimestampMapper()
    for n in range(500):  # 25 frames a second on a link that carries 10
        mapper.map(n * RATE // 25, 50 + n / 10)
    assert mapper.clock is CameraClock.WELL
    assert mapper.lateness > 20


def test_a_burst_at_the_beginning_is_no_wrong_clock() -> None:
    mapper = TimestampMapper()
    for n in range(500):  # ten seconds from before are sent at once
        mapper.map(n * RATE // 25, 50 + max(n * 0.004, (n - 250) / 25))
    assert mapper.clock is CameraClock.WELL
