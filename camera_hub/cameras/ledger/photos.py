"""Photos of a camera's file: close-up, location, what it sees, the sign. data_dir/photos/<id>.jpg and a row each.

What somebody uploads is decoded in an eye process alone, which makes a new JPEG of it without metadata: a phone writes
into each photo where it was taken, by whom, and when.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, get_args

from sqlalchemy import ColumnElement, func, select

from camera_hub.access.actors import in_scope
from camera_hub.access.policy import Actor
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import CameraChanged, EventBus
from camera_hub.eye.messages import Photo, Seen
from camera_hub.settings import LedgerSettings
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import Camera, LedgerChange, LedgerPhoto

log = logging.getLogger(__name__)

PhotoKind = Literal["close_up", "location", "view", "sign"]
PHOTO_KINDS: tuple[PhotoKind, ...] = get_args(PhotoKind)
MAX_BYTES = 4_000_000
"""Of an upload: what goes through the pipe to an eye in one message."""


class PhotoDecoder(Protocol):
    """What photos need of media.decoders.pool."""

    async def photo(self, request: Photo, data: bytes) -> tuple[Seen, bytes]:
        """Raises HubError: PHOTO_UNREADABLE, BUSY."""
        ...


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo, without its bytes."""

    id: int
    camera_id: int
    kind: str
    at: datetime
    user_name: str
    width: int
    height: int
    size: int


class Photos:
    """Adds, reads and deletes them; those of cameras that are no more are swept at the start."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        bus: EventBus,
        clock: Clock,
        decoder: PhotoDecoder,
        settings: LedgerSettings,
    ) -> None:
        self._files = PictureFiles(data_dir / "photos")
        self._database = database
        self._bus = bus
        self._clock = clock
        self._decoder = decoder
        self._most = settings.photos_per_kind

    async def of(self, actor: Actor, camera_id: int) -> list[PhotoView]:
        """A camera's photos, oldest first. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            if await session.scalar(select(Camera.id).where(Camera.id == camera_id, _mine(actor))) is None:
                raise _unknown("camera")
            rows = await session.scalars(
                select(LedgerPhoto).where(LedgerPhoto.camera_id == camera_id).order_by(LedgerPhoto.id)
            )
            return [_view(one) for one in rows]

    async def add(self, actor: Actor, camera_id: int, kind: PhotoKind, data: bytes) -> PhotoView:
        """Keep an uploaded photo. Raises HubError: NOT_FOUND, CONFLICT (PHOTO_TOO_MANY), TOO_LARGE, UNSUPPORTED
        (PHOTO_UNREADABLE), BUSY.
        """
        held = [one for one in await self.of(actor, camera_id) if one.kind == kind]
        if len(held) >= self._most:
            raise self._too_many()
        if len(data) > MAX_BYTES:
            raise HubError(Kind.TOO_LARGE, f"a photo may have {MAX_BYTES // 1_000_000} MB", max=MAX_BYTES)
        seen, jpeg = await self._decoder.photo(Photo(), data)
        now = self._clock.now()
        name = (actor.display_name or actor.username)[:64]
        async with self._database.write() as session:
            camera = await session.scalar(select(Camera).where(Camera.id == camera_id).with_for_update())
            if camera is None:
                raise _unknown("camera")
            number = await session.scalar(
                select(func.count()).where(LedgerPhoto.camera_id == camera_id, LedgerPhoto.kind == kind)
            )
            if (number or 0) >= self._most:
                raise self._too_many()
            row = LedgerPhoto(camera_id=camera_id, kind=kind, at=now, user_name=name)
            row.width, row.height, row.size = seen.width, seen.height, len(jpeg)
            session.add(row)
            session.add(_change(actor, camera_id, now, name, kind, "", "+"))
            await session.flush()
            await self._files.write(row.id, jpeg)  # before the commit: a row always has its file
        self._bus.publish(CameraChanged(camera_id, camera.village_id))
        return _view(row)

    async def read(self, actor: Actor, photo_id: int) -> bytes:
        """The JPEG. Raises HubError(NOT_FOUND)."""
        async with self._database.read() as session:
            known = await session.scalar(
                select(LedgerPhoto.id)
                .join(Camera, Camera.id == LedgerPhoto.camera_id)
                .where(LedgerPhoto.id == photo_id, _mine(actor))
            )
        if known is None:
            raise _unknown("photo")
        jpeg = await self._files.read(photo_id)
        if jpeg is None:
            raise _unknown("photo")
        return jpeg

    async def delete(self, actor: Actor, photo_id: int) -> None:
        """Delete a photo for good. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            row = await session.scalar(
                select(LedgerPhoto)
                .join(Camera, Camera.id == LedgerPhoto.camera_id)
                .where(LedgerPhoto.id == photo_id, _mine(actor))
            )
            if row is None:
                raise _unknown("photo")
            camera = await session.get_one(Camera, row.camera_id)
            name = (actor.display_name or actor.username)[:64]
            session.add(_change(actor, row.camera_id, self._clock.now(), name, row.kind, "+", ""))
            await session.delete(row)
        await self._files.delete([photo_id])
        self._bus.publish(CameraChanged(camera.id, camera.village_id))

    async def sweep(self) -> int:
        """Delete files without a row: of cameras that are no more, of uploads that a crash broke off. Returns their
        number."""
        if not await self._files.any():
            return 0
        async with self._database.read() as session:
            known = set(await session.scalars(select(LedgerPhoto.id)))
        orphans = await self._files.sweep(known)
        if orphans:
            log.info("deleted %d photos of cameras that are no more", orphans)
        return orphans

    def _too_many(self) -> HubError:
        return HubError(
            Kind.CONFLICT,
            f"a camera has at most {self._most} photos of a kind; delete an old one first",
            reason=Reason.PHOTO_TOO_MANY,
            max=self._most,
        )


def _mine(actor: Actor) -> ColumnElement[bool]:
    return in_scope(actor, Camera.village_id)


def _change(actor: Actor, camera_id: int, at: datetime, name: str, kind: str, old: str, new: str) -> LedgerChange:
    return LedgerChange(
        camera_id=camera_id,
        at=at,
        user_id=actor.user_id or None,
        user_name=name,
        on_behalf=not actor.bound,
        field=f"photo_{kind}",
        old=old,
        new=new,
    )


def _view(row: LedgerPhoto) -> PhotoView:
    return PhotoView(row.id, row.camera_id, row.kind, row.at, row.user_name, row.width, row.height, row.size)


def _unknown(what: str) -> HubError:
    return HubError(Kind.NOT_FOUND, f"there is no such {what}")
