"""Cameras at their presets while a tour runs. Whoever steers by hand has precedence: the tour does without."""

import logging
from typing import Protocol

from camera_hub.errors import HubError
from camera_hub.logs import outside

log = logging.getLogger(__name__)


class TourSteering(Protocol):
    """What is needed of ptz.control."""

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None: ...
    async def let_go(self, run_id: int, name: str, camera_id: int) -> None: ...
    def steered_by_person(self, camera_id: int) -> bool: ...


class TourPresets:
    """Implements patrol.runs.positions.StopPositions and patrol.runs.ptz_waits.PersonsSteering."""

    def __init__(self, control: TourSteering) -> None:
        self._control = control

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        """Send the camera to its preset, in time before the stop and at its beginning; what fails is only logged."""
        try:
            await self._control.bring(run_id, name, camera_id, token)
        except HubError as error:
            log.info("tour %s: camera %d is not brought to its preset: %s", outside(name), camera_id, error)

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        """The stop is over."""
        await self._control.let_go(run_id, name, camera_id)

    def steered_by_person(self, camera_id: int) -> bool:
        """Whether a person steers the camera now: a patrol waits for them."""
        return self._control.steered_by_person(camera_id)
