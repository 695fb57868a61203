"""How one camera is looked at: first whether its device answers at all, then one key frame, then its clock."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.health.rounds.camera_watch import CameraWatch, DeviceWatch
from camera_hub.health.rounds.look_result import CameraLook, LookResult, from_look
from camera_hub.health.rounds.reachability import REFUSED, OffsetReading

LOOK_SECONDS = 15.0
REACH_SECONDS = 2.0

SYMPTOMS = frozenset({Reason.STALLED, Reason.NO_MEDIA, Reason.NO_KEY_FRAME, Reason.BAD_REPLY})
"""What a look may say of a camera whose link was cut during the look."""


class CameraLooks(Protocol):
    """What rounds need of media."""

    async def look(
        self, camera_id: int, *, scores: bool = False, memory: str | None = None, jpeg: bool = True, deadline: float
    ) -> CameraLook:
        """One key frame of the camera; the reason says why there is none. Never raises for a faulty camera."""
        ...

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed, None when none runs."""
        ...


class AskedDevices(Protocol):
    """What rounds ask of devices themselves (reachability)."""

    async def reach(self, device_id: int, host: str, ports: tuple[int, ...], timeout: float) -> tuple[str, str] | None:
        """None when the address answers on one of the ports, else (reason, detail)."""
        ...

    async def clock(self, device_id: int, host: str, port: int, path: str) -> OffsetReading:
        """The device's clock. Raises HubError."""
        ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a look found; `result` is None when the hub itself could not look. `clock_s`: the device's clock error.
    `postponed`: live pictures needed the time."""

    result: LookResult | None
    clock_s: float | None = None
    postponed: bool = False


class Inspector:
    """Looks at cameras; keeps nothing between looks but what the watches hold."""

    def __init__(self, clock: Clock, media: CameraLooks, devices: AskedDevices, picture_interval: float) -> None:
        self._clock = clock
        self._media = media
        self._devices = devices
        self._picture_interval = picture_interval

    async def inspect(self, watch: CameraWatch, device: DeviceWatch) -> Inspection:
        """Look at one camera. Raises HubError or TimeoutError when the hub itself failed."""
        scores = self._clock.monotonic() >= watch.picture_due
        if watch.silent_since is None and not scores and (known := self._from_feed(watch)) is not None:
            return Inspection(known)
        # Cheap, so it comes first: else looks at a dead village's cameras, each up to its deadline, fill the rounds.
        if (silence := await self.check(device)) is not None:
            return Inspection(self.silent(watch, *silence))
        async with asyncio.timeout(LOOK_SECONDS + 5):  # media keeps the deadline; this is the safety net
            look = await self._media.look(
                watch.camera_id, scores=scores, memory=watch.memory, jpeg=False, deadline=LOOK_SECONDS
            )
        at, wall = self._clock.monotonic(), self._clock.now()
        # A stream that stopped is what a cut link looks like to a running feed: check again, now.
        if look.reason in SYMPTOMS and (silence := await self.check(device)) is not None:
            return Inspection(self.silent(watch, *silence))
        offset = await self._clock_error(device) if look.reason is None else None
        found = from_look(watch.camera_id, look, at, wall, offset)
        return Inspection(found, offset, postponed=look.reason == Reason.OVERLOADED)

    async def check(self, device: DeviceWatch) -> tuple[str, str] | None:
        """(reason, detail) when the device does not answer. The silence of one that never answered means nothing: the
        register may hold a wrong port, and the look decides. One that the hub does not connect to is always told."""
        answer = await self._devices.reach(device.device_id, device.host, device.ports, REACH_SECONDS)
        if answer is None:
            device.has_answered = bool(device.ports)
            return None
        return answer if device.has_answered or answer[0] in REFUSED else None

    def silent(self, watch: CameraWatch, reason: str, detail: str) -> LookResult:
        """The result for a camera whose device does not answer."""
        return LookResult(
            watch.camera_id, self._clock.monotonic(), self._clock.now(), media=Reason(reason), detail=detail
        )

    def _from_feed(self, watch: CameraWatch) -> LookResult | None:
        """What the running feed knows, at no cost. A feed in trouble is looked at, to have the whole story."""
        if self._media.feed_reason(watch.camera_id) != ("live", None):
            return None
        return LookResult(watch.camera_id, self._clock.monotonic(), self._clock.now(), asked=False)

    async def _clock_error(self, device: DeviceWatch) -> float | None:
        """The device's clock error where it is due to be read, best effort."""
        now = self._clock.monotonic()
        if device.onvif_port is None or now < device.clock_due:
            return None
        device.clock_due = now + self._picture_interval
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                reading = await self._devices.clock(device.device_id, device.host, device.onvif_port, device.onvif_path)
        except (HubError, TimeoutError):
            return None
        return reading.offset_s
