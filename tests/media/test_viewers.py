"""Viewers, pages and rights, each part built alone: who comes, who goes, and what a page is told again."""

import asyncio
from dataclasses import dataclass, field

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import Explanation, HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.background import Background
from camera_hub.media.capacity.budget import Grant
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.media.interface import PullableStream, RelayReplaced, TileStatus, TileWish, ViewerEnded
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.pages import OpenPages
from camera_hub.media.wall.reauthorization import Reauthorization
from camera_hub.media.wall.stream_selection import FittingStream, StreamSelection, StreamWish, TilePlace
from camera_hub.media.wall.tile_bindings import TileBindings
from camera_hub.media.wall.tile_requests import TileRequests
from camera_hub.media.wall.tile_state import QueuedTile, TileSlot
from camera_hub.media.wall.tile_updates import TileUpdates
from camera_hub.media.wall.viewer_session import PlayerTerms, ViewerSession, ViewerSessions
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.watchers import Watcher
from camera_hub.media.wall.whep import WhepViewers
from camera_hub.settings import MediaSettings
from tests.fakes.clock import ManualClock
from tests.media.conftest import OPERATOR, FakeSources
from tests.media.parts import FakeAuthorization, FakeCapacity, FakeLeases, FakePages, FakeStills, RecordingRelay

ANSWER = {"sdp": "answer", "tracks": 4, "codecs": ["h264"]}
STRANGER = Actor(2, "x", "Another", Role.OPERATOR)


@dataclass
class FakeTiles:
    """Tiles of viewers that ended, and of those that are shown something."""

    released: list[str] = field(default_factory=list)
    shown: list[TileWish] = field(default_factory=list)

    def release(self, viewer: ViewerSession) -> None:
        self.released.append(viewer.id)

    def show(self, page: str | None, wish: TileWish) -> None:
        self.shown.append(wish)


class NoSound:
    """A site without sound."""

    async def codec(self, watcher: Watcher, village_id: int, relay: int, stream: PullableStream) -> str | None:
        return ""


class Door:
    """Viewers with every neighbour but pages replaced."""

    def __init__(self, clock: ManualClock, bus: EventBus) -> None:
        self.clock = clock
        self.relay = RecordingRelay(answers={"viewer.offer": dict(ANSWER)})
        self.pages = OpenPages()
        self.sessions = ViewerSessions()
        self.tiles = FakeTiles()
        self.audio = PageAudio(MediaSettings(), self.sessions, FeedStates(bus, clock), [self.relay], self.pages)
        self.updates = TileUpdates(self.pages, self.audio)
        self.viewers = Viewers(MediaSettings(), self.sessions, [self.relay], self.pages, self.tiles, self.audio, clock)
        self.connections = PageConnections(
            self.pages, self.sessions, self.viewers, self.updates, self.audio, [self.relay], clock
        )


@pytest.fixture
def door(clock: ManualClock, bus: EventBus) -> Door:
    return Door(clock, bus)


async def test_an_offer_makes_a_viewer_that_replaces_the_one_before(door: Door) -> None:
    first = await door.viewers.offer(OPERATOR, "page", 0, "offer")
    second = await door.viewers.offer(OPERATOR, "page", 0, "offer")
    assert (second.sdp, second.tracks, second.codecs, second.epoch) == ("answer", 4, ["h264"], 1)
    assert door.tiles.released == [first.viewer]
    assert [viewer.id for viewer in door.sessions] == [second.viewer]
    with pytest.raises(HubError) as unknown:
        await door.viewers.offer(OPERATOR, "page", 7, "offer")
    assert unknown.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize("answer", [HubError(Kind.INVALID, "this is no offer"), {"sdp": "answer", "tracks": "many"}])
async def test_an_offer_that_is_refused_or_answered_with_nonsense_leaves_nothing(
    door: Door, answer: HubError | dict[str, object]
) -> None:
    door.relay.answers["viewer.offer"] = answer
    with pytest.raises(HubError):
        await door.viewers.offer(OPERATOR, "page", 0, "offer")
    assert len(door.viewers) == 0
    assert door.relay.types() == ["viewer.offer", "viewer.close"]


async def test_only_its_owner_closes_a_viewer(door: Door) -> None:
    viewer = (await door.viewers.offer(OPERATOR, "page", 0, "offer")).viewer
    with pytest.raises(HubError, match="no such viewer"):
        await door.viewers.close(viewer, STRANGER)
    await door.viewers.close(viewer, OPERATOR)
    assert door.relay.types() == ["viewer.offer", "viewer.close"]
    assert door.tiles.released == [viewer]


async def test_viewers_end_with_their_page_their_session_or_what_cannot_be_played(door: Door) -> None:
    present = {"a": True, "b": True}

    def asked(name: str):  # type: ignore[no-untyped-def]
        async def ask() -> bool:
            return present[name]

        return ask

    await door.viewers.offer(OPERATOR, "page", 0, "offer")
    for name in present:
        await door.viewers.offer(OPERATOR, None, 0, "offer", PlayerTerms(asked(name)))
    await door.viewers.sweep()
    assert len(door.viewers) == 3
    present["a"] = False
    await door.viewers.sweep()
    assert len(door.viewers) == 2
    player = next(viewer for viewer in door.sessions if viewer.page is None)
    player.shown[0] = TileSlot(0, camera_id=1, refusal=Explanation(Reason.NO_H264, "no stream"))
    door.clock.move(16)
    await door.viewers.sweep()
    assert len(door.viewers) == 0


async def test_a_page_is_told_again_what_there_is_and_a_stranger_nothing(door: Door) -> None:
    viewer = (await door.viewers.offer(OPERATOR, "page", 0, "offer")).viewer
    session = door.sessions.owned(viewer, OPERATOR)
    session.shown[0] = TileSlot(0, serial=1)
    async with door.connections.connected("page", OPERATOR) as outbox:
        assert door.connections.greeting("page").viewers == [viewer]
        door.viewers.on_relay_replaced(1, 2)
        outbox.close()
    async with door.connections.connected("page", OPERATOR) as outbox:
        assert await anext(aiter(outbox)) == TileStatus(viewer, 0, 1, None, "empty")
    async with door.connections.connected("page", STRANGER) as outbox:
        assert door.connections.greeting("page").viewers == []
        assert await anext(aiter(outbox)) == ViewerEnded(viewer, "signed_out")


async def test_a_relay_that_was_replaced_has_no_viewers_and_every_page_knows(door: Door) -> None:
    async with door.connections.connected("page", OPERATOR) as outbox:
        viewer = (await door.viewers.offer(OPERATOR, "page", 0, "offer")).viewer
        door.viewers.on_relay_replaced(0, 2)
        news = aiter(outbox)
        assert await anext(news) == ViewerEnded(viewer, Reason.RELAY_RESTARTED)
        assert await anext(news) == RelayReplaced(0, 2)
    assert door.relay.types() == ["viewer.offer"], "a new process knows of no viewer"


async def test_a_standard_player_gets_one_camera_or_the_reason(door: Door, sources: FakeSources) -> None:
    async def present() -> bool:
        return True

    capacity = FakeCapacity()
    selection = StreamSelection(sources, LateCameras(door.clock), capacity)
    whep = WhepViewers(FakeAuthorization(), door.viewers, selection, NoSound(), door.tiles, door.sessions, 1)
    answered = await whep.offer(OPERATOR, 3, "offer", PlayerTerms(present))
    assert door.tiles.shown == [TileWish(answered.viewer, 0, 1, 3)]
    sources.codecs[32] = "h265"
    with pytest.raises(HubError) as refused:
        await whep.offer(OPERATOR, 3, "offer", PlayerTerms(present))
    assert refused.value.reason == Reason.NO_H264
    sources.codecs[32] = "h264"
    capacity.grants = [Grant.REFUSED]
    with pytest.raises(HubError) as refused:
        await whep.offer(OPERATOR, 3, "offer", PlayerTerms(present))
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, Reason.BUSY)
    assert refused.value.params == {"retry_in": 5}, "a player has no place in the queue: it is told when to come back"
    waiting = ViewerSession("other", "page", 0, OPERATOR, tracks=1, shown={0: TileSlot(0, queued=QueuedTile(0, 1.0))})
    door.sessions.add(waiting)
    with pytest.raises(HubError, match="as many pictures as it can"):
        await whep.offer(OPERATOR, 3, "offer", PlayerTerms(present))
    door.sessions.remove(waiting)
    capacity.crowded = True
    offers = door.relay.types().count("viewer.offer")
    with pytest.raises(HubError, match="as many pictures as it can"):
        await whep.offer(OPERATOR, 3, "offer", PlayerTerms(present))
    assert door.relay.types().count("viewer.offer") == offers, "a relay that is full is not even asked"
    assert [viewer.id for viewer in door.sessions] == [answered.viewer]


async def test_a_player_that_hangs_up_while_its_stream_is_chosen_has_no_viewer(door: Door) -> None:
    asked = asyncio.Event()

    class Undecided(StreamSelection):
        async def fit(
            self, wish: StreamWish, codecs: frozenset[str], place: TilePlace, *, pictures: bool = True
        ) -> FittingStream | None:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    async def present() -> bool:
        return True

    selection = Undecided(FakeSources(), LateCameras(door.clock), FakeCapacity())
    whep = WhepViewers(FakeAuthorization(), door.viewers, selection, NoSound(), door.tiles, door.sessions, 1)
    offering = asyncio.create_task(whep.offer(OPERATOR, 3, "offer", PlayerTerms(present)))
    await asked.wait()
    assert len(door.sessions) == 1
    offering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await offering
    assert len(door.sessions) == 0
    assert door.relay.types() == ["viewer.offer", "viewer.close"]


async def test_rights_that_change_are_applied_to_what_is_watched(clock: ManualClock, bus: EventBus) -> None:
    door, authorization, pages = Door(clock, bus), FakeAuthorization(), FakePages()
    async with Background() as background:
        updates = TileUpdates(pages, pages)
        selection = StreamSelection(FakeSources(), LateCameras(clock), FakeCapacity())
        bindings = TileBindings(FakeLeases(), FakeStills(), [door.relay], updates)
        requests = TileRequests(door.sessions, authorization, selection, bindings, updates, background, clock)
        again = Reauthorization(door.sessions, door.viewers, requests, updates, authorization)
        viewer = (await door.viewers.offer(OPERATOR, "page", 0, "offer")).viewer
        requests.show("page", TileWish(viewer, 0, 1, 1))
        await clock.settle()
        shown = pages.states()
        authorization.failure = HubError(Kind.UNAVAILABLE, "the database does not answer", reason=Reason.DATABASE_AWAY)
        with pytest.raises(HubError, match="database"):
            await again.on_camera_changed(1)
        await clock.settle()
        assert pages.states() == shown, "what cannot be read has not been retired"
        authorization.failure = None
        authorization.state = "retired"
        authorization.errors[1] = HubError(Kind.CONFLICT, "retired", reason=Reason.RETIRED)
        assert not await again.on_camera_changed(1)
        await clock.settle()
        assert pages.states()[-1] == ("refused", Reason.RETIRED)
        await again.on_access_changed(OPERATOR.user_id)
        assert len(door.viewers) == 0, "the user may not watch any longer"
