"""The itinerary of a run: the tour as it was at the start, frozen, so that editing the tour changes no run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs.timetable import Dwells
from camera_hub.patrol.tours.stops import group_name
from camera_hub.store.tables import Camera, Run, Scene, TourStop, Village

KEPT = 64
"""The number of itineraries kept in memory: more than the runs that may be active at once."""


@dataclass(frozen=True, slots=True)
class ItineraryCamera:
    """A camera by the names it had at the start."""

    id: int
    name: str
    village: str


@dataclass(frozen=True, slots=True)
class ItineraryStop:
    """One stop: a layout and the camera of each tile (None: empty). `preset`: where its one camera points. `key`: each
    of its cameras is confirmed singly. `more`: how many cameras it shows beside the one that it is named after."""

    position: int
    dwell_s: int
    name: str
    note: str
    layout: str
    cameras: tuple[ItineraryCamera | None, ...]
    preset: str | None = None
    key: bool = False
    more: int = 0

    @property
    def ids(self) -> list[int]:
        """Its cameras, each once, in the order of the tiles."""
        return list(dict.fromkeys(camera.id for camera in self.cameras if camera is not None))


Itinerary = tuple[ItineraryStop, ...]


class Itineraries:
    """The itineraries of runs. They never change, so each is read once; beyond `kept` the least recently used goes."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._itineraries: dict[int, Itinerary] = {}

    async def of(self, session: AsyncSession, run_id: int) -> Itinerary:
        """The itinerary of a run that exists."""
        itinerary = self._itineraries.pop(run_id, None)
        if itinerary is None:
            rows = await session.scalar(select(Run.itinerary).where(Run.id == run_id))
            itinerary = from_rows(rows or ())
        self._itineraries[run_id] = itinerary
        while len(self._itineraries) > self._kept:
            del self._itineraries[next(iter(self._itineraries))]
        return itinerary


async def itinerary_of(session: AsyncSession, tour_id: int) -> Itinerary:
    """The itinerary of a tour that starts now: its stops with their present names."""
    rows = await session.execute(
        select(TourStop, Camera, Scene)
        .outerjoin(Camera, Camera.id == TourStop.camera_id)
        .outerjoin(Scene, Scene.id == TourStop.scene_id)
        .where(TourStop.tour_id == tour_id)
        .order_by(TourStop.position)
    )
    stops = [(stop, camera, scene) for stop, camera, scene in rows]
    wanted = {number for _, _, scene in stops if scene is not None for number in scene.cameras if number is not None}
    wanted |= {camera.id for _, camera, _ in stops if camera is not None}
    wanted |= {number for stop, _, _ in stops for number in stop.cameras or () if number is not None}
    named = {
        camera: ItineraryCamera(camera, name, village)
        for camera, name, village in await session.execute(
            select(Camera.id, Camera.name, Village.name)
            .join(Village, Village.id == Camera.village_id)
            .where(Camera.id.in_(wanted))
        )
    }
    itinerary = []
    for place, (stop, camera, scene) in enumerate(stops):
        if scene is not None:
            tiles = tuple(named.get(number) if number is not None else None for number in scene.cameras)
            itinerary.append(
                ItineraryStop(place, stop.dwell_s, scene.name, stop.note, scene.layout, tiles, key=stop.key)
            )
        elif camera is not None:
            itinerary.append(
                ItineraryStop(
                    place, stop.dwell_s, camera.name, stop.note, "1", (named[camera.id],), stop.preset, stop.key
                )
            )
        elif stop.layout is not None:
            tiles = tuple(named.get(number) if number is not None else None for number in stop.cameras or ())
            names = {id: one.name for id, one in named.items()}
            name, more = group_name(stop.title, stop.cameras or (), names)
            itinerary.append(
                ItineraryStop(place, stop.dwell_s, name, stop.note, stop.layout, tiles, key=stop.key, more=more)
            )
    return tuple(itinerary)


def to_rows(itinerary: Itinerary) -> list[dict[str, Any]]:
    """The itinerary as it is stored in the run's row."""
    return [asdict(stop) | {"cameras": [None if c is None else asdict(c) for c in stop.cameras]} for stop in itinerary]


def from_rows(rows: Sequence[Mapping[str, Any]]) -> Itinerary:
    """The itinerary as read from the run's row."""
    return tuple(
        ItineraryStop(**{**row, "cameras": tuple(None if c is None else ItineraryCamera(**c) for c in row["cameras"])})
        for row in rows
    )


def dwells(itinerary: Itinerary) -> Dwells:
    """Seconds per stop."""
    return tuple(float(stop.dwell_s) for stop in itinerary)


def usable(itinerary: Itinerary, dead: Mapping[int, str]) -> frozenset[int]:
    """Stops of which at least one camera can be shown."""
    return frozenset(stop.position for stop in itinerary if any(camera not in dead for camera in stop.ids))
