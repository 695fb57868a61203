"""The pictures of patrols: data_dir/patrol-pictures/<id>.jpg and a row each.

A file is written before its row is committed, so that a row always has its file; what a crash left without a row is
swept at the start and every hour. A picture that is replaced, or whose patrol is deleted, goes with its row.

`most_bytes` bounds all of them. Sealed records name their pictures, so none is deleted for the sake of room: at the
bound no more are taken, first those of cameras that are normal, and the results say so.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.running import keep_running, running
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Finding, RunPicture, RunResult

log = logging.getLogger(__name__)

PictureKind = Literal["moment", "finding", "photo"]

SWEEP_EVERY = 3600.0
MOMENTS_SHARE = 0.9
"""Of the room, for pictures of cameras that are normal: the rest is for findings and what is abnormal."""


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture as rows name it: the id of its row, when it was taken, the SHA-256 of its file (hexadecimal)."""

    id: int
    at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class StagedPicture:
    """A JPEG on the disk that no row names yet; its size in bytes."""

    kind: PictureKind
    part: Path
    at: datetime
    size: int
    sha256: str


class RunPictures:
    """An async context manager, which sweeps. `refused` counts pictures for which there was no room."""

    def __init__(self, database: Database, files: PictureFiles, clock: Clock, most_bytes: int) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._most = most_bytes
        self._held = 0
        self._files_in_use = asyncio.Lock()
        self._stack = AsyncExitStack()
        self.refused = 0

    async def __aenter__(self) -> Self:
        await self.sweep()
        async with AsyncExitStack() as stack:
            sweeping = keep_running("sweeping pictures of patrols", self._sweep_again, clock=self._clock)
            await stack.enter_async_context(running(sweeping, "sweeping pictures of patrols"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A transaction in which pictures may be added: nothing is swept before it is committed."""
        async with self._files_in_use, self._database.write() as session:
            yield session

    async def add(
        self, session: AsyncSession, run_id: int, kind: PictureKind, jpeg: bytes, at: datetime
    ) -> KeptPicture:
        """Keep a picture in a transaction of `writing`. Raises HubError(STORAGE_FULL): also at the bound."""
        self.require_room(kind, len(jpeg))
        row = RunPicture(run_id=run_id, kind=kind, kept_at=self._clock.now(), size=len(jpeg))
        session.add(row)
        await session.flush()
        await self._files.write(row.id, jpeg)
        self._held += len(jpeg)
        return KeptPicture(row.id, at, hashlib.sha256(jpeg).hexdigest())

    async def stage(self, kind: PictureKind, jpeg: bytes, at: datetime) -> StagedPicture:
        """Write a picture before the transaction in which it is added. Raises HubError(STORAGE_FULL): also at the
        bound."""
        self.require_room(kind, len(jpeg))
        part = await self._files.stage(jpeg)
        return StagedPicture(kind, part, at, len(jpeg), hashlib.sha256(jpeg).hexdigest())

    async def add_staged(
        self, session: AsyncSession, run_id: int, staged: Sequence[StagedPicture]
    ) -> Sequence[KeptPicture]:
        """Keep staged pictures in a transaction of `writing`. Raises HubError(STORAGE_FULL)."""
        now = self._clock.now()
        rows = [RunPicture(run_id=run_id, kind=one.kind, kept_at=now, size=one.size) for one in staged]
        session.add_all(rows)
        await session.flush()
        await self._files.place({row.id: one.part for row, one in zip(rows, staged, strict=True)})
        self._held += sum(one.size for one in staged)
        return [KeptPicture(row.id, one.at, one.sha256) for row, one in zip(rows, staged, strict=True)]

    async def unstage(self, staged: Collection[StagedPicture]) -> None:
        """Delete those that were not added."""
        await self._files.unstage([one.part for one in staged])

    def require_room(self, kind: PictureKind, size: int = 0) -> None:
        """Raises HubError(STORAGE_FULL) when there is none for a picture of that size in bytes."""
        most = self._most * MOMENTS_SHARE if kind == "moment" else self._most
        if self._held + size > most:
            self.refused += 1
            raise HubError(
                Kind.STORAGE_FULL,
                "the pictures of patrols take all the room that they may; raise patrol.picture_mb, or lower"
                " patrol.keep_days",
                reason=Reason.STORAGE_FULL,
            )

    async def forget(self, session: AsyncSession, run_id: int, picture: int | None) -> None:
        """Forget a picture that no result and no finding of the patrol names any more, in the caller's transaction,
        which has written what they name now; its file goes with the next sweep."""
        if picture is None:
            return
        named = exists().where(Finding.run_id == run_id, Finding.picture == picture) | exists().where(
            RunResult.run_id == run_id, RunResult.picture == picture
        )
        await session.flush()
        await session.execute(delete(RunPicture).where(RunPicture.id == picture, ~named))

    async def read(self, picture: int) -> bytes | None:
        """The JPEG; None where there is none."""
        return await self._files.read(picture)

    async def delete(self, row_ids: Collection[int]) -> None:
        """Delete the files of rows that are gone: the transaction that deleted them is committed."""
        await self._files.delete(row_ids)

    async def sweep(self) -> int:
        """Delete files without a row, and measure what is held. Returns the number of files deleted."""
        async with self._files_in_use:
            async with self._database.read() as session:
                known = set(await session.scalars(select(RunPicture.id)))
                self._held = await session.scalar(select(func.sum(RunPicture.size))) or 0
            orphans = await self._files.sweep(known)
        if orphans:
            log.info("deleted %d pictures of patrols that no record names", orphans)
        return orphans

    async def _sweep_again(self) -> None:
        while True:
            await self._clock.sleep(SWEEP_EVERY)
            await self.sweep()
