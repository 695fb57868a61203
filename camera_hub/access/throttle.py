"""How often a sign-in may fail: per account and per address, stored in the database, so that it survives a restart.

An attempt is counted before its password is checked, and the count is taken back if it was right: a hundred attempts at
the same moment count as a hundred, not as one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import LoginFailure

ADDRESS_FACTOR = 3
"""A whole office may share one address: it is allowed more failures than one account."""


@dataclass(frozen=True, slots=True)
class Count:
    """Failures of one key since `first_at`."""

    failures: int
    first_at: datetime


def wait(count: Count | None, now: datetime, limit: int, window: timedelta) -> timedelta | None:
    """How long the key must wait before its next attempt; None: it may try now. Pure."""
    if count is None or count.failures < limit or not _inside(count, now, window):
        return None
    return window - (now - count.first_at)


def counted(count: Count | None, now: datetime, window: timedelta) -> Count:
    """The count after one more failure; after the window it starts again. Pure."""
    if count is None or not _inside(count, now, window):
        return Count(1, now)
    return Count(count.failures + 1, count.first_at)


def _inside(count: Count, now: datetime, window: timedelta) -> bool:
    """Whether the window is not over yet. A clock that was set back does not lengthen the wait."""
    return timedelta() <= now - count.first_at < window


class Throttle:
    """Counts attempts: `limit` failures within `minutes` per account, ADDRESS_FACTOR times that per address."""

    def __init__(self, database: Database, clock: Clock, limit: int, minutes: float) -> None:
        self._database = database
        self._clock = clock
        self._limit = limit
        self._window = timedelta(minutes=minutes)

    async def attempt(self, username: str, address: str) -> None:
        """Count an attempt. Raises HubError(BUSY, "too_many_failures") when either key must wait."""
        now = self._clock.now()
        limits = dict(zip(_keys(username, address), (self._limit, self._limit * ADDRESS_FACTOR), strict=True))
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.first_at <= now - self._window))
            counts = await self._counts(session, sorted(limits), now)
            waits = [wait(counts[key], now, limit, self._window) for key, limit in limits.items()]
            if longest := max((pause for pause in waits if pause is not None), default=None):
                minutes = math.ceil(longest.total_seconds() / 60)
                raise HubError(
                    Kind.BUSY,
                    f"too many failed sign-ins; try again in {minutes} min, or ask a township admin for a new password",
                    reason="too_many_failures",
                    minutes=minutes,
                )
            for key in limits:
                count = counted(counts[key], now, self._window)
                await session.execute(
                    update(LoginFailure)
                    .where(LoginFailure.key == key)
                    .values(failures=count.failures, first_at=count.first_at, last_at=now)
                )

    async def _counts(self, session: AsyncSession, keys: Sequence[str], now: datetime) -> dict[str, Count]:
        """The rows of the keys, created where missing and locked in a fixed order: simultaneous attempts queue up."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        for key in keys:
            fresh = insert(LoginFailure).values(key=key, failures=0, first_at=now, last_at=now)
            await session.execute(fresh.on_conflict_do_nothing())
        query = select(LoginFailure).where(LoginFailure.key.in_(keys)).order_by(LoginFailure.key).with_for_update()
        return {row.key: Count(row.failures, row.first_at) for row in await session.scalars(query)}

    async def succeeded(self, username: str, address: str) -> None:
        """Take the attempt back: the account has no failures left, the address has one less."""
        account, place = _keys(username, address)
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.key == account))
            await session.execute(
                update(LoginFailure)
                .where(LoginFailure.key == place, LoginFailure.failures > 0)
                .values(failures=LoginFailure.failures - 1)
            )

    async def clear(self, username: str) -> None:
        """Allow an account to try again at once (its password was reset)."""
        async with self._database.write() as session:
            await session.execute(delete(LoginFailure).where(LoginFailure.key == _keys(username, "")[0]))


def _keys(username: str, address: str) -> Sequence[str]:
    return f"user:{username.casefold()[:64]}", f"address:{address[:64]}"
