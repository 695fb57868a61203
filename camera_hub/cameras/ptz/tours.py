"""Cameras at their presets while a tour runs. Whoever steers by hand has precedence: the tour does without."""

import logging
from typing import Protocol

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import Explanation, HubError
from camera_hub.logs import outside

log = logging.getLogger(__name__)


class TourSteering(Protocol):
    """What is needed of ptz.control."""

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None: ...
    async def let_go(self, run_id: int, name: str, camera_id: int) -> None: ...
    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None: ...
    def steered_by_person(self, camera_id: int) -> bool: ...


class TourPresets:
    """Implements patrol.runs.positions.StopPositions and patrol.runs.ptz_waits.PersonsSteering."""

    def __init__(self, control: TourSteering) -> None:
        self._control = control
        self._refused: dict[tuple[int, int], Explanation] = {}  # of cameras that runs want now

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None:
        """Send the camera to its preset, in time before the stop and at its beginning; what fails is logged, and told
        by `placed` until the camera is let go."""
        self._refused.pop((run_id, camera_id), None)
        try:
            await self._control.bring(run_id, name, camera_id, token)
        except HubError as error:
            self._refused[run_id, camera_id] = error.explanation
            log.info("tour %s: camera %d is not brought to its preset: %s", outside(name), camera_id, error)

    async def leave(self, run_id: int, name: str, camera_id: int) -> None:
        """The stop is over."""
        self._refused.pop((run_id, camera_id), None)
        await self._control.let_go(run_id, name, camera_id)

    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None:
        """Whether the camera is at the preset to which the tour has sent it; None: nobody knows."""
        place = self._control.placed(run_id, camera_id, token)
        if place is not None and place.state == "taken":
            return place
        if (refused := self._refused.get((run_id, camera_id))) is not None:
            return PresetPlace("failed", refused)
        return place

    def steered_by_person(self, camera_id: int) -> bool:
        """Whether a person steers the camera now: a patrol waits for them."""
        return self._control.steered_by_person(camera_id)
