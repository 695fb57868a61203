"""Asking a device what it is, for a person: what they may be told of its answer, and what is kept of it beside rows."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.described import Described
from camera_hub.cameras.onvif.targets import PATH
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
        rtsp_port: int | None = None,
        ordinary: DeviceLogin | None = None,
    ) -> Described:
        """What the device is and which cameras it has; `check` is asked before each connect.

        `rtsp_port`: as a person gave it; `ordinary`: the login for all but ONVIF, None: the same. Raises HubError with
        the Reason.
        """
        ...


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """Where and how a device is described (see Describer)."""

    host: str
    port: int | None
    login: DeviceLogin | None
    path: str = PATH
    rtsp_port: int | None = None
    ordinary: DeviceLogin | None = None


async def ask(describer: Describer, actor: Actor, asked: DescribeRequest, check: Check) -> Described:
    """Describe; who is bound to villages is not told a device's own words. Raises HubError."""
    try:
        return await describer.describe(
            asked.host,
            asked.port,
            asked.login,
            asked.path,
            check=check,
            rtsp_port=asked.rtsp_port,
            ordinary=asked.ordinary,
        )
    except HubError as error:
        if actor.bound and error.reason in OWN_WORDS:
            raise HubError(error.kind, OWN_WORDS[error.reason], reason=error.reason) from None
        raise


async def keep_noticed(
    peculiarities: Peculiarities,
    device_id: int,
    described: Described,
    cameras: Iterable[Camera],
    listed: frozenset[int],
) -> None:
    """Keep what is peculiar about the device, and which of its cameras its recorder did not list this time: those
    that are offline, with some recorders. They stay in service; their pictures decide about their health."""
    names = ", ".join(camera.name for camera in cameras if camera.id not in listed)
    try:
        for kind, value in described.peculiarities.items():
            await peculiarities.note(device_id, kind, value[:MAX_VALUE])
        if PeculiarityKind.ONVIF_UNUSED not in described.peculiarities:
            await peculiarities.withdraw(device_id, PeculiarityKind.ONVIF_UNUSED)
        if names:
            await peculiarities.note(device_id, PeculiarityKind.CHANNELS_UNLISTED, names[:MAX_VALUE])
        else:
            await peculiarities.withdraw(device_id, PeculiarityKind.CHANNELS_UNLISTED)
    except HubError as error:  # the device is registered all the same
        log.warning("peculiarities of device %d cannot be kept: %s", device_id, error)
