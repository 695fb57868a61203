"""Carousels of a scene: tiles that turn through cameras while the others stay pinned. web/src/wall/carousel.ts turns
them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import HubError, Kind
from camera_hub.store.tables import Village

LEAST_SECONDS, MOST_SECONDS = 5, 3600
MOST_CAMERAS = 100
"""The most cameras that a carousel lists by itself; of a place class or a village it shows all that there are."""


@dataclass(frozen=True, slots=True)
class Carousel:
    """What a tile turns through, exactly one of: listed cameras, all of a place class, all of a village; and the
    seconds that each camera stays."""

    seconds: int
    cameras: tuple[int, ...] = ()
    place_class: str | None = None
    village_id: int | None = None

    def to_row(self) -> dict[str, Any]:
        """As it is stored: what is not given is left out."""
        kept = {"cameras": list(self.cameras), "place_class": self.place_class, "village_id": self.village_id}
        return {name: value for name, value in kept.items() if value} | {"seconds": self.seconds}


async def checked(session: AsyncSession, carousels: Mapping[int, Carousel], tiles: int) -> set[int]:
    """The cameras that they list. Raises HubError(INVALID): a tile that the layout does not have, not exactly one
    source, a village that does not exist."""
    for tile, carousel in carousels.items():
        if not 0 <= tile < tiles:
            raise HubError(
                Kind.INVALID, f"this layout has {tiles} tiles, and no tile {tile + 1}", reason="too_many_tiles"
            )
        given = (bool(carousel.cameras), carousel.place_class is not None, carousel.village_id is not None)
        if sum(given) != 1:
            raise HubError(
                Kind.INVALID,
                f"the carousel of tile {tile + 1} turns through cameras, a place class or a village: give exactly one",
                reason="carousel_source",
                tile=tile + 1,
            )
    wanted = {one.village_id for one in carousels.values() if one.village_id is not None}
    if missing := wanted - set(await session.scalars(select(Village.id).where(Village.id.in_(wanted)))):
        raise HubError(Kind.INVALID, f"there is no village {min(missing)}", reason="carousel_village")
    return {camera for one in carousels.values() for camera in one.cameras}
