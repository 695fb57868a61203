"""Rounds: look at every approved camera on its own clock, judge, and keep the alarms right. A thin loop.

Looks run as tasks, bounded in all and per village, so that a slow village never delays another. What they find is
judged at once and written tick by tick, one transaction each. A part of the hub: an async context manager.
"""

import asyncio
import logging
from collections.abc import Mapping
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
    VillageChanged,
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
from camera_hub.health.rounds.roster import NORMAL, Roster, read_clock_checks
from camera_hub.health.rounds.schedule import RoundBounds, RoundsPace, most_are_silent, pace_of, to_start, waiting_of
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

_EVENTS = (
    *(CameraChanged, CameraQuarantined, DeviceChanged, DeviceMissed, FeedChanged, HubLoad),
    *(AspectFound, DeviceReported, DeviceSettingsChanged, ExclusionChanged, VillageChanged),
)

UTC = ZoneInfo("UTC")
TICK = 0.5
CHECKS_AT_ONCE = 64
BEATS_AT_ONCE = 128
"""Signalling beats under way: of 1,000 cameras 400 may be silent, each for two seconds a minute."""
BEATS_PER_VILLAGE = 8

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


def round_plans(settings: HealthSettings) -> Mapping[str, Intervals]:
    """How often cameras are asked and looked at, by their village's plan (store.tables.Village.round_plan)."""
    return {
        NORMAL: Intervals(settings.round_seconds, settings.picture_seconds),
        "thrifty": Intervals(
            max(settings.thrifty_round_seconds, settings.round_seconds),
            max(settings.thrifty_picture_seconds, settings.picture_seconds),
        ),
    }


class Rounds:
    """The rounds of one hub. `beats` and `looks` count what was asked and looked at, `skipped` what said nothing about
    the camera, `postponed` looks for which live pictures left no time; `write_failures` counts ticks that the database
    did not accept."""

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
        self._roster = Roster(round_plans(settings))
        self._inspector = Inspector(clock, media, devices)
        self._bounds = RoundBounds(
            BEATS_AT_ONCE,
            BEATS_PER_VILLAGE,
            settings.at_once,
            settings.at_once_per_village,
            settings.at_once_per_device,
        )
        self._exclusions = ExclusionWatch(database, zone)
        self._pace = PaceWatch(settings.round_seconds, clock.monotonic())
        severities = SeverityRules({cause: Severity(word) for cause, word in settings.severities.items()})
        self._alarms = AlarmEvaluator(database, bus, clock, self._rules, severities, self._exclusions, self._pace)
        self._stale_cameras: set[int] = set()
        self._stale_devices: set[int] = set()
        self._stale_clocks: set[int] = set()
        self._stale_villages: set[int] = set()
        self._all_stale = False
        self._stack = AsyncExitStack()
        self._write_error = ""  # why the database could not be written last time
        self._pace_due = float("-inf")
        self.beats = 0
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
                    self._expedite_device(device_id, now, look=True)
            case DeviceMissed(device_id):
                if (device := self._roster.devices.get(device_id)) is not None:
                    device.answered_at = float("-inf")  # it is asked again, whatever it said a moment ago
                for missed in self._roster.of_device(device_id):
                    missed.expedite(max(now, missed.looked_at + self._rules.recheck))
            case FeedChanged(camera_id, _, _, reason) if reason is not None:
                if (watch := self._roster.cameras.get(camera_id)) is not None:
                    watch.expedite(max(now, watch.looked_at + self._rules.recheck), look=True)
            case DeviceSettingsChanged(device_id):
                self._stale_clocks.add(device_id)
            case AspectFound():
                self._take(event, now)
            case DeviceReported():
                self._alarms.add_report(event)
            case ExclusionChanged():
                self._exclusions.changed()
            case VillageChanged(village_id):
                self._stale_villages.add(village_id)
            case HubLoad(relays, hub):
                self._alarms.hub_load.report(Overload(relays, hub), now)
            case Lagged():
                self._all_stale = True
                self._exclusions.changed()

    async def _run(self) -> None:
        # All that an earlier run had begun has ended with it, perhaps before its first step.
        for watch in self._roster.cameras.values():
            watch.looking = None
        for device in self._roster.devices.values():
            device.being_checked = False
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
        stale = self._stale_cameras or self._stale_devices or self._stale_clocks or self._stale_villages
        if not (self._all_stale or stale):
            return
        everything, cameras, devices = self._all_stale, self._stale_cameras, self._stale_devices
        clocks, villages = self._stale_clocks, self._stale_villages
        self._all_stale, self._stale_cameras, self._stale_devices = False, set(), set()
        self._stale_clocks, self._stale_villages = set(), set()
        try:
            async with self._database.read() as session:
                now = self._clock.monotonic()
                if villages or everything:
                    await self._roster.read_plans(session)
                gone: set[int] = set()
                if everything or cameras or devices:
                    gone = await self._roster.refresh(session, now, None if everything else cameras, devices)
                checked = await read_clock_checks(session, clocks)
        except BaseException:
            self._all_stale = self._all_stale or everything
            self._stale_cameras |= cameras
            self._stale_devices |= devices
            self._stale_clocks |= clocks
            self._stale_villages |= villages
            raise
        if everything or cameras or devices:
            self._alarms.roster_changed(gone)
        for device_id, offset_s in checked.items():
            self._take_clock(device_id, offset_s, now)

    def _start_looks(self, tasks: asyncio.TaskGroup) -> None:
        now, devices = self._clock.monotonic(), self._roster.devices
        watches = [watch for watch in self._roster.cameras.values() if self._is_observed(watch, now)]
        chosen = to_start(watches, now, self._bounds, lambda device_id: devices[device_id].has_answered)
        for kind, some in (("beat", chosen.beats), ("look", chosen.looks)):
            for watch in some:
                watch.looking = "look" if kind == "look" else "beat"
                task = self._inspect(watch, devices[watch.device_id], look=kind == "look")
                tasks.create_task(task, name=f"health {kind} camera {watch.camera_id}")

    def _is_observed(self, watch: CameraWatch, now: float) -> bool:
        """Whether it is asked and looked at now: not while it is planned to be without power, asleep or gone. Cameras
        in maintenance and repair are: a look proves the repair."""
        if min(watch.due, watch.picture_due) > now or not self._exclusions.rests(watch):
            return True
        watch.skip(now)
        return False

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

    async def _inspect(self, watch: CameraWatch, device: DeviceWatch, *, look: bool) -> None:
        """Ask or look at one camera and keep what was found; what fails on the hub's own side is only counted."""
        found = Inspection(None)
        try:
            found = await (self._inspector.look if look else self._inspector.ask)(watch, device)
        except (HubError, TimeoutError) as error:
            log.warning("camera %d could not be looked at: %s", watch.camera_id, str(error) or "the look took too long")
        except Exception:
            log.exception("the look at camera %d failed unexpectedly", watch.camera_id)
        finally:
            watch.looking = None
            self._pace.looked(self._clock.monotonic())
        if found.clock_s is not None:
            self._accept_clock(device, found.clock_s)
        if found.postponed:
            self.postponed += 1
            watch.postpone(self._clock.monotonic())
            return
        if found.result is None or self._is_unmeasured(found.result.media):
            self.skipped += 1
            watch.put_off(self._clock.monotonic() + self._rules.recheck)
            return
        self.looks += look
        self.beats += not look
        self._accept(found.result)
        if found.doubtful:
            watch.expedite(self._clock.monotonic(), look=True)

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
        watch.accept(result, self._rules)
        self._alarms.add_look(result)
        if (watch.media, watch.picture) != before:
            self._alarms.reconsider()
        if watch.media != before[0] and watch.media.cause in LOGIN:
            self._expedite_device(watch.device_id, result.at, look=True)  # its other channels share the login
        if watch.silent_since is not None and not was_silent:
            self._bus.publish(DeviceMissed(watch.device_id))
        if was_silent and watch.silent_since is None:
            # The village's link may be back; and where most villages were silent, the one that they share.
            everywhere = most_are_silent(self._roster.cameras.values())
            self._expedite_silent(None if everywhere else watch.village_id, result.at)

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
        intervals = self._roster.intervals
        device.accept_clock(offset_s, now, self._rules, intervals)
        if device.clock.verdict != before:
            self._alarms.reconsider()
        self._alarms.add_clock(device.device_id, offset_s)
        if device.clock_due < now + intervals.picture:
            self._expedite_device(device.device_id, device.clock_due)

    def _expedite_device(self, device_id: int, at: float, *, look: bool = False) -> None:
        for watch in self._roster.of_device(device_id):
            watch.expedite(at, look=look)

    def _expedite_silent(self, village_id: int | None, at: float, *, times: int = 1) -> None:
        """Look soon at the silent cameras of a village (None: of all)."""
        for watch in self._roster.cameras.values():
            if watch.silent_since is not None and village_id in (None, watch.village_id):
                watch.expedite(max(at, watch.looked_at + self._rules.recheck), times=times)
