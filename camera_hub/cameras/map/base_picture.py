"""The base picture: the township's drawn map, under the cameras. One at a time, data_dir/map/<id>.jpg and a row.

What somebody uploads is decoded in an eye process alone, which makes a new JPEG of it without metadata.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.ledger.coordinates import LATITUDES, LONGITUDES, Position
from camera_hub.cameras.map.extents import Extents
from camera_hub.cameras.map.placement import IMPOSSIBLE_M, Extent, PlacementWarning, with_room
from camera_hub.cameras.map.projection import distance_m
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus, MapChanged
from camera_hub.eye.messages import Photo, Seen
from camera_hub.store.database import Database
from camera_hub.store.picture_files import PictureFiles
from camera_hub.store.tables import BasePicture

MAX_UPLOAD = 20 * 1024 * 1024
"""Bytes of an uploaded file."""
MAX_SIDE = 4096
"""Pixels of what is kept: what phones' browsers show as one picture."""
DECODE_SECONDS = 30.0
_LEAST_M, _MOST_M = 50.0, 200_000.0
_OPACITY = 0.8

Corners = Sequence[tuple[float, float]]


class BaseDecoder(Protocol):
    """What it needs of media.decoders.pool."""

    async def photo(self, request: Photo, data: bytes, seconds: float | None = None) -> tuple[Seen, bytes]:
        """Raises HubError: PHOTO_UNREADABLE, BUSY."""
        ...


@dataclass(frozen=True, slots=True)
class BaseView:
    """The base picture: where its corners lie (south-west, north-east), its size in pixels; `opacity` 0 … 1."""

    id: int
    corners: tuple[Position, Position]
    width: int
    height: int
    opacity: float
    at: datetime
    user_name: str


class BasePictures:
    """Sets, changes, reads and deletes it. Publishes MapChanged after each commit."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        bus: EventBus,
        clock: Clock,
        decoder: BaseDecoder,
        extents: Extents,
    ) -> None:
        self._files = PictureFiles(data_dir / "map")
        self._database = database
        self._bus = bus
        self._clock = clock
        self._decoder = decoder
        self._extents = extents

    async def get(self) -> BaseView | None:
        """The one that is shown, None where there is none."""
        async with self._database.read() as session:
            return await read_base(session)

    async def judge(self, corners: Corners) -> tuple[Extent, PlacementWarning | None]:
        """The box that a picture would fill, and what is to be said of it. Raises HubError(INVALID, MAP_CORNERS)."""
        box = checked_corners(corners)
        async with self._database.read() as session:
            return box, lies(box, await self._extents.read(session))

    async def put(self, actor: Actor, corners: Corners, data: bytes) -> tuple[BaseView, PlacementWarning | None]:
        """Show this picture from now on. Returns it, and what is to be said of where it lies.

        Raises HubError: INVALID (MAP_CORNERS), TOO_LARGE, UNSUPPORTED (MAP_PICTURE_UNREADABLE), BUSY, STORAGE_FULL.
        """
        box, warning = await self.judge(corners)
        if len(data) > MAX_UPLOAD:
            raise HubError(Kind.TOO_LARGE, f"a base picture may have {MAX_UPLOAD >> 20} MiB", max=MAX_UPLOAD)
        seen, jpeg = await self._remade(data)
        async with self._database.write() as session:
            before = list(await session.scalars(select(BasePicture).with_for_update()))
            row = BasePicture(at=self._clock.now(), user_name=(actor.display_name or actor.username)[:64])
            row.west, row.south, row.east, row.north = box.west, box.south, box.east, box.north
            row.width, row.height, row.size = seen.width, seen.height, len(jpeg)
            row.opacity = before[-1].opacity if before else _OPACITY
            session.add(row)
            for one in before:
                await session.delete(one)
            await session.flush()
            await self._files.write(row.id, jpeg)  # before the commit: a row always has its file
        await self._files.delete([one.id for one in before])
        self._bus.publish(MapChanged("base"))
        return _view(row), warning

    async def change(self, corners: Corners | None, opacity: float | None) -> tuple[BaseView, PlacementWarning | None]:
        """Move it, or show it lighter. Raises HubError: NOT_FOUND, INVALID (MAP_CORNERS)."""
        box = checked_corners(corners) if corners is not None else None
        warning = None
        async with self._database.write() as session:
            row = await session.scalar(select(BasePicture).order_by(BasePicture.id.desc()).limit(1).with_for_update())
            if row is None:
                raise _none()
            if box is not None:
                warning = lies(box, await self._extents.read(session))
                row.west, row.south, row.east, row.north = box.west, box.south, box.east, box.north
            if opacity is not None:
                row.opacity = opacity
        self._bus.publish(MapChanged("base"))
        return _view(row), warning

    async def delete(self) -> None:
        """Delete it for good. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            rows = list(await session.scalars(select(BasePicture)))
            if not rows:
                raise _none()
            for row in rows:
                await session.delete(row)
        await self._files.delete([row.id for row in rows])
        self._bus.publish(MapChanged("base"))

    async def read(self, picture_id: int | None = None) -> tuple[int, bytes]:
        """Its id and its JPEG. `picture_id`: that one alone. Raises HubError(NOT_FOUND)."""
        shown = await self.get()
        if shown is None or picture_id not in (None, shown.id):
            raise _none()
        jpeg = await self._files.read(shown.id)
        if jpeg is None:
            raise _none()
        return shown.id, jpeg

    async def sweep(self) -> None:
        """Delete files without a row: of uploads that a crash broke off."""
        shown = await self.get()
        await self._files.sweep([shown.id] if shown is not None else [])

    async def _remade(self, data: bytes) -> tuple[Seen, bytes]:
        try:
            return await self._decoder.photo(Photo(max_side=MAX_SIDE), data, DECODE_SECONDS)
        except HubError as error:
            if error.reason != Reason.PHOTO_UNREADABLE:
                raise
            raise HubError(
                Kind.UNSUPPORTED,
                "this picture cannot be read; save it as JPEG, PNG or WebP with fewer than 80 million pixels",
                reason=Reason.MAP_PICTURE_UNREADABLE,
                why=error.params.get("why", "damaged"),
            ) from error


async def read_base(session: AsyncSession) -> BaseView | None:
    """The base picture that is shown, None where there is none."""
    row = await session.scalar(select(BasePicture).order_by(BasePicture.id.desc()).limit(1))
    return _view(row) if row is not None else None


def checked_corners(corners: Corners) -> Extent:
    """The box that a picture fills: south-west and north-east corner, in degrees of WGS-84. Pure.

    Raises HubError(INVALID, MAP_CORNERS) with its why: "range", "axes" (latitude first), "date_line", "swapped",
    "zero", "large".
    """
    (west, south), (east, north) = corners
    for longitude, latitude in corners:
        if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
            swapped = -90 <= longitude <= 90 and -180 <= latitude <= 180
            raise _corners("axes" if swapped else "range", "a corner is no longitude and latitude in degrees")
    if west - east > 180:
        raise _corners("date_line", "it would lie over the date line; check the longitudes")
    if west == east or south == north:
        raise _corners("zero", "its corners lie on one line; the picture would have no size")
    if west > east or south > north:
        raise _corners("swapped", "the first corner is the south-west one, the second the north-east one")
    axes = [LATITUDES[0] <= one[0] <= LATITUDES[1] and LONGITUDES[0] <= one[1] <= LONGITUDES[1] for one in corners]
    if all(axes):
        raise _corners("axes", "longitude and latitude are swapped; the longitude comes first")
    for longitude, latitude in corners:
        if not (LONGITUDES[0] <= longitude <= LONGITUDES[1] and LATITUDES[0] <= latitude <= LATITUDES[1]):
            raise _corners("range", "a corner lies outside China; check the digits")
    sides = distance_m((west, south), (east, south)), distance_m((west, south), (west, north))
    if min(sides) < _LEAST_M:
        raise _corners("zero", f"it is less than {_LEAST_M:g} m wide or high")
    if max(sides) > _MOST_M:
        raise _corners("large", f"it is more than {_MOST_M / 1000:g} km wide or high")
    return Extent(west, south, east, north)


def lies(box: Extent, township: Extent | None) -> PlacementWarning | None:
    """What is to be said of a picture that does not touch the township. Pure.

    Raises HubError(INVALID, MAP_CORNERS), why "far", where it is more than IMPOSSIBLE_M away."""
    if township is None:
        return None
    room = with_room(township)
    across = (min(max(box.west, room.west), room.east), min(max(box.south, room.south), room.north))
    if box.beyond_m(across) == 0:
        return None
    nearest = (min(max(across[0], box.west), box.east), min(max(across[1], box.south), box.north))
    beyond = room.beyond_m(nearest)
    if beyond == 0:
        return None
    if beyond > IMPOSSIBLE_M:
        raise _corners("far", f"it lies {beyond / 1000:.0f} km from the township; check the digits")
    return PlacementWarning("township", round(beyond))


def _corners(why: str, sentence: str) -> HubError:
    return HubError(
        Kind.INVALID, f"the picture's corners cannot be right: {sentence}", reason=Reason.MAP_CORNERS, why=why
    )


def _view(row: BasePicture) -> BaseView:
    corners = (Position(row.west, row.south), Position(row.east, row.north))
    return BaseView(row.id, corners, row.width, row.height, row.opacity, row.at, row.user_name)


def _none() -> HubError:
    return HubError(Kind.NOT_FOUND, "there is no base picture")
