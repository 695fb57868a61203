"""Stores the counts of login attempts in the database, so that they survive a restart."""

from sqlalchemy import delete, select

from camera_hub.cameras.credentials.login_budget import Kept
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, LoginAccount


class DatabaseLoginStore:
    """Implements login_budget.LoginStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[Kept]:
        async with self._database.read() as session:
            rows = await session.scalars(select(LoginAccount))
            return [
                Kept(row.device_id, row.credentials_version, row.failures, row.blocked_until, row.reason)
                for row in rows
            ]

    async def save(self, kept: list[Kept]) -> None:
        """Write these; one without failures, or of a device that is gone, is deleted."""
        numbers = [one.device_id for one in kept]
        async with self._database.write() as session:
            await session.execute(delete(LoginAccount).where(LoginAccount.device_id.in_(numbers)))
            there = set(await session.scalars(select(Device.id).where(Device.id.in_(numbers))))
            session.add_all(
                LoginAccount(
                    device_id=one.device_id,
                    credentials_version=one.version,
                    failures=dict(one.failures),
                    blocked_until=one.blocked_until,
                    reason=one.reason,
                )
                for one in kept
                if one.failures and one.device_id in there
            )
