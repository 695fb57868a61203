"""Scenes: a layout and the cameras in its tiles."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, TourChanged
from camera_hub.patrol import township
from camera_hub.patrol.layout import tile_count
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Scene, Tour, TourStop

NO_TOUR = 0
"""The tour id in the TourChanged of a scene that is in no tour: pages read their lists of scenes again."""


class Scenes:
    """The operations behind api/scenes."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def list(self, actor: Actor) -> Sequence[Scene]:
        """All scenes by name."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            return (await session.scalars(select(Scene).order_by(Scene.name, Scene.id))).all()

    async def create(self, actor: Actor, name: str, layout: str, cameras: Sequence[int | None]) -> Scene:
        """Create a scene. Raises HubError(INVALID) when it has no camera or more cameras than tiles."""
        township.require(actor, "scene")
        async with self._database.write() as session:
            tiles = await _tiles(session, layout, cameras)
            scene = Scene(name=name, layout=layout, cameras=tiles, owner_id=actor.user_id, created_at=self._clock.now())
            session.add(scene)
            await session.flush()
        self._bus.publish(TourChanged(NO_TOUR))
        return scene

    async def change(self, actor: Actor, scene_id: int, name: str, layout: str, cameras: Sequence[int | None]) -> Scene:
        """Replace the whole scene. Active runs keep the scene that they started with."""
        township.require(actor, "scene")
        async with self._database.write() as session:
            scene = await _scene(session, scene_id)
            scene.cameras = await _tiles(session, layout, cameras)
            scene.name, scene.layout = name, layout
            tours = await _tours(session, scene_id)
        for tour_id in tours or [NO_TOUR]:
            self._bus.publish(TourChanged(tour_id))
        return scene

    async def remove(self, actor: Actor, scene_id: int) -> None:
        """Delete the scene. Raises HubError(CONFLICT) naming the tours that still show it."""
        township.require(actor, "scene")
        async with self._database.write() as session:
            await _scene(session, scene_id)
            if tours := await _tours(session, scene_id):
                names = ", ".join(tours.values())
                raise HubError(
                    Kind.CONFLICT,
                    f"tours still show this scene: {names}; take it out of them first",
                    reason="scene_in_use",
                    tours=list(tours.values()),
                )
            await session.execute(delete(Scene).where(Scene.id == scene_id))
        self._bus.publish(TourChanged(NO_TOUR))


async def _scene(session: AsyncSession, scene_id: int) -> Scene:
    scene = await session.get(Scene, scene_id)
    if scene is None:
        raise township.not_found("scene")
    return scene


async def _tours(session: AsyncSession, scene_id: int) -> dict[int, str]:
    query = select(Tour.id, Tour.name).join(TourStop).where(TourStop.scene_id == scene_id).distinct()
    return {tour: name for tour, name in await session.execute(query.order_by(Tour.id))}


async def _tiles(session: AsyncSession, layout: str, cameras: Sequence[int | None]) -> list[int | None]:
    """The tiles, padded with empty ones to the number of the layout."""
    count = tile_count(layout)
    if len(cameras) > count:
        raise HubError(Kind.INVALID, f"this layout has {count} tiles, not {len(cameras)}", reason="too_many_tiles")
    wanted = {camera for camera in cameras if camera is not None}
    if not wanted:
        raise HubError(Kind.INVALID, "a scene shows at least one camera", reason="scene_empty")
    await require_cameras(session, wanted)
    return [*cameras, *[None] * (count - len(cameras))]


async def require_cameras(session: AsyncSession, wanted: set[int]) -> None:
    """Raise HubError(INVALID) that names the cameras which do not exist or are retired."""
    found = await session.scalars(select(Camera.id).where(Camera.id.in_(wanted), Camera.state != "retired"))
    if missing := sorted(wanted - set(found)):
        raise HubError(
            Kind.INVALID,
            f"these cameras do not exist or are retired: {', '.join(map(str, missing))}",
            reason="no_such_camera",
            cameras=missing,
        )
