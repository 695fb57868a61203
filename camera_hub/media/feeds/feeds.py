"""The feeds that run: leases change the desired state, and what follows from it is sent to the relays."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.feeds.desired_state import (
    Action,
    CloseFeed,
    DesiredFeeds,
    FeedKey,
    OpenFeed,
    same_but_for_the_login,
)
from camera_hub.media.feeds.feed_states import FeedOwner, FeedReport, FeedStates
from camera_hub.media.feeds.key_frames import KeyFrames
from camera_hub.media.interface import PullableStream
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState

DEVICE_FULL = "the device has as many sessions as it allows; this picture comes when another one is closed"


class RelayCommands(Protocol):
    """Where commands for a relay go (relays.link)."""

    def post(self, type_: str, values: dict[str, Any]) -> bool: ...


class Addresses(Protocol):
    """Whoever knows where streams are pulled from (interface.Sources)."""

    def rest(self, stream_id: int) -> None:
        """Nobody pulls the stream any longer."""
        ...


class FeedLease:
    """The right to a running feed, until it is released or its time is over."""

    def __init__(self, feeds: "Feeds", key: FeedKey, holder: str) -> None:
        self._feeds = feeds
        self._holder = holder
        self.key = key

    @property
    def waiting(self) -> bool:
        """Whether the feed is not opened yet, since its device has no room for it."""
        return self._feeds.waits(self.key)

    @property
    def report(self) -> FeedReport | None:
        """What was last reported of the feed."""
        return self._feeds.report(self.key)

    def renew(self, until: float) -> bool:
        """Hold the feed until then (monotonic seconds). False when the lease is void: acquire another one."""
        return self._feeds.renew(self.key, self._holder, until)

    def release(self, *, linger: bool = True) -> None:
        """The feed is not needed any longer; without `linger` one that nobody else holds closes at once. Idempotent."""
        self._feeds.release(self.key, self._holder, linger=linger)


class FeedPlan:
    """Which feeds a relay should run (relays.supervisor.WantedFeeds)."""

    def __init__(self, desired: DesiredFeeds, states: FeedStates) -> None:
        self._desired = desired
        self._states = states

    def wanted_on(self, relay: int) -> list[FeedSpec]:
        """All that the relay should run."""
        return [open_.spec for open_ in self._desired.of_relay(relay)]

    def playing_on(self, relay: int) -> list[FeedSpec]:
        """What a standby should open beforehand: what plays, but for devices that are full."""
        opens = self._desired.of_relay(relay)
        full = {
            open_.spec.device
            for open_ in opens
            if (report := self._states.report(open_.key)) is not None and report.reason == Reason.DEVICE_FULL
        }
        return [open_.spec for open_ in opens if self._states.is_live(open_.key) and open_.spec.device not in full]


class Feeds:
    """Of all relays."""

    def __init__(
        self,
        relays: Sequence[RelayCommands],
        desired: DesiredFeeds,
        states: FeedStates,
        key_frames: KeyFrames,
        addresses: Addresses,
        clock: Clock,
        *,
        audio: bool,
    ) -> None:
        self._relays = relays
        self._desired = desired
        self._states = states
        self._key_frames = key_frames
        self._addresses = addresses
        self._clock = clock
        self._audio = audio
        self._room_waiters: set[asyncio.Future[None]] = set()

    # Leases

    def acquire(self, relay: int, stream: PullableStream, holder: str, until: float | None = None) -> FeedLease:
        """Keep the stream's feed running on that relay for `holder`; opens it where it does not run."""
        spec = self._complete(stream.spec)
        key = FeedKey(relay, spec.feed)
        self._states.add(key, FeedOwner.of(stream))
        self._apply(self._desired.acquire(key, spec, holder, until))
        if self._desired.waits(key):
            self._record_full(key)
            return FeedLease(self, key, holder)
        before, report = self._desired.spec(key), self._states.report(key)
        stale = before is not None and before.credentials_version != spec.credentials_version
        if before is not None and self._states.is_live(key) and same_but_for_the_login(spec, before):
            stale = False  # it plays: no interruption; feed_recovery gives its next session the new login
        if stale or (report is not None and report.failing_since is not None):
            self._apply(self._desired.respecify(key, spec))
        return FeedLease(self, key, holder)

    def share(self, key: FeedKey, holder: str) -> FeedLease | None:
        """A lease on a feed as it runs now; None when it does not run."""
        spec = self._desired.spec(key)
        if spec is None:
            return None
        self._apply(self._desired.acquire(key, spec, holder))
        return FeedLease(self, key, holder)

    def renew(self, key: FeedKey, holder: str, until: float) -> bool:
        """See FeedLease.renew."""
        spec = self._desired.spec(key)
        if spec is None:
            return False
        self._apply(self._desired.acquire(key, spec, holder, until))
        return True

    def release(self, key: FeedKey, holder: str, *, linger: bool = True) -> None:
        """See FeedLease.release."""
        self._apply(self._desired.release(key, holder, self._clock.monotonic(), linger=linger))

    async def wait_for_room(self, relay: int, stream: PullableStream, seconds: float) -> None:
        """Wait until a look may acquire this feed; tiles go first. Raises HubError(BUSY) after that long."""
        key = FeedKey(relay, stream.spec.feed)
        try:
            async with asyncio.timeout(seconds):
                while not self._desired.has_room(key, stream.spec.device):
                    freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._room_waiters.add(freed)
                    try:
                        await freed
                    finally:
                        self._room_waiters.discard(freed)
        except TimeoutError as error:
            detail = "the device has as many sessions as it allows; close a picture of it, or try again later"
            raise HubError(Kind.BUSY, detail, reason=Reason.BUSY) from error

    # What relays must run

    def on_relay_started(self, relay: int) -> None:
        """Send a new process everything that is wanted of it."""
        opens = self._desired.of_relay(relay)
        for open_ in opens:
            self._states.restart(open_.key)
        self._apply(opens)

    def waits(self, key: FeedKey) -> bool:
        """Whether the feed is held, but its device has no room for it."""
        return self._desired.waits(key)

    def report(self, key: FeedKey) -> FeedReport | None:
        """What was last reported of the feed."""
        return self._states.report(key)

    # What reports and changes lead to

    def learn_limit(self, key: FeedKey, report: FeedReport) -> None:
        """How many sessions the feed's device allows: as many as play while this one is live; no more, for a while,
        when it refused this one for want of a session.
        """
        if report.live:
            self._desired.on_playing(*self._playing(key))
        elif report.state.phase is FeedPhase.FAILED and report.state.reason == Reason.DEVICE_FULL:
            self._apply(self._desired.on_refused(key, self._playing(key)[1], self._clock.monotonic()))

    def respecify(self, key: FeedKey, spec: FeedSpec, *, reopen: bool = False) -> None:
        """The stream has a new address or login; with `reopen` it is also opened again where nothing has changed."""
        actions = self._desired.respecify(key, self._complete(spec))
        self._apply(actions or (self._desired.reopen(key) if reopen else []))

    def drop_camera(self, camera_id: int) -> None:
        """The camera may not be watched any longer: close its feeds, whoever holds them."""
        for key in self._states.of_camera(camera_id):
            self._apply(self._desired.drop(key))

    def sweep(self) -> None:
        """Close what nobody wants any longer."""
        self._apply(self._desired.sweep(self._clock.monotonic()))

    def _complete(self, spec: FeedSpec) -> FeedSpec:
        return replace(spec, audio=self._audio)

    def _playing(self, key: FeedKey) -> tuple[str, int]:
        """The feed's device, and how many of its feeds play."""
        device = spec.device if (spec := self._desired.spec(key)) is not None else ""
        specs = (self._desired.spec(other) for other in self._states.live())
        return device, sum(spec is not None and spec.device == device for spec in specs)

    def _record_full(self, key: FeedKey) -> None:
        """A feed that waits for room has failed as far as its tiles go."""
        state = FeedState(key.source_id, FeedPhase.FAILED, reason=Reason.DEVICE_FULL, detail=DEVICE_FULL)
        self._key_frames.fail(key, self._states.record(key, state).error())

    def _apply(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case OpenFeed(key, spec):
                    if (report := self._states.report(key)) is not None and report.reason == Reason.DEVICE_FULL:
                        self._states.restart(key)  # it had no room, and has now
                    self._relays[key.relay].post("feed.open", spec.head("feed.open"))
                    self._key_frames.on_opened(key)
                case CloseFeed(key):
                    self._relays[key.relay].post("feed.close", {"feed": key.source_id})
                    if key not in self._desired:
                        self._forget(key)
                    elif self._desired.waits(key):
                        self._record_full(key)
                    for freed in self._room_waiters:
                        if not freed.done():
                            freed.set_result(None)

    def _forget(self, key: FeedKey) -> None:
        if (owner := self._states.owner(key)) is not None:
            self._addresses.rest(owner.stream_id)
        self._states.forget(key)
        self._key_frames.fail(key, HubError(Kind.UNAVAILABLE, "the feed was closed", reason=Reason.RETIRED))
