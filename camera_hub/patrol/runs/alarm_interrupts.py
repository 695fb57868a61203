"""Interrupts patrols when an alarm is opened that is severe enough for their tour."""

from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy import func, select

from camera_hub.clock import Clock
from camera_hub.events import AlarmChanged, Event, EventBus, Lagged
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.interrupts import interrupts_by
from camera_hub.patrol.runs.keeper import RunKeeper
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.tables import Alarm, Run

KNOWN = 4096
"""How many alarms are remembered as known: far more than are opened while one of their events is under way."""

NOTED = 50
"""Further alarms of one interruption that become events of the run; more are only counted."""


class AlarmInterrupts:
    """An async context manager. Only alarms that are opened from then on interrupt, and each one only once."""

    def __init__(self, database: Database, clock: Clock, bus: EventBus, keeper: RunKeeper) -> None:
        self._database = database
        self._clock = clock
        self._bus = bus
        self._keeper = keeper
        self._floor = 0
        self._known: dict[int, None] = {}  # alarms above the floor that need no more looking at, oldest first
        self._waiting: dict[int, None] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            subscription = stack.enter_context(self._bus.subscribe(AlarmChanged))
            async with self._database.read() as session:
                self._floor = await session.scalar(select(func.max(Alarm.id))) or 0

            async def follow() -> None:
                await self._work_off()
                async for event in subscription:
                    await self._take(event)
                    await self._work_off()

            work = keep_running("alarms that interrupt patrols", follow, clock=self._clock)
            await stack.enter_async_context(running(work, "alarms that interrupt patrols"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _take(self, event: Event) -> None:
        if isinstance(event, Lagged):
            async with self._database.read() as session:
                query = select(Alarm.id).where(Alarm.id > self._floor).order_by(Alarm.id.desc()).limit(KNOWN)
                found = sorted(await session.scalars(query))
        else:
            found = [event.alarm_id] if isinstance(event, AlarmChanged) else []
        self._waiting |= dict.fromkeys(one for one in found if one > self._floor and one not in self._known)

    async def _work_off(self) -> None:
        """What fails stays waiting for the next round."""
        while self._waiting:
            alarm_id = next(iter(self._waiting))
            await self._look(alarm_id)
            del self._waiting[alarm_id]
            self._known[alarm_id] = None
            if len(self._known) > KNOWN:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._floor = max(self._floor, oldest)

    async def _look(self, alarm_id: int) -> None:
        async with self._database.read() as session:
            alarm = await session.get(Alarm, alarm_id)
            if alarm is None or alarm.closed_at is not None:
                return
            open_runs = Run.state.in_(("running", "paused")) & (Run.interrupt != "none") & Run.loop.is_(False)
            runs = [run for run in await session.scalars(select(Run).where(open_runs))]
        for run in runs:
            if interrupts_by(run.interrupt, alarm.severity):
                await self._interrupt(run.id, alarm)

    async def _interrupt(self, run_id: int, alarm: Alarm) -> None:
        detail = {"alarm": alarm.id, "cause": alarm.cause, "severity": alarm.severity}
        async with self._keeper.changing(run_id) as opened:
            run = opened.run
            if run.alarm_id == alarm.id or run.state not in ("running", "paused"):
                return
            if run.pause_reason == "alarm":
                run.more_alarms += 1
                if run.more_alarms <= NOTED:
                    opened.note("another_alarm", None, **detail)
                return
            await opened.move(timetable.pause(opened.situation.stops, opened.cursor, opened.now, "alarm"))
            run.alarm_id = alarm.id
            opened.note("interrupted", None, **detail)
