"""Coordinates: WGS-84 is stored; GCJ-02 (AMap, Tencent) and BD-09 (Baidu), as picked from maps by hand, are converted.

GCJ-02 shifts WGS-84 by a published series of sines over the Krasovsky ellipsoid; its inverse is found by iterating.
BD-09 is GCJ-02 in polar form, shifted again. Both only apply within China. Degrees everywhere. Pure.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from camera_hub.errors import HubError, Kind, Reason

_A = 6378245.0
_EE = 0.00669342162296594323
_X_PI = math.pi * 3000.0 / 180.0
_ENOUGH = 1e-9
"""Degrees: about 0.1 mm."""
MIN_DECIMALS = 4
"""0.0001° is some 10 m; a coordinate with fewer decimals was rounded, and finds no pole."""
_DMS = re.compile(
    r"(?P<d>[0-9]{1,3})\s*[°度]\s*(?:(?P<m>[0-9]{1,2}(?:\.[0-9]+)?)\s*['′分]\s*)?(?:(?P<s>[0-9]{1,2}(?:\.[0-9]+)?)\s*[\"″秒]\s*)?"
)
_LETTERS = re.compile(r"^\s*(?:东经|北纬|[EeNn])?\s*[::]?\s*|\s*[EeNn]?\s*$")
LONGITUDES, LATITUDES = (73.0, 136.0), (3.0, 54.0)
"""China's; the two do not overlap, so that a swapped pair is recognized."""


class Position(NamedTuple):
    """A point, in degrees."""

    longitude: float
    latitude: float


def to_wgs84(longitude: float, latitude: float, datum: str) -> Position:
    """A point of the datum ("wgs84", "gcj02" or "bd09") in WGS-84."""
    given = Position(longitude, latitude)
    if datum == "wgs84" or not _shifted(given):
        return given
    wanted = _bd09_to_gcj02(given) if datum == "bd09" else given
    found = wanted
    for _ in range(30):
        there = gcj02(found)
        error = Position(there.longitude - wanted.longitude, there.latitude - wanted.latitude)
        found = Position(found.longitude - error.longitude, found.latitude - error.latitude)
        if max(abs(error.longitude), abs(error.latitude)) < _ENOUGH:
            break
    return found


def gcj02(point: Position) -> Position:
    """A point of WGS-84 in GCJ-02."""
    x, y = point.longitude - 105.0, point.latitude - 35.0
    wave = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    angle = math.radians(point.latitude)
    magic = 1.0 - _EE * math.sin(angle) ** 2
    root = math.sqrt(magic)
    return Position(
        point.longitude + east * 180.0 / (_A / root * math.cos(angle) * math.pi),
        point.latitude + north * 180.0 / (_A * (1.0 - _EE) / (magic * root) * math.pi),
    )


def bd09(point: Position) -> Position:
    """A point of GCJ-02 in BD-09."""
    radius = math.hypot(*point) + 0.00002 * math.sin(point.latitude * _X_PI)
    angle = math.atan2(point.latitude, point.longitude) + 0.000003 * math.cos(point.longitude * _X_PI)
    return Position(radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006)


def _bd09_to_gcj02(point: Position) -> Position:
    found = Position(point.longitude - 0.0065, point.latitude - 0.006)
    for _ in range(30):
        there = bd09(found)
        error = Position(there.longitude - point.longitude, there.latitude - point.latitude)
        found = Position(found.longitude - error.longitude, found.latitude - error.latitude)
        if max(abs(error.longitude), abs(error.latitude)) < _ENOUGH:
            break
    return found


def _shifted(point: Position) -> bool:
    return 72.004 <= point.longitude <= 137.8347 and 0.8293 <= point.latitude <= 55.8271


def parse_degrees(text: str, own: tuple[float, float], other: tuple[float, float]) -> str:
    """One coordinate as decimal degrees: digits as typed, or computed from degrees, minutes and seconds.

    `own`: the range it must be in; `other`: the other coordinate's. Raises HubError(VALUE_COORDINATE) with its why:
    "format", "swapped", "range" or "decimals".
    """
    letters = _LETTERS.sub("", text)
    plain = letters.rstrip("°度 ")
    if dms := _DMS.fullmatch(letters):
        minutes, seconds = float(dms["m"] or 0), float(dms["s"] or 0)
        if dms["m"] is not None and minutes < 60 and seconds < 60:
            plain = f"{int(dms['d']) + minutes / 60 + seconds / 3600:.7f}"
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,17})?", plain, re.ASCII):
        raise coordinate_error("format", "it is no number of degrees such as 117.283456")
    value = float(plain)
    if not own[0] <= value <= own[1]:
        if other[0] <= value <= other[1]:
            raise coordinate_error("swapped", "longitude and latitude are swapped; put each into its own field")
        raise coordinate_error("range", f"it is outside {own[0]:g}–{own[1]:g}°; check the digits")
    if len(plain.partition(".")[2]) < MIN_DECIMALS:
        raise coordinate_error(
            "decimals", f"it needs at least {MIN_DECIMALS} decimals to find a pole; measure it again"
        )
    return plain


def coordinate_error(why: str, sentence: str) -> HubError:
    """The one error of coordinates."""
    return HubError(Kind.INVALID, sentence, reason=Reason.VALUE_COORDINATE, why=why)


def within(point: Position, area: Sequence[Sequence[float]]) -> bool:
    """Whether a point is in the area: two corners of a box, or the corners of a polygon, each (longitude, latitude);
    an empty area has everything in it."""
    if not area:
        return True
    if len(area) == 2:
        (west, south), (east, north) = area
        return min(west, east) <= point.longitude <= max(west, east) and (
            min(south, north) <= point.latitude <= max(south, north)
        )
    inside = False
    for (x1, y1), (x2, y2) in zip(area, [*area[1:], area[0]], strict=True):
        if (y1 > point.latitude) != (y2 > point.latitude):
            crossing = x1 + (point.latitude - y1) * (x2 - x1) / (y2 - y1)
            inside ^= point.longitude < crossing
    return inside
