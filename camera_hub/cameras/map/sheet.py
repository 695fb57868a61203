"""The coverage table as a sheet: a row for each place class and kind, with its places below it. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from camera_hub.cameras.imports.place_words import PLACE_WORDS
from camera_hub.cameras.map.coverage import PlaceCoverage
from camera_hub.cameras.map.coverages import CoverageReport
from camera_hub.cameras.map.key_places import KeyPlaceView
from camera_hub.cameras.map.table import COVERED_FROM, UNCOVERED_UNTIL, CoverageRow
from camera_hub.settings import MapSettings
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

Cell = str | int | float | None

_KINDS = {"point": ("点", "处"), "line": ("线", "米"), "area": ("面", "平方米")}
_HEADERS = (
    ("场所类别", 14),
    ("形状", 8),
    ("重点部位", 26),
    ("所属村（小区）", 16),
    ("数量", 8),
    ("总量", 12),
    ("单位", 8),
    ("已覆盖量", 12),
    ("覆盖率（%）", 12),
    ("全覆盖", 8),
    ("部分覆盖", 10),
    ("未覆盖", 8),
    ("正常摄像机覆盖量", 18),
    ("正常摄像机覆盖率（%）", 20),
    ("覆盖摄像机数", 14),
    ("空白段（处）", 12),
)


def coverage_columns() -> list[WrittenColumn]:
    """The headers."""
    return [WrittenColumn(header, width=width) for header, width in _HEADERS]


def coverage_sheet(report: CoverageReport, villages: Mapping[int, str], settings: MapSettings) -> bytes:
    """The sheet as .xlsx; a process writes it, so not in the event loop. `villages`: names by id."""
    rows = coverage_lines(report, villages)
    return write_xlsx(coverage_columns(), rows, sheet="覆盖统计", notes=coverage_notes(report, settings))


def coverage_notes(report: CoverageReport, settings: MapSettings) -> list[str]:
    """How each figure comes about."""
    return [
        f"计入的摄像机：已审批、未拆除且有坐标的 {report.cameras} 台；"
        f"另有 {report.without_position} 台无坐标，未计入。",
        f"单台覆盖范围：以摄像机为圆心的扇形（方位、视场角、可视距离）；未填视场角按 {settings.angle_deg:g}°、"
        f"未填可视距离按 {settings.reach_m:g} 米；未填方位的按整圆计（{report.without_direction} 台），结果偏高。",
        "点：落在任一扇形内为覆盖。线：覆盖率＝被覆盖长度÷总长度。面：覆盖率＝被覆盖面积÷总面积"
        "（误差不超过面积的 1%）。多台重叠只计一次。",
        f"全覆盖：覆盖率≥{COVERED_FROM:.1%}；未覆盖：覆盖率≤{UNCOVERED_UNTIL:.1%}；其余为部分覆盖。",
        "合计覆盖率＝Σ已覆盖量÷Σ总量。正常摄像机：在用且最近一次检查画面正常的摄像机；未检查到结果的不计入。",
    ]


def coverage_lines(report: CoverageReport, villages: Mapping[int, str]) -> Iterable[Sequence[Cell]]:
    """A line per class and kind ("合计"), followed by one for each of its places."""
    for row in report.rows:
        yield _total(row)
        for place, covered in report.places:
            if (place.place_class, place.kind) == (row.place_class, row.kind):
                yield _single(place, covered, villages)


def _total(row: CoverageRow) -> Sequence[Cell]:
    shape, unit = _KINDS[row.kind]
    return [
        PLACE_WORDS[row.place_class],
        shape,
        "合计",
        "",
        row.count,
        round(row.total, 1),
        unit,
        round(row.installed.share * row.total, 1),
        round(row.installed.share * 100, 2),
        row.installed.covered,
        row.installed.partly,
        row.installed.uncovered,
        round(row.working.share * row.total, 1),
        round(row.working.share * 100, 2),
        None,
        None,
    ]


def _single(place: KeyPlaceView, one: PlaceCoverage, villages: Mapping[int, str]) -> Sequence[Cell]:
    shape, unit = _KINDS[place.kind]
    whole, none = one.share >= COVERED_FROM, one.share <= UNCOVERED_UNTIL
    return [
        PLACE_WORDS[place.place_class],
        shape,
        place.name,
        "全镇" if place.village_id is None else villages.get(place.village_id, ""),
        1,
        round(one.total, 1),
        unit,
        round(one.covered, 1),
        round(one.share * 100, 2),
        int(whole),
        int(not whole and not none),
        int(none),
        round(one.working, 1),
        round(one.working_share * 100, 2),
        len(one.camera_ids),
        len(one.gaps),
    ]
