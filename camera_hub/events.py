"""What rooms publish for each other: frozen events over one bounded bus.

Rooms that do not import each other (health, patrol) communicate here. An event names what changed; a subscriber that
needs the new state reads it from its owner. A subscriber that falls behind loses the oldest events; they are counted,
and it gets `Lagged`, so that it can read everything again instead of being silently wrong.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from camera_hub.errors import Param


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class Lagged(Event):
    """The subscriber was too slow: `dropped` events are lost. Read the whole state again."""

    dropped: int


@dataclass(frozen=True, slots=True)
class VillageChanged(Event):
    """A village was added, renamed, moved or removed, or its cameras' states have changed."""

    village_id: int


@dataclass(frozen=True, slots=True)
class DeviceChanged(Event):
    """A device was added, changed or removed. `credentials` is true when its login was changed."""

    device_id: int
    village_id: int
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class DeviceSettingsChanged(Event):
    """A device's settings were read or set, or its clock was checked (cameras.device_settings)."""

    device_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class PeculiaritiesChanged(Event):
    """Something was learnt of a device, or forgotten (cameras.peculiarities)."""

    device_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class CameraChanged(Event):
    """A camera was added, changed, approved, retired, or its health changed."""

    camera_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class PtzChanged(Event):
    """A camera that is steered: it moves or stands, somebody steers it or does not any more, or something failed."""

    camera_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class CameraPositionChanged(Event):
    """A camera stands elsewhere on the map, or sees another field."""

    camera_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class MapChanged(Event):
    """A part of the map changed: "base", "place:<id>" or "village:<id>" (its position or outline). `villages`: whose it
    is and was; None: everybody's who may see the map."""

    part: str
    villages: frozenset[int | None] = frozenset({None})


@dataclass(frozen=True, slots=True)
class InboxChanged(Event):
    """What waits in a village's inbox changed: a candidate, or a device or camera that is not approved yet."""

    village_id: int


@dataclass(frozen=True, slots=True)
class FavouriteChanged(Event):
    """A user added a camera to the favourites, or removed it: this concerns the pages of that user only."""

    user_id: int
    camera_id: int


@dataclass(frozen=True, slots=True)
class ProofRequested(Event):
    """Cameras are waiting to be proved (cameras.register.proofs)."""


@dataclass(frozen=True, slots=True)
class FeedChanged(Event):
    """The hub's running pull of a stream changed its state (see relay.messages.FeedState)."""

    camera_id: int
    stream_id: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeviceReported(Event):
    """A device reports that something has begun (`lasts`), or has ended. `kind`: cameras.device_events.topics.

    `camera_id` None: the device itself. At most every ten seconds for one camera and kind.
    """

    device_id: int
    camera_id: int | None
    village_id: int
    kind: str
    lasts: bool


@dataclass(frozen=True, slots=True)
class CameraQuarantined(Event):
    """A camera's pictures crashed the decoder repeatedly: it is not decoded for a while. The quarantine expires."""

    camera_id: int


@dataclass(frozen=True, slots=True)
class AlarmChanged(Event):
    """An alarm was opened, grew, was acknowledged or closed. `village_id` is None for the hub's own uplink."""

    alarm_id: int
    village_id: int | None


@dataclass(frozen=True, slots=True)
class AspectFound(Event):
    """What a check of another room is sure of about one aspect of a camera ("recording", "osd"; see
    health.judging.verdict). `reason`: an errors.Reason, None = well. Whoever checks has confirmed it."""

    camera_id: int
    aspect: str
    reason: str | None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExclusionChanged(Event):
    """An exclusion was asked for, approved, ended or changed. `village_id`: of the camera, device or village."""

    exclusion_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class HubLoad(Event):
    """Which relays carry as much as they can (or more), and whether the hub's own event loop runs late. Published when
    that changes, and again every few seconds."""

    relays: tuple[int, ...]
    hub: bool


@dataclass(frozen=True, slots=True)
class TourChanged(Event):
    """A tour or scene was added, changed or removed."""

    tour_id: int


@dataclass(frozen=True, slots=True)
class RunChanged(Event):
    """A run started, moved to another stop, was paused or resumed, or ended."""

    run_id: int


@dataclass(frozen=True, slots=True)
class ScreenChanged(Event):
    """A screen was added, set up, enrolled or removed, shows something else, or its browser came or went."""

    screen_id: int


@dataclass(frozen=True, slots=True)
class ResultChanged(Event):
    """Results of a patrol changed: cameras were seen, confirmed or excused, or a picture of them was taken."""

    run_id: int


@dataclass(frozen=True, slots=True)
class FindingChanged(Event):
    """A finding was made, changed or deleted."""

    finding_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class PlanChanged(Event):
    """A plan was added, changed or retired; 0, which no plan has: the special periods have changed. What is to come of
    the calendar may have changed with it."""

    plan_id: int


@dataclass(frozen=True, slots=True)
class OccurrenceChanged(Event):
    """A tour's patrol became due, was started, became late, was missed or done, or a user has declined it."""

    occurrence_id: int


@dataclass(frozen=True, slots=True)
class SweepChanged(Event):
    """A running sweep found something, progressed or ended."""

    sweep_id: str
    user_id: int


@dataclass(frozen=True, slots=True)
class DeviceSeen(Event):
    """Something at an address says that it is a device (kind: hello | bye | found). Nothing of it is believed but that
    it is worth a look there."""

    kind: str
    host: str
    port: int
    path: str
    endpoint: str
    mac: str = ""


@dataclass(frozen=True, slots=True)
class DeviceMissed(Event):
    """A device may be gone or have been restarted: look at its cameras soon."""

    device_id: int


@dataclass(frozen=True, slots=True)
class StrangerFound(Event):
    """Another device than the registered one answers at its place; what it says about itself."""

    device_id: int
    manufacturer: str
    model: str
    serial: str
    mac: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class MatchChanged(Event):
    """A question whether two devices are one was raised, changed or decided. `villages`: of both."""

    match_id: int
    village_id: int
    other_village_id: int


@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job (cameras.jobs) of that user progressed or ended."""

    job_id: str
    user_id: int


@dataclass(frozen=True, slots=True)
class AccessChanged(Event):
    """A user's rights, state or sessions changed: that user's open pages must be authorized again."""

    user_id: int


@dataclass(frozen=True, slots=True)
class StreamTokenChanged(Event):
    """A token for RTSP out was created or revoked."""

    token_id: int


@dataclass(frozen=True, slots=True)
class NoticeAdded(Event):
    """A user has a new notice, or has read some on another page: this concerns the pages of that user only."""

    notice_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class NoticeChannelChanged(Event):
    """A notice channel was added, changed, enabled, disabled or removed."""

    channel_id: int


class Subscription:
    """One subscriber's bounded queue: iterate it for single events, or await `batch` for all queued ones."""

    def __init__(self, kinds: tuple[type[Event], ...], limit: int) -> None:
        self._kinds = kinds
        self._queue: deque[Event] = deque()
        self._limit = limit
        self._ready = asyncio.Event()
        self._lost = 0
        self.dropped = 0

    def offer(self, event: Event) -> None:
        """Queue the event if it is of a subscribed kind; drop the oldest when the queue is full."""
        if self._kinds and not isinstance(event, self._kinds):
            return
        if len(self._queue) >= self._limit:
            self._queue.popleft()
            self._lost += 1
            self.dropped += 1
        self._queue.append(event)
        self._ready.set()

    async def next(self) -> Event:
        """The next event, or `Lagged` first if some were lost."""
        while not self._queue and not self._lost:
            self._ready.clear()
            await self._ready.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return Lagged(lost)
        return self._queue.popleft()

    def take(self) -> list[Event]:
        """All queued events, perhaps none; `Lagged` first if some were lost. Never waits."""
        found: list[Event] = [Lagged(self._lost)] if self._lost else []
        self._lost = 0
        found += self._queue
        self._queue.clear()
        return found

    async def batch(self) -> list[Event]:
        """All queued events, at least one: waits only while there is none."""
        events = [await self.next(), *self._queue]
        self._queue.clear()
        return events

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return await self.next()


class EventBus:
    """Publishes to every subscriber at once; never waits, never raises. For one event loop, not for several threads."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, *kinds: type[Event], limit: int = 1024) -> Iterator[Subscription]:
        """Subscribe to the given kinds (to all when none is given) while the block runs."""
        subscription = Subscription(kinds, limit)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
