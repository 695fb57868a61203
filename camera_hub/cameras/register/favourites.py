"""A user's favourite cameras."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, FavouriteChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Favourite

LIMIT = 1000


class Favourites:
    """Operations on one user's favourites."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def all(self, actor: Actor) -> list[int]:
        """Ids of the favourites that are not retired and in the actor's scope, oldest first."""
        kept = (
            select(Favourite.camera_id)
            .join(Camera, Camera.id == Favourite.camera_id)
            .where(Favourite.user_id == actor.user_id, Camera.state != "retired", in_scope(actor, Camera.village_id))
            .order_by(Favourite.created_at, Favourite.camera_id)
        )
        async with self._database.read() as session:
            return list(await session.scalars(kept))

    async def holders(self, camera_ids: Collection[int]) -> dict[int, set[int]]:
        """For each of these cameras the users who have it as a favourite: one query for the pages of all users."""
        found = defaultdict[int, set[int]](set)
        kept = select(Favourite.camera_id, Favourite.user_id).where(Favourite.camera_id.in_(camera_ids))
        async with self._database.read() as session:
            for camera_id, user_id in await session.execute(kept):
                found[camera_id].add(user_id)
        return found

    async def add(self, actor: Actor, camera_id: int) -> None:
        """Add the camera; adding it twice is not an error. Raises HubError: NOT_FOUND, INVALID (too_many)."""
        async with self._database.write() as session:
            camera = await session.get(Camera, camera_id)
            if camera is None:
                raise HubError(Kind.NOT_FOUND, "there is no such camera")
            require_village(actor, camera.village_id, "camera")
            mine = set(await session.scalars(select(Favourite.camera_id).where(Favourite.user_id == actor.user_id)))
            if len(mine) >= LIMIT:
                raise HubError(Kind.INVALID, f"there are {LIMIT} favourites already; remove some", reason="too_many")
            if camera_id not in mine:
                session.add(Favourite(user_id=actor.user_id, camera_id=camera_id, created_at=self._clock.now()))
        self._bus.publish(FavouriteChanged(actor.user_id, camera_id))

    async def remove(self, actor: Actor, camera_id: int) -> None:
        """Remove the camera; one that is not a favourite is not an error."""
        async with self._database.write() as session:
            kept = await session.get(Favourite, (actor.user_id, camera_id))
            if kept is not None:
                await session.delete(kept)
        if kept is not None:
            self._bus.publish(FavouriteChanged(actor.user_id, camera_id))
