"""Key-frame pictures: what a tile shows of a stream that its browser cannot play. One JPEG per key frame, no encoder.

A feed's key frames are tapped while at least one tile shows them, decoded once for all of them, and kept only as long.
Eyes belong to the rounds first: at most half of them work for stills, a camera has one picture in work, and of key
frames that come meanwhile only the newest is used.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.eye.messages import Look, Seen
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.key_frames import OnKeyFrame
from camera_hub.media.interface import Role, Still
from camera_hub.relay.messages import KeyFrame

EVERY = 0.95
"""Seconds between two pictures, at least: one a second, with some room for a key frame each second that jitters."""
TILE_WIDTH = 960
LARGE_WIDTH = 1920
QUALITY = 80


class Taps(Protocol):
    """Where key frames come from (feeds.key_frames)."""

    def tap(self, key: FeedKey, every: float, on_key_frame: OnKeyFrame) -> None: ...
    def untap(self, key: FeedKey) -> None: ...


class Eyes(Protocol):
    """Who decodes (decoders.pool)."""

    async def look(self, camera_id: int, request: Look, data: bytes) -> tuple[Seen, bytes]: ...


@dataclass(slots=True)
class _TappedFeed:
    camera_id: int
    role: Role
    leases: "set[StillLease]" = field(default_factory=set)
    still: Still = field(default_factory=Still)
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=3))
    newest: tuple[KeyFrame, bytes, float] | None = None
    working: bool = False


class StillLease:
    """A tile's right to the key-frame pictures of a feed. `on_change` is called in the loop with each change."""

    def __init__(
        self, release: "Callable[[StillLease], None]", key: FeedKey, width: int, on_change: Callable[[], None]
    ) -> None:
        self.key = key
        self.width = width
        self.on_change = on_change
        self.still = Still()
        self._release = release

    def release(self) -> None:
        """The tile shows them no longer; with the last one the pictures are forgotten. Idempotent."""
        self._release(self)


class Stills:
    """Of all tiles. `dropped` counts key frames of which no picture was made."""

    def __init__(self, clock: Clock, key_frames: Taps, eyes: Eyes, background: Background, *, at_once: int) -> None:
        self._clock = clock
        self._key_frames = key_frames
        self._eyes = eyes
        self._background = background
        self._slots = asyncio.Semaphore(at_once)
        self._tapped: dict[FeedKey, _TappedFeed] = {}
        self._number = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._tapped)

    def acquire(
        self, key: FeedKey, camera_id: int, role: Role, *, large: bool, on_change: Callable[[], None]
    ) -> StillLease:
        """A tile shows the feed's key frames; it holds a lease on the feed itself."""
        tapped = self._tapped.get(key)
        if tapped is None:
            tapped = self._tapped[key] = _TappedFeed(camera_id, role)
            self._key_frames.tap(key, EVERY, self._on_key_frame)
        lease = StillLease(self._release, key, LARGE_WIDTH if large else TILE_WIDTH, on_change)
        lease.still = tapped.still
        tapped.leases.add(lease)
        return lease

    def newest(self, camera_id: int, role: Role) -> Still | None:
        """The camera's last picture of that stream, on whichever relay it is pulled; None while there is none."""
        stills = (t.still for t in self._tapped.values() if (t.camera_id, t.role) == (camera_id, role))
        newest = max(stills, key=lambda still: still.number, default=None)
        return newest if newest is not None and newest.number else None

    def _release(self, lease: StillLease) -> None:
        tapped = self._tapped.get(lease.key)
        if tapped is None or lease not in tapped.leases:
            return
        tapped.leases.discard(lease)
        if not tapped.leases:
            del self._tapped[lease.key]
            self._key_frames.untap(lease.key)
            self._background.stop(_name(lease.key))

    def _on_key_frame(self, key: FeedKey, frame: KeyFrame, data: bytes) -> None:
        tapped = self._tapped.get(key)
        if tapped is None:
            return
        if tapped.newest is not None:
            self.dropped += 1
        tapped.newest = (frame, data, self._clock.monotonic())
        if not tapped.working:
            tapped.working = True
            self._background.start(_name(key), self._work(tapped))

    async def _work(self, tapped: _TappedFeed) -> None:
        """Make pictures of the newest key frame until there is none left."""
        try:
            while tapped.newest is not None:
                async with self._slots:
                    frame, data, at = tapped.newest
                    tapped.newest = None
                    await self._make(tapped, frame, data, at)
                for lease in list(tapped.leases):
                    lease.still = tapped.still
                    lease.on_change()
        finally:
            tapped.working = False

    async def _make(self, tapped: _TappedFeed, frame: KeyFrame, data: bytes, at: float) -> None:
        request = Look(
            frame.codec,  # type: ignore[arg-type]  # a relay pulls no other codecs than an eye decodes
            max_width=max((lease.width for lease in tapped.leases), default=TILE_WIDTH),
            quality=QUALITY,
        )
        try:
            _, jpeg = await self._eyes.look(tapped.camera_id, request, data)
        except HubError as error:
            if error.kind is Kind.BUSY:
                self.dropped += 1
            else:
                tapped.still = replace(tapped.still, trouble=error.reason)
            return
        self._number += 1
        if tapped.still.number:
            tapped.gaps.append(at - tapped.still.at)
        tapped.still = Still(self._number, jpeg, at, max(tapped.gaps, default=None))


def _name(key: FeedKey) -> str:
    return f"stills of {key.source_id} on relay {key.relay}"
