"""How one camera is asked and looked at: whether its device answers at all, then one key frame, then its clock."""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.health.rounds.camera_watch import CameraWatch, DeviceWatch
from camera_hub.health.rounds.look_result import CameraLook, LookResult, from_look
from camera_hub.health.rounds.reachability import REFUSED, OffsetReading, PortAnswer

LOOK_SECONDS = 15.0
REACH_SECONDS = 2.0

FRESH = 5.0
"""Seconds for which a device that has just answered is not asked again before a look."""

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

    async def reach(
        self, device_id: int, host: str, ports: tuple[int, ...], timeout: float, rtsp_port: int | None = None
    ) -> PortAnswer:
        """Whether the address answers on one of the ports, and its reply to OPTIONS at `rtsp_port`."""
        ...

    async def clock(self, device_id: int, host: str, port: int, path: str) -> OffsetReading:
        """The device's clock. Raises HubError."""
        ...


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; `result` is None when the hub itself could not look. `clock_s`: the device's clock error.
    `postponed`: live pictures needed the time. `doubtful`: the device no longer speaks RTSP, or its running feed is in
    trouble: a look will tell."""

    result: LookResult | None
    clock_s: float | None = None
    postponed: bool = False
    doubtful: bool = False


class Inspector:
    """Asks devices and looks at cameras; keeps nothing in between but what the watches hold."""

    def __init__(self, clock: Clock, media: CameraLooks, devices: AskedDevices) -> None:
        self._clock = clock
        self._media = media
        self._devices = devices

    async def ask(self, watch: CameraWatch, device: DeviceWatch) -> Inspection:
        """A signalling beat: what the running feed knows, else whether the device answers. Its channels share an answer
        for half a round. Raises HubError or TimeoutError when the hub itself failed."""
        if not watch.mute and (known := self._from_feed(watch)) is not None:
            return Inspection(known)
        spoke = device.speaks
        is_old = self._clock.monotonic() - device.answered_at >= watch.intervals.round / 2
        if is_old and (silence := await self.check(device)) is not None:
            return Inspection(self.silent(watch, *silence))
        offset = await self._clock_error(watch, device)
        now, wall = self._clock.monotonic(), self._clock.now()
        found = LookResult(
            watch.camera_id,
            now,
            wall,
            media_judged=False,
            signalling_ms=device.signalling_ms,
            clock_error_s=offset,
        )
        dumb = bool(spoke) and device.speaks is False
        return Inspection(found, offset, doubtful=dumb or self._has_feed_in_trouble(watch))

    async def look(self, watch: CameraWatch, device: DeviceWatch) -> Inspection:
        """A look: one key frame and its scores. Raises HubError or TimeoutError when the hub itself failed."""
        # Cheap, so it comes first: else looks at a dead village's cameras, each up to its deadline, fill the rounds.
        if self._clock.monotonic() - device.answered_at >= FRESH and (silence := await self.check(device)) is not None:
            return Inspection(self.silent(watch, *silence))
        signalling_ms = device.signalling_ms
        async with asyncio.timeout(LOOK_SECONDS + 5):  # media keeps the deadline; this is the safety net
            look = await self._media.look(
                watch.camera_id, scores=True, memory=watch.memory, jpeg=False, deadline=LOOK_SECONDS
            )
        at, wall = self._clock.monotonic(), self._clock.now()
        # A stream that stopped is what a cut link looks like to a running feed: check again, now.
        if look.reason in SYMPTOMS and (silence := await self.check(device)) is not None:
            return Inspection(self.silent(watch, *silence))
        offset = await self._clock_error(watch, device) if look.reason is None else None
        found = from_look(watch.camera_id, look, at, wall, offset)
        if found is not None and signalling_ms is not None:
            found = replace(found, signalling_ms=signalling_ms)
        return Inspection(found, offset, postponed=look.reason == Reason.OVERLOADED)

    async def check(self, device: DeviceWatch) -> tuple[str, str] | None:
        """(reason, detail) when the device does not answer. The silence of one that never answered means nothing: the
        register may hold a wrong port, and the look decides. One that the hub does not connect to is always told."""
        answer = await self._devices.reach(device.device_id, device.host, device.ports, REACH_SECONDS, device.rtsp_port)
        if answer.silence is None:
            device.has_answered = bool(device.ports)
            device.answered_at = self._clock.monotonic()
            device.signalling_ms, device.speaks = answer.signalling_ms, answer.speaks
            return None
        device.answered_at = float("-inf")
        return answer.silence if device.has_answered or answer.silence[0] in REFUSED else None

    def silent(self, watch: CameraWatch, reason: str, detail: str) -> LookResult:
        """The result for a camera whose device does not answer."""
        return LookResult(
            watch.camera_id, self._clock.monotonic(), self._clock.now(), media=Reason(reason), detail=detail
        )

    def _has_feed_in_trouble(self, watch: CameraWatch) -> bool:
        """Whether a running feed says that something is wrong that is not known yet."""
        feed = self._media.feed_reason(watch.camera_id)
        return feed is not None and feed[1] is not None and watch.media.state != "fault"

    def _from_feed(self, watch: CameraWatch) -> LookResult | None:
        """What the running feed knows, at no cost. A feed in trouble is looked at, to have the whole story."""
        if self._media.feed_reason(watch.camera_id) != ("live", None):
            return None
        return LookResult(watch.camera_id, self._clock.monotonic(), self._clock.now(), asked=False)

    async def _clock_error(self, watch: CameraWatch, device: DeviceWatch) -> float | None:
        """The device's clock error where it is due to be read, best effort."""
        now = self._clock.monotonic()
        if device.onvif_port is None or now < device.clock_due:
            return None
        device.clock_due = now + watch.intervals.picture
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                reading = await self._devices.clock(device.device_id, device.host, device.onvif_port, device.onvif_path)
        except (HubError, TimeoutError):
            return None
        return reading.offset_s
