"""Where a village stands on the map, and its outline."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from camera_hub.cameras.ledger.coordinates import Position, to_wgs84
from camera_hub.cameras.map.shapes import checked_shape, geometry_error, require_degrees
from camera_hub.store.tables import Village


@dataclass(frozen=True, slots=True)
class VillagePosition:
    """A village's position and outline in the datum; of all that only what is `given`: fields by name. None clears."""

    given: Collection[str]
    longitude: float | None
    latitude: float | None
    outline: Sequence[tuple[float, float]] | None
    datum: str = "wgs84"


def put_on_map(village: Village, position: VillagePosition) -> bool:
    """Store it in the row; returns whether anything is another one now. Raises HubError(INVALID, MAP_GEOMETRY)."""
    before = village.longitude, village.latitude, village.outline
    if "longitude" in position.given or "latitude" in position.given:
        if (position.longitude is None) != (position.latitude is None):
            raise geometry_error("points", "longitude and latitude go together")
        if position.longitude is None or position.latitude is None:
            village.longitude = village.latitude = None
        else:
            village.longitude, village.latitude = _wgs84(position.longitude, position.latitude, position.datum)
    if "outline" in position.given:
        outline = [_wgs84(*corner, position.datum) for corner in position.outline or ()]
        village.outline = [list(one) for one in checked_shape("area", outline)] if outline else None
    return before != (village.longitude, village.latitude, village.outline)


def _wgs84(longitude: float, latitude: float, datum: str) -> Position:
    require_degrees(longitude, latitude)
    point = to_wgs84(longitude, latitude, datum)
    return Position(round(point.longitude, 7), round(point.latitude, 7))
