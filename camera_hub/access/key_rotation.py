"""A new key for the vault while the hub serves: appended to the ring, everything sealed anew in small batches, and the
old keys removed once nothing is sealed with them.

Killed between any two steps, everything still opens: the ring holds a key from before the first row is sealed with it
until after the last one is not. What was begun is then continued, not begun again. Only who holds the data folder's
lock (camera_hub.instance) and the database's (store.lock) may do this, so that two never do.

Backups of the database that are older than the rotation open with the old keys only: whoever keeps them keeps a copy
of the key file with each.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.sealed_columns import SealedColumn, sealed_columns
from camera_hub.access.vault import Vault
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database

BATCH = 200
"""Rows sealed anew in one transaction."""
SETTLE_SECONDS = 60.0
"""After the last row: transactions that have sealed with an old key may not be committed yet. None lasts that long."""


@dataclass(frozen=True, slots=True)
class VaultState:
    """`keys`: of the ring, one unless a rotation is unfinished. `sealed`: values in all; `old`: those that the newest
    key has not sealed."""

    keys: int
    sealed: int
    old: int


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one batch did: how many values are sealed anew, and how many no key of the ring opens; they stay as they
    are. `last`: no old value follows."""

    done: int
    locked: int
    last: bool


class KeyRotation:
    """The steps, in their order: `begin`, `reseal` until nothing is left, `finish`."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self.columns = sealed_columns()

    async def state(self) -> VaultState:
        """How many keys there are, and how much is still sealed with old ones."""
        sealed = old = 0
        async with self._database.read() as session:
            for one in self.columns:
                query = select(func.count()).select_from(one.table)
                sealed += await session.scalar(query.where(one.column.is_not(None))) or 0
                old += await self._old(session, one)
        return VaultState(self._vault.key_count, sealed, old)

    async def left(self) -> dict[str, int]:
        """How many values are sealed with old keys, by column."""
        async with self._database.read() as session:
            return {one.name: await self._old(session, one) for one in self.columns}

    async def begin(self) -> None:
        """Add a new key, unless an unfinished rotation has added one. Raises HubError(UNAVAILABLE, key_file)."""
        if self._vault.key_count > 1 and self._vault.newest_is_told_apart:
            return
        await asyncio.to_thread(self._vault.add_key)

    async def reseal(self, column: SealedColumn, skip: int = 0) -> Resealed:
        """Seal one batch of the column anew. `skip`: how many were found that cannot be opened."""
        done = locked = 0
        primary = list(column.table.primary_key.columns)
        async with self._database.write() as session:
            await self._database.overwrite_deleted(session)
            rows = (
                await session.execute(
                    select(*primary, column.column, column.subject)
                    .where(column.not_of(self._vault.newest_id))
                    .order_by(*primary)
                    .offset(skip)
                    .limit(BATCH)
                )
            ).all()
            for row in rows:
                sealed, subject = row[len(primary)], row[len(primary) + 1]
                anew = self._anew(column, sealed, subject)
                if anew is None:
                    locked += 1
                    continue
                same = [one == value for one, value in zip(primary, row, strict=False)]
                # Somebody may have stored another value meanwhile; then that one counts.
                before = column.column == sealed
                await session.execute(update(column.table).where(*same, before).values({column.column.name: anew}))
                done += 1
        return Resealed(done, locked, len(rows) < BATCH)

    async def finish(self, locked: int = 0, settle: float = SETTLE_SECONDS) -> None:
        """Remove the old keys from the ring, once nothing but `locked` values is left that they may have sealed.

        Raises HubError: CONFLICT (rotation_unfinished) when something is, UNAVAILABLE (key_file).
        """
        for pause in (0.0, settle):
            if pause:
                await self._clock.sleep(pause)
            if (left := sum((await self.left()).values())) > locked:
                raise HubError(
                    Kind.CONFLICT,
                    f"{left} values are still sealed with an old key; start the change of the key again to finish it",
                    reason="rotation_unfinished",
                    left=left,
                )
        await self._database.checkpoint()
        await asyncio.to_thread(self._vault.drop_old_keys)

    def _anew(self, column: SealedColumn, sealed: bytes, subject: object) -> bytes | None:
        owner = column.owner(subject)
        try:
            return self._vault.seal(self._vault.open(sealed, owner), owner)
        except HubError:
            return None

    async def _old(self, session: AsyncSession, column: SealedColumn) -> int:
        where = column.not_of(self._vault.newest_id)
        return await session.scalar(select(func.count()).select_from(column.table).where(where)) or 0
