"""Keeps feeds running: those of the current stop, and in good time those of the next one, so that no tile goes black.

It takes leases from media and renews them while the run goes on (media reads nothing as long as they do not change).
The leases of a run that has ended, or of a hub that has died, expire.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

from camera_hub.errors import HubError
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.situation import RunSituation
from camera_hub.patrol.runs.timetable import Cursor
from camera_hub.running import ended

log = logging.getLogger(__name__)

LEASE = 15.0
"""Length of a lease in seconds; it is renewed at least every 5 s."""

DEADLINE = 10.0
"""Seconds that media has to answer; a slow answer costs the head start, but does not delay the stop."""


class Warmer(Protocol):
    """What warming needs from media (media.feeds.camera_feeds)."""

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float) -> None: ...


class Warming:
    """An async context manager. `failed` counts leases that could not be acquired."""

    def __init__(self, media: Warmer, lead: float) -> None:
        self._media = media
        self._lead = lead
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.failed = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks.values()):
            await ended(task)

    def keep(self, run_id: int, situation: RunSituation, cursor: Cursor, now: datetime) -> float:
        """Renew the leases that the run needs at `now`; returns the seconds until it needs others."""
        due = timetable.due(situation.stops, cursor)
        if due is None:
            return float("inf")
        left = max(0.0, (due - now).total_seconds())
        self._renew(f"run-{run_id}-now", situation.showable(cursor.position))
        if left > self._lead:
            return left - self._lead
        following = timetable.upcoming(situation.stops, cursor)
        if following is not None and following != cursor.position:
            self._renew(f"run-{run_id}-next", situation.showable(following))
        return left

    def _renew(self, holder: str, cameras: Sequence[int]) -> None:
        if not cameras or holder in self._tasks:
            return
        task = asyncio.create_task(self._warm(holder, cameras), name=f"warm {holder}")
        self._tasks[holder] = task
        task.add_done_callback(lambda _: self._tasks.pop(holder, None))

    async def _warm(self, holder: str, cameras: Sequence[int]) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self._media.warm(cameras, holder, LEASE)
        except (HubError, TimeoutError) as error:
            self.failed += 1
            log.warning("feeds for %s could not be kept running: %s", holder, error or "media did not answer in time")
        except Exception:
            self.failed += 1
            log.exception("keeping feeds for %s running failed unexpectedly", holder)
