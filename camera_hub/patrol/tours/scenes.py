"""Scenes: a layout and the cameras in its tiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, TourChanged
from camera_hub.patrol import township
from camera_hub.patrol.layout import tile_count
from camera_hub.patrol.tours import carousels
from camera_hub.patrol.tours.carousels import Carousel
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Scene, Tour, TourStop


@dataclass(frozen=True, slots=True)
class NewScene:
    """A scene as a user gives it. `carousels`: by the index of their tiles. `magnify_s`: seconds that each small tile
    is shown large in turn; None: not."""

    name: str
    layout: str
    cameras: Sequence[int | None]
    carousels: Mapping[int, Carousel] = field(default_factory=dict)
    magnify_s: int | None = None


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

    async def create(self, actor: Actor, new: NewScene) -> Scene:
        """Create a scene. Raises HubError(INVALID) when it has no camera or more cameras than tiles."""
        township.require(actor, "scene")
        async with self._database.write() as session:
            scene = Scene(owner_id=actor.user_id, created_at=self._clock.now())
            await _fill(session, scene, new)
            session.add(scene)
            await session.flush()
        self._bus.publish(TourChanged(NO_TOUR))
        return scene

    async def change(self, actor: Actor, scene_id: int, new: NewScene) -> Scene:
        """Replace the whole scene. Active runs keep the scene that they started with. Raises HubError(CONFLICT) when it
        would turn through cameras while tours show it."""
        township.require(actor, "scene")
        async with self._database.write() as session:
            scene = await _scene(session, scene_id)
            tours = await _tours(session, scene_id)
            if new.carousels and tours:
                names = ", ".join(tours.values())
                raise HubError(
                    Kind.CONFLICT,
                    f"tours show this scene: {names}; a stop shows fixed cameras, so take it out of them first",
                    reason="scene_in_use",
                    tours=list(tours.values()),
                )
            await _fill(session, scene, new)
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


async def _fill(session: AsyncSession, scene: Scene, new: NewScene) -> None:
    """Put what is wanted into the row; tiles that are not given are empty, and so is a carousel's own."""
    count = tile_count(new.layout)
    if len(new.cameras) > count:
        raise HubError(Kind.INVALID, f"this layout has {count} tiles, not {len(new.cameras)}", reason="too_many_tiles")
    tiles = [*new.cameras, *[None] * (count - len(new.cameras))]
    listed = await carousels.checked(session, new.carousels, count)
    for turning in new.carousels:
        tiles[turning] = None
    wanted = {camera for camera in tiles if camera is not None} | listed
    if not wanted and not new.carousels:
        raise HubError(Kind.INVALID, "a scene shows at least one camera", reason="scene_empty")
    await require_cameras(session, wanted)
    scene.name, scene.layout, scene.cameras = new.name, new.layout, tiles
    scene.carousels = {str(tile): carousel.to_row() for tile, carousel in new.carousels.items()}
    scene.magnify_s = new.magnify_s


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
