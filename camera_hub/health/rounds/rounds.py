"""Rounds: look at every approved camera on its own clock, judge, and keep the alarms right. A thin loop.

Looks run as tasks, bounded in all and per village, so that a slow village never delays another. What they found is
judged and written tick by tick, one transaction each. A part of the hub: an async context manager.
"""

import asyncio
import logging
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Protocol, Self

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.events import CameraChanged, CameraQuarantined, DeviceChanged, EventBus, FeedChanged, Lagged
from camera_hub.health.alarms import tick as record
from camera_hub.health.history import Retention
from camera_hub.health.judging.alarm_changes import Change, CloseAlarm, StandingAlarm, changes
from camera_hub.health.judging.causes import AlarmKey, ExpectedAlarm, Rules, to_ask, wanted
from camera_hub.health.judging.verdict import LOGIN
from camera_hub.health.rounds.look_result import LookResult, SeenByLook, of_sight
from camera_hub.health.rounds.reachability import Reach, reach
from camera_hub.health.rounds.roster import Roster
from camera_hub.health.rounds.watch import DeviceWatch, Rhythm, Watch
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

TICK = 0.5
LOOK_SECONDS = 15.0
REACH_SECONDS = 2.0
REACH_AT_ONCE = 64
SET_ASIDE = "its pictures ended the decoder again and again"

SYMPTOMS = frozenset({Reason.STALLED, Reason.NO_MEDIA, Reason.NO_KEY_FRAME, Reason.BAD_REPLY})
"""What a look may say of a camera whose link was cut during the look."""


class Looker(Protocol):
    """What rounds need of media."""

    async def look(
        self, camera_id: int, *, scores: bool = False, previous: str | None = None, jpeg: bool = True, deadline: float
    ) -> SeenByLook:
        """One key frame of the camera; the reason says why there is none. Never raises for a sick camera."""
        ...

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed, None when none runs."""
        ...


class Reading(Protocol):
    """A device's clock: device minus hub in seconds, None when it tells no usable time."""

    @property
    def offset_s(self) -> float | None: ...


class Clocks(Protocol):
    """What rounds need of ONVIF: the clock, without a login."""

    async def clock(self, host: str, port: int, path: str) -> Reading: ...


class Rounds:
    """The rounds of one hub. `looks` and `skipped` count looks made, and looks that told nothing about the camera."""

    def __init__(
        self,
        settings: HealthSettings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        eyes: Looker,
        clocks: Clocks,
        *,
        reach: Reach = reach,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._database = database
        self._eyes = eyes
        self._clocks = clocks
        self._reach = reach
        self._rules = Rules(
            bad=settings.bad,
            bad_of=max(settings.bad, settings.bad_of),
            village_share=settings.village_share,
            recheck=min(10.0, settings.round_seconds),
            asking=REACH_SECONDS,
            clock_error=settings.clock_error_seconds,
        )
        self._rhythm = Rhythm(settings.round_seconds, settings.picture_seconds)
        self._roster = Roster(self._rhythm)
        self._standing: list[StandingAlarm] = []
        self._recovered: dict[AlarmKey, float] = {}
        self._found: list[LookResult] = []
        self._offsets: dict[int, float] = {}
        self._stale_cameras: set[int] = set()
        self._stale_devices: set[int] = set()
        self._all_stale = False
        self._dirty = True  # alarms must be worked out though nothing was found
        self._stack = AsyncExitStack()
        self.looks = 0
        self.skipped = 0

    async def __aenter__(self) -> Self:
        async with self._database.read() as session:
            await self._roster.load(session, self._clock.monotonic())
            self._standing = await record.standing(session)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(self._listen(), "health events"))
            rounds = keep_running("health rounds", self._run, clock=self._clock, backoff=Backoff(cap=10.0))
            await stack.enter_async_context(running(rounds, "health rounds"))
            history = Retention(self._settings.keep_days, self._database, self._clock)
            await stack.enter_async_context(
                running(keep_running("health history", history.run_once, clock=self._clock), "health history")
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _listen(self) -> None:
        kinds = (CameraChanged, CameraQuarantined, DeviceChanged, FeedChanged)
        with self._bus.subscribe(*kinds, limit=4096) as subscription:
            async for event in subscription:
                if isinstance(event, CameraChanged):
                    self._stale_cameras.add(event.camera_id)
                elif isinstance(event, CameraQuarantined):
                    self._set_aside(event.camera_id)
                elif isinstance(event, DeviceChanged):
                    self._stale_devices.add(event.device_id)
                    if event.credentials:
                        self._hurry_device(event.device_id, self._clock.monotonic())
                elif isinstance(event, FeedChanged):
                    if event.reason is not None and (watch := self._roster.cameras.get(event.camera_id)) is not None:
                        watch.hurry(max(self._clock.monotonic(), watch.looked_at + self._rules.recheck))
                elif isinstance(event, Lagged):
                    self._all_stale = True

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._refresh()
                self._start(tasks)
                await self._settle()
                await self._clock.sleep(TICK)

    async def _refresh(self) -> None:
        """Read anew what events named."""
        if not (self._all_stale or self._stale_cameras or self._stale_devices):
            return
        everything, cameras, devices = self._all_stale, self._stale_cameras, self._stale_devices
        self._all_stale, self._stale_cameras, self._stale_devices = False, set(), set()
        async with self._database.read() as session:
            await self._roster.refresh(
                session, self._clock.monotonic(), cameras=None if everything else cameras, devices=devices
            )
        self._dirty = True

    def _start(self, tasks: asyncio.TaskGroup) -> None:
        """Start the looks that are due, the longest due first, as far as the bounds allow."""
        now = self._clock.monotonic()
        looking = [w for w in self._roster.cameras.values() if w.looking]
        villages = Counter(w.village_id for w in looking)
        free = self._settings.at_once - len(looking)
        due = sorted((w for w in self._roster.cameras.values() if w.due <= now and not w.looking), key=lambda w: w.due)
        for watch in due:
            if free <= 0:
                break
            if villages[watch.village_id] >= self._settings.at_once_per_village:
                continue
            free -= 1
            villages[watch.village_id] += 1
            watch.looking = True
            device = self._roster.devices[watch.device_id]
            tasks.create_task(self._look(watch, device), name=f"health look camera {watch.camera_id}")
        self._start_asking(tasks, now)

    def _start_asking(self, tasks: asyncio.TaskGroup, now: float) -> None:
        if all(watch.silent_since is None for watch in self._roster.cameras.values()):
            return
        asking = sum(device.asking for device in self._roster.devices.values())
        doubtful = to_ask((w.case() for w in self._roster.cameras.values()), now=now, rules=self._rules)
        for device in sorted((self._roster.devices[number] for number in doubtful), key=lambda d: d.device_id):
            if device.asking or asking >= REACH_AT_ONCE:
                continue
            if not device.proved:
                for watch in self._roster.of_device(device.device_id):
                    watch.hurry(max(now, watch.looked_at + self._rules.recheck))
                continue
            asking += 1
            device.asking = True
            tasks.create_task(self._ask(device), name=f"health ask device {device.device_id}")

    async def _look(self, watch: Watch, device: DeviceWatch) -> None:
        """Look at one camera and keep what was found; a look that fails for the hub's own sake is only counted."""
        found: LookResult | None = None
        try:
            found = await self._observe(watch, device)
        except (HubError, TimeoutError) as error:
            log.warning("camera %d could not be looked at: %s", watch.camera_id, error or "the look took too long")
        except Exception:
            log.exception("the look at camera %d failed unexpectedly", watch.camera_id)
        finally:
            watch.looking = False
        if found is None:
            self.skipped += 1
            watch.due = self._clock.monotonic() + self._rules.recheck
            return
        self.looks += 1
        self._take(found)

    async def _observe(self, watch: Watch, device: DeviceWatch) -> LookResult | None:
        now = self._clock.monotonic()
        scores = now >= watch.picture_due
        if watch.silent_since is None and not scores and (free := self._free(watch)) is not None:
            return free
        # Cheap to ask first: else looks at a dead village's cameras, each up to its deadline, would eat the rounds.
        answer = await self._reach(device.host, device.ports, REACH_SECONDS)
        if answer is None:
            device.proved = bool(device.ports)
        elif device.proved:
            return self._silent(watch, *answer)
        async with asyncio.timeout(LOOK_SECONDS + 5):  # media keeps the deadline; this is the net beneath
            sight = await self._eyes.look(
                watch.camera_id, scores=scores, previous=watch.signature, jpeg=False, deadline=LOOK_SECONDS
            )
        at, wall = self._clock.monotonic(), self._clock.now()
        if sight.reason in SYMPTOMS and device.proved:
            # A stream that stopped is what a cut link looks like to a feed that ran: ask again, now.
            answer = await self._reach(device.host, device.ports, REACH_SECONDS)
            if answer is not None:
                return self._silent(watch, *answer)
        offset = await self._offset(device) if sight.reason is None else None
        return of_sight(watch.camera_id, sight, at, wall, offset)

    def _free(self, watch: Watch) -> LookResult | None:
        """What the running feed knows, for nothing. A feed in trouble is looked at, to have the whole story."""
        if self._eyes.feed_reason(watch.camera_id) != ("live", None):
            return None
        return LookResult(watch.camera_id, self._clock.monotonic(), self._clock.now(), asked=False)

    def _silent(self, watch: Watch, reason: str, detail: str) -> LookResult:
        return LookResult(
            watch.camera_id, self._clock.monotonic(), self._clock.now(), live=Reason(reason), detail=detail
        )

    async def _offset(self, device: DeviceWatch) -> float | None:
        """The device's clock error where it is due to be read, best effort."""
        now = self._clock.monotonic()
        if device.onvif_port is None or now < device.clock_due:
            return None
        device.clock_due = now + self._rhythm.picture
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                reading = await self._clocks.clock(device.host, device.onvif_port, device.onvif_path)
        except (HubError, TimeoutError):
            return None
        if reading.offset_s is None:
            return None
        self._offsets[device.device_id] = reading.offset_s
        device.take_clock(reading.offset_s, self._clock.monotonic(), self._rules, self._rhythm)
        if device.clock_due < now + self._rhythm.picture:
            self._hurry_device(device.device_id, device.clock_due)
        return reading.offset_s

    async def _ask(self, device: DeviceWatch) -> None:
        """Ask a device whose neighbour fell silent whether it still answers; silence counts for all its cameras."""
        began = self._clock.monotonic()
        try:
            answer = await self._reach(device.host, device.ports, REACH_SECONDS)
        finally:
            device.asking = False
        for watch in self._roster.of_device(device.device_id):
            if answer is not None:
                self._take(self._silent(watch, *answer))
            elif watch.silent_since is None:
                watch.answered(self._clock.monotonic())
            else:
                watch.hurry(began)

    def _take(self, found: LookResult) -> None:
        """Judge a finding at once; it is written with the next tick."""
        watch = self._roster.cameras.get(found.camera_id)
        if watch is None:
            return
        before, was_silent = watch.live, watch.silent_since is not None
        watch.take(found, self._rules, self._rhythm)
        self._found.append(found)
        if watch.live != before and watch.live.cause in LOGIN:
            self._hurry_device(watch.device_id, found.at)  # its other channels share the login
        if was_silent and watch.silent_since is None:
            self._hurry_silent(watch.village_id, found.at)  # the link may be back

    def _set_aside(self, camera_id: int) -> None:
        """Its picture is a fault from now on; the looks that follow confirm it, and lift it one day."""
        at, wall = self._clock.monotonic(), self._clock.now()
        self._take(
            LookResult(
                camera_id, at, wall, picture=Reason.QUARANTINED, picture_judged=True, asked=False, detail=SET_ASIDE
            )
        )

    def _hurry_device(self, device_id: int, at: float) -> None:
        for watch in self._roster.of_device(device_id):
            watch.hurry(at)

    def _hurry_silent(self, village_id: int | None, at: float) -> None:
        """Look soon at the silent cameras of a village (None: of all)."""
        for watch in self._roster.cameras.values():
            if watch.silent_since is not None and village_id in (None, watch.village_id):
                watch.hurry(max(at, watch.looked_at + self._rules.recheck))

    async def _settle(self) -> None:
        """Work out alarms and write what is new. What could not be written is tried again with the next tick."""
        now, wall = self._clock.monotonic(), self._clock.now()
        if not (self._found or self._dirty):
            return
        want = self._wanted(now)
        steps = changes(self._standing, want, wall)
        healths = self._healths(now, wall)
        found, self._found = self._found, []
        offsets, self._offsets = self._offsets, {}
        self._dirty = any(w.held for w in want)
        if not (found or healths or steps or offsets):
            return
        details = {w.camera_id: w.detail for w in self._roster.cameras.values() if w.detail}
        tick = record.Tick(wall, found, healths, offsets, steps, details, self._rules.clock_error)
        try:
            async with self._database.write() as session:
                events = await record.write(session, tick)
                standing = await record.standing(session)
        except BaseException:
            self._found = found + self._found
            self._offsets = offsets | self._offsets
            self._dirty = True
            raise
        self._committed(tick, steps, standing, now)
        for event in events:
            self._bus.publish(event)

    def _wanted(self, now: float) -> tuple[ExpectedAlarm, ...]:
        self._recovered = {k: at for k, at in self._recovered.items() if now - at < self._rules.limit}
        return wanted(
            [w.case() for w in self._roster.cameras.values()],
            {d.device_id: d.clock for d in self._roster.devices.values()},
            standing=frozenset(s.key for s in self._standing),
            recovered=self._recovered,
            now=now,
            rules=self._rules,
        )

    def _healths(self, now: float, wall: datetime) -> list[record.HealthChange]:
        new = []
        for watch in self._roster.cameras.values():
            health, cause, since = watch.health(self._roster.devices[watch.device_id].clock)
            if (health, cause) != watch.stored and health != "unknown":
                at = wall - timedelta(seconds=now - since) if since is not None else wall
                new.append(record.HealthChange(watch.camera_id, health, cause, at))
        return new

    def _committed(
        self, tick: record.Tick, steps: tuple[Change, ...], standing: list[StandingAlarm], now: float
    ) -> None:
        self._standing = standing
        for health in tick.healths:
            if (watch := self._roster.cameras.get(health.camera_id)) is not None:
                watch.stored = (health.health, health.cause)
        for step in steps:
            if isinstance(step, CloseAlarm) and not step.merged and step.key.level != "camera":
                self._recovered[step.key] = now
                self._hurry_silent(None, now)
