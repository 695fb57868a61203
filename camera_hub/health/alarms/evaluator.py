"""Keeps the alarms right: works out which should be open and writes every tick in one transaction."""

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.events import EventBus
from camera_hub.health.alarms.tick_writer import HealthChange, StateChange, Tick, Written, read_open_alarms, write_tick
from camera_hub.health.judging.alarm_changes import AlarmClosing, OpenAlarm, alarm_changes, open_after
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm, JudgingRules, expected_alarms
from camera_hub.health.judging.hub_load import KEY as HUB_LOAD
from camera_hub.health.judging.hub_load import LoadWatch
from camera_hub.health.judging.verdict import Verdict
from camera_hub.health.rounds.camera_watch import UNSTORED
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

    def __init__(self, database: Database, bus: EventBus, clock: Clock, rules: JudgingRules) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._open: list[OpenAlarm] = []
        self._recovered: dict[AlarmKey, float] = {}
        self._looks: deque[LookResult] = deque()
        self._offsets: dict[int, float] = {}
        self._gone: set[int] = set()
        self._stale = True  # the alarms must be worked out again
        self._hub_load = LoadWatch()
        self._hub_load_alarm: ExpectedAlarm | None = None
        self.dropped = 0

    @property
    def hub_load(self) -> LoadWatch:
        """The hub's own load, as media reports it."""
        return self._hub_load

    async def load(self, session: AsyncSession, gone: Iterable[int]) -> None:
        """Read the open alarms at the start; `gone` are cameras whose states must end."""
        self._open = await read_open_alarms(session)
        if any(alarm.key == HUB_LOAD for alarm in self._open):
            self._hub_load = LoadWatch(open_since=self._clock.monotonic())  # of the hub before a restart
        self._gone.update(gone)

    def add_look(self, result: LookResult) -> None:
        """Write this with the next tick."""
        if len(self._looks) >= BACKLOG:
            self._looks.popleft()
            self.dropped += 1
        self._looks.append(result)

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
        now, wall = self._clock.monotonic(), self._clock.now()
        load_alarm = self._hub_load.expected(now)
        if (load_alarm is None) != (self._hub_load_alarm is None):
            self._stale = True
        self._hub_load_alarm = load_alarm
        if not (self._looks or self._stale or self._gone):
            return False
        looks, offsets, gone = list(self._looks), dict(self._offsets), frozenset(self._gone)
        tick = Tick(wall, looks, offsets, self._rules.clock_error, gone=gone)
        expected: tuple[ExpectedAlarm, ...] = ()
        if self._stale:
            expected = self._expected(roster, now)
            tick = replace(
                tick,
                states=_state_changes(roster, now, wall),
                healths=_health_changes(roster, now, wall),
                changes=alarm_changes(self._open, expected, wall),
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
        self._stale = self._stale or any(alarm.pending for alarm in expected)
        self._forget_written(looks, offsets, gone)
        recovered = self._commit(tick, written, roster, now)
        for event in written.events:
            self._bus.publish(event)
        return recovered

    def _expected(self, roster: Roster, now: float) -> tuple[ExpectedAlarm, ...]:
        self._recovered = {key: at for key, at in self._recovered.items() if now - at < self._rules.limit}
        expected = expected_alarms(
            [watch.case() for watch in roster.cameras.values()],
            {device.device_id: device.clock for device in roster.devices.values()},
            open_keys=frozenset(alarm.key for alarm in self._open),
            recovered=self._recovered,
            now=now,
            rules=self._rules,
        )
        return (self._hub_load_alarm, *expected) if self._hub_load_alarm is not None else expected

    def _forget_written(self, looks: list[LookResult], offsets: dict[int, float], gone: frozenset[int]) -> None:
        """Looks and readings that came while the tick was written stay for the next one."""
        written = {id(look) for look in looks}
        self._looks = deque(look for look in self._looks if id(look) not in written)
        self._offsets = {device: at for device, at in self._offsets.items() if offsets.get(device) != at}
        self._gone -= gone

    def _commit(self, tick: Tick, written: Written, roster: Roster, now: float) -> bool:
        self._open = open_after(self._open, tick.changes, written.opened, tick.now)
        for state in tick.states:
            if (watch := roster.cameras.get(state.camera_id)) is not None:
                watch.stored_states[state.aspect] = (state.state, state.cause)
        for health in tick.healths:
            if (watch := roster.cameras.get(health.camera_id)) is not None:
                watch.stored = (health.health, health.cause)
        closed = [change for change in tick.changes if isinstance(change, AlarmClosing) and not change.merged]
        parents = [change.key for change in closed if change.key.level != "camera" and change.key != HUB_LOAD]
        self._recovered.update(dict.fromkeys(parents, now))
        return bool(parents)


def _state_changes(roster: Roster, now: float, wall: datetime) -> list[StateChange]:
    """The aspects whose state or cause is not yet what the database has."""
    return [
        StateChange(watch.camera_id, aspect, verdict.state, verdict.cause, _since(verdict, now, wall))
        for watch in roster.cameras.values()
        for aspect, verdict in watch.verdicts(roster.devices[watch.device_id].clock)
        if verdict.state != "unknown" and (verdict.state, verdict.cause) != watch.stored_states.get(aspect, UNSTORED)
    ]


def _health_changes(roster: Roster, now: float, wall: datetime) -> list[HealthChange]:
    changes = []
    for watch in roster.cameras.values():
        health = watch.health()
        if health.state != "unknown" and (health.state, health.cause) != watch.stored:
            changes.append(HealthChange(watch.camera_id, health.state, health.cause, _since(health, now, wall)))
    return changes


def _since(verdict: Verdict, now: float, wall: datetime) -> datetime:
    return wall - timedelta(seconds=now - verdict.since) if verdict.since is not None else wall
