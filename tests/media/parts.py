"""Neighbours for parts of the room that are built alone: they do little, and keep what they were asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError
from camera_hub.events import EventBus
from camera_hub.media.capacity.budget import Grant
from camera_hub.media.capacity.capacity import busy
from camera_hub.media.feeds.desired_state import DesiredFeeds, FeedKey
from camera_hub.media.feeds.feed_states import FeedReport, FeedStates
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.interface import PageMessage, PullableStream, Role, Still, TileStatus
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.media.wall.watchers import Watcher
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState, RtspLiveSource
from camera_hub.wire import PipeFrame
from tests.fakes.clock import ManualClock
from tests.media.conftest import FakeChosen, FakeSources

SOURCE = RtspLiveSource("rtsp://127.0.0.1/live", "127.0.0.1", 554, "admin", "secret")


def stream(camera: int, role: Role = "sub", codec: str | None = "h264", device: str = "") -> FakeChosen:
    """A stream as cameras.streams.sources answers it."""
    number = FakeSources.stream(camera, role)
    return FakeChosen(number, camera, 1, 1, role, codec, FeedSpec(f"s{number}", SOURCE, device=device))


@dataclass
class RecordingRelay:
    """A relay that is up and does nothing."""

    number: int = 0
    epoch: int = 1
    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any] | HubError] = field(default_factory=dict)
    replies: list[dict[str, Any] | HubError] = field(default_factory=list)
    readings: dict[str, Any] = field(default_factory=dict)
    up: bool = True

    def post(self, type_: str, values: dict[str, Any]) -> bool:
        self.posts.append({**values, "type": type_})
        return True

    async def call(self, type_: str, values: dict[str, Any]) -> dict[str, Any]:
        self.posts.append({**values, "type": type_})
        answer = self.answers.get(type_, {})
        if isinstance(answer, HubError):
            raise answer
        return answer

    async def reply(self, epoch: int, request: PipeFrame, answer: dict[str, Any] | HubError) -> None:
        self.replies.append(answer)

    def types(self) -> list[str]:
        """What it was sent, in order."""
        return [post["type"] for post in self.posts]


class FeedParts:
    """Feeds over one relay, with everything beneath them."""

    def __init__(self, bus: EventBus, clock: ManualClock, sources: FakeSources, *, sessions: int = 16) -> None:
        self.relay = RecordingRelay()
        self.desired = DesiredFeeds(10.0, sessions)
        self.states = FeedStates(bus, clock)
        self.key_frames = KeyFrames(lambda key, every: None)
        self.feeds = Feeds([self.relay], self.desired, self.states, self.key_frames, sources, clock, audio=False)

    def live(self, key: FeedKey) -> None:
        """The relay reports that pictures arrive."""
        self.states.record(key, FeedState(key.source_id, FeedPhase.LIVE, codec="h264"))


@dataclass
class FakeLease:
    """A lease on a feed, or on its pictures."""

    key: FeedKey
    report: FeedReport | None = None
    still: Still = field(default_factory=Still)
    released: int = 0

    def release(self) -> None:
        self.released += 1


@dataclass
class FakeLeases:
    """Feeds that run for whoever wants them."""

    log: list[str] = field(default_factory=list)
    report: FeedReport | None = None
    leases: list[FakeLease] = field(default_factory=list)

    def acquire(self, relay: int, stream: PullableStream, holder: str) -> FakeLease:
        self.log.append(f"acquire {stream.spec.feed}")
        self.leases.append(FakeLease(FeedKey(relay, stream.spec.feed), self.report))
        return self.leases[-1]


@dataclass
class FakeCapacity:
    """A machine that bears everything, but for the grants that are given (one after the other) and what is `late` or
    `crowded`."""

    grants: list[Grant] = field(default_factory=list)
    asked: list[tuple[str, str, bool]] = field(default_factory=list)  # feed, holder, replaces
    crowded: bool = False
    late: bool = False
    postponed: list[str] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def ask(
        self,
        relay: int,
        stream: PullableStream,
        holder: str,
        *,
        sent: bool = True,
        replaces: bool = False,
        only: bool = False,
    ) -> Grant:
        self.asked.append((stream.spec.feed, holder, replaces))
        return self.grants.pop(0) if self.grants else Grant.GRANTED

    def require(self, relay: int, stream: PullableStream, holder: str) -> None:
        if self.ask(relay, stream, holder, only=True) is not Grant.GRANTED:
            raise busy(retry_in=5)

    def has_room(self, relay: int) -> bool:
        return not self.crowded

    def may_open(self, relay: int, purpose: str, others: int = 0) -> bool:
        self.others.append(others)
        if self.crowded:
            self.postponed.append(purpose)
        return not self.crowded

    def is_late(self, relay: int) -> bool:
        return self.late


@dataclass
class FakeStills:
    """Pictures for whoever wants them."""

    leases: list[FakeLease] = field(default_factory=list)
    changed: Callable[[], None] = lambda: None

    def acquire(
        self, key: FeedKey, camera_id: int, role: Role, *, large: bool, on_change: Callable[[], None]
    ) -> FakeLease:
        self.changed = on_change
        self.leases.append(FakeLease(key))
        return self.leases[-1]


@dataclass
class FakePages:
    """Outboxes that keep everything; also whoever follows a page's tiles."""

    published: list[tuple[str | None, PageMessage]] = field(default_factory=list)
    followed: list[TileStatus] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def publish(self, page: str | None, message: PageMessage) -> None:
        self.published.append((page, message))

    def away(self, page: str) -> bool:
        return page in self.gone

    def on_tile(self, page: str, tile: TileStatus) -> None:
        self.followed.append(tile)

    def states(self) -> list[tuple[str, str | None]]:
        """State and reason of each tile that was published."""
        return [(one.state, one.reason) for _, one in self.published if isinstance(one, TileStatus)]


@dataclass
class FakeAuthorization:
    """Everybody may watch everything, but for what `errors` says."""

    log: list[str] = field(default_factory=list)
    errors: dict[int, HubError] = field(default_factory=dict)
    village: int = 1
    actor: Actor | None = None
    state: str = "approved"
    failure: HubError | None = None  # of the database

    async def require(self, watcher: Watcher, camera_id: int) -> CameraFacts:
        self.log.append(f"authorize {camera_id}")
        if (error := self.errors.get(camera_id)) is not None:
            raise error
        return CameraFacts(camera_id, self.village, "approved", None)

    async def facts_or_none(self, camera_id: int) -> CameraFacts | None:
        if self.failure is not None:
            raise self.failure
        return CameraFacts(camera_id, self.village, self.state, None)

    async def current_actor(self, user_id: int) -> Actor | None:
        return self.actor
