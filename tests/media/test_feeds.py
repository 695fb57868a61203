"""Feeds, what relays report of them, and how they recover; each built alone over one recorded relay."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, FeedChanged
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_logins import FeedLogins
from camera_hub.media.feeds.feed_recovery import ASK_AGAIN_SECONDS, FeedRecovery
from camera_hub.media.feeds.feed_reports import FeedReports
from camera_hub.media.feeds.feeds import FeedPlan
from camera_hub.media.feeds.source_feedback import SourceFeedback
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.relay.messages import FeedPhase, FeedState
from tests.fakes.clock import ManualClock
from tests.media.conftest import FakeSources
from tests.media.parts import FeedParts, stream

KEY = FeedKey(0, "s12")


class Room(FeedParts):
    """Feeds with what follows their reports."""

    def __init__(self, bus: EventBus, clock: ManualClock, sources: FakeSources, background: Background) -> None:
        super().__init__(bus, clock, sources, sessions=2)
        self.late = LateCameras(clock)
        self.changed: list[FeedKey] = []
        self.plan = FeedPlan(self.desired, self.states)
        logins = FeedLogins(LoginBudget(clock), self.desired, self.states)
        self.reports = FeedReports(
            self.feeds,
            self.states,
            self.key_frames,
            self.late,
            logins,
            SourceFeedback(sources, background),
            on_change=self.changed.append,
        )
        self.recovery = FeedRecovery(self.feeds, self.desired, self.states, logins, sources, background, clock)

    def report(self, phase: FeedPhase, reason: str | None = None, feed: str = "s12", *, final: bool = False) -> None:
        self.reports.on_feed_state(0, FeedState(feed, phase, reason=reason, final=final))


@pytest.fixture
async def room(bus: EventBus, clock: ManualClock, sources: FakeSources) -> AsyncIterator[Room]:
    async with Background() as background:
        yield Room(bus, clock, sources, background)


async def test_leases_share_a_feed_that_closes_after_the_last_has_lingered(room: Room, clock: ManualClock) -> None:
    one = room.feeds.acquire(0, stream(1), "a")
    other = room.feeds.acquire(0, stream(1), "b")
    assert room.relay.types() == ["feed.open"]
    one.release()
    one.release()
    clock.move(60)
    room.feeds.sweep()
    assert room.relay.types() == ["feed.open"]
    other.release()
    clock.move(10)
    room.feeds.sweep()
    assert room.relay.posts[-1] == {"type": "feed.close", "feed": "s12"}
    assert room.states.owner(KEY) is None


async def test_a_lease_of_a_closed_feed_is_void(room: Room, clock: ManualClock) -> None:
    lease = room.feeds.acquire(0, stream(1), "warm", clock.monotonic() + 5)
    assert lease.renew(clock.monotonic() + 30)
    room.feeds.drop_camera(1)
    assert not lease.renew(clock.monotonic() + 60)
    assert room.feeds.share(KEY, "look") is None


async def test_what_a_stream_says_of_itself_is_kept_later_if_the_database_failed(
    room: Room, sources: FakeSources, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, tries = sources.learned, list[str]()

    async def once_full(stream_id: int, codec: str, width: int | None, height: int | None) -> None:
        tries.append(codec)
        if len(tries) == 1:
            raise HubError(Kind.STORAGE_FULL, "there is no space left", reason=Reason.STORAGE_FULL)
        await kept(stream_id, codec, width, height)

    monkeypatch.setattr(sources, "learned", once_full)
    room.feeds.acquire(0, stream(1), "a")
    for _ in range(3):
        room.reports.on_feed_state(0, FeedState("s12", FeedPhase.LIVE, codec="h265"))
        await clock.settle()
    assert (tries, sources.codecs) == (["h265", "h265"], {12: "h265"})


async def test_a_new_process_is_sent_what_is_wanted_and_what_was_reported_is_over(room: Room) -> None:
    room.feeds.acquire(0, stream(1), "a")
    room.live(KEY)
    assert [spec.feed for spec in room.plan.playing_on(0)] == ["s12"]
    room.feeds.on_relay_started(0)
    assert room.relay.types() == ["feed.open", "feed.open"]
    assert room.states.report(KEY) is None
    assert room.plan.playing_on(0) == []
    assert [spec.feed for spec in room.plan.wanted_on(0)] == ["s12"]


async def test_a_report_is_published_learned_and_passed_on(room: Room, bus: EventBus, sources: FakeSources) -> None:
    room.feeds.acquire(0, stream(1, codec=None), "a")
    with bus.subscribe(FeedChanged) as events:
        room.reports.on_feed_state(0, FeedState("s12", FeedPhase.LIVE, codec="h265", width=64, height=48))
        assert room.changed == [], "not before it is kept what the stream is"
        await ManualClock.settle()
        assert await events.next() == FeedChanged(1, 12, "live", None)
    assert (room.changed, sources.codecs) == ([KEY], {12: "h265"})
    assert sources.addresses == [("plays", 12)]
    room.reports.on_feed_state(0, FeedState("s99", FeedPhase.LIVE))
    assert room.changed == [KEY], "a late report of a feed that is closed"


async def test_a_device_that_is_full_lets_the_feed_wait(room: Room) -> None:
    room.feeds.acquire(0, stream(1, device="d"), "a")
    room.live(KEY)
    waiting = room.feeds.acquire(0, stream(2, device="d"), "a")
    room.report(FeedPhase.FAILED, Reason.DEVICE_FULL, "s22")
    assert waiting.waiting
    report = waiting.report
    assert report is not None
    assert report.reason == Reason.DEVICE_FULL
    with pytest.raises(HubError) as busy:
        await room.feeds.wait_for_room(0, stream(3, device="d"), 0.01)
    assert busy.value.kind is Kind.BUSY
    room.feeds.drop_camera(1)
    assert not waiting.waiting
    assert room.relay.posts[-1]["feed"] == "s22"


async def test_a_late_main_stream_rests(room: Room) -> None:
    room.feeds.acquire(0, stream(1, "main"), "a")
    room.report(FeedPhase.LIVE, Reason.LATE, "s11")
    assert room.late.rests(1)


async def test_a_feed_that_fails_for_a_while_is_asked_for_again_and_follows_a_new_address(
    room: Room, clock: ManualClock, sources: FakeSources
) -> None:
    room.feeds.acquire(0, stream(1), "a")
    room.report(FeedPhase.FAILED, Reason.STREAM_NOT_FOUND)
    sources.paths[1] = {"sub": "elsewhere"}
    room.recovery.sweep()
    await clock.settle()
    assert sources.chosen == []
    clock.move(ASK_AGAIN_SECONDS)
    room.recovery.sweep()
    await clock.settle()
    assert sources.chosen == [(1, "sub")]
    assert room.relay.types() == ["feed.open", "feed.open"]
    assert room.relay.posts[-1]["source"]["url"].endswith("/elsewhere")


@pytest.mark.parametrize("reason", [Reason.SOURCE_UNSUPPORTED, Reason.CODEC_UNSUPPORTED, Reason.LOGIN_NEEDED])
async def test_what_asking_cannot_cure_is_left_alone_until_its_device_changes(
    room: Room, clock: ManualClock, sources: FakeSources, reason: Reason
) -> None:
    room.feeds.acquire(0, stream(1), "a")
    room.report(FeedPhase.FAILED, reason, final=True)
    room.recovery.sweep()
    clock.move(10 * ASK_AGAIN_SECONDS)
    room.recovery.sweep()
    await clock.settle()
    assert sources.chosen == []
    sources.credentials_version = 2
    room.recovery.on_device_changed(1)
    await clock.settle()
    assert sources.chosen == [(1, "sub")]
    assert room.relay.posts[-1]["credentials_version"] == 2


async def test_a_feed_that_plays_keeps_its_address_when_only_the_path_is_new(
    room: Room, clock: ManualClock, sources: FakeSources
) -> None:
    chosen = stream(1)
    room.feeds.acquire(0, replace(chosen, spec=replace(chosen.spec, credentials_version=1)), "a")
    room.live(KEY)
    sources.paths[1] = {"sub": "a-one-time-path"}
    room.recovery.on_device_changed(1)
    await clock.settle()
    assert sources.chosen == [(1, "sub")]
    assert room.relay.types() == ["feed.open"]


async def test_a_feed_that_plays_is_not_interrupted_by_a_new_login_and_has_it_in_its_next_session(
    room: Room, clock: ManualClock, sources: FakeSources
) -> None:
    room.feeds.acquire(0, stream(1), "a")
    room.report(FeedPhase.LIVE)
    sources.credentials_version = 2
    room.recovery.on_device_changed(1)
    await clock.settle()
    assert sources.chosen == [(1, "sub")]
    assert room.relay.types() == ["feed.open"]
    room.report(FeedPhase.CONNECTING)
    room.recovery.sweep()
    await clock.settle()
    assert room.relay.posts[-1]["credentials_version"] == 2
    posts = len(room.relay.posts)
    room.recovery.sweep()
    await clock.settle()
    assert len(room.relay.posts) == posts
