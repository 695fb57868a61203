"""Settings by a vendor's own interface, read alone: clock and texts in the pictures. Nothing is set by this road."""

from collections.abc import Collection, Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

from camera_hub.cameras import addresses
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_settings.values import (
    CameraSettings,
    ClockState,
    Facts,
    OsdText,
    Part,
    PlannedItem,
    SettingsDevice,
    SettingsReading,
)
from camera_hub.cameras.device_settings.way import no_way, plain
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.messages import HttpPeer
from camera_hub.cameras.http.signed_http import HttpTarget, SignedHttp
from camera_hub.cameras.reach import Check
from camera_hub.cameras.vendors import dahua_recordings, dahua_titles, hikvision_recordings, hikvision_titles, refusals
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.recognition import Vendor
from camera_hub.cameras.vendors.titles import ChannelTitles
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason


class VendorLogins(Protocol):
    """What this needs of the register."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin: ...


class VendorChecks(Protocol):
    """What this needs of cameras.device_checks."""

    async def of_device(self, device_id: int) -> Check: ...


class VendorSettingsWay:
    """Implements way.SettingsWay for one vendor. `seconds`: for all that one reading asks."""

    def __init__(
        self,
        vendor: Vendor,
        signed: SignedHttp,
        logins: VendorLogins,
        checks: VendorChecks,
        clock: Clock,
        zone: ZoneInfo,
        seconds: float,
    ) -> None:
        self._vendor = vendor
        self._signed = signed
        self._logins = logins
        self._checks = checks
        self._clock = clock
        self._zone = zone
        self._seconds = seconds

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        try:
            interface = await self._interface(device)
            clock = await self._clock_of(interface) if {"clock", "ntp"} & set(parts) else None
            titles: Mapping[int, ChannelTitles] = {}
            if {"osd_name", "osd_time"} & set(parts):
                numbers = [one.number or 1 for one in device.cameras]
                ask = hikvision_titles if self._vendor == "hikvision" else dahua_titles
                titles = await ask.titles(interface, numbers)
        except HubError as error:
            raise plain(error) from error
        cameras = [CameraSettings(one.camera_id, _texts(titles.get(one.number or 1))) for one in device.cameras]
        return SettingsReading(clock, tuple(cameras))

    async def clock(self, device: SettingsDevice) -> ClockState:
        try:
            return await self._clock_of(await self._interface(device))
        except HubError as error:
            raise plain(error) from error

    async def set(self, device: SettingsDevice, item: PlannedItem) -> Facts:
        raise no_way()

    async def _clock_of(self, interface: VendorInterface) -> ClockState:
        ask = hikvision_recordings if self._vendor == "hikvision" else dahua_recordings
        try:
            time = await ask.device_time(interface, self._zone)
        except HubError as error:
            if error.reason != Reason.CLOCK_UNREADABLE:
                raise
            return ClockState()
        return ClockState(offset_s=time.error_s)  # local time against the site's: a wrong zone is in it

    async def _interface(self, device: SettingsDevice) -> VendorInterface:
        check = await self._checks.of_device(device.device_id)
        peer = HttpPeer(device.host, await addresses.resolve(device.host), device.port or 0)
        target = HttpTarget(
            peer,
            await self._logins.login(device.device_id, "http") or None,
            check,
            basic=False,
            refusal=lambda reply: refusals.told(reply, self._vendor, self._clock.now()),
        )
        return VendorInterface(self._signed, target, Deadline(self._seconds), self._vendor, self._clock.now)


def _texts(titles: ChannelTitles | None) -> tuple[OsdText, ...]:
    """A text that is switched off is listed, too, so that it is known that the device tells."""
    if titles is None:
        return ()
    names = [OsdText("name", "name", titles.name, "custom", shown=titles.name_shown)]
    names += [OsdText(f"text{place}", "name", text, "custom") for place, text in enumerate(titles.texts)]
    return (*names, OsdText("time", "time", titles.time, "custom", shown=titles.time_shown))
