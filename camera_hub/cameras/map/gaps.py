"""From uncovered parts of parallel lines to polygons: parts that follow each other line by line make a cell. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from camera_hub.cameras.map.projection import Metres
from camera_hub.cameras.map.sectors import Interval

_MAX_SIDE = 100
"""Corners of one side of a cell that are kept."""


@dataclass(slots=True)
class _Cell:
    """Parts of lines, from south to north: y, from x, until x; the height of the first and the last strip."""

    rows: list[tuple[float, float, float]] = field(default_factory=list)
    area: float = 0.0
    first_height: float = 0.0
    last_height: float = 0.0

    def add(self, y: float, height: float, part: Interval) -> None:
        if not self.rows:
            self.first_height = height
        self.last_height = height
        self.rows.append((y, *part))
        self.area += (part[1] - part[0]) * height

    def outline(self) -> list[Metres]:
        """Counter-clockwise, from the middle of its first strip's lower edge."""
        south, north = self.rows[0], self.rows[-1]
        rows = [
            (south[0] - self.first_height / 2, south[1], south[2]),
            *self.rows,
            (north[0] + self.last_height / 2, north[1], north[2]),
        ]
        slack = self.last_height / 2
        right = simplified([Metres(row[2], row[0]) for row in rows], slack)
        left = simplified([Metres(row[1], row[0]) for row in rows], slack)
        return [*right, *reversed(left)]


class GapCells:
    """Collects the parts line by line, from south to north."""

    def __init__(self) -> None:
        self._open: list[tuple[Interval, _Cell]] = []
        self._done: list[_Cell] = []

    def add(self, y: float, height: float, parts: Sequence[Interval]) -> None:
        """The parts of the next line, in order."""
        parts = [one for one in parts if one[1] > one[0]]
        before = [[cell for last, cell in self._open if last[0] < part[1] and part[0] < last[1]] for part in parts]
        followers: dict[int, int] = {}
        for cells in before:
            for cell in cells:
                followers[id(cell)] = followers.get(id(cell), 0) + 1
        going_on = []
        for part, cells in zip(parts, before, strict=True):
            alone = len(cells) == 1 and followers[id(cells[0])] == 1
            cell = cells[0] if alone else _Cell()
            cell.add(y, height, part)
            going_on.append((part, cell))
        kept = {id(cell) for _, cell in going_on}
        self._done += [cell for _, cell in self._open if id(cell) not in kept]
        self._open = going_on

    def largest(self, most: int, least: float) -> list[list[Metres]]:
        """The outlines of the largest cells, of at least so many square metres."""
        cells = [*self._done, *(cell for _, cell in self._open)]
        cells = sorted((one for one in cells if one.area >= least), key=lambda one: one.area, reverse=True)
        return [one.outline() for one in cells[:most]]


def simplified(line: Sequence[Metres], slack: float) -> list[Metres]:
    """The line with fewer points, none of which was farther than `slack` metres from it (Douglas and Peucker); beyond
    _MAX_SIDE points with more and more slack."""
    kept = _kept(line, slack)
    while len(kept) > _MAX_SIDE:
        slack = slack * 2 or 0.01
        kept = _kept(line, slack)
    return kept


def _kept(line: Sequence[Metres], slack: float) -> list[Metres]:
    keep = {0, len(line) - 1}
    waiting = [(0, len(line) - 1)]
    while waiting:
        first, last = waiting.pop()
        a, b = line[first], line[last]
        dx, dy = b.x - a.x, b.y - a.y
        along = (dx * dx + dy * dy) ** 0.5
        worst, place = slack, -1
        for number in range(first + 1, last):
            point = line[number]
            if along:
                off = abs(dx * (point.y - a.y) - dy * (point.x - a.x)) / along
            else:
                off = ((point.x - a.x) ** 2 + (point.y - a.y) ** 2) ** 0.5
            if off > worst:
                worst, place = off, number
        if place >= 0:
            keep.add(place)
            waiting += [(first, place), (place, last)]
    return [line[number] for number in sorted(keep)]
