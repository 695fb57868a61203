"""Looks with a relay and an eye that only speak: deadlines, doubts, sharing."""

import asyncio
from pathlib import Path

import pytest

from camera_hub.errors import DATABASE_REASONS, HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.eye.messages import Look, Seen
from camera_hub.media.decoders import looks as looking
from camera_hub.media.decoders.looks import FeedBorrowing, Looks, MediaProver
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.engine import MediaEngine
from camera_hub.media.feeds.camera_feeds import CameraFeeds
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.relay.messages import KeyFrame
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.media.conftest import FakeSources, eventually
from tests.media.parts import FakeCapacity, FeedParts, stream
from tests.media.test_engine import heard

pytestmark = pytest.mark.one_database


async def test_a_running_feed_is_used_and_stays(media: MediaEngine, sources: FakeSources) -> None:
    await media.cameras.warm([1], "tour", 30)

    async def live() -> bool:
        return media.cameras.feed_reason(1) == ("live", None)

    await eventually(live)
    asked = len(sources.chosen)
    sight = await media.looks.look(1)
    assert (sight.reason, sight.jpeg, sight.role, sight.codec) == (None, b"jpeg", "sub", "h264")
    assert (sight.signalling_ms, sight.stream_ms, sight.key_frame_ms) == (5.0, 6.0, 7.0)
    assert len(sources.chosen) == asked
    assert media.cameras.feed_reason(1) == ("live", None)


async def test_looks_at_one_feed_share_it_and_close_it_together(media: MediaEngine) -> None:
    sights = await asyncio.gather(*(media.looks.look(1) for _ in range(5)))
    assert [sight.reason for sight in sights] == [None] * 5
    messages = [message["type"] for message in await heard(media) if message["type"].startswith("feed.")]
    assert messages.count("feed.open") == messages.count("feed.close")
    assert media.cameras.feed_reason(1) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "reason", "deadline"),
    [
        ("failed/unreachable", Reason.UNREACHABLE, 15.0),
        ("failed/wrong_password", Reason.WRONG_PASSWORD, 15.0),
        ("silent", Reason.TIMED_OUT, 1.0),
        ("mute", Reason.NO_KEY_FRAME, 1.0),
    ],
)
async def test_a_sick_camera_is_a_reason_and_never_an_error(
    media: MediaEngine, sources: FakeSources, path: str, reason: Reason, deadline: float
) -> None:
    sources.paths[1] = {"sub": path}
    sight = await media.looks.look(1, deadline=deadline)
    assert (sight.reason, sight.jpeg, sight.seen) == (reason, None, None)
    assert sight.detail
    assert media.cameras.feed_reason(1) is None, "nothing is left open"


async def test_a_source_that_cannot_be_asked_is_a_reason(media: MediaEngine, sources: FakeSources) -> None:
    sources.errors[1] = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.TIMED_OUT)
    assert (await media.looks.look(1)).reason == Reason.TIMED_OUT
    assert await media.prover.prove(1) == Reason.TIMED_OUT
    assert await media.pictures.read(1) is None


async def test_looks_are_bounded_and_a_busy_hub_is_not_the_camera_s_fault(
    media: MediaEngine, sources: FakeSources
) -> None:
    sources.paths[1] = {"sub": "silent"}
    under_way = [asyncio.create_task(media.looks.look(1, deadline=30)) for _ in range(looking.AT_ONCE)]

    async def opened() -> bool:
        return media.cameras.feed_reason(1) is not None

    await eventually(opened)
    assert (await media.looks.look(2, deadline=0.3)).reason == Reason.BUSY
    for task in under_way:
        task.cancel()
    await asyncio.wait(under_way)
    assert (await media.looks.look(2)).reason is None
    assert media.cameras.feed_reason(1) is None


@pytest.mark.parametrize(
    ("memory", "frozen", "fetched"),
    [("moved 0", 100.0, 1), ("still 2", 0.0, 3), ("still 3", 0.0, 4), ("still 9", None, 4)],
    ids=["at once", "after two more", "after three more", "never"],
)
async def test_as_many_more_key_frames_are_fetched_as_it_takes_to_decide(
    media: MediaEngine, memory: str, frozen: float | None, fetched: int
) -> None:
    sight = await media.looks.look(1, scores=True, memory=memory)
    assert sight.seen is not None
    assert sight.seen.scores.get("frozen") == frozen
    assert sight.jpeg is not None
    keys = [message for message in await heard(media) if message["type"] == "feed.keys"]
    assert len(keys) == fetched


async def test_a_look_without_scores_or_picture(media: MediaEngine) -> None:
    sight = await media.looks.look(1, jpeg=False)
    assert sight.seen is not None
    assert (sight.jpeg, sight.seen.scores) == (None, {})


class Eyes:
    """Decodes whatever comes; or is busy."""

    def __init__(self, error: HubError | None = None) -> None:
        self.error = error

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]:
        if self.error is not None:
            raise self.error
        return Seen(64, 48), b"jpeg"


class Room(FeedParts):
    """Looks over feeds that run in a recorded relay."""

    def __init__(self, bus: EventBus, clock: ManualClock, sources: FakeSources, eyes: Eyes, *, sessions: int) -> None:
        super().__init__(bus, clock, sources, sessions=sessions)
        self.capacity = FakeCapacity()
        relay_of = lambda village: 0  # noqa: E731
        cameras = CameraFeeds(self.feeds, self.states, LateCameras(clock), sources, clock, relay_of, self.capacity)
        borrowing = FeedBorrowing(self.feeds, self.states, self.key_frames, sources, relay_of, self.capacity)
        self.looks = Looks(borrowing, cameras, eyes, clock)

    def key_frame(self, feed: str) -> None:
        self.key_frames.on_key_frame(FeedKey(0, feed), KeyFrame(feed, "h264", 0.0), b"key")


async def test_a_look_holds_the_feed_that_its_owner_closes_meanwhile(
    bus: EventBus, clock: ManualClock, sources: FakeSources
) -> None:
    """One well camera in 150 was found "retired" by a look that had lent a running feed without holding it."""
    room = Room(bus, clock, sources, Eyes(), sessions=16)
    tile = room.feeds.acquire(0, stream(1), "tile")
    room.live(FeedKey(0, "s12"))
    look = asyncio.create_task(room.looks.look(1))
    await clock.settle()
    tile.release(linger=False)
    clock.move(3600)
    room.feeds.sweep()
    assert "feed.close" not in room.relay.types()
    room.key_frame("s12")
    outcome = await look
    assert (outcome.reason, outcome.jpeg, outcome.hub_fault) == (None, b"jpeg", False)
    assert room.relay.types() == ["feed.open", "feed.close"], "the look was the last who held it"


async def test_a_camera_that_is_retired_during_a_look_is_retired(
    bus: EventBus, clock: ManualClock, sources: FakeSources
) -> None:
    room = Room(bus, clock, sources, Eyes(), sessions=16)
    look = asyncio.create_task(room.looks.look(1))
    await clock.settle()
    room.feeds.drop_camera(1)
    outcome = await look
    assert (outcome.reason, outcome.hub_fault) == (Reason.RETIRED, False)


class StartingEyes(Eyes):
    """An eye that is not there before the look's deadline."""

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")


@pytest.mark.slow
async def test_a_key_frame_that_no_eye_decodes_in_time_is_not_the_cameras_fault(
    bus: EventBus, clock: ManualClock, sources: FakeSources
) -> None:
    room = Room(bus, clock, sources, StartingEyes(), sessions=16)
    room.feeds.acquire(0, stream(1), "tile")
    room.live(FeedKey(0, "s12"))
    look = asyncio.create_task(room.looks.look(1, deadline=1.0))
    await clock.settle()
    room.key_frame("s12")
    outcome = await look
    assert (outcome.reason, outcome.hub_fault, outcome.jpeg) == (Reason.BUSY, True, None)
    assert "decoder" in outcome.detail


BUSY = HubError(Kind.BUSY, "too many pictures", reason=Reason.BUSY)
CRASHED = HubError(Kind.UNSUPPORTED, "it was given up", reason=Reason.UNDECODABLE)


@pytest.mark.parametrize(
    ("eyes", "full", "reason", "hub_fault"),
    [
        (Eyes(BUSY), False, Reason.BUSY, True),
        (Eyes(CRASHED), False, Reason.UNDECODABLE, False),
        (Eyes(), True, Reason.BUSY, True),
    ],
    ids=["no eye is free", "its picture cannot be decoded", "its device has no session free"],
)
async def test_what_the_hub_lacks_is_told_from_what_the_camera_lacks(
    bus: EventBus,
    clock: ManualClock,
    sources: FakeSources,
    site: Database,
    tmp_path: Path,
    eyes: Eyes,
    full: bool,
    reason: Reason,
    hub_fault: bool,
) -> None:
    sources.device = "recorder"
    room = Room(bus, clock, sources, eyes, sessions=1)
    if full:
        room.feeds.acquire(0, stream(2, device="recorder"), "tile")
    prover = MediaProver(room.looks, Pictures(tmp_path, site), deadline=0.6 if full else 20.0)
    proof = asyncio.create_task(prover.prove(1))
    await clock.settle()
    room.key_frame("s12")
    if hub_fault:
        with pytest.raises(HubError) as busy:
            await proof
        assert (busy.value.kind, busy.value.reason) == (Kind.BUSY, reason)
    else:
        assert await proof == reason


@pytest.mark.parametrize("reason", sorted(DATABASE_REASONS))
async def test_a_database_that_fails_is_the_hubs_fault(
    bus: EventBus, clock: ManualClock, sources: FakeSources, reason: Reason
) -> None:
    sources.errors[1] = HubError(Kind.UNAVAILABLE, "the database does not answer", reason=reason)
    outcome = await Room(bus, clock, sources, Eyes(), sessions=16).looks.look(1)
    assert (outcome.reason, outcome.hub_fault) == (reason, True)


async def test_a_look_that_would_open_a_stream_gives_way_to_live_pictures(
    bus: EventBus, clock: ManualClock, sources: FakeSources
) -> None:
    room = Room(bus, clock, sources, Eyes(), sessions=4)
    room.capacity.crowded = True
    outcome = await room.looks.look(1)
    assert (outcome.reason, outcome.hub_fault) == (Reason.OVERLOADED, True), "nothing is said of the camera"
    assert room.relay.types() == []
    assert room.capacity.postponed == ["look"]
    lease = room.feeds.acquire(0, stream(1), "tile")
    room.live(lease.key)
    looking = asyncio.create_task(room.looks.look(1))
    await clock.settle()
    room.key_frame(lease.key.source_id)
    assert (await looking).reason is None, "a stream that runs anyway is looked at"


async def test_how_many_looks_have_streams_open_is_known(
    bus: EventBus, clock: ManualClock, sources: FakeSources
) -> None:
    room = Room(bus, clock, sources, Eyes(), sessions=4)
    watched = room.feeds.acquire(0, stream(4), "tile")
    room.live(watched.key)
    looking = [asyncio.create_task(room.looks.look(camera)) for camera in (1, 2, 4, 3)]
    await clock.settle()
    for camera in (1, 2, 3, 4):
        room.key_frame(stream(camera).spec.feed)
    await asyncio.gather(*looking)
    assert room.capacity.others == [0, 1, 2], "but for one that runs anyway"
    sources.errors[5] = HubError(Kind.UNAVAILABLE, "no answer", reason=Reason.UNREACHABLE)
    await room.looks.look(5)
    looking = [asyncio.create_task(room.looks.look(1))]
    await clock.settle()
    room.key_frame(stream(1).spec.feed)
    await asyncio.gather(*looking)
    assert room.capacity.others[3:] == [0], "all that are over are forgotten"


@pytest.mark.parametrize(
    ("reason", "found"),
    [(Reason.STALLED, Reason.BUSY), (Reason.LATE, Reason.BUSY), (Reason.WRONG_PASSWORD, Reason.WRONG_PASSWORD)],
)
async def test_what_a_late_hub_makes_of_a_camera_is_not_the_cameras(
    bus: EventBus, clock: ManualClock, sources: FakeSources, reason: Reason, found: Reason
) -> None:
    room = Room(bus, clock, sources, Eyes(), sessions=4)
    room.capacity.late = True
    looking = asyncio.create_task(room.looks.look(1))
    await clock.settle()
    room.key_frames.fail(FeedKey(0, stream(1).spec.feed), HubError(Kind.TIMEOUT, "as told", reason=reason))
    outcome = await looking
    assert (outcome.reason, outcome.hub_fault) == (found, found is Reason.BUSY)
