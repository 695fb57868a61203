"""When a feed is too late for too long, and when it is reopened for it."""

from collections.abc import Callable

import pytest

from camera_hub.errors import Reason
from camera_hub.relay.ingest import lateness
from camera_hub.relay.ingest.lateness import MAX_REOPEN_INTERVAL, REOPEN_AFTER, REOPEN_INTERVAL, Lateness
from camera_hub.relay.ingest.timestamps import RATE, TimestampMapper
from tests.relay.camera import Quirks, camera
from tests.relay.clip import clip
from tests.relay.hub import relay
from tests.relay.peer import viewer

STEP = 0.5


class Feed:
    """Looks at a feed's lateness each half second."""

    def __init__(self) -> None:
        self.lateness = Lateness(2.0, 10.0)
        self.now = 1000.0
        self.reopened: list[float] = []

    def run(self, seconds: float, late: Callable[[float], float]) -> list[float]:
        """Seconds after which `late` changed. `late` gives the lateness of each moment."""
        began, changes = self.now, []
        while self.now < began + seconds:
            self.now += STEP
            if self.lateness.update(self.now, late(self.now - began)):
                changes.append(self.now - began)
            if self.lateness.should_reopen(self.now):
                self.reopened.append(self.now)
                self.lateness.restart()
        return changes


@pytest.mark.parametrize(
    ("late", "changes"),
    [
        (lambda t: 0.1, []),
        (lambda t: 2.0, []),  # at the limit
        (lambda t: 3.0, [10.5]),
        (lambda t: t / 5, [20.5]),  # drifts away: late after 10 s, for 10 s
        (lambda t: max(0.0, 6.0 - t), []),  # a burst after a stall
        (lambda t: 3.0 if t % 10 < 9 else 0.5, []),  # again and again, but never for long
        (lambda t: 3.0 if t < 15 else 0.5, [10.5, 25.0]),
        (lambda t: 3.0 if t < 15 else 1.5, [10.5]),  # not quite in time
    ],
)
def test_late_is_what_is_late_on_end(late: Callable[[float], float], changes: list[float]) -> None:
    assert Feed().run(30.0, late)[: len(changes) + 1] == changes


def test_a_feed_that_stays_late_is_reopened_ever_more_seldom() -> None:
    feed = Feed()
    feed.run(3600.0, lambda t: 5.0)
    first, *later = feed.reopened
    assert first == pytest.approx(1000.0 + 10.0 + REOPEN_AFTER, abs=1.0)
    pauses = [after - before for before, after in zip([first, *later], later, strict=False)]
    assert pauses[0] >= REOPEN_INTERVAL
    assert pauses == sorted(pauses)
    assert MAX_REOPEN_INTERVAL <= pauses[-1] <= MAX_REOPEN_INTERVAL + 2 * STEP


def test_after_a_long_good_time_it_is_reopened_as_soon_as_at_first() -> None:
    feed = Feed()
    feed.run(700.0, lambda t: 5.0)
    feed.run(3 * MAX_REOPEN_INTERVAL, lambda t: 0.0)
    feed.reopened.clear()
    began = feed.now
    feed.run(150.0, lambda t: 5.0)
    assert len(feed.reopened) == 2
    assert feed.reopened[0] - began < 10.0 + REOPEN_AFTER + 2


def test_a_clock_that_runs_slow_within_reason_never_looks_late() -> None:
    timestamps, feed = TimestampMapper(), Feed()
    for second in range(24 * 3600):  # a day at 300 ppm, ten times what quartz does
        timestamps.map(round(second * RATE * (1 - 300e-6)) & 0xFFFFFFFF, 50.0 + second)
        assert not feed.lateness.update(50.0 + second, timestamps.lateness)


@pytest.mark.slow
async def test_a_feed_that_comes_too_late_says_so_and_is_reopened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lateness, "REOPEN_AFTER", 0.0)
    quirks = Quirks(stamp=lambda index: index * 1800)  # half of the time that passes: ever later
    async with (
        camera(clip(), quirks) as cam,
        relay(late_seconds=0.2, late_for=0.3) as hub,
        viewer(hub) as peer,
    ):
        await hub.open("s1", cam)
        await hub.call("track.show", viewer="v", track=0, feed="s1", serial=1)
        assert await peer.width(0) == 320
        late = (await hub.until("feed.state", lambda head: head["reason"] == Reason.LATE)).head
        assert late["phase"] == "live"
        assert "late" in late["detail"]
        failed = await hub.state("s1", "failed")
        assert (failed["reason"], failed["final"]) == (Reason.LATE, False)
        heard = len(hub.said)
        again = await hub.until("feed.state", lambda head: head["phase"] == "live", since=heard)
        assert again.head["reason"] is None
        await hub.until("feed.state", lambda head: head["reason"] == Reason.LATE, since=heard)
        figures = (await hub.call("figures"))["feeds"]["s1"]
        assert (figures["late"], figures["failures"]) == (True, 1), "no second time so soon"
