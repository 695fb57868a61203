"""Each group of the relay's commands by itself, and the dispatcher that runs them: what a wrong command is answered."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import (
    AudioListen,
    FeedName,
    FeedPhase,
    FeedSpec,
    KeyFrameTap,
    PlaybackSource,
    RelayConfig,
    RtspLiveSource,
    TrackShow,
    ViewerFiguresRequest,
    ViewerName,
    ViewerOffer,
)
from camera_hub.relay.process import feed_commands
from camera_hub.relay.process.dispatcher import Dispatcher, Reply, command
from camera_hub.relay.process.feed_commands import FeedCommands
from camera_hub.relay.process.gc_control import GcControl
from camera_hub.relay.process.hub_notifier import SYNC_EVERY, HubNotifier
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.relay.process.viewer_commands import ViewerCommands
from camera_hub.relay.process.viewers import ViewerTasks
from camera_hub.running import running
from camera_hub.wire import MAX_FRAME, Pipe
from tests.fakes.clock import ManualClock


@pytest.fixture
async def pipes() -> AsyncIterator[tuple[Pipe, Pipe]]:
    """(relay's end, hub's end)."""
    made = [Pipe(*await asyncio.open_connection(sock=end)) for end in socket.socketpair()]
    yield made[0], made[1]
    for pipe in made:
        await pipe.close()


async def pong(which: FeedName) -> Reply:
    match which.feed:
        case "busy":
            raise HubError(Kind.BUSY, "not now")
        case "bug":
            raise KeyError("a bug")
        case "huge":
            return {"text": "x" * MAX_FRAME}
    return {"feed": which.feed}


async def test_a_command_is_decoded_run_and_answered_and_whatever_is_wrong_is_the_answer(
    pipes: tuple[Pipe, Pipe],
) -> None:
    near, far = pipes
    dispatcher = Dispatcher(near)
    dispatcher.add({"ping": command(FeedName.of, pong)})

    async def serve() -> None:
        while (frame := await near.receive()) is not None:
            await dispatcher.handle(frame)

    async def listen() -> None:
        while await far.receive() is not None:
            pass

    async with running(serve(), "relay"), running(listen(), "hub"):
        assert (await far.call({"type": "ping", "feed": "a"})).head["feed"] == "a"
        wrong: list[tuple[dict[str, Any], Kind, str]] = [
            ({"type": "what"}, Kind.INVALID, "does not know the command 'what'"),
            ({"type": "ping"}, Kind.INVALID, "ping: FeedName.feed is missing"),
            ({"type": "ping", "feed": 3}, Kind.INVALID, "ping: FeedName.feed must be a string"),
            ({"type": "ping", "feed": "busy"}, Kind.BUSY, "not now"),
            ({"type": "ping", "feed": "bug"}, Kind.INTERNAL, "its log says why"),
            ({"type": "ping", "feed": "huge"}, Kind.TOO_LARGE, "over 4 MiB"),
        ]
        for head, kind, text in wrong:
            with pytest.raises(HubError) as caught:
                await far.call(head)
            assert caught.value.kind is kind
            assert text in caught.value.detail
            far.post(head)  # without an id: logged alone
        assert (await far.call({"type": "ping", "feed": "b"})).head["feed"] == "b", "it goes on"


class Posted(HubOutbox):
    """An outbox whose messages are looked at instead of sent."""

    def __init__(self, pipe: Pipe, clock: ManualClock) -> None:
        super().__init__(pipe, clock)
        self.heads: list[dict[str, Any]] = []

    def post(self, head: dict[str, Any], body: bytes = b"") -> None:
        self.heads.append(head)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [head for head in self.heads if head["type"] == type_]


class Subscribers:
    def __init__(self) -> None:
        self.opened: list[str] = []

    def feed_opened(self, feed: Feed) -> None:
        self.opened.append(feed.name)


@pytest.fixture
def outbox(pipes: tuple[Pipe, Pipe], clock: ManualClock) -> Posted:
    return Posted(pipes[0], clock)


def spec(name: str) -> FeedSpec:
    return FeedSpec(name, RtspLiveSource("rtsp://127.0.0.1:1/", "127.0.0.1", 1))


async def test_feeds_are_opened_once_reported_again_and_closed(
    outbox: Posted, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_commands, "MAX_FEEDS", 2)
    feeds: dict[str, Feed] = {}
    permits = LoginPermitRequests(outbox.post, asks=False)
    admission = AdmissionControl(4, 32, permits, clock)
    waiting = Subscribers()
    hub = HubNotifier(outbox, clock)
    made = FeedCommands(feeds, RelayConfig(), clock, admission, permits, hub, [waiting])
    try:
        await made.open(spec("s1"))
        await made.open(spec("s2"))
        assert waiting.opened == ["s1", "s2"]
        said = len(outbox.of("feed.state"))
        await made.open(spec("s1"))
        assert len(outbox.of("feed.state")) == said + 1
        assert waiting.opened == ["s1", "s2"]
        with pytest.raises(HubError, match="2 feeds already"):
            await made.open(spec("s3"))
        await made.tap(KeyFrameTap("s1", 2.0))
        with pytest.raises(HubError, match="no such feed"):
            await made.tap(KeyFrameTap("s9", 2.0))
        await made.close(FeedName("s1"))
        await made.close(FeedName("s1"))
        assert list(feeds) == ["s2"]
        assert [head["phase"] for head in outbox.of("feed.state")].count(FeedPhase.STOPPED) == 1
    finally:
        await made.close_all()


async def test_a_source_that_is_not_known_fails_the_feed_for_the_hub_too(outbox: Posted, clock: ManualClock) -> None:
    permits = LoginPermitRequests(outbox.post, asks=False)
    hub = HubNotifier(outbox, clock)
    made = FeedCommands({}, RelayConfig(), clock, AdmissionControl(4, 32, permits, clock), permits, hub, [])
    head = FeedSpec("s1", PlaybackSource("rtsp://r/", "127.0.0.1", 1, 0.0)).head("feed.open")
    head["source"]["kind"] = "carrier-pigeon"
    with pytest.raises(HubError) as caught:
        made.commands()["feed.open"].decode(head)
    assert caught.value.kind is Kind.UNSUPPORTED
    [state] = outbox.of("feed.state")
    assert (state["feed"], state["phase"], state["final"]) == ("s1", "failed", True)


async def test_a_synchronization_point_is_requested_now_and_then_and_per_feed(
    outbox: Posted, clock: ManualClock
) -> None:
    hub = HubNotifier(outbox, clock)
    for _ in range(3):
        hub.on_key_frame_wanted("s1")
        hub.on_key_frame_wanted("s2")
    assert [head["feed"] for head in outbox.of("sync.wanted")] == ["s1", "s2"]
    await clock.advance(SYNC_EVERY)
    hub.on_key_frame_wanted("s1")
    assert len(outbox.of("sync.wanted")) == 3


class Closed:
    opened = None


class Watched:
    def watched(self, spec: FeedSpec) -> None:
        raise AssertionError("nobody watches")


async def test_commands_about_viewers_that_are_not_there_are_refused_or_done(
    outbox: Posted, clock: ManualClock
) -> None:
    hub = HubNotifier(outbox, clock)
    viewers = ViewerTasks(hub, GcControl(clock))
    made = ViewerCommands(viewers, {}, Closed(), RelayConfig(), clock, hub, Watched())
    with pytest.raises(HubError, match="another relay process has the port"):
        await made.offer(ViewerOffer("v", "v=0"))
    await made.close(ViewerName("v"))
    for asked in (
        made.show(TrackShow("v", 0, 1, "s1")),
        made.listen(AudioListen("v", 1, "s1")),
        made.read_figures(ViewerFiguresRequest("v")),
    ):
        with pytest.raises(HubError, match="no such viewer"):
            await asked
    assert outbox.heads == []
    assert (len(viewers), viewers.read_figures()) == (0, {})
