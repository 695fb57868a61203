"""Stores the counts of login attempts in the database, so that they survive a restart."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import delete, select

from camera_hub.cameras.credentials.login_memory import Kept, LoginKey
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, LoginAccount

_BATCH = 500
T = TypeVar("T")


class DatabaseLoginStore:
    """Implements login_writer.LoginStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[Kept]:
        """All rows."""
        async with self._database.read() as session:
            return [_kept(row) for row in await session.scalars(select(LoginAccount))]

    async def save(self, kept: Sequence[Kept], gone: Sequence[str]) -> None:
        """Write these in one transaction, and delete those of the names in `gone`; a deleted device is no error."""
        numbers = sorted({one.key.device_id for one in kept if one.key.device_id is not None})
        async with self._database.write() as session:
            for names in _batches([*gone, *(one.name for one in kept)]):
                await session.execute(delete(LoginAccount).where(LoginAccount.name.in_(names)))
            there: set[int] = set()
            for some in _batches(numbers):
                there |= set(await session.scalars(select(Device.id).where(Device.id.in_(some))))
            session.add_all(_row(one, there) for one in kept)


def _kept(row: LoginAccount) -> Kept:
    return Kept(
        row.name,
        LoginKey(row.address, row.port, row.login, row.credentials_version, row.device_id),
        row.failures,
        tuple((datetime.fromtimestamp(at, UTC), service) for at, service in row.refused_at),
        row.blocked_until,
        row.reason,
        frozenset(row.proved),
        row.under_way,
    )


def _row(kept: Kept, devices: set[int]) -> LoginAccount:
    key = kept.key
    refused_at: list[list[Any]] = [[at.timestamp(), service] for at, service in kept.refused_at]
    return LoginAccount(
        name=kept.name,
        address=key.address,
        port=key.port,
        device_id=key.device_id if key.device_id in devices else None,
        credentials_version=key.version,
        login=key.login,
        failures=dict(kept.failures),
        refused_at=refused_at,
        proved=sorted(kept.proved),
        under_way=dict(kept.under_way),
        blocked_until=kept.blocked_until,
        reason=kept.reason,
    )


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
