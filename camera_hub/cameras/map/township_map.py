"""The map without its cameras: base picture, extent, villages, key places."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.ledger.coordinates import Position
from camera_hub.cameras.map.base_picture import BaseView, read_base
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.key_places import KeyPlaceView, places_in_scope, read_places
from camera_hub.cameras.map.placement import Extent, box_of, with_room
from camera_hub.settings import MapSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Village


@dataclass(frozen=True, slots=True)
class VillageOnMap:
    """A village: where its name stands, and its outline; None: not known."""

    id: int
    name: str
    longitude: float | None
    latitude: float | None
    outline: tuple[Position, ...] | None


@dataclass(frozen=True, slots=True)
class MapView:
    """What a page needs to draw the map. `bounds`: south-west and north-east corner of what there is to see, None where
    nothing has a position; `reach_m`, `angle_deg`: what counts for cameras whose own are not known."""

    base: BaseView | None
    bounds: tuple[Position, Position] | None
    villages: tuple[VillageOnMap, ...]
    places: tuple[KeyPlaceView, ...]
    reach_m: float
    angle_deg: float


class TownshipMap:
    """Reads it."""

    def __init__(self, database: Database, extents: Extents, settings: MapSettings) -> None:
        self._database = database
        self._extents = extents
        self._settings = settings

    async def view(self, actor: Actor) -> MapView:
        """The map as the actor may see it: their villages and places, those of the whole township, the base picture."""
        async with self._database.read() as session:
            base = await read_base(session)
            villages = await _villages(session, in_scope(actor, Village.id))
            places = await read_places(session, places_in_scope(actor))
            extent = await self._extents.read(session, actor)
        bounds = _bounds(extent, villages, places, base)
        found = MapView(base, bounds, tuple(villages), tuple(places), self._settings.reach_m, self._settings.angle_deg)
        return found

    async def villages(self, ids: Collection[int]) -> list[VillageOnMap]:
        """Those of these villages that there are."""
        async with self._database.read() as session:
            return await _villages(session, Village.id.in_(list(ids)))


async def _villages(session: AsyncSession, where: ColumnElement[bool]) -> list[VillageOnMap]:
    rows = await session.scalars(select(Village).where(where).order_by(Village.position, Village.id))
    return [
        VillageOnMap(
            one.id,
            one.name,
            one.longitude,
            one.latitude,
            tuple(Position(corner[0], corner[1]) for corner in one.outline) if one.outline else None,
        )
        for one in rows
    ]


def _bounds(
    extent: Extent | None, villages: Sequence[VillageOnMap], places: Sequence[KeyPlaceView], base: BaseView | None
) -> tuple[Position, Position] | None:
    if extent is not None:
        return with_room(extent).corners
    points = [corner for one in villages for corner in one.outline or ()]
    points += [
        Position(one.longitude, one.latitude)
        for one in villages
        if one.longitude is not None and one.latitude is not None
    ]
    points += [point for one in places for point in one.geometry]
    points += base.corners if base is not None else ()
    around = box_of(points)
    return with_room(around).corners if around is not None else None
