"""Coverage of the key places that somebody may see, by the cameras that they may see.

Measured in a thread, in pieces, one request at a time; a place is measured again only when it, or a camera near it, has
changed.
"""

import asyncio
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.map.coverage import CoveringCamera, MeasuredPlace, PlaceCoverage, place_coverage
from camera_hub.cameras.map.key_places import KeyPlaceView, places_in_scope, read_places
from camera_hub.cameras.map.positions import CameraPosition, read_positions
from camera_hub.cameras.map.table import CoverageRow, coverage_rows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.settings import MapSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, KeyPlace, LedgerFile, Village

_PIECE_SECONDS = 0.1
_SECONDS = 60.0
_KEPT = 4000
_MAX_CORNERS = 100_000
"""Of all gaps in one report."""


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The table, and each place with its coverage. `cameras`: those that count; `without_position`: approved ones that
    are not on the map; `without_direction`: those that count as seeing all around, nobody having said where they look.
    `gaps_left_out`: how many gaps are not listed, since there are too many.
    """

    rows: tuple[CoverageRow, ...]
    places: tuple[tuple[KeyPlaceView, PlaceCoverage], ...]
    cameras: int
    without_position: int
    without_direction: int
    gaps_left_out: int


_Key = tuple[MeasuredPlace, tuple[CoveringCamera, ...]]


class Coverages:
    """Reads what there is and measures it."""

    def __init__(self, database: Database, clock: Clock, settings: MapSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._turn = asyncio.Lock()
        self._known: dict[_Key, PlaceCoverage] = {}

    async def report(self, actor: Actor, village_id: int | None = None) -> CoverageReport:
        """Coverage of the actor's places, or of those of one village (by cameras of any village that the actor sees).

        Raises HubError: NOT_FOUND (the village), TIMEOUT after a minute (what was measured is kept for the next try).
        """
        if village_id is not None:
            require_village(actor, village_id, "village")
        mine = in_scope(actor, Camera.village_id)
        wanted = places_in_scope(actor) if village_id is None else KeyPlace.village_id == village_id
        async with self._database.read() as session:
            if village_id is not None and await session.get(Village, village_id) is None:
                raise HubError(Kind.NOT_FOUND, "there is no such village")
            places = await read_places(session, wanted)
            positions = await read_positions(session, mine)
            unplaced = (
                select(func.count())
                .select_from(Camera)
                .outerjoin(LedgerFile, LedgerFile.camera_id == Camera.id)
                .where(mine, Camera.state == "approved", LedgerFile.longitude.is_(None))
                .where(func.coalesce(LedgerFile.service_state, "in_use") != "removed")
            )
            if village_id is not None:
                unplaced = unplaced.where(Camera.village_id == village_id)
            without_position = await session.scalar(unplaced) or 0
        counting = [one for one in positions if one.state == "approved" and one.service_state != "removed"]
        cameras = [covering(one, self._settings) for one in counting]
        measured = await self._measured(places, cameras)
        classes = {one.id: (one.place_class, one.kind) for one in places}
        listed, left_out = _bounded(measured)
        return CoverageReport(
            tuple(coverage_rows(classes, measured)),
            tuple(zip(places, listed, strict=True)),
            len(counting),
            without_position,
            sum(one.direction_deg is None and one.angle_deg != 360 for one in counting),
            left_out,
        )

    async def _measured(self, places: Sequence[KeyPlaceView], cameras: Sequence[CoveringCamera]) -> list[PlaceCoverage]:
        keys = await asyncio.to_thread(_keys, places, cameras)
        async with self._turn:
            end = self._clock.monotonic() + _SECONDS
            measured = await asyncio.to_thread(self._piece, keys)
            while len(measured) < len(keys):
                if self._clock.monotonic() > end:
                    raise HubError(Kind.TIMEOUT, "coverage takes longer than a minute to measure; try again to go on")
                measured += await asyncio.to_thread(self._piece, keys[len(measured) :])
            if len(self._known) > max(_KEPT, 2 * len(keys)):
                self._known = await asyncio.to_thread(lambda: dict(zip(keys, measured, strict=True)))
        return measured

    def _piece(self, keys: Sequence[_Key]) -> list[PlaceCoverage]:
        """The first of these, as many as a piece of time allows; at least one. What is known is not measured again."""
        end = self._clock.monotonic() + _PIECE_SECONDS
        found = []
        for key in keys:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = place_coverage(*key)
            found.append(known)
            if self._clock.monotonic() > end:
                break
        return found


def covering(camera: CameraPosition, settings: MapSettings) -> CoveringCamera:
    """What a camera counts with: where nothing is known the settings' reach and angle; without a direction all around.

    It works while it is in use and its last looks were good: not while nothing is known of it. Pure.
    """
    return CoveringCamera(
        camera.id,
        camera.longitude,
        camera.latitude,
        camera.direction_deg,
        camera.angle_deg or settings.angle_deg,
        camera.reach_m or settings.reach_m,
        camera.service_state == "in_use" and camera.health == "ok",
    )


class _Index:
    """Finds the cameras that may reach a place, by their latitude."""

    def __init__(self, cameras: Sequence[CoveringCamera]) -> None:
        self._cameras = sorted(cameras, key=lambda one: (one.latitude, one.id))
        self._latitudes = [one.latitude for one in self._cameras]
        self._reach = max((one.reach_m for one in cameras), default=0.0)

    def key(self, place: MeasuredPlace) -> _Key:
        """The place with those cameras: what its coverage depends on."""
        south, north = min(one.latitude for one in place.geometry), max(one.latitude for one in place.geometry)
        west, east = min(one.longitude for one in place.geometry), max(one.longitude for one in place.geometry)
        reach = self._reach if place.reach_m is None else min(self._reach, place.reach_m)
        up = reach / 110_000
        aside = reach / (110_000 * math.cos(math.radians(max(abs(south), abs(north)) + up)))
        first, last = bisect_left(self._latitudes, south - up), bisect_right(self._latitudes, north + up)
        near = (one for one in self._cameras[first:last] if west - aside <= one.longitude <= east + aside)
        return place, tuple(near)


def _keys(places: Sequence[KeyPlaceView], cameras: Sequence[CoveringCamera]) -> list[_Key]:
    index = _Index(cameras)
    return [index.key(MeasuredPlace(one.id, one.place_class, one.kind, one.geometry, one.reach_m)) for one in places]


def _bounded(places: Sequence[PlaceCoverage]) -> tuple[list[PlaceCoverage], int]:
    """The same with _MAX_CORNERS corners of gaps at most; how many gaps that left out."""
    room, left_out = _MAX_CORNERS, 0
    listed = []
    for one in places:
        gaps = []
        for gap in one.gaps:
            room -= len(gap)
            if room >= 0:
                gaps.append(gap)
        left_out += len(one.gaps) - len(gaps)
        listed.append(one if len(gaps) == len(one.gaps) else replace(one, gaps=tuple(gaps)))
    return listed, left_out
