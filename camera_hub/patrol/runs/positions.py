"""Cameras at the presets of a running tour: brought there in time before the stop, let go after it.

Each camera of a stop is sent by itself: one that is busy, refuses or does not answer holds up no other one. Who steers
by hand has precedence: a camera that cannot be had is shown as it is, and asked for again when its stop begins and when
it has become free.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from camera_hub.cameras.ptz.state import PresetPlace
from camera_hub.errors import Reason
from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.situation import RunSituation
from camera_hub.patrol.runs.timetable import Cursor
from camera_hub.patrol.runs.warming import AHEAD_AFTER
from camera_hub.running import ended

AHEAD_WITHIN = 120.0
"""Seconds before a patrol's next stop at which its camera is sent there at the earliest."""
PASSING = {Reason.PTZ_LOCKED, Reason.BUSY}
"""Why a camera could not be had that may be had now."""


class StopPositions(Protocol):
    """What is needed of whoever can move cameras (cameras.ptz.tours); none raises HubError."""

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None: ...
    async def leave(self, run_id: int, name: str, camera_id: int) -> None: ...
    def placed(self, run_id: int, camera_id: int, token: str) -> PresetPlace | None: ...


@dataclass(slots=True)
class _Brought:
    """What a run has moved: camera → token. `step`: how many steps it had at the present stop; `places`: where the
    cameras of that stop were when it was looked at last."""

    name: str
    tokens: dict[int, str] = field(default_factory=dict)
    step: int = -1
    places: Mapping[int, object] = field(default_factory=dict)


class Positioning:
    """An async context manager. `lead`: seconds before a stop at which its camera is sent there; of a patrol it is sent
    as soon as the present stop may be confirmed, since it is left then."""

    def __init__(self, positions: StopPositions | None, lead: float) -> None:
        self._positions = positions
        self._lead = lead
        self._brought: dict[int, _Brought] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            await ended(task)

    def keep(
        self, run_id: int, name: str, situation: RunSituation, cursor: Cursor, now: datetime, step: int = 0
    ) -> bool:
        """Have the cameras of this stop, and in time those of the next one, where the run wants them. `step`: changes
        with each stop. Returns whether it has become known since the last time where a camera of this stop points."""
        if self._positions is None:
            return False
        present = _wanted(situation, cursor.position)
        wanted = present
        due = timetable.due(situation.stops, cursor)
        if due is not None and self._is_near(cursor, now, (due - now).total_seconds()):
            following = timetable.upcoming(situation.stops, cursor)
            if following is not None:
                wanted = _wanted(situation, following) | wanted
        brought = self._brought.get(run_id)
        begins = brought is None or brought.step != step
        if brought is not None:
            for camera_id, place in situation.places.items():
                if place.state == "failed" and camera_id in present and (begins or _passing(place)):
                    brought.tokens.pop(camera_id, None)  # it is asked for again
        self._move(self._positions, run_id, name, wanted)
        if (brought := self._brought.get(run_id)) is None:
            return False
        places = {camera: _seen(place) for camera, place in situation.places.items()}
        told = not begins and brought.places != places
        brought.step, brought.places = step, places
        return told

    def _is_near(self, cursor: Cursor, now: datetime, left: float) -> bool:
        """Whether the next stop may come soon: by its time, or because an operator confirms the present one."""
        passed = (now - cursor.anchor).total_seconds()
        return left <= self._lead or (not cursor.loop and passed >= AHEAD_AFTER and left <= AHEAD_WITHIN)

    def forget(self, running: Collection[int]) -> None:
        """Let go the cameras of all other runs."""
        for run_id, brought in list(self._brought.items()):
            if run_id not in running and self._positions is not None:
                self._move(self._positions, run_id, brought.name, {})

    def _move(self, positions: StopPositions, run_id: int, name: str, wanted: dict[int, str]) -> None:
        brought = self._brought.setdefault(run_id, _Brought(name))
        before = brought.tokens
        for camera_id in before.keys() - wanted.keys():
            self._start(positions.leave(run_id, name, camera_id))
        for camera_id, token in wanted.items():
            if before.get(camera_id) != token:
                self._start(positions.bring(run_id, name, camera_id, token))
        brought.tokens = wanted
        if not wanted:
            del self._brought[run_id]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="cameras of a tour")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _seen(place: PresetPlace) -> object:
    """What a change of is worth telling: not that of the seconds which are left until somebody else has done."""
    return place.state, None if place.why is None else (place.why.reason, place.why.params.get("name"))


def _passing(place: PresetPlace) -> bool:
    return place.why is not None and place.why.reason in PASSING


def _wanted(situation: RunSituation, position: int) -> dict[int, str]:
    """The cameras of that stop that can be shown and have a preset, and its token."""
    presets = {one.camera_id: one.token for one in situation.itinerary[position].presets}
    return {camera: presets[camera] for camera in situation.showable(position) if camera in presets}
