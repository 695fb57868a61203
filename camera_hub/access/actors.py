"""Users as actors: a user's role and villages as stored, evaluated at one moment."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from camera_hub.access.policy import Actor, Role, VillageGrant, next_change, villages_at
from camera_hub.store.tables import Screen, User, UserVillage


@dataclass(frozen=True, slots=True)
class ActorReading:
    """An actor, and until when it is valid (a grant begins or ends then); None: until somebody changes it."""

    actor: Actor
    holds_until: datetime | None


async def read_actor(session: AsyncSession, user_id: int, now: datetime) -> ActorReading | None:
    """The user as an actor at that time; None when there is no such user or it is disabled. A negative id is a
    screen's."""
    if user_id < 0:
        screen = await session.get(Screen, -user_id)
        return None if screen is None or screen.token_hash is None else ActorReading(screen_actor(screen), None)
    user = await session.get(User, user_id)
    if user is None or user.disabled:
        return None
    grants = None if user.all_villages else (await grants_of(session, [user.id]))[user.id]
    villages = None if grants is None else villages_at(grants, now)
    actor = Actor(user.id, user.username, user.display_name, Role(user.role), villages)
    return ActorReading(actor, next_change(grants or (), now))


def screen_actor(screen: Screen) -> Actor:
    """A screen as an actor."""
    return Actor(-screen.id, f"screen {screen.id}", screen.name, Role.SCREEN)


async def grants_of(session: AsyncSession, user_ids: Iterable[int]) -> dict[int, tuple[VillageGrant, ...]]:
    """The grants of these users, expired ones included, in the order in which they were given."""
    found: dict[int, list[VillageGrant]] = defaultdict(list)
    rows = await session.scalars(
        select(UserVillage).where(UserVillage.user_id.in_(list(user_ids))).order_by(UserVillage.id)
    )
    for row in rows:
        found[row.user_id].append(VillageGrant(row.village_id, row.valid_from, row.valid_until))
    return defaultdict(tuple, {user_id: tuple(grants) for user_id, grants in found.items()})


def in_scope(
    actor: Actor, village: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
) -> ColumnElement[bool]:
    """The condition of every query over rows of villages; `village` is the column with the village's id."""
    return true() if actor.villages is None else village.in_(sorted(actor.villages))
