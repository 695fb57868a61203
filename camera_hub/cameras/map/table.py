"""The coverage table: per place class and kind how many places are covered, partly, not at all, and which share. Pure.

covered      at least 99.5 % of it                  partly       anything between
uncovered    at most 0.5 % of it                    share        Σ covered ÷ Σ total (points: number, lines: metres,
                                                                 areas: square metres)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from camera_hub.cameras.map.coverage import PlaceCoverage
from camera_hub.cameras.map.shapes import PlaceKind

COVERED_FROM = 0.995
UNCOVERED_UNTIL = 0.005
AREA_ERROR = 0.01
"""By how much the share of an area may be off."""

_CLASSES = ("key_road", "key_unit", "high_incidence", "entrance", "school", "water", "square", "other")
_KINDS: tuple[PlaceKind, ...] = ("point", "line", "area")


@dataclass(frozen=True, slots=True)
class CoverageCount:
    """How many places are covered, partly covered and uncovered, and the covered share of their sum: 0 … 1."""

    covered: int
    partly: int
    uncovered: int
    share: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """The places of one class and kind. `total`: their sum in metres, square metres, or their number. `installed`: by
    all cameras that count; `working`: by those of them whose health is good now."""

    place_class: str
    kind: PlaceKind
    count: int
    total: float
    installed: CoverageCount
    working: CoverageCount


def coverage_rows(classes: Mapping[int, tuple[str, PlaceKind]], places: Iterable[PlaceCoverage]) -> list[CoverageRow]:
    """A row for each place class and kind that there is. `classes`: of each place by its id."""
    groups: dict[tuple[str, PlaceKind], list[PlaceCoverage]] = {}
    for one in places:
        groups.setdefault(classes[one.id], []).append(one)
    order = sorted(groups, key=lambda group: (_CLASSES.index(group[0]), _KINDS.index(group[1])))
    return [_row(group, groups[group]) for group in order]


def _row(group: tuple[str, PlaceKind], places: list[PlaceCoverage]) -> CoverageRow:
    total = sum(one.total for one in places)
    return CoverageRow(
        group[0],
        group[1],
        len(places),
        total,
        _count([one.share for one in places], sum(one.covered for one in places) / total),
        _count([one.working_share for one in places], sum(one.working for one in places) / total),
    )


def _count(shares: list[float], whole: float) -> CoverageCount:
    covered = sum(one >= COVERED_FROM for one in shares)
    uncovered = sum(one <= UNCOVERED_UNTIL for one in shares)
    return CoverageCount(covered, len(shares) - covered - uncovered, uncovered, whole)
