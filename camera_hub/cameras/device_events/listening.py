"""Listening to what devices report: one task per device, one subscription each, bounded in all and per village.

A device that cannot be heard now is tried again by running.py's retry loop, with pauses of up to ten minutes. One that
refuses the login, must not be connected to, or offers no events is left alone until something about it changes.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol, Self

from sqlalchemy.exc import SQLAlchemyError

from camera_hub.cameras.credentials.login_budget import REFUSALS
from camera_hub.cameras.device_events.occurrences import Occurrence, Occurrences, Subject
from camera_hub.cameras.device_events.roster import ListenedDevice, listened_devices, with_room
from camera_hub.cameras.device_events.store import DeviceEventStore
from camera_hub.cameras.device_events.topics import camera_of, report_of, wanted
from camera_hub.cameras.onvif.notifications import Pulled
from camera_hub.cameras.onvif.pull_points import EventsUnsupported
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.events import CameraChanged, DeviceChanged, DeviceReported, EventBus, Lagged, VillageChanged
from camera_hub.running import Backoff, keep_running, running
from camera_hub.settings import DeviceEventSettings
from camera_hub.store.database import Database

log = logging.getLogger(__name__)

START_SPREAD = 20.0
"""Seconds over which subscriptions begin, so that a village's link is not asked by all at once."""
RELOAD_SECONDS = 2.0
FLUSH_SECONDS = 2.0
BATCH = 200
MESSAGES = 64
"""Messages of one pull."""
PULL_SECONDS, THRIFTY_PULL = 25.0, 50.0
PAUSE, THRIFTY_PAUSE = 1.0, 20.0
"""Seconds between two pulls when messages came: what comes meanwhile waits at the device."""
EARLY = 1.0
"""A pull that ends before this without a message did not wait; the next one is put off."""
EARLY_PAUSE = 5.0
_FINAL = REFUSALS | {
    Reason.LOGIN_NEEDED,
    Reason.NOT_ACTIVATED,
    Reason.ADDRESS_REFUSED,
    Reason.ADDRESS_CHANGED,
    Reason.NO_RANGES,
    Reason.REDIRECTED,
    Reason.ONVIF_OFF,
}
_BACKOFF = Backoff(first=5.0, cap=600.0, floor=1.0, reset_after=120.0)


class EventSubscription(Protocol):
    """A subscription at a device (onvif.pull_points.PullPoint)."""

    async def pull(self, seconds: float, limit: int, wanted: Callable[[tuple[str, ...]], bool]) -> Pulled: ...


class EventSubscriptions(Protocol):
    """What is needed of onvif.pull_points."""

    def open(self, target: OnvifTarget) -> AbstractAsyncContextManager[EventSubscription]: ...


class EventTargets(Protocol):
    """Where a device is reached, and with which login (device_events.roster)."""

    async def of(self, device: ListenedDevice) -> OnvifTarget: ...


@dataclass(slots=True)
class EventFigures:
    """Totals since the start, except `listening` (subscriptions now), `resting` (devices left alone until something
    changes) and `waiting` (devices for which there is no room)."""

    listening: int = 0
    resting: int = 0
    waiting: int = 0
    failures: int = 0
    messages: int = 0
    reports: int = 0
    unread: int = 0
    dropped: int = 0
    write_failures: int = 0


@dataclass(slots=True)
class _Listener:
    device: ListenedDevice
    task: "asyncio.Task[None]"
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class DeviceEvents:
    """Listens to all approved devices. An async context manager; leaving gives every subscription back."""

    def __init__(
        self,
        settings: DeviceEventSettings,
        clock: Clock,
        bus: EventBus,
        database: Database,
        subscriptions: EventSubscriptions,
        targets: EventTargets,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._bus = bus
        self._database = database
        self._subscriptions = subscriptions
        self._targets = targets
        self._draw = draw
        self._store = DeviceEventStore(database)
        self._occurrences = Occurrences()
        self._listeners: dict[int, _Listener] = {}
        self._villages: dict[int, int] = {}
        self._stale = asyncio.Event()
        self._stack = AsyncExitStack()
        self.figures = EventFigures()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._store.close_old()
            if self._settings.enabled:
                subscription = stack.enter_context(
                    self._bus.subscribe(DeviceChanged, CameraChanged, VillageChanged, limit=1024)
                )
                stack.push_async_callback(self._flush, everything=True)
                for name, work in (
                    ("device event writer", self._write),
                    ("device event roster", self._follow_roster),
                ):
                    await stack.enter_async_context(running(keep_running(name, work, clock=self._clock), name))
                stack.push_async_callback(self._stop_all)

                async def follow() -> None:
                    async for event in subscription:
                        self._on_event(event)

                name = "device event changes"
                await stack.enter_async_context(running(keep_running(name, follow, clock=self._clock), name))
            self._stale.set()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _on_event(self, event: object) -> None:
        if isinstance(event, DeviceChanged) and (known := self._listeners.get(event.device_id)) is not None:
            known.changed.set()
        if isinstance(event, Lagged):
            for one in self._listeners.values():
                one.changed.set()
        self._stale.set()

    async def _follow_roster(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._reload()
            except BaseException:
                self._stale.set()
                raise
            await self._clock.sleep(RELOAD_SECONDS)

    async def _reload(self) -> None:
        settings = self._settings
        devices = await listened_devices(self._database, settings.thrifty_villages, thrifty=settings.thrifty)
        chosen = with_room(devices, settings.at_once, settings.at_once_per_village)
        self.figures.waiting = len(devices) - len(chosen)
        wanted_now = {one.device_id: one for one in chosen}
        over = [one for key, one in self._listeners.items() if wanted_now.get(key) != one.device]
        await self._stop(over)
        for key, device in wanted_now.items():
            self._villages[key] = device.village_id
            if key not in self._listeners:
                self._start(device)

    def _start(self, device: ListenedDevice) -> None:
        changed = asyncio.Event()
        task = asyncio.create_task(self._listen(device, changed), name=f"events of device {device.device_id}")
        self._listeners[device.device_id] = _Listener(device, task, changed)

    async def _stop(self, listeners: list[_Listener]) -> None:
        for one in listeners:
            if not one.task.cancelling():  # else it gives back its subscription already
                one.task.cancel()
        if listeners:
            await asyncio.wait([one.task for one in listeners])
        for one in listeners:
            self._listeners.pop(one.device.device_id, None)
            self._occurrences.lost(one.device.device_id, self._clock.now())

    async def _stop_all(self) -> None:
        await self._stop(list(self._listeners.values()))

    async def _listen(self, device: ListenedDevice, changed: asyncio.Event) -> None:
        await self._clock.sleep(self._draw() * START_SPREAD)

        async def rest(seconds: float) -> None:
            await _until(changed, self._clock.sleep(seconds))

        await keep_running(
            f"events of device {device.device_id}",
            lambda: self._heard(device, changed),
            clock=self._clock,
            backoff=_BACKOFF,
            draw=self._draw,
            rest=rest,
        )

    async def _heard(self, device: ListenedDevice, changed: asyncio.Event) -> None:
        """Subscribe and pull until that fails; where trying again is of no use, wait for a change."""
        try:
            await self._subscribed(device)
        except HubError as error:
            self.figures.failures += 1
            if error.reason not in _FINAL and not isinstance(error, EventsUnsupported):
                raise
            log.info("device %d is not listened to until something changes: %s", device.device_id, error)
            self.figures.resting += 1
            try:
                changed.clear()
                await changed.wait()
            finally:
                self.figures.resting -= 1
        changed.clear()

    async def _subscribed(self, device: ListenedDevice) -> None:
        target = await self._targets.of(device)
        pause, longest = (THRIFTY_PAUSE, THRIFTY_PULL) if device.thrifty else (PAUSE, PULL_SECONDS)
        async with self._subscriptions.open(target) as subscription:
            self.figures.listening += 1
            try:
                while True:
                    began = self._clock.monotonic()
                    pulled = await subscription.pull(longest, MESSAGES, wanted)
                    self._take(device, pulled)
                    if pulled.messages:
                        await self._clock.sleep(pause)
                    elif self._clock.monotonic() - began < EARLY:
                        await self._clock.sleep(EARLY_PAUSE)
            finally:
                self.figures.listening -= 1
                self._occurrences.lost(device.device_id, self._clock.now())

    def _take(self, device: ListenedDevice, pulled: Pulled) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self.figures.messages += pulled.messages
        self.figures.unread += pulled.unread
        self.figures.dropped += pulled.dropped
        for one in pulled.notifications:
            report = report_of(one)
            if report is None:
                continue
            self.figures.reports += 1
            subject = Subject(device.device_id, camera_of(report.sources, device.cameras), report.kind)
            self._occurrences.report(subject, report.active, now, monotonic)

    async def _write(self) -> None:
        while True:
            await self._clock.sleep(FLUSH_SECONDS)
            await self._flush()

    async def _flush(self, *, everything: bool = False) -> None:
        """Write what is due, in batches of one transaction each, and tell the other rooms."""
        while due := self._occurrences.due(self._clock.monotonic(), BATCH, everything=everything):
            try:
                await self._store.write(due)
            except (HubError, SQLAlchemyError) as error:
                self.figures.write_failures += 1
                words = str(getattr(error, "orig", None) or error)
                log.error("what devices report cannot be written now, and will be later: %s", words)
                return
            for one in due:
                self._occurrences.written(one, self._clock.monotonic())
                self._tell(one)
            if len(due) < BATCH:
                return

    def _tell(self, one: Occurrence) -> None:
        lasts = one.until is None
        if one.told == lasts:
            return
        one.told = lasts
        subject = one.subject
        village = self._villages.get(subject.device_id)
        if village is not None:
            self._bus.publish(DeviceReported(subject.device_id, subject.camera_id, village, subject.kind.value, lasts))


async def _until(changed: asyncio.Event, pause: Awaitable[None]) -> None:
    """Wait for the pause, or for a change if that comes first."""
    waiting = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(pause)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
