"""Cameras at the presets of a running tour: brought there in time before the stop, let go after it.

Who steers by hand has precedence: a camera that cannot be had is shown as it is, and asked for again at the next stop.
"""

import asyncio
from collections.abc import Collection, Coroutine
from datetime import datetime
from typing import Any, Protocol, Self

from camera_hub.patrol.runs import timetable
from camera_hub.patrol.runs.situation import RunSituation
from camera_hub.patrol.runs.timetable import Cursor
from camera_hub.patrol.runs.warming import AHEAD_AFTER
from camera_hub.running import ended

AHEAD_WITHIN = 120.0
"""Seconds before a patrol's next stop at which its camera is sent there at the earliest."""


class StopPositions(Protocol):
    """What is needed of whoever can move cameras (cameras.ptz.tours); neither raises HubError."""

    async def bring(self, run_id: int, name: str, camera_id: int, token: str) -> None: ...
    async def leave(self, run_id: int, name: str, camera_id: int) -> None: ...


class Positioning:
    """An async context manager. `lead`: seconds before a stop at which its camera is sent there; of a patrol it is sent
    as soon as the present stop may be confirmed, since it is left then."""

    def __init__(self, positions: StopPositions | None, lead: float) -> None:
        self._positions = positions
        self._lead = lead
        self._brought: dict[int, tuple[str, dict[int, str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            await ended(task)

    def keep(self, run_id: int, name: str, situation: RunSituation, cursor: Cursor, now: datetime) -> None:
        """Have the cameras of this stop, and in time that of the next one, where the run wants them."""
        if self._positions is None:
            return
        wanted = _wanted(situation, cursor.position)
        due = timetable.due(situation.stops, cursor)
        if due is not None and self._is_near(cursor, now, (due - now).total_seconds()):
            following = timetable.upcoming(situation.stops, cursor)
            if following is not None:
                wanted = _wanted(situation, following) | wanted
        self._move(self._positions, run_id, name, wanted)

    def _is_near(self, cursor: Cursor, now: datetime, left: float) -> bool:
        """Whether the next stop may come soon: by its time, or because an operator confirms the present one."""
        passed = (now - cursor.anchor).total_seconds()
        return left <= self._lead or (not cursor.loop and passed >= AHEAD_AFTER and left <= AHEAD_WITHIN)

    def forget(self, running: Collection[int]) -> None:
        """Let go the cameras of all other runs: they have ended, or are paused."""
        for run_id, (name, _) in list(self._brought.items()):
            if run_id not in running and self._positions is not None:
                self._move(self._positions, run_id, name, {})

    def _move(self, positions: StopPositions, run_id: int, name: str, wanted: dict[int, str]) -> None:
        _, before = self._brought.get(run_id, (name, {}))
        for camera_id in before.keys() - wanted.keys():
            self._start(positions.leave(run_id, name, camera_id))
        for camera_id, token in wanted.items():
            if before.get(camera_id) != token:
                self._start(positions.bring(run_id, name, camera_id, token))
        if wanted:
            self._brought[run_id] = name, wanted
        else:
            self._brought.pop(run_id, None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="cameras of a tour")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _wanted(situation: RunSituation, position: int) -> dict[int, str]:
    preset = situation.itinerary[position].preset
    return {} if preset is None else dict.fromkeys(situation.showable(position), preset)
