"""Feeds that a page will show next are kept running ahead of time: the next camera of each carousel, so that the change
shows no black.

The page says which, a few seconds before; a lease of its own ends soon after the change, when the tile has taken the
feed over.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.media.background import Background
from camera_hub.media.wall.authorization import CameraFacts
from camera_hub.media.wall.watchers import Watcher

log = logging.getLogger(__name__)

LEASE_SECONDS = 8.0
"""A page asks at most so long before it shows the camera, or asks again."""
MOST_HELD = 8
"""Cameras that one page may keep running ahead at a time; a page that turns quickly asks for more before the first
leases have ended. Capacity decides besides whether a feed may be opened at all."""
DEADLINE = 5.0


class Authorization(Protocol):
    """Who may watch what (wall.authorization)."""

    async def require(self, watcher: Watcher, camera_id: int) -> CameraFacts: ...


class RunningFeeds(Protocol):
    """Keeps feeds running (feeds.camera_feeds)."""

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float) -> None: ...


class PageWarming:
    """Of all pages. `dropped` counts cameras beyond a page's bound, `failed` those that could not be asked for."""

    def __init__(self, authorization: Authorization, feeds: RunningFeeds, background: Background, clock: Clock) -> None:
        self._authorization = authorization
        self._feeds = feeds
        self._background = background
        self._clock = clock
        self._held: dict[str, dict[int, float]] = {}  # page → camera → until
        self.dropped = 0
        self.failed = 0

    def __len__(self) -> int:
        return len(self._held)

    def warm(self, page: str, actor: Actor, cameras: Sequence[int]) -> None:
        """Keep these running for LEASE_SECONDS, instead of what an earlier message of the page asked for just now."""
        now = self._clock.monotonic()
        held = {camera: until for camera, until in self._held.get(page, {}).items() if until > now}
        granted: list[int] = []
        for camera in dict.fromkeys(cameras):
            if camera not in held and len(held) >= MOST_HELD:
                self.dropped += 1
                continue
            held[camera] = now + LEASE_SECONDS
            granted.append(camera)
        self._held[page] = held
        if granted:
            self._background.start(f"warm for page {page}", self._warm(page, actor, granted))

    def sweep(self) -> None:
        """Forget pages whose leases have all ended. Each second."""
        now = self._clock.monotonic()
        self._held = {page: held for page, held in self._held.items() if any(until > now for until in held.values())}

    async def _warm(self, page: str, actor: Actor, cameras: Sequence[int]) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                allowed = [camera for camera in cameras if await self._may(actor, camera)]
                if allowed:
                    await self._feeds.warm(allowed, f"page {page}", LEASE_SECONDS)
        except (HubError, TimeoutError) as error:
            self.failed += len(cameras)
            log.info("page %s: feeds could not be kept running: %s", page, error or "no answer in time")

    async def _may(self, actor: Actor, camera: int) -> bool:
        try:
            await self._authorization.require(actor, camera)
        except HubError as error:
            log.debug("camera %d is not kept running for user %d: %s", camera, actor.user_id, error)
            return False
        return True
