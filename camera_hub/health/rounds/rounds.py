"""Rounds: look at every approved camera on its own clock, judge, and keep the alarms right. A thin loop.

Looks run as tasks, bounded in all and per village, so that a slow village never delays another. What they find is
judged at once and written tick by tick, one transaction each. A part of the hub: an async context manager.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.events import (
    AspectFound,
    CameraChanged,
    CameraQuarantined,
    DeviceChanged,
    DeviceMissed,
    DeviceReported,
    DeviceSettingsChanged,
    Event,
    EventBus,
    ExclusionChanged,
    FeedChanged,
    HubLoad,
    Lagged,
    Subscription,
)
from camera_hub.health.alarms.evaluator import AlarmEvaluator
from camera_hub.health.alarms.exclusion_watch import ExclusionWatch
from camera_hub.health.judging.alarm_severity import Severity, SeverityRules
from camera_hub.health.judging.causes import FOUND, JudgingRules, devices_to_check
from camera_hub.health.judging.hub_load import Overload
from camera_hub.health.judging.pace import STOPPED_PERIODS, PaceWatch
from camera_hub.health.judging.verdict import LOGIN, NO_FAULT, Aspect
from camera_hub.health.rounds.camera_watch import CameraWatch, DeviceWatch, Intervals
from camera_hub.health.rounds.inspector import REACH_SECONDS, AskedDevices, CameraLooks, Inspection, Inspector
from camera_hub.health.rounds.look_result import LookResult, quarantined
from camera_hub.health.rounds.roster import Roster, read_clock_checks
from camera_hub.health.rounds.schedule import RoundsPace, looks_to_start, pace_of, waiting_of
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

_EVENTS = (
    *(CameraChanged, CameraQuarantined, DeviceChanged, DeviceMissed, FeedChanged, HubLoad),
    *(AspectFound, DeviceReported, DeviceSettingsChanged, ExclusionChanged),
)

UTC = ZoneInfo("UTC")
TICK = 0.5
CHECKS_AT_ONCE = 64

PACE = 5.0
"""Seconds after which it is counted anew how many cameras wait for their look."""

WATCH = 90.0
"""Seconds, at least, after which it is seen anew whether rounds move on."""


def judging_rules(settings: HealthSettings) -> JudgingRules:
    """The rules that follow from the settings."""
    return JudgingRules(
        bad=settings.bad,
        bad_of=max(settings.bad, settings.bad_of),
        village_share=settings.village_share,
        recheck=min(10.0, settings.round_seconds),
        reach=REACH_SECONDS,
        clock_error=settings.clock_error_seconds,
    )


class Rounds:
    """The rounds of one hub. `looks` and `skipped` count looks made, and looks that said nothing about the camera,
    `postponed` those for which live pictures left no time; `write_failures` counts ticks that the database did not
    accept."""

    def __init__(
        self,
        settings: HealthSettings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        media: CameraLooks,
        devices: AskedDevices,
        zone: ZoneInfo = UTC,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._database = database
        self._rules = judging_rules(settings)
        self._intervals = Intervals(settings.round_seconds, settings.picture_seconds)
        self._roster = Roster(self._intervals)
        self._inspector = Inspector(clock, media, devices, settings.picture_seconds)
        self._exclusions = ExclusionWatch(database, zone)
        self._pace = PaceWatch(settings.round_seconds, clock.monotonic())
        severities = SeverityRules({cause: Severity(word) for cause, word in settings.severities.items()})
        self._alarms = AlarmEvaluator(database, bus, clock, self._rules, severities, self._exclusions, self._pace)
        self._stale_cameras: set[int] = set()
        self._stale_devices: set[int] = set()
        self._stale_clocks: set[int] = set()
        self._all_stale = False
        self._stack = AsyncExitStack()
        self._write_error = ""  # why the database could not be written last time
        self._pace_due = float("-inf")
        self.looks = 0
        self.skipped = 0
        self.postponed = 0
        self.write_failures = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            subscription = stack.enter_context(self._bus.subscribe(*_EVENTS, limit=4096))
            async with self._database.read() as session:
                gone = await self._roster.load(session, self._clock.monotonic())
                await self._alarms.load(session, gone)
            events = keep_running("health events", lambda: self._follow_events(subscription), clock=self._clock)
            await stack.enter_async_context(running(events, "health events"))
            rounds = keep_running("health rounds", self._run, clock=self._clock, backoff=Backoff(cap=10.0))
            await stack.enter_async_context(running(rounds, "health rounds"))
            watch = keep_running("watch over the rounds", self._watch, clock=self._clock)
            await stack.enter_async_context(running(watch, "watch over the rounds"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def pace(self) -> RoundsPace:
        """Whether looks begin when they are due."""
        return pace_of(self._roster.cameras.values(), self._clock.monotonic())

    async def _follow_events(self, subscription: Subscription) -> None:
        async for event in subscription:
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        now = self._clock.monotonic()
        match event:
            case CameraChanged(camera_id):
                self._stale_cameras.add(camera_id)
            case CameraQuarantined(camera_id):
                # Its picture is a fault from now on; the looks that follow confirm it, and lift it one day.
                self._accept(quarantined(camera_id, now, self._clock.now()))
            case DeviceChanged(device_id, _, credentials):
                self._stale_devices.add(device_id)
                if credentials:
                    self._expedite_device(device_id, now)
            case DeviceMissed(device_id):
                for missed in self._roster.of_device(device_id):
                    missed.expedite(max(now, missed.looked_at + self._rules.recheck))
            case FeedChanged(camera_id, _, _, reason) if reason is not None:
                if (watch := self._roster.cameras.get(camera_id)) is not None:
                    watch.expedite(max(now, watch.looked_at + self._rules.recheck))
            case DeviceSettingsChanged(device_id):
                self._stale_clocks.add(device_id)
            case AspectFound():
                self._take(event, now)
            case DeviceReported():
                self._alarms.add_report(event)
            case ExclusionChanged():
                self._exclusions.changed()
            case HubLoad(relays, hub):
                self._alarms.hub_load.report(Overload(relays, hub), now)
            case Lagged():
                self._all_stale = True
                self._exclusions.changed()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._refresh()
                self._start_looks(tasks)
                self._start_checks(tasks)
                await self._settle()
                await self._clock.sleep(TICK)

    async def _watch(self) -> None:
        """See that rounds move on: the alarm that they stand still is raised by another task than theirs."""
        while True:
            await self._clock.sleep(max(WATCH, self._settings.round_seconds * STOPPED_PERIODS / 2))
            now = self._clock.monotonic()
            self._pace.report(waiting_of(self._roster.cameras.values(), now, self._settings.round_seconds), now)
            if (alarm := self._pace.expected(now)) is not None and alarm.cause == Reason.ROUNDS_STOPPED:
                log.error("%s", alarm.detail)
                await self._settle()

    async def _settle(self) -> None:
        """Keep the alarms right. While the database cannot be written, cameras are looked at all the same."""
        now = self._clock.monotonic()
        if now >= self._pace_due:
            self._pace_due = now + PACE
            self._pace.report(waiting_of(self._roster.cameras.values(), now, self._settings.round_seconds), now)
        try:
            if await self._alarms.settle(self._roster):
                # Those that stay silent are confirmed to be so, and then have an alarm of their own.
                self._expedite_silent(None, self._clock.monotonic(), times=self._rules.bad)
        except (HubError, SQLAlchemyError) as error:
            self.write_failures += 1
            words = str(getattr(error, "orig", None) or error)  # without the statement and its thousand values
            if words != self._write_error:
                log.error("observations and alarms cannot be written now, and will be with a later tick: %s", words)
            self._write_error = words
        else:
            self._write_error = ""

    async def _refresh(self) -> None:
        """Read again what events named; what cannot be read now is read at the next attempt."""
        if not (self._all_stale or self._stale_cameras or self._stale_devices or self._stale_clocks):
            return
        everything, cameras, devices = self._all_stale, self._stale_cameras, self._stale_devices
        clocks = self._stale_clocks
        self._all_stale, self._stale_cameras, self._stale_devices, self._stale_clocks = False, set(), set(), set()
        try:
            async with self._database.read() as session:
                now = self._clock.monotonic()
                gone = await self._roster.refresh(session, now, None if everything else cameras, devices)
                checked = await read_clock_checks(session, clocks)
        except BaseException:
            self._all_stale = self._all_stale or everything
            self._stale_cameras |= cameras
            self._stale_devices |= devices
            self._stale_clocks |= clocks
            raise
        self._alarms.roster_changed(gone)
        for device_id, offset_s in checked.items():
            self._take_clock(device_id, offset_s, now)

    def _start_looks(self, tasks: asyncio.TaskGroup) -> None:
        chosen = looks_to_start(
            self._roster.cameras.values(),
            self._clock.monotonic(),
            at_once=self._settings.at_once,
            at_once_per_village=self._settings.at_once_per_village,
        )
        for watch in chosen:
            watch.looking = True
            device = self._roster.devices[watch.device_id]
            tasks.create_task(self._look(watch, device), name=f"health look camera {watch.camera_id}")

    def _start_checks(self, tasks: asyncio.TaskGroup) -> None:
        """Check whether the neighbours of a camera that just fell silent still answer."""
        if all(watch.silent_since is None for watch in self._roster.cameras.values()):
            return
        now = self._clock.monotonic()
        under_way = sum(device.being_checked for device in self._roster.devices.values())
        doubtful = devices_to_check((w.case() for w in self._roster.cameras.values()), now=now, rules=self._rules)
        for device in (self._roster.devices[number] for number in sorted(doubtful)):
            if device.being_checked or under_way >= CHECKS_AT_ONCE:
                continue
            if not device.has_answered:
                for watch in self._roster.of_device(device.device_id):
                    watch.expedite(max(now, watch.looked_at + self._rules.recheck))
                continue
            under_way += 1
            device.being_checked = True
            tasks.create_task(self._check(device), name=f"health check device {device.device_id}")

    async def _look(self, watch: CameraWatch, device: DeviceWatch) -> None:
        """Look at one camera and keep what was found; a look that fails on the hub's own side is only counted."""
        found = Inspection(None)
        try:
            found = await self._inspector.inspect(watch, device)
        except (HubError, TimeoutError) as error:
            log.warning("camera %d could not be looked at: %s", watch.camera_id, error or "the look took too long")
        except Exception:
            log.exception("the look at camera %d failed unexpectedly", watch.camera_id)
        finally:
            watch.looking = False
            self._pace.looked(self._clock.monotonic())
        if found.clock_s is not None:
            self._accept_clock(device, found.clock_s)
        if found.postponed:
            self.postponed += 1
            watch.postpone(self._clock.monotonic(), self._intervals)
            return
        if found.result is None or self._is_unmeasured(found.result.media):
            self.skipped += 1
            watch.due = self._clock.monotonic() + self._rules.recheck
            return
        self.looks += 1
        self._accept(found.result)

    async def _check(self, device: DeviceWatch) -> None:
        """Check whether a device answers; its silence counts for all its cameras."""
        began = self._clock.monotonic()
        try:
            silence = await self._inspector.check(device)
        finally:
            device.being_checked = False
        if silence is not None and self._is_unmeasured(silence[0]):
            self.skipped += 1
            return
        for watch in self._roster.of_device(device.device_id):
            if silence is not None:
                self._accept(self._inspector.silent(watch, *silence))
            elif watch.silent_since is None:
                watch.note_answer(self._clock.monotonic())
            else:
                watch.expedite(began)

    def _is_unmeasured(self, reason: str | None) -> bool:
        """Whether a hub that is late itself has only not heard the device's answer in time."""
        return reason == Reason.TIMED_OUT and self._alarms.hub_load.hub_is_late

    def _accept(self, result: LookResult) -> None:
        """Judge a result at once; it is written with the next tick."""
        watch = self._roster.cameras.get(result.camera_id)
        if watch is None:
            return
        before, was_silent = (watch.media, watch.picture), watch.silent_since is not None
        watch.accept(result, self._rules, self._intervals)
        self._alarms.add_look(result)
        if (watch.media, watch.picture) != before:
            self._alarms.reconsider()
        if watch.media != before[0] and watch.media.cause in LOGIN:
            self._expedite_device(watch.device_id, result.at)  # its other channels share the login
        if watch.silent_since is not None and not was_silent:
            self._bus.publish(DeviceMissed(watch.device_id))
        if was_silent and watch.silent_since is None:
            self._expedite_silent(watch.village_id, result.at)  # the link may be back

    def _take(self, found: AspectFound, now: float) -> None:
        """What a check of another room is sure of."""
        watch = self._roster.cameras.get(found.camera_id)
        if watch is not None and found.aspect in FOUND:
            reason = None if found.reason in NO_FAULT else found.reason
            if watch.take(Aspect(found.aspect), reason, found.detail, found.params, now):
                self._alarms.reconsider()

    def _take_clock(self, device_id: int, offset_s: float, now: float) -> None:
        """What the nightly check of clocks has read, or a clock's being set."""
        device = self._roster.devices.get(device_id)
        if device is not None and device.take_clock(offset_s, now, self._rules):
            self._alarms.reconsider()

    def _accept_clock(self, device: DeviceWatch, offset_s: float) -> None:
        now, before = self._clock.monotonic(), device.clock.verdict
        device.accept_clock(offset_s, now, self._rules, self._intervals)
        if device.clock.verdict != before:
            self._alarms.reconsider()
        self._alarms.add_clock(device.device_id, offset_s)
        if device.clock_due < now + self._intervals.picture:
            self._expedite_device(device.device_id, device.clock_due)

    def _expedite_device(self, device_id: int, at: float) -> None:
        for watch in self._roster.of_device(device_id):
            watch.expedite(at)

    def _expedite_silent(self, village_id: int | None, at: float, *, times: int = 1) -> None:
        """Look soon at the silent cameras of a village (None: of all)."""
        for watch in self._roster.cameras.values():
            if watch.silent_since is not None and village_id in (None, watch.village_id):
                watch.expedite(max(at, watch.looked_at + self._rules.recheck), times=times)
