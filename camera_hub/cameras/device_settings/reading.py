"""Reading devices' settings, and keeping what was read: for a page, for a preview, after a change."""

import logging
from collections.abc import Collection, Mapping
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings import clock_checks
from camera_hub.cameras.device_settings.clock_checks import ClockCheck, ClockLimits
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.store import SettingsStore, StoredSettings
from camera_hub.cameras.device_settings.values import (
    PARTS,
    BehindRecorder,
    ClockState,
    Facts,
    Part,
    SettingsDevice,
    SettingsReading,
)
from camera_hub.cameras.device_settings.way import NoWay, SettingsWay
from camera_hub.clock import Clock
from camera_hub.errors import DATABASE_REASONS, HubError
from camera_hub.events import CameraChanged, DeviceSettingsChanged, EventBus
from camera_hub.logs import outside

log = logging.getLogger(__name__)


class CameraLists(Protocol):
    """What this needs of listing."""

    async def of(self, device: SettingsDevice) -> Collection[BehindRecorder]:
        """The cameras that a recorder lists. Raises HubError."""
        ...


class SettingsReadings:
    """Asks devices through their ways (`via` → way), as many at a time as `links` allow."""

    def __init__(
        self,
        store: SettingsStore,
        ways: Mapping[str, SettingsWay],
        lists: CameraLists,
        links: VillageLinks,
        bus: EventBus,
        clock: Clock,
        limits: ClockLimits,
    ) -> None:
        self._store = store
        self._ways = ways
        self._lists = lists
        self._links = links
        self._bus = bus
        self._clock = clock
        self._limits = limits

    def way(self, device: SettingsDevice) -> SettingsWay:
        """How the device is asked."""
        known = self._ways.get(device.via)
        return known if known is not None and device.port is not None else NoWay()

    def has_way(self, device: SettingsDevice) -> bool:
        """Whether there is any way to ask it."""
        return not isinstance(self.way(device), NoWay)

    async def latest(self, actor: Actor, device_id: int) -> StoredSettings:
        """What was read last; nothing is asked. Raises HubError(NOT_FOUND)."""
        return await self._store.stored(actor, device_id)

    async def fresh(self, actor: Actor, device_id: int) -> StoredSettings:
        """Ask the device now. Raises HubError: NOT_FOUND, or why nothing could be read."""
        await self.read(await self._store.device(actor, device_id), PARTS)
        return await self._store.stored(actor, device_id)

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        """Ask for these parts now, and keep what they are; a clock that cannot be asked is a check, too.

        Raises HubError.
        """
        try:
            return await self._read(device, parts)
        except HubError as error:
            if "clock" in parts and error.reason not in DATABASE_REASONS:
                await self._unread(device, error)
                self._changed(device)
            raise

    async def read_again(self, device: SettingsDevice, parts: Collection[Part]) -> None:
        """After a change, so that what is kept is what the device has. One that does not answer is left as it was."""
        try:
            await self._read(device, parts)
        except HubError as error:
            if error.reason in DATABASE_REASONS:
                raise
            log.info("device %d cannot be read after a change: %s", device.device_id, outside(error))

    async def check(self, device: SettingsDevice) -> ClockCheck:
        """Check the device's clock now, and keep what that says; one that cannot be asked is a check, too.

        Raises HubError where the database fails.
        """
        try:
            async with self._links.device(device.village_id, device.device_id):
                check = await self._judge(device, await self.way(device).clock(device))
        except HubError as error:
            if error.reason in DATABASE_REASONS:
                raise
            check = await self._unread(device, error)
        else:
            await self._list(device)
        self._changed(device)
        return check

    async def _read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        # Kept before anybody else may set the device: a clock that was set since then would count as one that lies.
        async with self._links.device(device.village_id, device.device_id):
            reading = await self.way(device).read(device, parts)
            await self._store.keep(device.device_id, reading, parts, self._clock.now())
            if reading.clock is not None:
                await self._judge(device, reading.clock)
        if set(parts) >= set(PARTS):
            await self._list(device)
        self._changed(device)
        return reading

    async def _unread(self, device: SettingsDevice, error: HubError) -> ClockCheck:
        before = await self._store.check_of(device.device_id)
        check = clock_checks.unread(before, error.reason, self._clock.now())
        await self._store.keep_check(device.device_id, check)
        return check

    async def _judge(self, device: SettingsDevice, state: ClockState) -> ClockCheck:
        before = await self._store.check_of(device.device_id)
        check = clock_checks.judged(before, state, self._clock.now(), self._limits)
        await self._store.keep_check(device.device_id, check)
        return check

    async def was_set(self, device: SettingsDevice, state: ClockState) -> None:
        """Keep that the device's clock was set and read back as right."""
        before = await self._store.check_of(device.device_id)
        await self._store.keep_check(device.device_id, clock_checks.was_set(before, state, self._clock.now()))

    async def sub_was_set(self, device: SettingsDevice, camera_id: int, facts: Facts) -> None:
        """Keep how a sub stream is encoded now."""
        codec, width, height = facts.get("codec"), facts.get("width"), facts.get("height")
        if isinstance(codec, str):
            sizes = [one if isinstance(one, int) else None for one in (width, height)]
            await self._store.keep_sub(device.device_id, camera_id, codec, sizes[0], sizes[1])
            self._bus.publish(CameraChanged(camera_id, device.village_id))

    async def _list(self, device: SettingsDevice) -> None:
        """Which cameras a recorder has. One that does not say keeps the list that it gave before."""
        if device.kind != "recorder" or device.port is None:
            return
        try:
            async with self._links.device(device.village_id, device.device_id):
                listed = await self._lists.of(device)
        except HubError as error:
            if error.reason in DATABASE_REASONS:
                raise
            log.info("recorder %d does not list its cameras: %s", device.device_id, outside(error))
            return
        if listed:
            await self._store.keep_list(device.device_id, listed, self._clock.now())

    def _changed(self, device: SettingsDevice) -> None:
        self._bus.publish(DeviceSettingsChanged(device.device_id, device.village_id))
