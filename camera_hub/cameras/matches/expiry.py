"""How long questions of identity are kept, and the pictures that were taken for them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from sqlalchemy import case, or_, select

from camera_hub.clock import Clock
from camera_hub.store.database import Database
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import DeviceMatch

KEEP = timedelta(days=3 * 365)
"""After this without being seen, a decided one ends; were it seen then, a person would be asked again."""
PICTURES_KEEP = timedelta(days=30)
PAUSE = 3600.0


class MatchPictures(Protocol):
    """What is needed of media.decoders.pictures."""

    async def kept_for(self) -> list[int]:
        """The questions of which there is a picture."""
        ...

    async def forget_for(self, match_ids: Collection[int]) -> None:
        """Delete the pictures of these questions."""
        ...


def match_expiry() -> ExpiryRule:
    """Decided questions end; open ones stay. There are few of them, so the column needs no index."""
    seen_at = case((DeviceMatch.state != "open", DeviceMatch.last_seen_at))
    return ExpiryRule("decided matches", DeviceMatch, DeviceMatch.id, seen_at, KEEP)


class MatchPictureExpiry:
    """Deletes pictures of questions that were decided a while ago, or are no more; `run_once` belongs into
    `keep_running`."""

    def __init__(self, database: Database, clock: Clock, pictures: MatchPictures) -> None:
        self._database = database
        self._clock = clock
        self._pictures = pictures

    async def run_once(self) -> None:
        """Delete what is too old, then wait an hour."""
        await self.apply()
        await self._clock.sleep(PAUSE)

    async def apply(self) -> int:
        """Delete what is too old; returns the number of pictures."""
        kept = await self._pictures.kept_for()
        if not kept:
            return 0
        recent = or_(
            DeviceMatch.state == "open",
            DeviceMatch.decided_at.is_(None),
            DeviceMatch.decided_at > self._clock.now() - PICTURES_KEEP,
        )
        async with self._database.read() as session:
            needed = set(await session.scalars(select(DeviceMatch.id).where(recent)))
        old = [one for one in kept if one not in needed]
        if old:
            await self._pictures.forget_for(old)
        return len(old)
