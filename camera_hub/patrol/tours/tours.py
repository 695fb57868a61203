"""Tours: ordered stops, each a camera or a scene with its dwell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, TourChanged
from camera_hub.patrol import township
from camera_hub.patrol.tours.scenes import require_cameras
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Run, Scene, Tour, TourStop


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop as it is asked for: exactly one of camera and scene."""

    camera_id: int | None
    scene_id: int | None
    dwell_s: int
    note: str
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop with the name of what it shows."""

    position: int
    camera_id: int | None
    scene_id: int | None
    name: str
    dwell_s: int
    note: str
    preset: str | None


@dataclass(frozen=True, slots=True)
class TourView:
    """A tour and its stops; `duration_s` is one lap."""

    id: int
    name: str
    note: str
    stops: tuple[StopView, ...]
    duration_s: int
    created_at: datetime
    last_run_at: datetime | None


class Tours:
    """The operations behind api/tours."""

    def __init__(self, settings: PatrolSettings, database: Database, bus: EventBus, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self._clock = clock

    async def list(self, actor: Actor) -> Sequence[TourView]:
        """All tours by name."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            return await _views(session, None)

    async def get(self, actor: Actor, tour_id: int) -> TourView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "tour")
        async with self._database.read() as session:
            return await _view(session, tour_id)

    async def create(self, actor: Actor, name: str, note: str, stops: Sequence[NewStop]) -> TourView:
        """Create a tour. Raises HubError(INVALID), which names the stop that is wrong."""
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = Tour(name=name, note=note, created_by=actor.user_id, created_at=self._clock.now())
            session.add(tour)
            await session.flush()
            await self._put_stops(session, tour.id, stops)
            view = await _view(session, tour.id)
        self._bus.publish(TourChanged(view.id))
        return view

    async def change(self, actor: Actor, tour_id: int, name: str, note: str, stops: Sequence[NewStop]) -> TourView:
        """Replace the whole tour. Active runs keep the plan that they started with."""
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = await tour_row(session, tour_id)
            tour.name, tour.note = name, note
            await session.execute(delete(TourStop).where(TourStop.tour_id == tour_id))
            await self._put_stops(session, tour_id, stops)
            view = await _view(session, tour_id)
        self._bus.publish(TourChanged(tour_id))
        return view

    async def remove(self, actor: Actor, tour_id: int) -> None:
        """Retire the tour; the records of its runs stay."""
        township.require(actor, "tour")
        async with self._database.write() as session:
            tour = await tour_row(session, tour_id)
            tour.retired_at = self._clock.now()
            # Delete its stops: they would block the removal of scenes and cameras for ever.
            await session.execute(delete(TourStop).where(TourStop.tour_id == tour_id))
        self._bus.publish(TourChanged(tour_id))

    async def _put_stops(self, session: AsyncSession, tour_id: int, stops: Sequence[NewStop]) -> None:
        if not 1 <= len(stops) <= self._settings.max_stops:
            raise HubError(
                Kind.INVALID, f"a tour has 1 to {self._settings.max_stops} stops, not {len(stops)}", reason="stop_count"
            )
        for number, stop in enumerate(stops, 1):
            if (stop.camera_id is None) == (stop.scene_id is None):
                raise HubError(
                    Kind.INVALID,
                    f"stop {number} must be either a camera or a scene",
                    reason="camera_or_scene",
                    stop=number,
                )
            if stop.preset is not None and stop.camera_id is None:
                raise HubError(
                    Kind.INVALID, f"stop {number} has a preset and no camera", reason="camera_or_scene", stop=number
                )
        await require_cameras(session, {stop.camera_id for stop in stops if stop.camera_id is not None})
        scenes = {stop.scene_id for stop in stops if stop.scene_id is not None}
        rows = await session.execute(select(Scene.id, Scene.name, Scene.carousels).where(Scene.id.in_(scenes)))
        found = {scene: (name, carousels) for scene, name, carousels in rows}
        if missing := sorted(scenes - set(found)):
            raise HubError(Kind.INVALID, f"there is no scene {missing[0]}", reason="no_such_scene", scenes=missing)
        if turning := [name for name, carousels in found.values() if carousels]:
            raise HubError(
                Kind.INVALID,
                f"tiles of these scenes turn through cameras: {', '.join(turning)}; a stop shows fixed cameras",
                reason="scene_turns",
                scenes=turning,
            )
        session.add_all(
            TourStop(
                tour_id=tour_id,
                position=position,
                camera_id=stop.camera_id,
                scene_id=stop.scene_id,
                dwell_s=stop.dwell_s,
                note=stop.note,
                preset=stop.preset,
            )
            for position, stop in enumerate(stops)
        )
        await session.flush()


async def tour_row(session: AsyncSession, tour_id: int) -> Tour:
    """The tour's row. Raises HubError(NOT_FOUND) when there is none or it is retired."""
    tour = await session.get(Tour, tour_id)
    if tour is None or tour.retired_at is not None:
        raise township.not_found("tour")
    return tour


async def _view(session: AsyncSession, tour_id: int) -> TourView:
    await tour_row(session, tour_id)
    return (await _views(session, tour_id))[0]


async def _views(session: AsyncSession, tour_id: int | None) -> list[TourView]:
    tours = select(Tour).where(Tour.retired_at.is_(None)).order_by(Tour.name, Tour.id)
    stops = (
        select(TourStop, Camera.name, Scene.name)
        .outerjoin(Camera, Camera.id == TourStop.camera_id)
        .outerjoin(Scene, Scene.id == TourStop.scene_id)
        .order_by(TourStop.tour_id, TourStop.position)
    )
    if tour_id is not None:
        tours, stops = tours.where(Tour.id == tour_id), stops.where(TourStop.tour_id == tour_id)
    by_tour: dict[int, list[StopView]] = {}
    for stop, camera, scene in await session.execute(stops):
        view = StopView(
            stop.position, stop.camera_id, stop.scene_id, camera or scene or "", stop.dwell_s, stop.note, stop.preset
        )
        by_tour.setdefault(stop.tour_id, []).append(view)
    last = {
        tour: at
        for tour, at in await session.execute(select(Run.tour_id, func.max(Run.started_at)).group_by(Run.tour_id))
    }
    return [
        TourView(
            tour.id,
            tour.name,
            tour.note,
            tuple(by_tour.get(tour.id, ())),
            sum(stop.dwell_s for stop in by_tour.get(tour.id, ())),
            tour.created_at,
            last.get(tour.id),
        )
        for tour in await session.scalars(tours)
    ]
