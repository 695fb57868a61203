"""Which feeds run, because of whom. Pure: times come in, relay messages to be sent come out.

A feed runs while somebody holds a lease on it (a tile, a warmed stop, a look) and lingers for a while after the last
lease was released, so that switching back and forth does not open and close sessions on a camera that allows few.

A device allows so many sessions, over all relays. Beyond that lingering feeds give way, and then a feed waits: it is
held, but opened only when another one of the device closes. Looks do not even acquire a lease before there is room.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from camera_hub.media.feeds.device_limits import DeviceLimits
from camera_hub.relay.messages import FeedSpec, RtspLiveSource


class FeedKey(NamedTuple):
    """One feed on one relay. The same source is pulled once per relay that shows it.

    `source_id` is FeedSpec.feed: a string that whoever chose the source made, and that nobody parses.
    """

    relay: int
    source_id: str


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """To be sent: feed.open."""

    key: FeedKey
    spec: FeedSpec


@dataclass(frozen=True, slots=True)
class CloseFeed:
    """To be sent: feed.close."""

    key: FeedKey


Action = OpenFeed | CloseFeed


@dataclass(slots=True)
class _Feed:
    spec: FeedSpec
    holders: dict[str, float | None] = field(default_factory=dict)  # until when; None = until it is released
    linger_until: float = 0.0
    waits: bool = False  # until its device has room; not opened


class DesiredFeeds:
    """The desired state of all relays. Times are monotonic seconds.

    A state machine with an action per thing that can happen to a feed, hence 14 public methods; none of them waits.
    """

    def __init__(self, linger: float, sessions_per_device: int = 16) -> None:
        self._linger = linger
        self._limits = DeviceLimits(sessions_per_device)
        self._feeds: dict[FeedKey, _Feed] = {}

    def acquire(self, key: FeedKey, spec: FeedSpec, holder: str, until: float | None = None) -> list[Action]:
        """A lease for `holder`, until it is released or until then. A lease is never shortened.

        A feed that runs goes on as it was opened: platforms hand out a new address at every question.
        """
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(spec, {holder: until}, waits=True)
            return self._make_room(spec.device) + self._fill(spec.device)
        held = feed.holders.get(holder, 0.0)
        feed.holders[holder] = None if held is None or until is None else max(held, until)
        return []

    def release(self, key: FeedKey, holder: str, now: float, *, linger: bool = True) -> list[Action]:
        """End the lease of `holder`. Without `linger` a feed that nobody else holds closes at once. An unknown lease is
        ignored.
        """
        feed = self._feeds.get(key)
        if feed is None or holder not in feed.holders:
            return []
        del feed.holders[holder]
        if linger:
            feed.linger_until = max(feed.linger_until, now + self._linger)
        return self._close_if_due(key, now)

    def respecify(self, key: FeedKey, spec: FeedSpec) -> list[Action]:
        """The stream has a new address or login: reopen it when that differs."""
        feed = self._feeds.get(key)
        if feed is None or feed.spec == spec:
            return []
        feed.spec = spec
        return [] if feed.waits else [OpenFeed(key, spec)]

    def reopen(self, key: FeedKey) -> list[Action]:
        """Close and open again: for a feed that the relay has given up."""
        feed = self._feeds.get(key)
        return [] if feed is None or feed.waits else [CloseFeed(key), OpenFeed(key, feed.spec)]

    def drop(self, key: FeedKey) -> list[Action]:
        """Nobody may have this feed any longer."""
        feed = self._feeds.pop(key, None)
        return [CloseFeed(key), *self._fill(feed.spec.device)] if feed is not None else []

    def sweep(self, now: float) -> list[Action]:
        """End leases whose time is over, and close what has lingered long enough."""
        actions: list[Action] = []
        for key, feed in list(self._feeds.items()):
            for holder, until in list(feed.holders.items()):
                if until is not None and until <= now:
                    del feed.holders[holder]
                    feed.linger_until = max(feed.linger_until, until + self._linger)
            actions += self._close_if_due(key, now)
        for device in self._limits.forget(now):
            actions += self._fill(device)
        return actions

    def on_refused(self, key: FeedKey, playing: int, now: float) -> list[Action]:
        """The device refused a session for this feed while `playing` others had theirs: it allows no more for a
        while.
        """
        feed = self._feeds.get(key)
        if feed is None or feed.waits or not feed.spec.device:
            return []
        self._limits.on_refused(feed.spec.device, playing, now)
        actions = self._make_room(feed.spec.device, but=key)
        if self._room(feed.spec.device) < 0:
            feed.waits = True
            actions.append(CloseFeed(key))
        return actions

    def on_playing(self, device: str, playing: int) -> None:
        """So many of the device's feeds play: it allows at least that."""
        self._limits.on_playing(device, playing)

    def has_room(self, key: FeedKey, device: str) -> bool:
        """Whether a look may open this feed: it runs, or a session is free that nobody waits for."""
        if key in self._feeds:
            return True
        lingering = sum(feed.spec.device == device and not feed.holders for feed in self._feeds.values())
        return not self._awaited(device) and self._room(device) + lingering > 0

    def waits(self, key: FeedKey) -> bool:
        """Whether the feed is held, but its device has no room for it."""
        feed = self._feeds.get(key)
        return feed is not None and feed.waits

    def of_relay(self, relay: int) -> list[OpenFeed]:
        """All that a new process of that relay must be sent."""
        return [OpenFeed(key, feed.spec) for key, feed in self._feeds.items() if key.relay == relay and not feed.waits]

    def all(self) -> list[FeedKey]:
        """All feeds that run or should."""
        return list(self._feeds)

    def spec(self, key: FeedKey) -> FeedSpec | None:
        """How the feed is pulled; None when it is not wanted."""
        feed = self._feeds.get(key)
        return feed.spec if feed is not None else None

    def held(self, key: FeedKey) -> bool:
        """Whether there is a lease on it now (lingering does not count)."""
        feed = self._feeds.get(key)
        return feed is not None and bool(feed.holders)

    def __contains__(self, key: object) -> bool:
        return key in self._feeds

    def __len__(self) -> int:
        return len(self._feeds)

    def _close_if_due(self, key: FeedKey, now: float) -> list[Action]:
        feed = self._feeds[key]
        if feed.holders or (now < feed.linger_until and not self._awaited(feed.spec.device)):
            return []
        del self._feeds[key]
        return [CloseFeed(key), *self._fill(feed.spec.device)]

    def _awaited(self, device: str) -> bool:
        """Whether a feed of the device waits for room."""
        return any(feed.waits and feed.spec.device == device for feed in self._feeds.values())

    def _room(self, device: str) -> int:
        """Sessions that the device has free; negative when it allows fewer than run."""
        if (limit := self._limits.of(device)) is None:
            return 1 << 30
        return limit - sum(feed.spec.device == device and not feed.waits for feed in self._feeds.values())

    def _make_room(self, device: str, but: FeedKey | None = None) -> list[Action]:
        """Close lingering feeds of the device, the oldest first, until one more has room, or `but` is not too many."""
        needed = (1 if but is None else 0) - self._room(device)
        lingering = sorted(
            (key for key, feed in self._feeds.items() if feed.spec.device == device and not feed.holders),
            key=lambda key: self._feeds[key].linger_until,
        )
        given: list[Action] = [CloseFeed(key) for key in lingering[: max(0, needed)]]
        for action in given:
            del self._feeds[action.key]
        return given

    def _fill(self, device: str) -> list[Action]:
        """Open feeds that wait, the longest waiting first, as far as there is room."""
        opened: list[Action] = []
        for key, feed in self._feeds.items():
            if feed.waits and feed.spec.device == device and self._room(device) > 0:
                feed.waits = False
                opened.append(OpenFeed(key, feed.spec))
        return opened


def same_but_for_the_login(spec: FeedSpec, before: FeedSpec) -> bool:
    """Whether only the login is another one: devices ask for it when a session begins, and keep those that play."""
    one, other = spec.source, before.source
    if not isinstance(one, RtspLiveSource) or not isinstance(other, RtspLiveSource):
        return False
    source = replace(one, url=other.url, username=other.username, password=other.password)
    return replace(spec, source=source, credentials_version=before.credentials_version) == before
