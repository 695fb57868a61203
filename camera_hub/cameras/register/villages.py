"""Villages and residential quarters in the township's official order."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor, require_village
from camera_hub.cameras.discovery import ranges as address_ranges
from camera_hub.cameras.register import views
from camera_hub.cameras.register.pinyin import pinyin_of
from camera_hub.cameras.register.views import VillageView
from camera_hub.cameras.register.village_positions import VillagePosition, put_on_map
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, MapChanged, VillageChanged
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, UserVillage, Village

LIMIT = 1000


class Villages:
    """Operations on villages. Each publishes VillageChanged after its commit."""

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def all(self, actor: Actor) -> list[VillageView]:
        """Villages in the actor's scope, in the official order."""
        async with self._database.read() as session:
            return await views.villages(session, in_scope(actor, Village.id))

    async def get(self, actor: Actor, village_id: int) -> VillageView:
        """One village. Raises HubError(NOT_FOUND)."""
        require_village(actor, village_id, "village")
        async with self._database.read() as session:
            return await _one(session, village_id)

    async def some(self, actor: Actor, ids: Collection[int]) -> list[VillageView]:
        """Those of these villages that exist and are in the actor's scope, read together."""
        async with self._database.read() as session:
            return await views.villages(session, in_scope(actor, Village.id) & Village.id.in_(ids))

    async def add(self, names: Sequence[str], kind: Literal["village", "quarter"]) -> None:
        """Add those that do not exist yet, after the others, in the given order."""
        added = []
        # Before the transaction, and in a thread: some milliseconds for each name.
        readings = await asyncio.to_thread(lambda: {name: pinyin_of(name) for name in dict.fromkeys(names)})
        async with self._database.write() as session:
            known = set(await session.scalars(select(Village.name)))
            position = (await session.scalar(select(func.max(Village.position)))) or 0
            new = [name for name in readings if name not in known]
            if len(known) + len(new) > LIMIT:
                raise HubError(Kind.INVALID, f"a hub can have at most {LIMIT} villages", reason="too_many")
            for number, name in enumerate(new, position + 1):
                full, initials = readings[name]
                village = Village(
                    name=name, kind=kind, position=number, pinyin=full[:256], initials=initials[:64], ranges=[]
                )
                village.created_at = self._clock.now()
                session.add(village)
                added.append(village)
            await session.flush()
        self._publish(one.id for one in added)

    async def change(
        self,
        village_id: int,
        *,
        name: str | None = None,
        kind: str | None = None,
        ranges: Sequence[str] | None = None,
        on_map: VillagePosition | None = None,
    ) -> VillageView:
        """Change what is given. Raises HubError: NOT_FOUND, CONFLICT (name_taken), INVALID (bad_range,
        MAP_GEOMETRY).
        """
        async with self._database.write() as session:
            village = await session.get(Village, village_id)
            if village is None:
                raise _unknown()
            if name is not None and name != village.name:
                if await session.scalar(select(Village.id).where(Village.name == name)) is not None:
                    raise HubError(Kind.CONFLICT, "another village has this name", reason="name_taken")
                village.name = name
                full, initials = pinyin_of(name)
                village.pinyin, village.initials = full[:256], initials[:64]
            if kind is not None:
                village.kind = kind
            if ranges is not None:
                village.ranges = [one.text for one in address_ranges.parsed(ranges)]
            moved = on_map is not None and put_on_map(village, on_map)
            await session.flush()
            view = await _one(session, village_id)
        self._bus.publish(VillageChanged(village_id))
        if moved:
            self._bus.publish(MapChanged(f"village:{village_id}", frozenset({village_id})))
        return view

    async def order(self, ids: Sequence[int]) -> None:
        """Set the official order; those not named follow in their old order. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            rows = {
                one.id: one for one in await session.scalars(select(Village).order_by(Village.position, Village.id))
            }
            if any(one not in rows for one in ids):
                raise _unknown()
            whole = dict.fromkeys([*ids, *rows])
            moved = []
            for position, village_id in enumerate(whole, 1):
                if rows[village_id].position != position:
                    rows[village_id].position = position
                    moved.append(village_id)
        self._publish(moved)

    async def remove(self, village_id: int) -> None:
        """Remove an empty village. Raises HubError: NOT_FOUND, CONFLICT (village_not_empty)."""
        not_empty = HubError(
            Kind.CONFLICT,
            "this village has devices, users, key places or a history; move or retire them, or rename the village",
            reason="village_not_empty",
        )
        try:
            async with self._database.write() as session:
                village = await session.get(Village, village_id)
                if village is None:
                    raise _unknown()
                for table in (Device, UserVillage):
                    if await session.scalar(select(table.id).where(table.village_id == village_id).limit(1)):
                        raise not_empty
                await session.delete(village)
        except IntegrityError as error:
            raise not_empty from error
        self._bus.publish(VillageChanged(village_id))

    def _publish(self, ids: Iterable[int]) -> None:
        for village_id in ids:
            self._bus.publish(VillageChanged(village_id))


async def _one(session: AsyncSession, village_id: int) -> VillageView:
    found = await views.villages(session, Village.id == village_id)
    if not found:
        raise _unknown()
    return found[0]


def _unknown() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no such village")
