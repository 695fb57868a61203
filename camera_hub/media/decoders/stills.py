"""Key-frame pictures: what a tile shows of a stream that its browser cannot play. One JPEG per key frame, no encoder.

A feed's key frames are tapped while at least one tile shows them, decoded once for all of them, and kept only as long.
Eyes belong to the rounds first: at most half of them work for stills, a camera has one picture in work, and of key
frames that come meanwhile only the newest is taken.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.eye.messages import Look
from camera_hub.media.background import Background
from camera_hub.media.decoders.pool import DecoderPool
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.interface import Role, Still
from camera_hub.relay.messages import KeyFrame

EVERY = 0.95
"""Seconds between two pictures, at least: one a second, with some room for a key frame each second that jitters."""
TILE_WIDTH = 960
LARGE_WIDTH = 1920
QUALITY = 80


@dataclass(slots=True)
class _Source:
    camera_id: int
    holders: dict[str, int] = field(default_factory=dict)  # → width that this tile can use
    still: Still = field(default_factory=Still)
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    newest: tuple[KeyFrame, bytes, float] | None = None
    working: bool = False


class Stills:
    """`on_still` is called in the loop whenever a feed has a new picture, or a new reason for none."""

    def __init__(
        self,
        clock: Clock,
        feeds: Feeds,
        eyes: DecoderPool,
        background: Background,
        *,
        at_once: int,
        on_still: Callable[[FeedKey], None],
    ) -> None:
        self._clock = clock
        self._feeds = feeds
        self._eyes = eyes
        self._background = background
        self._slots = asyncio.Semaphore(at_once)
        self._on_still = on_still
        self._sources: dict[FeedKey, _Source] = {}
        self._number = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._sources)

    def hold(self, key: FeedKey, camera_id: int, holder: str, *, large: bool) -> None:
        """`holder` shows the feed's key frames; it holds the feed itself."""
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(camera_id)
            self._feeds.key_frames.tap(key, EVERY, self._heard)
        source.holders[holder] = LARGE_WIDTH if large else TILE_WIDTH

    def release(self, key: FeedKey, holder: str) -> None:
        """`holder` shows them no longer; with the last one the pictures are forgotten."""
        source = self._sources.get(key)
        if source is None or source.holders.pop(holder, None) is None or source.holders:
            return
        del self._sources[key]
        self._feeds.key_frames.untap(key)
        self._background.stop(_name(key))

    def of(self, key: FeedKey) -> Still | None:
        """The feed's last picture, or why there is none; None when nobody shows its key frames."""
        source = self._sources.get(key)
        return source.still if source is not None else None

    def newest(self, camera_id: int, role: Role) -> Still | None:
        """The camera's last picture of that stream, on whichever relay it is pulled; None while there is none."""
        keys = [key for key in self._feeds.of_camera(camera_id, role) if key in self._sources]
        newest = max((self._sources[key].still for key in keys), key=lambda still: still.number, default=None)
        return newest if newest is not None and newest.number else None

    def _heard(self, key: FeedKey, frame: KeyFrame, data: bytes) -> None:
        source = self._sources.get(key)
        if source is None:
            return
        if source.newest is not None:
            self.dropped += 1
        source.newest = (frame, data, self._clock.monotonic())
        if not source.working:
            source.working = True
            self._background.start(_name(key), self._work(key, source))

    async def _work(self, key: FeedKey, source: _Source) -> None:
        """Make pictures of the newest key frame until there is none left."""
        try:
            while source.newest is not None:
                async with self._slots:
                    frame, data, at = source.newest
                    source.newest = None
                    await self._make(source, frame, data, at)
                self._on_still(key)
        finally:
            source.working = False

    async def _make(self, source: _Source, frame: KeyFrame, data: bytes, at: float) -> None:
        request = Look(
            frame.codec,  # type: ignore[arg-type]  # a relay takes no other codecs than an eye
            max_width=max(source.holders.values(), default=TILE_WIDTH),
            quality=QUALITY,
        )
        try:
            _, jpeg = await self._eyes.look(source.camera_id, request, data)
        except HubError as error:
            if error.kind is Kind.BUSY:
                self.dropped += 1
            else:
                source.still = replace(source.still, trouble=error.reason)
            return
        self._number += 1
        if source.still.number:
            source.gaps.append(at - source.still.at)
        source.still = Still(self._number, jpeg, at, max(source.gaps, default=None))


def _name(key: FeedKey) -> str:
    return f"stills of stream {key.stream_id} on relay {key.relay}"
