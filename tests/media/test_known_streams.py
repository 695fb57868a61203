"""What plays is not chosen again; what changed, stopped or failed is."""

import asyncio
from collections.abc import Callable

import pytest

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.known_streams import KnownStreams
from camera_hub.media.interface import PullableStream, Quality
from camera_hub.relay.messages import FeedPhase, FeedState
from tests.fakes.clock import ManualClock
from tests.media.conftest import FakeChosen, FakeSources
from tests.media.parts import FeedParts

H264 = frozenset({"h264"})


class Room(FeedParts):
    """Streams of cameras, each of village 1 and device 1, over a recorded relay."""

    def __init__(self, bus: EventBus, clock: ManualClock, sources: FakeSources) -> None:
        super().__init__(bus, clock, sources)
        self.asked = sources.chosen
        self.known = KnownStreams(sources, self.states, lambda village: 0)

    async def choose(self, camera: int = 1, quality: Quality = "sub", codecs: frozenset[str] = H264) -> PullableStream:
        return await self.known.choose(camera, quality, codecs)

    def play(self, stream: PullableStream, phase: FeedPhase = FeedPhase.LIVE) -> None:
        """The stream's feed is opened, and the relay reports of it."""
        self.feeds.acquire(0, stream, "a tile")
        self.states.record(FeedKey(0, stream.spec.feed), FeedState(stream.spec.feed, phase, codec="h264"))


@pytest.fixture
def room(bus: EventBus, clock: ManualClock, sources: FakeSources) -> Room:
    sources.paths[1] = {"main": "live", "sub": "live"}
    return Room(bus, clock, sources)


async def test_what_plays_is_chosen_once(room: Room) -> None:
    first = await room.choose()
    assert await room.choose() is not first, "it does not play yet"
    room.play(first)
    again = await room.choose()
    assert (again.stream_id, len(room.asked)) == (12, 2)
    assert (await room.choose(quality="main")).stream_id == 11, "another wish is another choice"
    assert (await room.choose(codecs=frozenset({"h264", "h265"}))).stream_id == 12
    assert len(room.asked) == 4


@pytest.mark.parametrize(
    ("change", "concerns"),
    [
        (lambda known: known.on_camera_changed(1), True),
        (lambda known: known.on_camera_changed(2), False),
        (lambda known: known.on_device_changed(1), True),
        (lambda known: known.on_device_changed(2), False),
        (lambda known: known.on_village_changed(1), True),
        (lambda known: known.on_village_changed(2), False),
        (lambda known: known.on_events_lost(), True),
    ],
)
async def test_what_changed_is_chosen_again(room: Room, change: Callable[[KnownStreams], None], concerns: bool) -> None:
    room.play(await room.choose())
    change(room.known)
    await room.choose()
    assert len(room.asked) == (2 if concerns else 1)


@pytest.mark.parametrize("phase", [FeedPhase.FAILED, FeedPhase.CONNECTING])
async def test_what_does_not_play_any_more_is_chosen_again(room: Room, phase: FeedPhase) -> None:
    stream = await room.choose()
    room.play(stream)
    room.play(stream, phase)
    await room.choose()
    assert len(room.asked) == 2


class SlowSources(FakeSources):
    """Answers when `answering` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = asyncio.Event()

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> FakeChosen:
        chosen = await super().choose(camera_id, quality, codecs)
        await self.answering.wait()
        return chosen


async def test_what_changes_while_it_is_chosen_is_not_kept(bus: EventBus, clock: ManualClock) -> None:
    sources = SlowSources()
    room = Room(bus, clock, sources)
    asking = asyncio.create_task(room.choose())
    await asyncio.sleep(0)
    room.known.on_device_changed(1)
    sources.answering.set()
    room.play(await asking)
    await room.choose()
    assert len(room.asked) == 2


async def test_an_error_is_not_kept(room: Room, sources: FakeSources) -> None:
    sources.errors[1] = HubError(Kind.UNREACHABLE, "away", reason=Reason.UNREACHABLE)
    for _ in range(2):
        with pytest.raises(HubError, match="away"):
            await room.choose()
    del sources.errors[1]
    assert (await room.choose()).stream_id == 12
