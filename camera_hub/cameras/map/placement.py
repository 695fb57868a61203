"""Whether a position can be right: how far it lies from the township, and in which other datum it would lie inside.
Pure.

The township's extent is the setting `map.bounds`, else the box of `ledger.area`, else where most villages and cameras
are known to be, with some room around. Outside of it is possible, and told; 100 km from it is not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from camera_hub.cameras.ledger.coordinates import Position, to_wgs84, within
from camera_hub.cameras.map.projection import distance_m
from camera_hub.errors import HubError, Kind, Reason

IMPOSSIBLE_M = 100_000.0
ROOM_M = 1000.0
"""Around the outermost points that are known: the next camera may stand there."""
_ENOUGH = 3
"""Points that make an extent."""
_STRAY = 4.0
"""How many times farther from the middle than half of all points are, a point is a stray."""

OtherDatum = Literal["gcj02", "bd09"]


@dataclass(frozen=True, slots=True)
class Extent:
    """A box in degrees; `typed`: somebody set it."""

    west: float
    south: float
    east: float
    north: float
    typed: bool = False

    @property
    def corners(self) -> tuple[Position, Position]:
        """South-west and north-east."""
        return Position(self.west, self.south), Position(self.east, self.north)

    def beyond_m(self, point: tuple[float, float]) -> float:
        """Metres from the box to the point; 0 inside."""
        nearest = (min(max(point[0], self.west), self.east), min(max(point[1], self.south), self.north))
        return 0.0 if nearest == tuple(point) else distance_m(point, nearest)


@dataclass(frozen=True, slots=True)
class PlacementWarning:
    """A position that may be wrong: `why` "township" or "village" (its outline), and how far outside it lies.

    `datum`: it would lie inside if it was picked from a map of this datum, at `converted`; None: no datum explains it.
    """

    why: Literal["township", "village"]
    distance_m: int
    datum: OtherDatum | None = None
    converted: Position | None = None


def box_of(points: Sequence[tuple[float, float]], *, typed: bool = False) -> Extent | None:
    """The box around these points, None where there are none."""
    if not points:
        return None
    longitudes, latitudes = [one[0] for one in points], [one[1] for one in points]
    return Extent(min(longitudes), min(latitudes), max(longitudes), max(latitudes), typed)


def known_extent(points: Iterable[tuple[float, float]]) -> Extent | None:
    """The box around the points without strays (a digit mistyped); None where there are too few."""
    known = list(points)
    if len(known) < _ENOUGH:
        return None
    centre = Position(median(one[0] for one in known), median(one[1] for one in known))
    far = [distance_m(centre, one) for one in known]
    most = max(_STRAY * median(far), ROOM_M)
    return box_of([one for one, distance in zip(known, far, strict=True) if distance <= most])


def with_room(extent: Extent) -> Extent:
    """A box that was not typed, with the room that new positions may take."""
    if extent.typed:
        return extent
    east, north = ROOM_M / 111_320 / 0.8, ROOM_M / 110_600
    return Extent(extent.west - east, extent.south - north, extent.east + east, extent.north + north)


def placed(
    point: tuple[float, float], extent: Extent | None, outline: Sequence[tuple[float, float]] | None = None
) -> PlacementWarning | None:
    """What is to be said of a position (WGS-84). `outline`: its village's, where it is known.

    Raises HubError(INVALID, MAP_POSITION) where it lies more than IMPOSSIBLE_M outside the township.
    """
    room = with_room(extent) if extent is not None else None
    if room is not None and (beyond := room.beyond_m(point)) > 0:
        if beyond > IMPOSSIBLE_M:
            raise HubError(
                Kind.INVALID,
                f"it lies {beyond / 1000:.0f} km outside the township (setting map.bounds); check its digits",
                reason=Reason.MAP_POSITION,
                distance_m=round(beyond),
            )
        return _explained("township", point, beyond, lambda other: room.beyond_m(other) == 0)
    if outline and not within(Position(*point), outline):
        beyond = min(distance_m(point, corner) for corner in outline)
        return _explained("village", point, beyond, lambda other: within(other, outline))
    return None


def _explained(
    why: Literal["township", "village"], point: tuple[float, float], beyond: float, fits: Callable[[Position], bool]
) -> PlacementWarning:
    others: tuple[OtherDatum, ...] = ("gcj02", "bd09")
    for datum in others:
        converted = to_wgs84(point[0], point[1], datum)
        converted = Position(round(converted.longitude, 7), round(converted.latitude, 7))
        if fits(converted):
            return PlacementWarning(why, round(beyond), datum, converted)
    return PlacementWarning(why, round(beyond))
