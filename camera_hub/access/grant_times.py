"""Grants that begin or end by the clock: open pages and running pictures of their users are authorized again then."""

import asyncio
from typing import Self

from sqlalchemy import and_, or_, select

from camera_hub.access.sessions import Sessions
from camera_hub.clock import Clock
from camera_hub.events import AccessChanged, EventBus
from camera_hub.running import Backoff, ended, keep_running
from camera_hub.store.database import Database
from camera_hub.store.tables import UserVillage

EVERY = 2.0
"""Seconds between two checks: how late a page may learn that access has ended."""


class GrantTimes:
    """An async context manager: while it is entered, AccessChanged is published when a grant begins or ends."""

    def __init__(self, database: Database, clock: Clock, bus: EventBus, sessions: Sessions) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._sessions = sessions
        self._seen = clock.now()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        work = keep_running("grant times", self._watch, clock=self._clock, backoff=Backoff(first=1.0, cap=10.0))
        self._task = asyncio.create_task(work, name="grant times")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await ended(self._task)

    async def _watch(self) -> None:
        while True:
            await self.check()
            await self._clock.sleep(EVERY)

    async def check(self) -> None:
        """Publish AccessChanged for each user with a grant that began or ended since the last check."""
        now = self._clock.now()
        passed = [and_(time > self._seen, time <= now) for time in (UserVillage.valid_from, UserVillage.valid_until)]
        async with self._database.read() as session:
            users = set(await session.scalars(select(UserVillage.user_id).where(or_(*passed))))
        self._seen = now
        for user_id in users:
            self._sessions.forget(user_id)
            self._bus.publish(AccessChanged(user_id))
