"""What is measured of feeds, tracks, relays and eyes, as values that leave the room."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedOwner
from camera_hub.media.interface import Role


@dataclass(frozen=True, slots=True)
class FeedReading:
    """One running pull. `values`: relay.ingest.feed.Feed.read_figures."""

    relay: int
    camera_id: int
    role: Role
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelayReading:
    """One relay, as of its last pulse. `values`: the "relay" part of its readings; empty while it is restarted. `load`:
    normal | busy | full.
    """

    number: int
    epoch: int
    up: bool
    viewers: int
    values: Mapping[str, Any]
    load: str = "normal"


@dataclass(frozen=True, slots=True)
class Readings:
    """All of them at one time. `hub`: its own event loop, and what was refused or put off."""

    relays: list[RelayReading]
    feeds: list[FeedReading]
    eyes: Mapping[str, int]
    hub: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TileReading:
    """What a page's overlay shows of a tile: counters since the feed and the track began, read at `at`.

    `at`: monotonic seconds of the relay, so that two readings give rates. `feed` is None where none runs, `sent` where
    the tile shows key-frame pictures.
    """

    track: int
    at: float
    feed: Mapping[str, Any] | None
    sent: Mapping[str, Any] | None


class Relay(Protocol):
    """A relay that is measured (relays.link)."""

    number: int
    epoch: int
    port: int

    @property
    def up(self) -> bool: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def readings(self) -> dict[str, Any]: ...


class Owners(Protocol):
    """Whose stream a feed is (feeds.feed_states)."""

    def owner(self, key: FeedKey) -> FeedOwner | None: ...


class LoadLevels(Protocol):
    """How loaded everything is (capacity.capacity)."""

    def word(self, relay: int) -> str: ...
    def read(self) -> Mapping[str, Any]: ...


class MediaReadings:
    """Of the whole room. `counts` and `eyes` are asked at each reading."""

    def __init__(
        self,
        relays: Sequence[Relay],
        owners: Owners,
        eyes: Callable[[], Mapping[str, int]],
        counts: Mapping[str, Callable[[], int]],
        memory_limit: int,
        load: LoadLevels,
    ) -> None:
        self._load = load
        self._relays = relays
        self._owners = owners
        self._eyes = eyes
        self._counts = counts
        self._memory_limit = memory_limit

    def read(self) -> Readings:
        """All that is measured, as of the relays' last pulses; for /metrics."""
        relays, feeds = [], []
        for relay in self._relays:
            values = relay.readings if relay.up else {}
            viewers = len(values.get("viewers", {}))
            load = self._load.word(relay.number)
            relays.append(RelayReading(relay.number, relay.epoch, relay.up, viewers, values.get("relay", {}), load))
            for name, reading in values.get("feeds", {}).items():
                if (owner := self._owners.owner(FeedKey(relay.number, name))) is not None:
                    feeds.append(FeedReading(relay.number, owner.camera_id, owner.role, reading))
        return Readings(relays, feeds, self._eyes(), self._load.read())

    def summary(self) -> dict[str, Any]:
        """What a person reads of it; for /api/system."""
        relays = []
        for relay in self._relays:
            own = relay.readings.get("relay", {})
            relays.append(
                {"relay": relay.number, "epoch": relay.epoch, "up": relay.up, "port": relay.port, "pid": relay.pid}
                | {"load": self._load.word(relay.number)}
                | {"rss_bytes": own.get("rss_bytes"), "memory_limit_bytes": self._memory_limit}
                | {key: value for key, value in own.items() if _is_shown(key, value)}
            )
        rows = {"relays": relays, "eyes": [self._eyes()], "hub": dict(self._load.read())}
        return {name: count() for name, count in self._counts.items()} | rows


def _is_shown(key: str, value: object) -> bool:
    """Whether a person reads it; the sums of what was sent are for /metrics, whose reader makes rates of them."""
    plain = value is None or isinstance(value, str | int | float)
    return plain and not key.startswith("sent_") and key != "udp_port"  # which is shown as `port`
