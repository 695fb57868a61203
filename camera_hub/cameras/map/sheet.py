"""The coverage table as a sheet: a row for each place class and kind, with its places below it. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from camera_hub.cameras.imports.place_words import PLACE_WORDS
from camera_hub.cameras.map.coverage import PlaceCoverage
from camera_hub.cameras.map.coverages import CoverageReport
from camera_hub.cameras.map.key_places import KeyPlaceView
from camera_hub.cameras.map.table import COVERED_FROM, UNCOVERED_UNTIL, CoverageRow
from camera_hub.settings import MapSettings
from camera_hub.sheets.language import Said, SheetWords
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

Cell = str | int | float | None

_SHAPES: Mapping[str, Said] = {"point": ("点", "point"), "line": ("线", "line"), "area": ("面", "area")}
_UNITS: Mapping[str, Said] = {"point": ("处", "places"), "line": ("米", "m"), "area": ("平方米", "m²")}
_CLASSES_EN: Mapping[str, str] = {
    "key_road": "Key road section",
    "key_unit": "Key unit",
    "high_incidence": "High-incidence area",
    "entrance": "Village entrance",
    "school": "School",
    "water": "Water",
    "forest": "Woodland",
    "field": "Fields",
    "square": "Square",
    "other": "Other",
}
_HEADERS: Sequence[tuple[Said, int]] = (
    (("场所类别", "Place class"), 14),
    (("形状", "Shape"), 8),
    (("重点部位", "Key place"), 26),
    (("所属村（小区）", "Village"), 16),
    (("数量", "Number"), 8),
    (("总量", "Total"), 12),
    (("单位", "Unit"), 8),
    (("已覆盖量", "Covered"), 12),
    (("覆盖率（%）", "Coverage (%)"), 12),
    (("全覆盖", "Whole"), 8),
    (("部分覆盖", "Partly"), 10),
    (("未覆盖", "Not covered"), 8),
    (("正常摄像机覆盖量", "Covered by working cameras"), 18),
    (("正常摄像机覆盖率（%）", "Coverage by working cameras (%)"), 20),
    (("覆盖摄像机数", "Cameras"), 14),
    (("空白段（处）", "Gaps"), 12),
)


def coverage_columns(words: SheetWords) -> list[WrittenColumn]:
    """The headers."""
    return [WrittenColumn(words.say(*header), width=width) for header, width in _HEADERS]


def coverage_sheet(
    report: CoverageReport, villages: Mapping[int, str], settings: MapSettings, words: SheetWords
) -> bytes:
    """The sheet as .xlsx; a process writes it, so not in the event loop. `villages`: names by id."""
    return write_xlsx(
        coverage_columns(words),
        coverage_lines(report, villages, words),
        sheet=words.say("覆盖统计", "Coverage"),
        notes=coverage_notes(report, settings, words),
        notes_sheet=words.say("说明", "Notes"),
    )


def coverage_notes(report: CoverageReport, settings: MapSettings, words: SheetWords) -> list[str]:
    """How each figure comes about."""
    say = words.say
    return [
        say(
            f"计入的摄像机：已审批、未拆除且有坐标的 {report.cameras} 台；"
            f"另有 {report.without_position} 台无坐标，未计入。",
            f"Cameras that count: {report.cameras}, approved, not removed, with a position;"
            f" {report.without_position} more have none and do not count.",
        ),
        say(
            f"单台覆盖范围：以摄像机为圆心的扇形（方位、视场角、可视距离）；未填视场角按 {settings.angle_deg:g}°、"
            f"未填可视距离按 {settings.reach_m:g} 米；未填方位的按整圆计（{report.without_direction} 台），结果偏高。",
            "What a camera covers: a sector around it (direction, angle of view, reach). Where they are not known the"
            f" angle is {settings.angle_deg:g}°, the reach {settings.reach_m:g} m, and the direction a whole circle"
            f" ({report.without_direction} cameras), which is too much.",
        ),
        say(
            "点：落在任一扇形内为覆盖。线：覆盖率＝被覆盖长度÷总长度。面：覆盖率＝被覆盖面积÷总面积"
            "（误差不超过面积的 1%）。多台重叠只计一次。",
            "A point is covered within any sector. A line: length covered ÷ whole length. An area: area covered ÷ whole"
            " area (to 1 % of it). What several cameras cover counts once.",
        ),
        say(
            f"全覆盖：覆盖率≥{COVERED_FROM:.1%}；未覆盖：覆盖率≤{UNCOVERED_UNTIL:.1%}；其余为部分覆盖。",
            f"Whole: coverage ≥ {COVERED_FROM:.1%}; not covered: ≤ {UNCOVERED_UNTIL:.1%}; else partly.",
        ),
        say(
            "合计覆盖率＝Σ已覆盖量÷Σ总量。正常摄像机：在用且最近一次检查画面正常的摄像机；未检查到结果的不计入。",
            "Coverage of a total: Σ covered ÷ Σ total. Working cameras: in use, with a good picture at their last"
            " check; those of which nothing is known do not count.",
        ),
    ]


def coverage_lines(report: CoverageReport, villages: Mapping[int, str], words: SheetWords) -> Iterable[Sequence[Cell]]:
    """A line per class and kind ("合计", "all"), followed by one for each of its places."""
    for row in report.rows:
        yield _total(row, words)
        for place, covered in report.places:
            if (place.place_class, place.kind) == (row.place_class, row.kind):
                yield _single(place, covered, villages, words)


def _total(row: CoverageRow, words: SheetWords) -> Sequence[Cell]:
    return [
        _class(row.place_class, words),
        words.of(_SHAPES, row.kind),
        words.say("合计", "all"),
        "",
        row.count,
        round(row.total, 1),
        words.of(_UNITS, row.kind),
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


def _class(code: str, words: SheetWords) -> str:
    return words.say(PLACE_WORDS[code], _CLASSES_EN[code])


def _single(place: KeyPlaceView, one: PlaceCoverage, villages: Mapping[int, str], words: SheetWords) -> Sequence[Cell]:
    whole, none = one.share >= COVERED_FROM, one.share <= UNCOVERED_UNTIL
    return [
        _class(place.place_class, words),
        words.of(_SHAPES, place.kind),
        place.name,
        words.say("全镇", "Whole township") if place.village_id is None else villages.get(place.village_id, ""),
        1,
        round(one.total, 1),
        words.of(_UNITS, place.kind),
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
