"""How headers were mapped before: kept by the set of headers, for a village or for sheets of several villages."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.cameras.imports.columns import SheetColumn, headers_key, plain_header
from camera_hub.store.tables import SheetImport, SheetMapping

KEPT = 100
"""Of one village: those that were used last."""


async def recall(
    session: AsyncSession, village_id: int | None, columns: Sequence[SheetColumn]
) -> Mapping[str, str | None]:
    """Header → field, as somebody has set it for these headers: in this village, else for several."""
    owners = [0] if village_id is None else [village_id, 0]
    found = await session.scalars(
        select(SheetMapping)
        .where(SheetMapping.owner.in_(owners), SheetMapping.headers == headers_key(columns))
        .order_by(SheetMapping.owner.desc())
    )
    first = found.first()
    return first.fields if first is not None else {}


async def confirmed(session: AsyncSession, imports: Sequence[SheetImport]) -> set[int]:
    """Ids of those whose headers somebody has mapped: these headers, now or before."""
    keys = {one.id: headers_key([SheetColumn(**column) for column in one.columns]) for one in imports}
    found = await session.execute(
        select(SheetMapping.owner, SheetMapping.headers).where(SheetMapping.headers.in_(set(keys.values())))
    )
    known = {(owner, headers) for owner, headers in found}
    return {one.id for one in imports if {(one.village_id or 0, keys[one.id]), (0, keys[one.id])} & known}


async def remember(
    session: AsyncSession, village_id: int | None, columns: Sequence[SheetColumn], now: datetime
) -> None:
    """Keep a mapping that somebody has set."""
    owner, key = village_id or 0, headers_key(columns)
    fields = {plain: one.field for one in columns if (plain := plain_header(one.header))}
    row = await session.scalar(select(SheetMapping).where(SheetMapping.owner == owner, SheetMapping.headers == key))
    if row is None:
        row = SheetMapping(owner=owner, headers=key)
        session.add(row)
    row.fields, row.used_at = fields, now
    await session.flush()
    newest = select(SheetMapping.id).where(SheetMapping.owner == owner).order_by(SheetMapping.used_at.desc())
    kept = list(await session.scalars(newest.limit(KEPT)))
    await session.execute(delete(SheetMapping).where(SheetMapping.owner == owner, SheetMapping.id.not_in(kept)))
