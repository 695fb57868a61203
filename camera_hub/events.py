"""What rooms tell each other: frozen events over one bounded bus.

Rooms that are blind to each other (health, patrol, later dispatch) meet here. An event names what changed; whoever
needs the new state reads it where it lives. A subscriber that falls behind loses the oldest events, is counted, and is
told by `Lagged`, so that it can read everything anew instead of being silently wrong.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class Lagged(Event):
    """The subscriber was too slow: `dropped` events are gone. Read the state anew."""

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
class CameraChanged(Event):
    """A camera was added, changed, approved, retired, or its health changed."""

    camera_id: int
    village_id: int


@dataclass(frozen=True, slots=True)
class FavouriteChanged(Event):
    """A user keeps a camera at hand, or no longer does: nobody else's pages change."""

    camera_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class ProofRequested(Event):
    """Cameras wait for their proving picture (cameras.register.proofs)."""


@dataclass(frozen=True, slots=True)
class FeedChanged(Event):
    """The hub's running pull of a stream changed its state (see relay.messages.FeedState)."""

    camera_id: int
    stream_id: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class CameraQuarantined(Event):
    """A camera's pictures ended the decoder again and again: it is not looked at for a while. Lifted by itself."""

    camera_id: int


@dataclass(frozen=True, slots=True)
class RelayRestarted(Event):
    """A relay process ended and a new one took over; pages with a peer there must offer again."""

    relay: int
    epoch: int


@dataclass(frozen=True, slots=True)
class AlarmChanged(Event):
    """An alarm was opened, grew, was acknowledged or closed. `village_id` is None for the hub's own uplink."""

    alarm_id: int
    village_id: int | None


@dataclass(frozen=True, slots=True)
class TourChanged(Event):
    """A tour or scene was added, changed or removed."""

    tour_id: int


@dataclass(frozen=True, slots=True)
class RunChanged(Event):
    """A tour's run started, stepped, paused, went on or ended."""

    run_id: int


@dataclass(frozen=True, slots=True)
class SweepChanged(Event):
    """A running discovery found something, progressed or ended."""

    sweep_id: str
    user_id: int


@dataclass(frozen=True, slots=True)
class AccessChanged(Event):
    """A user's rights, state or sessions changed: open pages of that user must be judged again."""

    user_id: int


@dataclass(frozen=True, slots=True)
class StreamTokenChanged(Event):
    """A token for RTSP out was made or revoked."""

    token_id: int


class Subscription:
    """One subscriber's bounded queue; iterate it to get events."""

    def __init__(self, kinds: tuple[type[Event], ...], limit: int) -> None:
        self._kinds = kinds
        self._queue: deque[Event] = deque()
        self._limit = limit
        self._ready = asyncio.Event()
        self._unsaid = 0
        self.dropped = 0

    def offer(self, event: Event) -> None:
        """Take the event if it is of a subscribed kind; drop the oldest when full."""
        if self._kinds and not isinstance(event, self._kinds):
            return
        if len(self._queue) >= self._limit:
            self._queue.popleft()
            self._unsaid += 1
            self.dropped += 1
        self._queue.append(event)
        self._ready.set()

    async def next(self) -> Event:
        """The next event, or `Lagged` first if some were lost."""
        while not self._queue and not self._unsaid:
            self._ready.clear()
            await self._ready.wait()
        if self._unsaid:
            lost, self._unsaid = self._unsaid, 0
            return Lagged(lost)
        return self._queue.popleft()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self.next()


class EventBus:
    """Publishes to every subscriber at once, never waits, never raises. Of one event loop, not of several threads."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def publish(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, *kinds: type[Event], limit: int = 1024) -> Iterator[Subscription]:
        """Subscribe to the given kinds (all when none is given) for the length of the block."""
        subscription = Subscription(kinds, limit)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
