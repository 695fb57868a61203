"""The itinerary of a run: the tour as it was at the start, frozen, so that editing the tour changes no run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.layout import checked_layout
from camera_hub.patrol.runs.timetable import Dwells
from camera_hub.patrol.tours.presets import in_order, presets_of
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
class ItineraryPreset:
    """The PTZ preset at which a stop shows one of its cameras. `name`: as it was called when it was chosen."""

    camera_id: int
    token: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ItineraryStop:
    """One stop: a layout and the camera of each tile (None: empty). `presets`: of cameras that it shows, one each.
    `key`: each of its cameras is confirmed singly. `more`: how many cameras it shows beside the one that it is named
    after."""

    position: int
    dwell_s: int
    name: str
    note: str
    layout: str
    cameras: tuple[ItineraryCamera | None, ...]
    presets: tuple[ItineraryPreset, ...] = ()
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
    presets = await presets_of(session, TourStop.tour_id == tour_id)
    itinerary = []
    for place, (stop, camera, scene) in enumerate(stops):
        shown = [camera.id] if camera is not None else scene.cameras if scene is not None else stop.cameras or []
        points = tuple(
            ItineraryPreset(one.camera_id, one.token, one.name)
            for one in in_order(presets.get(stop.id, ()), shown)
            if one.shown
        )
        if scene is not None:
            tiles = tuple(named.get(number) if number is not None else None for number in scene.cameras)
            itinerary.append(
                ItineraryStop(place, stop.dwell_s, scene.name, stop.note, scene.layout, tiles, points, stop.key)
            )
        elif camera is not None:
            itinerary.append(
                ItineraryStop(place, stop.dwell_s, camera.name, stop.note, "1", (named[camera.id],), points, stop.key)
            )
        elif stop.layout is not None:
            tiles = tuple(named.get(number) if number is not None else None for number in stop.cameras or ())
            names = {id: one.name for id, one in named.items()}
            name, more = group_name(stop.title, stop.cameras or (), names)
            itinerary.append(
                ItineraryStop(place, stop.dwell_s, name, stop.note, stop.layout, tiles, points, stop.key, more)
            )
    return tuple(itinerary)


def to_rows(itinerary: Itinerary) -> list[dict[str, Any]]:
    """The itinerary as it is stored in the run's row."""
    return [_to_row(stop) for stop in itinerary]


def from_rows(rows: Sequence[Any]) -> Itinerary:
    """The itinerary as read from the run's row. Of a record that was tampered with, stops that cannot be read are there
    without a name, so that each other one keeps its place."""
    return tuple(_read(row) or ItineraryStop(number, 0, "", "", "1", ()) for number, row in enumerate(rows))


def is_itinerary(value: object) -> bool:
    """Whether each stop of it can be read."""
    return isinstance(value, Sequence) and all(_read(row) is not None for row in value)


def _read(row: Any) -> ItineraryStop | None:
    """A stop; None where it has another shape than the hub writes."""
    try:
        stop = _from_row(row)
        checked_layout(stop.layout)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    numbers = [stop.position, stop.more]
    texts = [stop.name, stop.note]
    for camera in stop.cameras:
        if camera is not None:
            numbers.append(camera.id)
            texts += (camera.name, camera.village)
    for preset in stop.presets:
        numbers.append(preset.camera_id)
        texts += (preset.token, preset.name)
    sound = all(type(one) is int and one >= 0 for one in numbers) and all(isinstance(one, str) for one in texts)
    timed = isinstance(stop.dwell_s, int | float) and stop.dwell_s >= 0
    return stop if sound and timed and isinstance(stop.key, bool) else None


def _to_row(stop: ItineraryStop) -> dict[str, Any]:
    row = asdict(stop) | {"cameras": [None if one is None else asdict(one) for one in stop.cameras]}
    row["presets"] = [asdict(one) for one in stop.presets]
    if not stop.presets:  # most have none, and so an older hub can read the run
        del row["presets"]
    return row


def _from_row(row: Mapping[str, Any]) -> ItineraryStop:
    cameras = tuple(None if one is None else ItineraryCamera(**one) for one in row["cameras"])
    presets = tuple(ItineraryPreset(**one) for one in row.get("presets", ()))
    # Runs from before a stop had a preset for each of its cameras: they may be sealed, so they stay as they are.
    if (token := row.get("preset")) is not None:
        presets = tuple(ItineraryPreset(one.id, token) for one in cameras if one is not None)
    rest = {key: value for key, value in row.items() if key != "preset"}
    return ItineraryStop(**{**rest, "cameras": cameras, "presets": presets})


def dwells(itinerary: Itinerary) -> Dwells:
    """Seconds per stop."""
    return tuple(float(stop.dwell_s) for stop in itinerary)


def usable(itinerary: Itinerary, dead: Mapping[int, str]) -> frozenset[int]:
    """Stops of which at least one camera can be shown."""
    return frozenset(stop.position for stop in itinerary if any(camera not in dead for camera in stop.ids))
