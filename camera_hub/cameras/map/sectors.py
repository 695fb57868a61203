"""What one camera covers on a plane: a sector, and which part of a straight segment lies in it. Exact. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Interval = tuple[float, float]
"""From and until, as shares of a segment: 0 … 1."""


@dataclass(frozen=True, slots=True)
class Sector:
    """All points within `reach` metres of (x, y), and within half of `angle` degrees to either side of `direction`
    (degrees clockwise from the plane's y axis); `direction` None: all around.
    """

    x: float
    y: float
    reach: float
    direction: float | None
    angle: float

    @property
    def whole(self) -> bool:
        """Whether it is a full circle."""
        return self.direction is None or self.angle >= 360

    def has(self, x: float, y: float) -> bool:
        """Whether the point lies in it; its edge belongs to it."""
        east, north = x - self.x, y - self.y
        if east * east + north * north > self.reach * self.reach:
            return False
        if self.whole or (east == 0 and north == 0):
            return True
        assert self.direction is not None
        off = abs((math.degrees(math.atan2(east, north)) - self.direction + 180) % 360 - 180)
        return off <= self.angle / 2

    def along(self, ax: float, ay: float, bx: float, by: float) -> list[Interval]:
        """Which parts of the segment from a to b lie in it: none, one or two intervals, in order."""
        east, north = ax - self.x, ay - self.y
        dx, dy = bx - ax, by - ay
        if dx * dx + dy * dy == 0:  # a point
            return [(0.0, 1.0)] if self.has(ax, ay) else []
        inside = self._in_circle(east, north, dx, dy)
        if inside is None:
            return []
        if self.whole:
            return [inside]
        assert self.direction is not None
        half = math.radians(self.angle / 2)
        middle = math.radians(self.direction)
        left_x, left_y = math.sin(middle - half), math.cos(middle - half)
        right_x, right_y = math.sin(middle + half), math.cos(middle + half)
        # Positive where the point is clockwise of the left edge, and counter-clockwise of the right one.
        from_left, left_slope = left_y * east - left_x * north, left_y * dx - left_x * dy
        from_right, right_slope = right_x * north - right_y * east, right_x * dy - right_y * dx
        if self.angle <= 180:
            kept = _where_positive(inside, from_left, left_slope)
            kept = _where_positive(kept, from_right, right_slope) if kept is not None else None
            return [kept] if kept is not None else []
        behind = _where_positive(inside, -from_left, -left_slope)
        behind = _where_positive(behind, -from_right, -right_slope) if behind is not None else None
        if behind is None:
            return [inside]
        return [one for one in ((inside[0], behind[0]), (behind[1], inside[1])) if one[0] < one[1]]

    def _in_circle(self, east: float, north: float, dx: float, dy: float) -> Interval | None:
        square = dx * dx + dy * dy
        short = east * east + north * north - self.reach * self.reach
        toward = east * dx + north * dy
        root = toward * toward - square * short
        if root <= 0:
            return None
        root = math.sqrt(root)
        first, last = max(0.0, (-toward - root) / square), min(1.0, (-toward + root) / square)
        return (first, last) if first < last else None


def _where_positive(interval: Interval, start: float, slope: float) -> Interval | None:
    """Where in the interval start + t · slope is not negative."""
    first, last = interval
    if slope == 0:
        return interval if start >= 0 else None
    zero = -start / slope
    if slope > 0:
        first = max(first, zero)
    else:
        last = min(last, zero)
    return (first, last) if first < last else None


def union(intervals: Sequence[Interval]) -> list[Interval]:
    """The same points as intervals that do not touch, in order."""
    joined: list[Interval] = []
    for first, last in sorted(intervals):
        if joined and first <= joined[-1][1]:
            if last > joined[-1][1]:
                joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def rest_of(whole: Interval, taken: Sequence[Interval]) -> list[Interval]:
    """What of `whole` is in none of these intervals, which are as `union` returns them."""
    left = []
    start = whole[0]
    for first, last in taken:
        if first > start:
            left.append((start, min(first, whole[1])))
        start = max(start, last)
        if start >= whole[1]:
            return left
    left.append((start, whole[1]))
    return left


def length(intervals: Sequence[Interval]) -> float:
    """The sum of their lengths."""
    return sum(last - first for first, last in intervals)
