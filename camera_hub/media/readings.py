"""What is measured of feeds, tracks, relays and eyes, as values that leave the room."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from camera_hub.media.interface import Role


@dataclass(frozen=True, slots=True)
class FeedReading:
    """One running pull. `values`: relay.feed.Feed.read_figures."""

    relay: int
    camera_id: int
    role: Role
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelayReading:
    """One relay, as of its last pulse. `values`: the "relay" part of its figures; empty while it is being restarted."""

    number: int
    epoch: int
    up: bool
    viewers: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Readings:
    """All of them at one time."""

    relays: list[RelayReading]
    feeds: list[FeedReading]
    eyes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TileReading:
    """What a page's overlay tells of a tile: counters since the feed and the track began, read at `at`.

    `at`: monotonic seconds of the relay, so that two readings give rates. `feed` is None where none runs, `sent` where
    the tile shows key-frame pictures.
    """

    track: int
    at: float
    feed: Mapping[str, Any] | None
    sent: Mapping[str, Any] | None
