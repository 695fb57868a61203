"""The township's extent, as it is set, else as it is known from villages and cameras."""

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.cameras.map.placement import Extent, box_of, known_extent
from camera_hub.settings import LedgerSettings, MapSettings
from camera_hub.store.tables import Camera, LedgerFile, Village


class Extents:
    """Reads it in the caller's session."""

    def __init__(self, map: MapSettings, ledger: LedgerSettings) -> None:
        self._typed = box_of(map.bounds or ledger.area, typed=True)

    async def read(self, session: AsyncSession, actor: Actor | None = None) -> Extent | None:
        """The extent; None where nothing is known yet. `actor`: only of what they may see."""
        if self._typed is not None:
            return self._typed
        villages = select(Village.longitude, Village.latitude).where(Village.longitude.is_not(None))
        cameras = (
            select(LedgerFile.longitude, LedgerFile.latitude)
            .join(Camera, Camera.id == LedgerFile.camera_id)
            .where(LedgerFile.longitude.is_not(None), Camera.state != "retired")
        )
        if actor is not None:
            villages = villages.where(in_scope(actor, Village.id))
            cameras = cameras.where(in_scope(actor, Camera.village_id))
        rows = await session.execute(union_all(villages, cameras))
        return known_extent([(east, north) for east, north in rows if east is not None and north is not None])
