"""The nightly check of all clocks: each device is asked once after the planned time of each day.

Whom to ask is read from the database, so that a hub that was down at that time, or ended in the middle, goes on when it
is back.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from camera_hub.cameras.device_settings.previews import spread
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.timetable import last_due, next_due, time_of_day
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.running import keep_running, running

JITTER_SECONDS = 300.0
"""Hubs of a county do not all begin in the same second, nor a hub in the second in which it starts."""
LONGEST_REST = 900.0
"""The wall clock may be set while the hub waits."""


class NightlyClockChecks:
    """An async context manager; it checks while it is entered. `at`: the site's time of day, "02:30"."""

    def __init__(
        self,
        store: SettingsStore,
        readings: SettingsReadings,
        clock: Clock,
        at: str,
        zone: ZoneInfo,
        at_once: int,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._readings = readings
        self._clock = clock
        self._at = time_of_day(at)
        self._zone = zone
        self._at_once = at_once
        self._draw = draw
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        work = keep_running("nightly clock checks", self._night, clock=self._clock, rest=self._clock.sleep)
        await self._stack.enter_async_context(running(work, "nightly clock checks"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def next_at(self) -> datetime:
        """When the next check is planned."""
        return next_due(self._clock.now(), self._at, self._zone)

    async def check_due(self) -> int:
        """Check every device that was not checked since the last planned time; how many these were. Raises HubError."""
        now = self._clock.now()
        devices = spread(await self._store.unchecked(last_due(now, self._at, self._zone), now))
        waiting = iter(devices)
        failed: list[HubError] = []

        async def worker() -> None:
            for device in waiting:
                try:
                    await self._readings.check(device)
                except HubError as error:  # the database: the others would fail as well
                    failed.append(error)
                if failed:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._at_once, len(devices))):
                group.create_task(worker())
        if failed:
            raise failed[0]
        return len(devices)

    async def _night(self) -> None:
        await self._clock.sleep(JITTER_SECONDS * self._draw())
        await self.check_due()
        due = self.next_at()
        while (left := (due - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left, LONGEST_REST))
