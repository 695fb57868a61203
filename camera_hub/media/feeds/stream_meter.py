"""What streams really deliver, from the counters that come with key frames: frame rate, bit rate, GOP, gaps, bytes.

A feed that runs on is measured from one look to the next. One that is opened for a look is measured between two key
frames of the look: now and then a look waits for a second one just for that.
"""

from collections import OrderedDict
from typing import TypeVar

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import NO_FIGURES, StreamFigures
from camera_hub.relay.messages import KeyFrame

Kept = TypeVar("Kept")

KEPT = 4096
"""Feeds whose last counters are kept; those that were measured longest ago are forgotten first."""

SHORTEST = 0.4
"""Seconds between two key frames from which on they tell a rate."""

MEASURE_EVERY = 6 * 3600.0
"""Seconds after which a look waits for a second key frame, where nothing else tells the stream's rates."""


class StreamMeter:
    """Of all feeds that looks use. Times are those of the key frames (Unix seconds)."""

    def __init__(self) -> None:
        self._last: OrderedDict[FeedKey, KeyFrame] = OrderedDict()  # of the look before
        self._newest: dict[FeedKey, KeyFrame] = {}  # of the look under way
        self._first: dict[FeedKey, KeyFrame] = {}
        self._measured_at: OrderedDict[FeedKey, float] = OrderedDict()

    def add(self, key: FeedKey, frame: KeyFrame) -> None:
        """A look has got this key frame."""
        self._first.setdefault(key, frame)
        self._newest[key] = frame

    def is_due(self, key: FeedKey) -> bool:
        """Whether the look should wait for one more key frame, since nothing tells this stream's rates."""
        newest = self._newest.get(key)
        if newest is None or not newest.frames or self._rated(key) is not None:  # without counters nothing is told
            return False
        return newest.received_at - self._measured_at.get(key, float("-inf")) >= MEASURE_EVERY

    def end(self, key: FeedKey) -> StreamFigures:
        """The look is over: what it tells."""
        newest = self._newest.pop(key, None)
        if newest is None:
            return NO_FIGURES
        rated = self._rated(key, newest)
        before = self._last.get(key)
        since = before if before is not None and before.opened_at == newest.opened_at else None
        self._first.pop(key, None)
        _keep(self._last, key, newest)
        figures = StreamFigures(
            gaps=newest.gaps - (since.gaps if since is not None else 0),
            received_bytes=newest.received_bytes - (since.received_bytes if since is not None else 0),
        )
        if rated is None:
            return figures
        _keep(self._measured_at, key, newest.received_at)
        seconds = newest.received_at - rated.received_at
        key_frames = newest.key_frames - rated.key_frames
        return StreamFigures(
            (newest.frames - rated.frames) / seconds,
            (newest.received_bytes - rated.received_bytes) * 8 / 1000 / seconds,
            seconds / key_frames if key_frames > 0 else None,
            figures.gaps,
            figures.received_bytes,
        )

    def _rated(self, key: FeedKey, newest: KeyFrame | None = None) -> KeyFrame | None:
        """The earlier key frame of the same pull from which rates are reckoned: the last look's, else the first of this
        one."""
        newest = newest or self._newest[key]
        for earlier in (self._last.get(key), self._first.get(key)):
            if earlier is None or earlier.opened_at != newest.opened_at:
                continue
            if newest.received_at - earlier.received_at >= SHORTEST and newest.frames > earlier.frames:
                return earlier
        return None


def _keep(kept: "OrderedDict[FeedKey, Kept]", key: FeedKey, value: Kept) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)
