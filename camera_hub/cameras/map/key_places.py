"""Key places: points, lines and areas that cameras should cover."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.ledger.coordinates import Position
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.placement import PlacementWarning, placed
from camera_hub.cameras.map.shapes import PlaceKind, checked_shape, geometry_error
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, MapChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import KeyPlace, Village

MAX_PLACES = 2000
_MAY_BE_NONE = frozenset({"village_id", "reach_m"})


@dataclass(frozen=True, slots=True)
class KeyPlaceView:
    """A key place; `village_id` None: the whole township's. `geometry`: WGS-84, areas are not closed. `reach_m`: how
    near a camera must be to count for it, None: as far as it reaches."""

    id: int
    village_id: int | None
    name: str
    place_class: str
    kind: PlaceKind
    geometry: tuple[Position, ...]
    reach_m: float | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class KeyPlaceDraft:
    """A key place as somebody draws it."""

    village_id: int | None
    name: str
    place_class: str
    kind: PlaceKind
    geometry: Sequence[tuple[float, float]]
    reach_m: float | None


class KeyPlaces:
    """Operations on key places, by township staff. Each publishes MapChanged after its commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock, extents: Extents) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._extents = extents

    async def some(self, ids: Collection[int]) -> list[KeyPlaceView]:
        """Those of these places that there are, whosever they are."""
        async with self._database.read() as session:
            return await read_places(session, KeyPlace.id.in_(list(ids)))

    async def get(self, place_id: int) -> KeyPlaceView:
        """One place. Raises HubError(NOT_FOUND)."""
        found = await self.some([place_id])
        if not found:
            raise _unknown("place")
        return found[0]

    async def add(self, actor: Actor, draft: KeyPlaceDraft) -> tuple[KeyPlaceView, PlacementWarning | None]:
        """Add a place. Returns it, and what is to be said of where it lies.

        Raises HubError: NOT_FOUND (its village), INVALID (MAP_GEOMETRY, MAP_POSITION), CONFLICT (MAP_TOO_MANY_PLACES).
        """
        now = self._clock.now()
        async with self._database.write() as session:
            if (await session.scalar(select(func.count()).select_from(KeyPlace)) or 0) >= MAX_PLACES:
                raise HubError(
                    Kind.CONFLICT,
                    f"a map can have {MAX_PLACES} key places; delete some first",
                    reason=Reason.MAP_TOO_MANY_PLACES,
                    max=MAX_PLACES,
                )
            row = KeyPlace(created_at=now)
            warning = await self._put(session, actor, row, draft, now)
            session.add(row)
            await session.flush()
        self._bus.publish(MapChanged(f"place:{row.id}", frozenset({row.village_id})))
        return _view(row), warning

    async def change(
        self, actor: Actor, place_id: int, changes: Mapping[str, Any]
    ) -> tuple[KeyPlaceView, PlacementWarning | None]:
        """Change these fields of a place (see KeyPlaceDraft); None clears village and reach. Raises as `add`."""
        given = {name: value for name, value in changes.items() if value is not None or name in _MAY_BE_NONE}
        async with self._database.write() as session:
            row = await session.get(KeyPlace, place_id)
            if row is None:
                raise _unknown("place")
            if given.get("kind", row.kind) != row.kind and "geometry" not in given:
                raise geometry_error("points", "a place of another kind needs its geometry")
            before = row.village_id
            draft = replace(_draft(row), **given)
            warning = await self._put(session, actor, row, draft, self._clock.now())
        self._bus.publish(MapChanged(f"place:{place_id}", frozenset({before, row.village_id})))
        return _view(row), warning

    async def remove(self, place_id: int) -> None:
        """Remove a place for good. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            row = await session.get(KeyPlace, place_id)
            if row is None:
                raise _unknown("place")
            await session.delete(row)
        self._bus.publish(MapChanged(f"place:{place_id}", frozenset({row.village_id})))

    async def _put(
        self, session: AsyncSession, actor: Actor, row: KeyPlace, draft: KeyPlaceDraft, now: datetime
    ) -> PlacementWarning | None:
        points = checked_shape(draft.kind, draft.geometry)
        outline = None
        if draft.village_id is not None:
            village = await session.get(Village, draft.village_id)
            if village is None:
                raise _unknown("village")
            if draft.kind == "point" and village.outline:
                outline = [(one[0], one[1]) for one in village.outline]
        extent = await self._extents.read(session)
        warnings = [one for point in points if (one := placed(point, extent, outline)) is not None]
        row.village_id, row.name, row.place_class = draft.village_id, draft.name, draft.place_class
        row.kind, row.geometry, row.reach_m = draft.kind, [list(one) for one in points], draft.reach_m
        row.changed_at, row.changed_by = now, (actor.display_name or actor.username)[:64]
        return max(warnings, key=lambda one: one.distance_m, default=None)


async def read_places(session: AsyncSession, where: ColumnElement[bool]) -> list[KeyPlaceView]:
    """Key places in the order of their ids: one query."""
    return [_view(one) for one in await session.scalars(select(KeyPlace).where(where).order_by(KeyPlace.id))]


def places_in_scope(actor: Actor) -> ColumnElement[bool]:
    """The condition of places that the actor may see: of their villages, and the whole township's."""
    return or_(KeyPlace.village_id.is_(None), in_scope(actor, KeyPlace.village_id))


def _draft(row: KeyPlace) -> KeyPlaceDraft:
    view = _view(row)
    return KeyPlaceDraft(view.village_id, view.name, view.place_class, view.kind, view.geometry, view.reach_m)


def _view(row: KeyPlace) -> KeyPlaceView:
    return KeyPlaceView(
        row.id,
        row.village_id,
        row.name,
        row.place_class,
        row.kind,
        tuple(Position(one[0], one[1]) for one in row.geometry),
        row.reach_m,
        row.changed_at,
        row.changed_by,
    )


def _unknown(what: str) -> HubError:
    return HubError(Kind.NOT_FOUND, f"there is no such {what}")
