"""The calls to one camera, borne as its device needs them: without Timeout, without Stop."""

from collections.abc import Callable, Mapping
from typing import Protocol

from camera_hub.cameras.onvif.ptz import PtzNode, PtzStatus, PtzVector
from camera_hub.cameras.ptz.capabilities import DeviceMove, velocity
from camera_hub.cameras.ptz.state import preset_gone
from camera_hub.cameras.ptz.watchdog import TIMEOUT_SECONDS
from camera_hub.errors import HubError, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind

REFUSED = "refused"
FAULTS = {Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF, Reason.DEVICE_FULL}
"""What a device says that does not know a call, or not this form of it."""


class PtzCalls(Protocol):
    """What is needed of onvif.ptz."""

    async def status(self, profile: str) -> PtzStatus: ...
    async def move(self, profile: str, velocity: PtzVector, seconds: float | None) -> None: ...
    async def stop(self, profile: str) -> None: ...
    async def move_by(self, profile: str, translation: PtzVector) -> None: ...
    async def move_to(self, profile: str, position: PtzVector) -> None: ...
    async def go_to(self, profile: str, token: str) -> None: ...
    async def go_home(self, profile: str) -> None: ...


class PtzDriver:
    """Calls raise HubError. `known`: peculiarities of the device; `learn` keeps one that is found."""

    def __init__(
        self,
        calls: PtzCalls,
        profile: str,
        node: PtzNode,
        known: Mapping[str, str],
        learn: Callable[[PeculiarityKind, str], None],
    ) -> None:
        self._calls = calls
        self._profile = profile
        self._node = node
        self._learn = learn
        self.timeout_told = PeculiarityKind.PTZ_TIMEOUT not in known
        self._stop_refused = PeculiarityKind.PTZ_STOP in known

    async def status(self) -> PtzStatus:
        return await self._calls.status(self._profile)

    async def drive(self, speed: PtzVector) -> None:
        """Move until it is told to stop."""
        if not self.timeout_told:
            await self._calls.move(self._profile, speed, None)
            return
        try:
            await self._calls.move(self._profile, speed, TIMEOUT_SECONDS)
        except HubError as error:
            if error.reason not in FAULTS:
                raise
            await self._calls.move(self._profile, speed, None)
            self.timeout_told = False
            self._learn(PeculiarityKind.PTZ_TIMEOUT, REFUSED)

    async def halt(self) -> bool:
        """Stop, else a move of velocity zero. Returns whether that was needed. Raises HubError where both fail."""
        still = velocity(self._node, 0.0, 0.0, 0.0)
        if self._stop_refused and still is not None:
            try:
                await self.drive(still)
            except HubError as error:
                if error.reason not in FAULTS:
                    raise
            else:
                return True
        try:
            await self._calls.stop(self._profile)
        except HubError as error:
            if error.reason not in FAULTS or still is None:
                raise
            await self.drive(still)
            if not self._stop_refused:
                self._stop_refused = True
                self._learn(PeculiarityKind.PTZ_STOP, REFUSED)
            return True
        return False

    async def go(self, move: DeviceMove) -> None:
        """A relative or absolute move."""
        if move.kind == "relative":
            await self._calls.move_by(self._profile, move.vector)
        else:
            await self._calls.move_to(self._profile, move.vector)

    async def go_to(self, token: str) -> None:
        """Raises HubError, PTZ_PRESET_GONE where the device has no such preset."""
        try:
            await self._calls.go_to(self._profile, token)
        except HubError as error:
            if error.reason in FAULTS and "notoken" in error.detail.lower():
                raise preset_gone() from error
            raise

    async def go_home(self) -> None:
        await self._calls.go_home(self._profile)
