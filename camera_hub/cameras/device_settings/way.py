"""How devices of one kind are asked and set: one implementation per Device.via (ONVIF, Hikvision, Dahua)."""

import logging
from collections.abc import Collection
from typing import Protocol

from camera_hub.cameras.device_settings.values import (
    ClockState,
    Facts,
    Part,
    PlannedItem,
    SettingsDevice,
    SettingsReading,
)
from camera_hub.cameras.register.asking import OWN_WORDS
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.logs import outside

log = logging.getLogger(__name__)


class SettingsWay(Protocol):
    """Whatever is asked is bounded in time."""

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        """These parts of the device and its cameras, as far as they can be read; for the others the problem says why.

        Raises HubError where nothing can be read at all.
        """
        ...

    async def clock(self, device: SettingsDevice) -> ClockState:
        """The device's clock alone, without a login where it tells it so. Raises HubError."""
        ...

    async def set(self, device: SettingsDevice, item: PlannedItem) -> Facts:
        """Set what the item plans, and read it back: the facts of the part as they are now.

        Raises HubError: SETTING_REFUSED where the device refuses it and nothing was set; SETTING_UNPROVED where it
        accepted it and could not be read back; else what kept it from being asked.
        """
        ...


class NoWay:
    """For devices that are known by their RTSP address alone, and platforms."""

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        raise no_way()

    async def clock(self, device: SettingsDevice) -> ClockState:
        raise no_way()

    async def set(self, device: SettingsDevice, item: PlannedItem) -> Facts:
        raise no_way()


def no_way() -> HubError:
    """The error for a device whose settings the hub has no way to reach."""
    return HubError(
        Kind.UNSUPPORTED,
        "the hub knows this device by its video address alone; set it on the device's own page, or register it over "
        "ONVIF",
        reason=Reason.NO_SETTINGS_WAY,
    )


def plain(error: HubError) -> HubError:
    """Without a device's own words: whoever reads a verdict may be bound to villages (register.asking.OWN_WORDS)."""
    return HubError(error.kind, OWN_WORDS.get(error.reason, error.detail), reason=error.reason, **error.params)


def unsupported() -> HubError:
    """A part that the device knows no call for."""
    return HubError(
        Kind.UNSUPPORTED,
        "the device does not offer this setting to the hub; set it on the device's own page",
        reason=Reason.SETTING_UNSUPPORTED,
    )


def refused(error: HubError) -> HubError:
    """A change that the device refused."""
    log.info("a device refuses a change: %s", outside(error))
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses this change and is as it was; set it on the device's own page",
        reason=Reason.SETTING_REFUSED,
        why=error.reason,
    )


def unproved(error: HubError) -> HubError:
    """A change that the device accepted and that could not be read back."""
    return HubError(
        Kind.UNREACHABLE,
        "the device accepted the change, and could not be read afterwards; read it again later",
        reason=Reason.SETTING_UNPROVED,
        why=error.reason,
    )
