"""Keeps the alarms right: works out which should be open and writes every tick in one transaction."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import Reason
from camera_hub.events import DeviceReported, EventBus
from camera_hub.health.alarms.exclusion_watch import ExclusionWatch
from camera_hub.health.alarms.loss_clues import LossClues
from camera_hub.health.alarms.states import Moment, health_changes, state_changes
from camera_hub.health.alarms.tick_writer import Tick, Written, read_open_alarms, write_tick
from camera_hub.health.judging.alarm_board import AlarmBoard, AlarmPlan, Observed
from camera_hub.health.judging.alarm_severity import SeverityRules
from camera_hub.health.judging.causes import ExpectedAlarm, JudgingRules
from camera_hub.health.judging.hub_load import KEY as HUB_LOAD
from camera_hub.health.judging.hub_load import LoadWatch
from camera_hub.health.judging.pace import PaceWatch
from camera_hub.health.rounds.look_result import LookResult
from camera_hub.health.rounds.roster import Roster
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

BACKLOG = 20_000
"""Looks kept while the database cannot be written; beyond, the oldest are dropped and counted. 1,000 cameras make
these in twenty minutes."""


class AlarmEvaluator:
    """The open alarms of one hub, and what is to be written with the next tick.

    `dropped` counts looks that were judged but never written, because the database was away too long.
    """

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        rules: JudgingRules,
        severities: SeverityRules,
        exclusions: ExclusionWatch,
        pace: PaceWatch,
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._severities = severities
        self._exclusions = exclusions
        self._pace = pace
        self._board = AlarmBoard(rules, severities)
        self._clues = LossClues(database)
        self._looks: deque[LookResult] = deque()
        self._offsets: dict[int, float] = {}
        self._gone: set[int] = set()
        self._stale = True  # the alarms must be worked out again
        self._hub_load = LoadWatch()
        self._own: ExpectedAlarm | None = None  # the alarm of the hub's own load
        self._settling = asyncio.Lock()
        self.dropped = 0

    @property
    def hub_load(self) -> LoadWatch:
        """The hub's own load, as media reports it."""
        return self._hub_load

    async def load(self, session: AsyncSession, gone: Iterable[int]) -> None:
        """Read the open alarms at the start; `gone` are cameras whose states must end."""
        open_alarms = await read_open_alarms(session)
        self._board = AlarmBoard(self._rules, self._severities, open_alarms)
        if any(alarm.key == HUB_LOAD for alarm in open_alarms):
            self._hub_load = LoadWatch(open_since=self._clock.monotonic())  # of the hub before a restart
        self._gone.update(gone)

    def add_look(self, result: LookResult) -> None:
        """Write this with the next tick."""
        if len(self._looks) >= BACKLOG:
            self._looks.popleft()
            self.dropped += 1
        self._looks.append(result)
        self._clues.look(result)

    def add_report(self, event: DeviceReported) -> None:
        """A device reports something: it may be a hint at why a camera is lost."""
        self._clues.report(event, self._clock.monotonic())

    def add_clock(self, device_id: int, offset_s: float) -> None:
        """Write a device's clock error with the next tick."""
        self._offsets[device_id] = offset_s

    def reconsider(self) -> None:
        """A verdict has changed: work the alarms out with the next tick. Looks that confirm what is known cost nothing
        but their row."""
        self._stale = True

    def roster_changed(self, gone: Iterable[int]) -> None:
        """Cameras came or went; the states of `gone` end."""
        self._gone.update(gone)
        self._stale = True

    async def settle(self, roster: Roster) -> bool:
        """Work out the alarms and write what is new. What could not be written is written with the next tick.

        Answers whether a village, device or the hub's uplink has recovered, so that its cameras are looked at soon.
        """
        async with self._settling:
            return await self._settle(roster)

    async def _settle(self, roster: Roster) -> bool:
        moment = Moment(self._clock.monotonic(), self._clock.now())
        own = self._own_alarm(moment.now)
        if await self._exclusions.follow(roster, moment) or _says(own) != _says(self._own):
            self._stale = True
        self._own = own
        if not (self._looks or self._stale or self._gone):
            return False
        looks, offsets, gone = list(self._looks), dict(self._offsets), frozenset(self._gone)
        tick = Tick(moment.wall, looks, offsets, self._rules.clock_error, gone=gone)
        plan = AlarmPlan()
        if self._stale:
            plan = self._board.plan(self._observed(roster), moment.now, moment.wall)
            plan = replace(plan, changes=await self._clues.told(plan.changes, roster, moment))
            tick = replace(
                tick,
                states=state_changes(roster, moment),
                healths=health_changes(roster.cameras.values(), moment),
                changes=plan.changes,
            )
        stale, self._stale = self._stale, False  # a verdict that changes while this is written counts for the next tick
        written = Written()
        try:
            if not tick.is_empty:
                async with self._database.write() as session:
                    written = await write_tick(session, tick)
        except BaseException:
            self._stale = self._stale or stale
            raise
        self._stale = self._stale or plan.waits
        self._forget_written(looks, offsets, gone)
        _note_stored(roster, tick)
        recovered = self._board.commit(tick.changes, written.opened, moment.now, moment.wall)
        for event in written.events:
            self._bus.publish(event)
        return recovered

    def _own_alarm(self, now: float) -> ExpectedAlarm | None:
        """Of the hub's own faults the one that explains the others: rounds are late because the hub is."""
        pace, load = self._pace.expected(now), self._hub_load.expected(now)
        return pace if pace is not None and (load is None or pace.cause == Reason.ROUNDS_STOPPED) else load

    def _observed(self, roster: Roster) -> Observed:
        return Observed(
            [watch.case() for watch in roster.cameras.values()],
            {device.device_id: device.clock.verdict for device in roster.devices.values()},
            self._exclusions.cameras,
            {watch.camera_id for watch in roster.cameras.values() if watch.important},
            () if self._own is None else (self._own,),
        )

    def _forget_written(self, looks: list[LookResult], offsets: dict[int, float], gone: frozenset[int]) -> None:
        """Looks and readings that came while the tick was written stay for the next one."""
        written = {id(look) for look in looks}
        self._looks = deque(look for look in self._looks if id(look) not in written)
        self._offsets = {device: at for device, at in self._offsets.items() if offsets.get(device) != at}
        self._gone -= gone


def _says(alarm: ExpectedAlarm | None) -> str | None:
    return None if alarm is None else alarm.cause


def _note_stored(roster: Roster, tick: Tick) -> None:
    """What the tick has written is what the database has."""
    for state in tick.states:
        if (watch := roster.cameras.get(state.camera_id)) is not None:
            watch.stored_states[state.aspect] = (state.state, state.cause)
    for health in tick.healths:
        if (watch := roster.cameras.get(health.camera_id)) is not None:
            watch.stored = (health.health, health.cause)
