"""The feeds that run: what is wanted is sent to the relays, what they say is kept and passed on."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from camera_hub.cameras.credentials.login_budget import REFUSALS, LoginBudget, LoginKey, device_account
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, FeedChanged
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import Action, CloseFeed, DesiredFeeds, FeedKey, OpenFeed
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.feeds.late_cameras import LateCameras
from camera_hub.media.interface import ALL_CODECS, PullableStream, Role, Sources
from camera_hub.media.relays.supervisor import RelaySupervisor
from camera_hub.media.wall.tile_state import CODEC_REASONS, FeedNews, follow
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState, KeyFrame, RtspLiveSource

log = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 30.0
"""After that long a feed that fails is asked from its source anew: its address may have changed."""

_GIVEN_UP_FOR_GOOD = CODEC_REASONS | REFUSALS | {Reason.LOGIN_NEEDED}
"""Asking again cures none of these; a new login does, and comes as DeviceChanged. A refused login is tried again by the
rules of its account (cameras.login_rules)."""

_NOT_THE_ADDRESS = frozenset({Reason.UNREACHABLE, Reason.PORT_CLOSED, Reason.TIMED_OUT, Reason.STALLED})
"""What a device or its link is the cause of; the relay's own tries are enough."""


@dataclass(frozen=True, slots=True)
class FeedOwner:
    """Whose stream a feed is."""

    camera_id: int
    device_id: int
    village_id: int
    role: Role


class Feeds:
    """Of all relays. `on_news` is called in the loop after each change of a feed."""

    def __init__(
        self,
        sources: Sources,
        clock: Clock,
        bus: EventBus,
        background: Background,
        logins: LoginBudget,
        *,
        linger: float,
        audio: bool,
        sessions_per_device: int,
        on_news: Callable[[FeedKey, FeedNews], None],
    ) -> None:
        self.relays: list[RelaySupervisor] = []
        self.key_frames = KeyFrames(self._ask_for_keys)
        self._sources = sources
        self._clock = clock
        self._bus = bus
        self._background = background
        self._logins = logins
        self._on_news = on_news
        self._audio = audio
        self._wanted = DesiredFeeds(linger, sessions_per_device)
        self._about: dict[FeedKey, FeedOwner] = {}
        self._news: dict[FeedKey, FeedNews] = {}
        self._asked_at: dict[FeedKey, float] = {}
        self._known: dict[int, tuple[str, int | None, int | None]] = {}
        self._late = LateCameras()
        self._room_waiters: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._wanted)

    def hold(self, relay: int, chosen: PullableStream, holder: str, until: float | None = None) -> FeedKey:
        """Keep the stream's feed running on that relay for `holder`; opens it where it does not run."""
        key = FeedKey(relay, chosen.stream_id)
        spec = replace(chosen.spec, feed=key.name, audio=self._audio)
        self._about[key] = FeedOwner(chosen.camera_id, chosen.device_id, chosen.village_id, chosen.role)
        self._do(self._wanted.hold(key, spec, holder, until))
        if self._wanted.waits(key):
            self._say_full(key)
            return key
        before, news = self._wanted.spec(key), self._news.get(key)
        stale = before is not None and before.credentials_version != spec.credentials_version
        if stale or (news is not None and news.failing_since is not None):
            self._do(self._wanted.respecify(key, spec))
        return key

    async def room(self, relay: int, chosen: PullableStream, patience: float) -> None:
        """Wait until a look may hold this feed; tiles go first. Raises HubError(BUSY) after `patience` seconds."""
        key = FeedKey(relay, chosen.stream_id)
        try:
            async with asyncio.timeout(patience):
                while not self._wanted.has_room(key, chosen.spec.device):
                    freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._room_waiters.add(freed)
                    try:
                        await freed
                    finally:
                        self._room_waiters.discard(freed)
        except TimeoutError as error:
            raise HubError(Kind.BUSY, "the device has as many sessions as it bears", reason=Reason.BUSY) from error

    def release(self, key: FeedKey, holder: str, *, linger: bool = True) -> None:
        """`holder` needs the feed no longer."""
        self._do(self._wanted.release(key, holder, self._clock.monotonic(), linger=linger))

    def news(self, key: FeedKey) -> FeedNews | None:
        """The feed's last word."""
        return self._news.get(key)

    def about(self, key: FeedKey) -> FeedOwner | None:
        """Whose stream it is; None when the feed is not wanted."""
        return self._about.get(key)

    def of_camera(self, camera_id: int, role: Role | None = None) -> list[FeedKey]:
        """Feeds of the camera that run or should, those that are live first."""
        keys = [
            key
            for key, about in self._about.items()
            if about.camera_id == camera_id and role in (None, about.role) and key in self._wanted
        ]
        return sorted(keys, key=lambda key: not self._is_live(key))

    def rests(self, camera_id: int) -> bool:
        """Whether the camera's main stream came too late, and is left alone for a while."""
        return self._late.rests(camera_id, self._clock.monotonic())

    def late(self, camera_id: int) -> bool:
        """Whether the camera's pictures come too late: one of its feeds' do, or its main stream rests for it."""
        feeds = (self._news.get(key) for key in self.of_camera(camera_id))
        return self.rests(camera_id) or any(news is not None and news.reason == Reason.LATE for news in feeds)

    def _is_live(self, key: FeedKey) -> bool:
        news = self._news.get(key)
        return news is not None and news.state.phase is FeedPhase.LIVE

    # What relays say

    def relay_started(self, relay: RelaySupervisor) -> None:
        """Send a new process everything that is wanted of it."""
        opens = self._wanted.of_relay(relay.number)
        for open_ in opens:
            self._news.pop(open_.key, None)
        self._do(opens)

    def wanted_of(self, relay: RelaySupervisor) -> list[FeedSpec]:
        """All that the relay should run."""
        return [open_.spec for open_ in self._wanted.of_relay(relay.number)]

    def playing_of(self, relay: RelaySupervisor) -> list[FeedSpec]:
        """What a standby should open beforehand: what plays, but for devices that are full."""
        opens = self._wanted.of_relay(relay.number)
        full = {
            open_.spec.device
            for open_ in opens
            if (news := self._news.get(open_.key)) is not None and news.reason == Reason.DEVICE_FULL
        }
        return [open_.spec for open_ in opens if self._is_live(open_.key) and open_.spec.device not in full]

    def heard_state(self, relay: RelaySupervisor, state: FeedState) -> None:
        """A feed.state message."""
        key = self._key(relay, state.feed)
        if key is None:
            return
        before = self._news.get(key)
        if state.phase is FeedPhase.FAILED and state.reason in REFUSALS and (account := self._account(key)) is not None:
            state = replace(state, retry_in=self._logins.wait(account, "rtsp") or None)
        news = self._news[key] = follow(before, state, self._clock.now())
        about = self._about[key]
        if before is None or (before.state.phase, before.reason) != (news.state.phase, news.reason):
            self._bus.publish(FeedChanged(about.camera_id, key.stream_id, state.phase, news.reason))
        if news.reason == Reason.LATE and about.role == "main":
            self._late.found(about.camera_id, self._clock.monotonic())
        if state.phase is FeedPhase.LIVE:
            self._sources.plays(key.stream_id)
            self._asked_at.pop(key, None)
            self._wanted.plays(*self._playing(key))
        elif state.phase is FeedPhase.FAILED:
            if state.reason in _NOT_THE_ADDRESS:
                self._sources.rest(key.stream_id)
            else:
                self._sources.doubt(key.stream_id)
            self._asked_at.setdefault(key, self._clock.monotonic())
            self.key_frames.fail(key, failure(news))
            if state.reason == Reason.DEVICE_FULL:
                self._do(self._wanted.refused(key, self._playing(key)[1], self._clock.monotonic()))
        self._learn(key, news)

    def _playing(self, key: FeedKey) -> tuple[str, int]:
        """The feed's device, and how many of its feeds play."""
        device = spec.device if (spec := self._wanted.spec(key)) is not None else ""
        specs = ((other, self._wanted.spec(other)) for other in self._news if self._is_live(other))
        return device, sum(spec is not None and spec.device == device for _, spec in specs)

    def _say_full(self, key: FeedKey) -> None:
        """A feed that waits for room has failed as far as its tiles go."""
        full = "the device has as many sessions as it bears; this picture comes when another one is closed"
        state = FeedState(key.name, FeedPhase.FAILED, reason=Reason.DEVICE_FULL, detail=full)
        news = self._news[key] = follow(self._news.get(key), state, self._clock.now())
        self.key_frames.fail(key, failure(news))
        self._on_news(key, news)

    def _learn(self, key: FeedKey, news: FeedNews) -> None:
        """Keep what the stream says of itself before anybody chooses again because of it."""
        codec, size = news.state.codec, (news.state.width, news.state.height)
        if codec is None or self._known.get(key.stream_id) == (codec, *size):
            self._on_news(key, news)
            return
        self._known[key.stream_id] = (codec, *size)

        async def learn() -> None:
            try:
                await self._sources.learned(key.stream_id, codec, *size)
            finally:
                self._on_news(key, self._news.get(key, news))

        self._background.start(f"learn about stream {key.stream_id} {codec} {size}", learn())

    def heard_key_frame(self, relay: RelaySupervisor, frame: KeyFrame, body: bytes) -> None:
        """A key_frame message."""
        key = self._key(relay, frame.feed)
        if key is not None:
            self.key_frames.heard(key, frame, body)

    def heard_sync_wanted(self, relay: RelaySupervisor, feed: str) -> None:
        """A sync.wanted message: one question to the camera at a time."""
        key = self._key(relay, feed)
        if key is not None and not self._background.runs(name := f"sync point of stream {key.stream_id}"):
            self._background.start(name, self._sources.sync_point(key.stream_id))

    def account(self, relay: RelaySupervisor, feed: str) -> LoginKey | None:
        """Where tries of a feed's login are counted; None when the feed is not wanted."""
        key = self._key(relay, feed)
        return self._account(key) if key is not None else None

    def _account(self, key: FeedKey) -> LoginKey | None:
        spec, about = self._wanted.spec(key), self._about.get(key)
        if spec is None or about is None:
            return None
        return device_account(about.device_id, spec.credentials_version)

    async def next_key_frame(self, key: FeedKey) -> tuple[KeyFrame, bytes]:
        """The feed's next key frame; the caller sets the deadline. Raises HubError when the feed fails meanwhile."""
        news = self._news.get(key)
        if news is not None and news.state.phase is FeedPhase.FAILED:
            raise failure(news)
        return await self.key_frames.next(key)

    def _ask_for_keys(self, key: FeedKey, every: float | None) -> None:
        if key in self._wanted:
            self.relays[key.relay].post("feed.keys", {"feed": key.name, "every": every})

    # Housekeeping

    def sweep(self) -> None:
        """Close what nobody wants any longer; ask anew for what the relay has given up."""
        now = self._clock.monotonic()
        self._do(self._wanted.sweep(now))
        self._late.forget(now)
        for key in self._wanted.all():
            news = self._news.get(key)
            if news is None or news.failing_since is None or not self._wanted.held(key) or self._wanted.waits(key):
                continue
            if news.state.final and news.reason in REFUSALS:
                spec, account = self._wanted.spec(key), self._account(key)
                may = account is not None and self._logins.wait(account, "rtsp") <= 0
                if may and spec is not None and spec.username is not None:
                    self._do(self._wanted.reopen(key))
                continue
            if news.reason in (_GIVEN_UP_FOR_GOOD if news.state.final else _GIVEN_UP_FOR_GOOD | _NOT_THE_ADDRESS):
                continue
            if now - self._asked_at.get(key, now) >= _ASK_AGAIN_SECONDS:
                self._asked_at[key] = now
                self.ask_anew([key])

    def device_changed(self, device_id: int) -> None:
        """A new address or login: feeds of the device are asked for anew at once."""
        keys = [key for key, about in self._about.items() if about.device_id == device_id]
        for key in keys:
            self._sources.doubt(key.stream_id)
        self.ask_anew(keys)

    def ask_anew(self, keys: Iterable[FeedKey]) -> None:
        """Ask the source for these feeds' addresses again, and reopen what has changed or was given up."""
        for key in keys:
            self._background.start(f"ask anew for stream {key.stream_id} on relay {key.relay}", self._ask_anew(key))

    async def _ask_anew(self, key: FeedKey) -> None:
        about = self._about.get(key)
        if about is None:
            return
        chosen = await self._sources.choose(about.camera_id, about.role, ALL_CODECS)
        if chosen.stream_id != key.stream_id or key not in self._wanted:
            return
        news, before = self._news.get(key), self._wanted.spec(key)
        spec = replace(chosen.spec, feed=key.name, audio=self._audio)
        if before is not None and self._is_live(key) and _same_but_for_the_path(spec, before):
            return  # platforms hand out another path at every question, and this one plays
        actions = self._wanted.respecify(key, spec)
        if not actions and news is not None and news.state.final:
            actions = self._wanted.reopen(key)
        self._do(actions)

    def drop_camera(self, camera_id: int) -> None:
        """The camera may not be watched any longer."""
        for key in self.of_camera(camera_id):
            self._do(self._wanted.drop(key))

    def _key(self, relay: RelaySupervisor, feed: str) -> FeedKey | None:
        """The feed that a relay speaks of; None for late words about one that is closed."""
        key = FeedKey.of(relay.number, feed)
        return key if key is not None and key in self._wanted and not self._wanted.waits(key) else None

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            relay = self.relays[action.key.relay]
            match action:
                case OpenFeed(key, spec):
                    if (news := self._news.get(key)) is not None and news.reason == Reason.DEVICE_FULL:
                        del self._news[key]  # it had no room, and has now
                    relay.post("feed.open", spec.head("feed.open"))
                    self.key_frames.opened(key)
                case CloseFeed(key):
                    relay.post("feed.close", {"feed": key.name})
                    if key not in self._wanted:
                        self._forget(key)
                    elif self._wanted.waits(key):
                        self._say_full(key)
                    for freed in self._room_waiters:
                        if not freed.done():
                            freed.set_result(None)

    def _forget(self, key: FeedKey) -> None:
        about, news = self._about.pop(key, None), self._news.pop(key, None)
        self._asked_at.pop(key, None)
        self._sources.rest(key.stream_id)
        self.key_frames.fail(key, HubError(Kind.UNAVAILABLE, "the feed was closed", reason=Reason.RETIRED))
        if about is not None and news is not None:
            self._bus.publish(FeedChanged(about.camera_id, key.stream_id, FeedPhase.STOPPED, None))


def _same_but_for_the_path(spec: FeedSpec, before: FeedSpec) -> bool:
    one, other = spec.source, before.source
    if not isinstance(one, RtspLiveSource) or not isinstance(other, RtspLiveSource):
        return spec == before
    return replace(spec, source=replace(one, url=other.url)) == before


def failure(news: FeedNews) -> HubError:
    """A failed feed as an error."""
    return HubError(
        Kind.UNREACHABLE, news.detail or "the camera's stream does not come", reason=news.reason or Reason.UNREACHABLE
    )
