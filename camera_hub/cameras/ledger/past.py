"""Files as they were at an earlier time: what was changed since is taken back.

What the hub knows by itself (address, encoding, …) has no history and counts as it is now.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from camera_hub.cameras.ledger.figures import completeness
from camera_hub.cameras.ledger.files import FilingRule, read_files
from camera_hub.settings import LedgerSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, LedgerChange


@dataclass(frozen=True, slots=True)
class PastFile:
    """How many mandatory fields were filled in, of how many; the maintenance unit, "" if none was named."""

    camera_id: int
    filled: int
    asked: int
    maintainer_unit: str


class PastFiles:
    """Reads them; give it some hundred cameras at once."""

    def __init__(self, database: Database, settings: LedgerSettings, zone: ZoneInfo) -> None:
        self._database = database
        self._settings = settings
        self._zone = zone

    async def at(self, camera_ids: Collection[int], at: datetime) -> list[PastFile]:
        """The files of these cameras at that time."""
        rule = FilingRule(at.astimezone(self._zone).date(), self._zone, self._settings.filing_days)
        changes = (
            select(LedgerChange.camera_id, LedgerChange.field, LedgerChange.old)
            .where(LedgerChange.camera_id.in_(camera_ids), LedgerChange.at >= at)
            .order_by(LedgerChange.at.desc(), LedgerChange.id.desc())
        )
        async with self._database.read() as session:
            files = await read_files(session, [Camera.id.in_(camera_ids)], rule)
            before: dict[int, dict[str, str]] = {}
            for camera_id, field, old in await session.execute(changes):
                before.setdefault(camera_id, {})[field] = old
        found = []
        for file in files:
            taken_back = {key: old for key, old in before.get(file.camera_id, {}).items() if key not in file.known}
            values = {**file.values, **taken_back}
            full = completeness(values, connected=file.connected)
            found.append(PastFile(file.camera_id, full.filled, full.asked, values.get("maintainer_unit", "")))
        return found
