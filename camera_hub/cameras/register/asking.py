"""Asking a device what it is, for a person: what they may be told of its answer, and what is kept of it beside rows."""

import logging
from collections.abc import Iterable
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Described
from camera_hub.cameras.peculiarities import Peculiarities
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Reason
from camera_hub.peculiarity_kinds import MAX_VALUE, PeculiarityKind
from camera_hub.store.tables import Camera

log = logging.getLogger(__name__)

OWN_WORDS: dict[str, str] = {
    Reason.SOAP_FAULT: "the device refuses the call",
    Reason.DEVICE_FULL: "the device accepts no more connections; close some, or try later",
    Reason.BAD_REPLY: "the device's answer cannot be read",
}
"""Reasons whose sentence may repeat what a device says, and what is said instead to who is bound to villages."""


class Describer(Protocol):
    """What the register needs from cameras.describing."""

    async def describe(
        self,
        host: str,
        port: int | None = None,
        login: DeviceLogin | None = None,
        path: str = ...,
        *,
        check: Check | None = None,
    ) -> Described:
        """What the device is and which cameras it has; `check` is asked before each connect. Raises HubError with the
        Reason."""
        ...


async def ask(
    describer: Describer,
    actor: Actor,
    host: str,
    port: int | None,
    login: DeviceLogin | None,
    path: str | None = None,
    *,
    check: Check,
) -> Described:
    """Describe; who is bound to villages is not told a device's own words. Raises HubError."""
    try:
        if path is None:
            return await describer.describe(host, port, login, check=check)
        return await describer.describe(host, port, login, path, check=check)
    except HubError as error:
        if actor.bound and error.reason in OWN_WORDS:
            raise HubError(error.kind, OWN_WORDS[error.reason], reason=error.reason) from None
        raise


async def keep_noticed(
    peculiarities: Peculiarities, device_id: int, described: Described, cameras: Iterable[Camera]
) -> None:
    """Keep what is peculiar about the device, and which of its cameras its recorder did not list this time: those that
    are offline, with some recorders. They stay in service; their pictures decide about their health."""
    listed = {channel.token for channel in described.channels}
    names = ", ".join(camera.name for camera in cameras if camera.channel not in listed)
    try:
        for kind, value in described.peculiarities.items():
            await peculiarities.note(device_id, kind, value[:MAX_VALUE])
        if names:
            await peculiarities.note(device_id, PeculiarityKind.CHANNELS_UNLISTED, names[:MAX_VALUE])
        else:
            await peculiarities.withdraw(device_id, PeculiarityKind.CHANNELS_UNLISTED)
    except HubError as error:  # the device is registered all the same
        log.warning("peculiarities of device %d cannot be kept: %s", device_id, error)
