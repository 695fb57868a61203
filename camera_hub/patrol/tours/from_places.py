"""Stops built from places: all cameras of some place classes and villages, in the order in which they lie."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select

from camera_hub.access.policy import Actor
from camera_hub.cameras.map.order import in_order
from camera_hub.patrol import township
from camera_hub.patrol.tours.tours import TourSource
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, LedgerFile, Village

MAX_TITLE = 56
"""Characters of a title, before its number."""


@dataclass(frozen=True, slots=True)
class SourceCamera:
    """A camera at such a place; villages and cameras come in the township's own order where no map tells more."""

    id: int
    name: str
    village: str
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True, slots=True)
class PlaceStop:
    """A stop: one camera, or `layout` with `cameras` (one per tile) and a title."""

    camera_id: int | None
    layout: str | None
    cameras: tuple[int | None, ...]
    title: str
    dwell_s: int


@dataclass(frozen=True, slots=True)
class PlaceStops:
    """The stops, and how many cameras they show; `left` cameras found no room in a tour of `max_stops`."""

    stops: tuple[PlaceStop, ...]
    cameras: int
    left: int
    max_stops: int


class FromPlaces:
    """The operation behind api/tours/from-places. Nothing is stored."""

    def __init__(self, settings: PatrolSettings, database: Database) -> None:
        self._most = settings.max_stops
        self._database = database

    async def preview(self, actor: Actor, source: TourSource, without: Collection[int] = ()) -> PlaceStops:
        """Stops of the approved cameras there that are not in `without` and not left out: one statement."""
        township.require(actor, "tour")
        query = (
            select(Camera.id, Camera.name, Village.name, LedgerFile.longitude, LedgerFile.latitude)
            .join(Village, Village.id == Camera.village_id)
            .outerjoin(LedgerFile, LedgerFile.camera_id == Camera.id)
            .where(Camera.state == "approved")
            .order_by(Village.position, Village.id, Camera.position, Camera.id)
        )
        if source.place_classes:
            query = query.where(Camera.place_class.in_(source.place_classes))
        if source.village_ids:
            query = query.where(Camera.village_id.in_(source.village_ids))
        async with self._database.read() as session:
            found = [SourceCamera(*row) for row in await session.execute(query)]
        unwanted = {*without, *source.left_out}
        wanted = [camera for camera in found if camera.id not in unwanted]
        return await asyncio.to_thread(stops_of, wanted, source.per_stop, source.dwell_s, self._most)


def stops_of(cameras: Sequence[SourceCamera], per_stop: int, dwell_s: int, most: int) -> PlaceStops:
    """Up to `most` stops of `per_stop` cameras each, village by village. Pure.

    Within a village from one end of the road to the other where the map knows the cameras, the others by name. A stop
    is filled up with cameras of the next village, so that each screenful is worth its time.
    """
    ordered = [one for _, own in groupby(cameras, key=lambda camera: camera.village) for one in in_order(own)]
    batches = [ordered[first : first + per_stop] for first in range(0, len(ordered), per_stop)]
    kept = batches[:most]
    titles = numbered([_title(batch) for batch in kept])
    stops = tuple(_stop(batch, title, dwell_s) for batch, title in zip(kept, titles, strict=True))
    shown = sum(len(batch) for batch in kept)
    return PlaceStops(stops, shown, len(cameras) - shown, most)


def numbered(titles: Sequence[str]) -> list[str]:
    """The titles, with a number behind those that there are several of."""
    totals, counts, found = Counter(titles), Counter[str](), []
    for title in titles:
        counts[title] += 1
        found.append(f"{title} {counts[title]}" if totals[title] > 1 else title)
    return found


def _title(cameras: Sequence[SourceCamera]) -> str:
    """The villages that the stop shows: one or two by name, more as from the first to the last."""
    names = list(dict.fromkeys(camera.village for camera in cameras))
    joined = "、".join(names) if len(names) <= 2 else f"{names[0]}–{names[-1]}"
    return joined[:MAX_TITLE]


def _stop(cameras: Sequence[SourceCamera], title: str, dwell_s: int) -> PlaceStop:
    if len(cameras) == 1:
        return PlaceStop(cameras[0].id, None, (), "", dwell_s)
    # The last stop takes the smallest layout that holds its cameras.
    tiles = next(size for size in (4, 9, 16) if size >= len(cameras))
    padded = [camera.id for camera in cameras] + [None] * (tiles - len(cameras))
    return PlaceStop(None, str(tiles), tuple(padded), title, dwell_s)
