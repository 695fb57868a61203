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


AFTER_CLOSING = 600.0
"""Seconds for which the next stop that is offered stays warm once the stops of a patrol are over. Who comes back to it
later has the page ask for it (media.wall.page_warming)."""

AHEAD_AFTER = 3.0
"""Seconds of a stop after which an operator may go on before its time: until then hardly anything can be confirmed."""


class Warmer(Protocol):
    """What warming needs from media (media.feeds.camera_feeds)."""

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float, *, ahead: bool = False) -> None:
        """Keep the feeds of these cameras running for `seconds`; those that cannot run are left out. `ahead`: they are
        shown only if somebody asks, so none is opened unless the machine has time to spare."""
        ...


def warms_at_end(cursor: Cursor, now: datetime) -> bool:
    """Whether the stops of a patrol are over, and that so recently that somebody is probably there to go on."""
    return cursor.state == "closing" and (now - cursor.anchor).total_seconds() < AFTER_CLOSING


class Warming:
    """An async context manager. `failed` counts leases that could not be acquired.

    `lead`: seconds before the change at which the next stop is warmed. Of a patrol it is warmed sooner where the
    machine has time to spare, because a stop that is confirmed is left at once; the one before stays warm for a LEASE.
    When its stops are over, so is the next one that is offered.
    """

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
            if warms_at_end(cursor, now):
                self._keep_next(run_id, situation, cursor, ahead=True)
            return float("inf")
        left = max(0.0, (due - now).total_seconds())
        self._renew(f"run-{run_id}-now", situation.showable(cursor.position))
        ahead, passed = left > self._lead, (now - cursor.anchor).total_seconds()
        if ahead and (cursor.loop or passed < AHEAD_AFTER):
            return left - self._lead if cursor.loop else min(AHEAD_AFTER - passed, left - self._lead)
        self._keep_next(run_id, situation, cursor, ahead=ahead)
        return left - self._lead if ahead else left

    def _keep_next(self, run_id: int, situation: RunSituation, cursor: Cursor, *, ahead: bool) -> None:
        following = timetable.upcoming(situation.stops, cursor)
        if following is not None and (following != cursor.position or cursor.state == "closing"):
            self._renew(f"run-{run_id}-next", situation.showable(following), ahead=ahead)

    def _renew(self, holder: str, cameras: Sequence[int], *, ahead: bool = False) -> None:
        if not cameras or holder in self._tasks:
            return
        task = asyncio.create_task(self._warm(holder, cameras, ahead), name=f"warm {holder}")
        self._tasks[holder] = task
        task.add_done_callback(lambda _: self._tasks.pop(holder, None))

    async def _warm(self, holder: str, cameras: Sequence[int], ahead: bool) -> None:
        try:
            async with asyncio.timeout(DEADLINE):
                await self._media.warm(cameras, holder, LEASE, ahead=ahead)
        except (HubError, TimeoutError) as error:
            self.failed += 1
            log.warning("feeds for %s could not be kept running: %s", holder, error or "media did not answer in time")
        except Exception:
            self.failed += 1
            log.exception("keeping feeds for %s running failed unexpectedly", holder)
