"""Which camera is in which tile of a screen now, and why a tile has none: read together for any number of screens."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.patrol.runs.itinerary import Itineraries, Itinerary
from camera_hub.patrol.runs.views import SkippedCamera
from camera_hub.patrol.screens.contents import (
    CamerasContent,
    Content,
    OnScreen,
    RunContent,
    SceneContent,
    carousels_of,
    without,
)
from camera_hub.patrol.tours.carousels import MOST_CAMERAS, Carousel
from camera_hub.store.tables import Camera, Scene, Village

Group = tuple[str, str | int]
"""("place_class", its code) or ("village", its id)."""

Carousels = Sequence[tuple[int, Carousel]]


class RunNow(Protocol):
    """A run as it is at `now`; its itinerary is read beside it."""

    @property
    def id(self) -> int: ...
    @property
    def tour_name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def time_left_s(self) -> float: ...
    @property
    def now(self) -> datetime: ...
    @property
    def dead(self) -> Sequence[SkippedCamera]: ...


class RunsNow(Protocol):
    """What screens need of runs (patrol.runs)."""

    async def some(self, run_ids: Collection[int]) -> Sequence[RunNow]:
        """Those of the given runs that exist."""
        ...


@dataclass(frozen=True, slots=True)
class ScreenCamera:
    """A camera in a tile. `state` is that of its row: one that is retired stays in its tile, with its word.
    `picture_at`: when its stored picture was taken; `fault`: what the rounds know to be wrong with it."""

    id: int
    name: str
    village: str
    state: str
    picture_at: datetime | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class ScreenRun:
    """The run that a screen shows, at `now`. `dead`: cameras of the present stop that are skipped, and why."""

    id: int
    tour_name: str
    state: str
    position: int
    stop_count: int
    stop_name: str
    stop_more: int
    time_left_s: float
    now: datetime
    dead: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenCarousel:
    """A tile that turns through cameras, each for so many seconds."""

    tile: int
    seconds: int
    cameras: tuple[ScreenCamera, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A layout and the camera of each tile. `name` is that of the scene or of the run's tour, "" for single cameras.
    `magnify_s`: seconds that each small tile is shown large in turn; None: not."""

    layout: str
    tiles: tuple[ScreenCamera | None, ...]
    name: str = ""
    run: ScreenRun | None = None
    carousels: tuple[ScreenCarousel, ...] = ()
    magnify_s: int | None = None


@dataclass(frozen=True, slots=True)
class ScreenSources:
    """The rows that contents refer to. A run that has ended and a scene that is gone are not among them. `groups`: the
    cameras of the place classes and villages that carousels turn through."""

    scenes: Mapping[int, Scene]
    runs: Mapping[int, RunNow]
    itineraries: Mapping[int, Itinerary]
    cameras: Mapping[int, ScreenCamera]
    groups: Mapping[Group, tuple[int, ...]]

    def is_over(self, content: Content) -> bool:
        """Whether there is nothing left to be shown of it."""
        match content:
            case SceneContent(scene_id):
                return scene_id not in self.scenes
            case RunContent(run_id):
                return run_id not in self.runs
            case _:
                return False

    def name(self, content: Content) -> str:
        """The scene's name, or that of the run's tour."""
        match content:
            case SceneContent(scene_id) if scene_id in self.scenes:
                return self.scenes[scene_id].name
            case RunContent(run_id) if run_id in self.runs:
                return self.runs[run_id].tour_name
            case _:
                return ""

    def picture(self, content: Content, own_layout: str, own_tiles: int) -> Picture:
        """What the content looks like now; nothing, in the screen's own layout, when it is over."""
        match content:
            case SceneContent(scene_id) if (scene := self.scenes.get(scene_id)) is not None:
                turning = self._turning(self.carousels(content))
                tiles = self._tiles(scene.cameras)
                return Picture(scene.layout, tiles, scene.name, carousels=turning, magnify_s=scene.magnify_s)
            case CamerasContent(layout, cameras, carousels, magnify_s):
                turning = self._turning(carousels)
                return Picture(layout, self._tiles(cameras), carousels=turning, magnify_s=magnify_s)
            case RunContent(run_id) if run_id in self.runs:
                return self._of_run(self.runs[run_id], self.itineraries[run_id])
            case _:
                return Picture(own_layout, (None,) * own_tiles)

    def carousels(self, content: Content) -> tuple[tuple[int, Carousel], ...]:
        """The content's own carousels, or its scene's."""
        match content:
            case SceneContent(scene_id) if (scene := self.scenes.get(scene_id)) is not None:
                return carousels_of(scene.carousels)
            case CamerasContent():
                return content.carousels
            case _:
                return ()

    def allowed(self, content: Content) -> frozenset[int]:
        """Every camera that the content may show, now or at another stop of its run."""
        match content:
            case SceneContent(scene_id) if (scene := self.scenes.get(scene_id)) is not None:
                cameras: Iterable[int | None] = [*scene.cameras, *self._members(self.carousels(content))]
            case CamerasContent(cameras=pinned, carousels=carousels):
                cameras = [*pinned, *self._members(carousels)]
            case RunContent(run_id) if run_id in self.runs:
                cameras = [camera for stop in self.itineraries[run_id] for camera in stop.ids]
            case _:
                cameras = ()
        return frozenset(camera for camera in cameras if camera is not None)

    def _of_run(self, run: RunNow, itinerary: Itinerary) -> Picture:
        stop = itinerary[min(run.position, len(itinerary) - 1)]
        tiles = tuple(
            None if one is None else self.cameras.get(one.id, ScreenCamera(one.id, one.name, one.village, "retired"))
            for one in stop.cameras
        )
        dead = {skipped.id: skipped.reason for skipped in run.dead}
        now = ScreenRun(
            run.id,
            run.tour_name,
            run.state,
            stop.position,
            len(itinerary),
            stop.name,
            stop.more,
            run.time_left_s,
            run.now,
            dead,
        )
        return Picture(stop.layout, tiles, run.tour_name, now)

    def _members(self, carousels: Carousels) -> Iterable[int]:
        return (camera for _, carousel in carousels for camera in self._of(carousel))

    def _of(self, carousel: Carousel) -> tuple[int, ...]:
        if (group := group_of(carousel)) is not None:
            return self.groups.get(group, ())
        return carousel.cameras

    def _turning(self, carousels: Carousels) -> tuple[ScreenCarousel, ...]:
        return tuple(
            ScreenCarousel(
                tile, carousel.seconds, tuple(self.cameras[n] for n in self._of(carousel) if n in self.cameras)
            )
            for tile, carousel in carousels
        )

    def _tiles(self, cameras: Iterable[int | None]) -> tuple[ScreenCamera | None, ...]:
        return tuple(None if camera is None else self.cameras.get(camera) for camera in cameras)


async def read_sources(
    session: AsyncSession, shown: Collection[OnScreen], runs: RunsNow, itineraries: Itineraries
) -> ScreenSources:
    """What these contents, and those before them, refer to: three statements, and the runs."""
    contents = [content for one in shown for content in (one.content, *one.past)]
    wanted = {content.scene_id for content in contents if isinstance(content, SceneContent)}
    scenes = {row.id: row for row in await session.scalars(select(Scene).where(Scene.id.in_(wanted)))} if wanted else {}
    asked = {content.run_id for content in contents if isinstance(content, RunContent)}
    active = {view.id: view for view in await runs.some(asked) if view.state != "ended"} if asked else {}
    stops = {run_id: await itineraries.of(session, run_id) for run_id in active}
    cameras = {camera for scene in scenes.values() for camera in scene.cameras}
    cameras |= {camera for one in contents if isinstance(one, CamerasContent) for camera in one.cameras}
    cameras |= {camera for itinerary in stops.values() for stop in itinerary for camera in stop.ids}
    carousels = _carousels(contents, scenes)
    grouped = {group for carousel in carousels if (group := group_of(carousel)) is not None}
    groups = {group: await _group(session, group) for group in grouped}
    cameras |= {camera for carousel in carousels for camera in carousel.cameras}
    cameras |= {camera for members in groups.values() for camera in members}
    return ScreenSources(scenes, active, stops, await _cameras(session, cameras - {None}), groups)


def group_of(carousel: Carousel) -> Group | None:
    """The place class or village whose cameras it turns through; None: it lists its own."""
    if carousel.place_class is not None:
        return ("place_class", carousel.place_class)
    return None if carousel.village_id is None else ("village", carousel.village_id)


def _carousels(contents: Iterable[Content], scenes: Mapping[int, Scene]) -> list[Carousel]:
    of_contents = [one for content in contents if isinstance(content, CamerasContent) for _, one in content.carousels]
    return of_contents + [one for scene in scenes.values() for _, one in carousels_of(scene.carousels)]


async def _group(session: AsyncSession, group: Group) -> tuple[int, ...]:
    """The cameras in service of a place class or village, in the official order."""
    kind, value = group
    of = Camera.place_class == value if kind == "place_class" else Camera.village_id == value
    query = select(Camera.id).join(Village, Village.id == Camera.village_id).where(of, Camera.state == "approved")
    order = (Village.position, Village.id, Camera.position, Camera.id)
    return tuple(await session.scalars(query.order_by(*order).limit(MOST_CAMERAS)))


def present(shown: OnScreen, sources: ScreenSources) -> OnScreen:
    """Without what is over: what the screen really shows, whether its row has been brought up to date or not."""
    return shown if not sources.is_over(shown.content) else without(shown, sources.is_over)


async def _cameras(session: AsyncSession, wanted: Collection[int | None]) -> dict[int, ScreenCamera]:
    if not wanted:
        return {}
    rows = await session.execute(
        select(Camera.id, Camera.name, Village.name, Camera.state, Camera.picture_at, Camera.health, Camera.cause)
        .join(Village, Village.id == Camera.village_id)
        .where(Camera.id.in_(wanted))
    )
    return {row[0]: ScreenCamera(*row[:5], fault=row.cause if row.health == "fault" else None) for row in rows}
