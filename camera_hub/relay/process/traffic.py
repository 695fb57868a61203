"""What a relay carries just now, per second: the measure that its load is judged by. Pure: the time is given."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import Protocol

SHORTEST = 0.5
"""Seconds between two measurements; who asks earlier is told the last one."""


class Counters(Protocol):
    """A feed's counters since it was opened."""

    frames: int
    bytes: int


class MeasuredFeed(Protocol):
    """A feed (ingest.feed)."""

    @property
    def figures(self) -> Counters: ...
    @property
    def subscribers(self) -> Sized: ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """Per second. What is sent is reckoned: each subscriber of a feed is sent what comes in."""

    frames_in: float = 0.0
    bits_in: float = 0.0
    frames_out: float = 0.0
    bits_out: float = 0.0


@dataclass(frozen=True, slots=True)
class FeedRate:
    """Of one feed, per second."""

    frame_rate: float = 0.0
    bit_rate: float = 0.0


class TrafficMeter:
    """Measures between two calls of `measure`."""

    def __init__(self, feeds: Mapping[str, MeasuredFeed]) -> None:
        self._feeds = feeds
        self._at: float | None = None
        self._counted: dict[str, tuple[int, int]] = {}
        self._rates: dict[str, FeedRate] = {}
        self._traffic = Traffic()

    def measure(self, now: float) -> Traffic:
        """What was carried since the last measurement; `now`: monotonic seconds."""
        if self._at is not None and now - self._at < SHORTEST:
            return self._traffic
        seconds = now - self._at if self._at is not None else 0.0
        counted = {name: (feed.figures.frames, feed.figures.bytes) for name, feed in self._feeds.items()}
        if seconds:
            self._rates = {
                name: _rate(self._counted.get(name, (0, 0)), figures, seconds) for name, figures in counted.items()
            }
            self._traffic = self._sum()
        self._at, self._counted = now, counted
        return self._traffic

    def rate(self, feed: str) -> FeedRate:
        """Of that feed, as last measured."""
        return self._rates.get(feed, FeedRate())

    def _sum(self) -> Traffic:
        frames_in = bits_in = frames_out = bits_out = 0.0
        for name, rate in self._rates.items():
            tracks = len(self._feeds[name].subscribers)
            frames_in += rate.frame_rate
            bits_in += rate.bit_rate
            frames_out += rate.frame_rate * tracks
            bits_out += rate.bit_rate * tracks
        return Traffic(frames_in, bits_in, frames_out, bits_out)


def _rate(before: tuple[int, int], after: tuple[int, int], seconds: float) -> FeedRate:
    """A feed that was replaced by one of the same name counts from zero again."""
    frames, size = (max(0, new - old) for old, new in zip(before, after, strict=True))
    return FeedRate(frames / seconds, 8 * size / seconds)
