"""A report as .xlsx: summary, trend, villages, cameras, maintenance units, exclusions, faults, formulas.

In the language that is asked for. Percentages are numbers (rounded down), durations hours.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from camera_hub.health.exclusion_register import ExclusionView
from camera_hub.health.reports.figures import FIGURES, BothShares, Share
from camera_hub.health.reports.report import CameraFigures, FaultFigures
from camera_hub.health.reports.reports import NamedReport
from camera_hub.health.reports.span import SECOND, moment
from camera_hub.health.reports.words import CHANGES_EN, CHANGES_ZH, RANKING_EN, RANKING_ZH, WORDS
from camera_hub.settings import ReportSettings
from camera_hub.sheets.language import Said, SheetWords
from camera_hub.sheets.writing import CellValue, WrittenColumn, WrittenSheet, write_workbook

MOST_ROWS = 20_000
"""Rows of one sheet; what is left out is told."""

_HOUR = 3600 * SECOND
_LEVELS: Mapping[str, Said] = {
    "village": ("村（小区）", "Village"),
    "device": ("设备", "Device"),
    "camera": ("摄像机", "Camera"),
}
_SEVERITIES: Mapping[str, Said] = {
    "critical": ("紧急", "Critical"),
    "major": ("重要", "Major"),
    "minor": ("次要", "Minor"),
    "warning": ("提示", "Warning"),
}
_VERDICTS: Mapping[str, Said] = {
    "on_time": ("及时", "in time"),
    "late": ("逾期", "late"),
    "open": ("未到期", "not due yet"),
    "not_counted": ("不计", "not counted"),
}
_STATES: Mapping[str, Said] = {
    "ok": ("正常", "well"),
    "fault": ("异常", "fault"),
    "unknown": ("未知", "unknown"),
    "": ("未在用", "not in use"),
}
_KINDS: Mapping[str, Said] = {
    "maintenance": ("维护", "Maintenance"),
    "repair": ("维修", "Repair"),
    "removed": ("拆除", "Removed"),
    "power_cut": ("计划停电", "Planned power cut"),
    "sleep": ("休眠", "Sleep"),
    "other": ("其他", "Other"),
}
_EXCLUSION_STATES: Mapping[str, Said] = {
    "asked": ("待批准", "to approve"),
    "lapsed": ("过期未批准", "lapsed"),
    "declined": ("未批准或已撤回", "declined or withdrawn"),
    "planned": ("已批准，未开始", "planned"),
    "in_force": ("生效中", "in force"),
    "ended": ("已结束", "over"),
}
_COUNTS: Sequence[Said] = (("（%）", " (%)"), ("分子", ", part"), ("分母", ", whole"), ("未知", ", unknown"))
_WHEN: Sequence[Said] = (("剔除后", "After exclusions"), ("剔除前", "Before exclusions"))
_NOT_RANKED: Mapping[str, Said] = {
    "no_cameras": ("没有在用摄像机，不排名", "no cameras in use, not ranked"),
    "nothing_known": ("没有已知数据，不排名", "nothing known, not ranked"),
}
_NO_UNIT: Said = ("（档案未填）", "(not in the file)")
_DAYS: Sequence[Said] = tuple(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_UNITS: Mapping[str, Said] = {
    "cameras": ("路", "cameras"),
    "time": ("小时", "h"),
    "seconds": ("小时", "h"),
    "fields": ("项", "fields"),
    "repairs": ("件", "faults"),
    "mean": ("小时/件", "h per fault"),
}
_SHORT = ("online_time", "intact_time", "recording_amount", "clock_time", "osd_spot", "ledger")


def report_sheet(
    found: NamedReport,
    exclusions: Sequence[ExclusionView],
    settings: ReportSettings,
    zone: ZoneInfo,
    words: SheetWords,
    unit: str | None = None,
    *,
    bound: bool = False,
) -> bytes:
    """The workbook; some seconds for 1,000 cameras, so not in the event loop. `unit`: only what it looks after;
    `bound`: the user sees some villages only, so none is ranked. Raises HubError(UNAVAILABLE)."""
    report = found.report
    cameras = [one for one in report.cameras if unit is None or one.maintainer_unit == unit]
    faults = [one for one in reversed(report.faults) if unit is None or unit in one.units]
    shares = report.shares
    if unit is not None:
        shares = next((one.shares for one in report.units if one.unit == unit), {})
    sheets = [_summary(shares, words)]
    if unit is None:
        sheets += [_days(found, words), _villages(found, bound, words), _units(found, words)]
    sheets += [
        _cameras(found, cameras, words),
        _exclusions(exclusions, zone, words),
        _faults(found, faults, settings, zone, words),
    ]
    return write_workbook(
        sheets,
        notes=_notes(found, settings, zone, words, unit, bound),
        notes_sheet=words.say("说明与公式", "Notes and formulas"),
    )


def _summary(shares: Mapping[str, BothShares], words: SheetWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("指标", "Figure"), 24),
        *(WrittenColumn(words.say(when[0] + name[0], when[1] + name[1]), 14) for when in _WHEN for name in _COUNTS),
        WrittenColumn(words.say("计量单位", "Unit"), 12),
        WrittenColumn(words.say("计算公式", "How it is computed"), 60),
    ]
    rows: list[list[CellValue]] = []
    for key in FIGURES:
        if key in shares:
            figure = WORDS[key]
            both = shares[key]
            counts = [*_counts(figure.unit, both.after), *_counts(figure.unit, both.before)]
            formula = words.say(figure.zh_formula, figure.en_formula)
            rows.append([words.say(figure.zh, figure.en), *counts, words.of(_UNITS, figure.unit), formula])
    return WrittenSheet(words.say("汇总", "Summary"), columns, rows)


def _counts(unit: str, share: Share) -> list[CellValue]:
    scale = {"time": _HOUR, "seconds": 3600, "mean": _HOUR}.get(unit, 1)
    if unit == "mean":
        mean = share.mean
        value: CellValue = None if mean is None else round(float(mean / _HOUR), 2)
        return [value, _number(share.part, scale), share.whole, None]
    return [_percent(share), *(_number(one, scale) for one in (share.part, share.whole, share.unknown))]


def _days(found: NamedReport, words: SheetWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("日期", "Day"), 12, as_text=True),
        *(
            WrittenColumn(words.say(f"{one[0]}（{when[0]}，%）", f"{one[1]} ({when[1].lower()}, %)"), 20)
            for one in (("在线率", "Online"), ("完好率", "Intact"))
            for when in _WHEN
        ),
    ]
    rows: list[list[CellValue]] = [
        [one.day.isoformat(), *(_percent(at) for both in (one.online, one.intact) for at in (both.after, both.before))]
        for one in found.report.days
    ]
    return WrittenSheet(words.say("逐日", "By day"), columns, rows)


def _villages(found: NamedReport, bound: bool, words: SheetWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("名次", "Place"), 8),
        WrittenColumn(words.say("村（小区）", "Village"), 20),
        WrittenColumn(words.say("在用路数", "Cameras in use"), 10),
        *_figure_columns(words),
        WrittenColumn(words.say("备注", "Note"), 24),
    ]
    rows: list[list[CellValue]] = []
    for one in found.report.villages:
        why = words.of(_NOT_RANKED, one.rank.why or "")
        place = None if bound else one.rank.place
        note = why or (words.say("并列", "shared") if one.rank.tied and not bound else "")
        rows.append([place, found.villages.get(one.village_id, ""), one.cameras, *_figures(one.shares), note])
    return WrittenSheet(words.say("分村", "Villages"), columns, rows)


def _units(found: NamedReport, words: SheetWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("维保单位", "Maintenance unit"), 24),
        WrittenColumn(words.say("在用路数", "Cameras in use"), 10),
        WrittenColumn(words.say("故障件数", "Faults"), 10),
        WrittenColumn(words.say("期末未修复", "Open at the end"), 12),
        *_figure_columns(words),
    ]
    rows: list[list[CellValue]] = [
        [one.unit or words.say(*_NO_UNIT), one.cameras, one.faults, one.open, *_figures(one.shares)]
        for one in found.report.units
    ]
    return WrittenSheet(words.say("维保单位", "Maintenance units"), columns, rows)


def _cameras(found: NamedReport, cameras: Sequence[CameraFigures], words: SheetWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("村（小区）", "Village"), 18),
        WrittenColumn(words.say("摄像机", "Camera"), 26),
        WrittenColumn(words.say("设备", "Device"), 22, as_text=True),
        WrittenColumn(words.say("维保单位", "Maintenance unit"), 20),
        *_figure_columns(words),
        *(
            WrittenColumn(words.say(*one), 12)
            for one in (
                ("期末在线", "Online at the end"),
                ("期末画面", "Picture at the end"),
                ("中断次数", "Outages"),
                ("其中剔除后", "After exclusions"),
            )
        ),
        *(
            WrittenColumn(words.say(*one), 14)
            for one in (("剔除（小时）", "Excluded (h)"), ("未观测（小时）", "Not observed (h)"))
        ),
    ]

    def row(one: CameraFigures) -> list[CellValue]:
        names = found.cameras.get(one.camera_id)
        return [
            found.villages.get(one.village_id, ""),
            f"#{one.camera_id}" if names is None else names.name,
            "" if names is None else names.device,
            one.maintainer_unit,
            *_figures(one.shares),
            words.of(_STATES, one.states.get("online", "")),
            words.of(_STATES, one.states.get("intact", "")),
            *one.outages,
            _number(one.excluded, _HOUR),
            _number(one.unobserved, _HOUR),
        ]

    return _bounded(("分摄像机", "Cameras"), columns, cameras, row, words)


def _exclusions(exclusions: Sequence[ExclusionView], zone: ZoneInfo, words: SheetWords) -> WrittenSheet:
    columns = [
        *(
            WrittenColumn(words.say(*one), 14)
            for one in (
                ("范围", "Scope"),
                ("名称", "Name"),
                ("村（小区）", "Village"),
                ("涉及路数", "Cameras"),
                ("类别", "Kind"),
            )
        ),
        WrittenColumn(words.say("原因", "Reason"), 30),
        *(WrittenColumn(words.say(*one), 17, as_text=True) for one in (("开始", "From"), ("到期", "Until"))),
        WrittenColumn(words.say("每周时段", "Weekly window"), 26),
        *(
            WrittenColumn(words.say(*one), 16)
            for one in (("状态", "State"), ("申请人", "Asked by"), ("批准人", "Approved by"))
        ),
        WrittenColumn(words.say("批准时间", "Approved at"), 17, as_text=True),
        WrittenColumn(words.say("开始后批准", "Approved after it began"), 12),
        WrittenColumn(words.say("提前结束", "Ended early"), 17, as_text=True),
    ]

    def row(one: ExclusionView) -> list[CellValue]:
        return [
            words.of(_LEVELS, one.level),
            one.name,
            one.village_name,
            one.cameras,
            words.of(_KINDS, one.kind),
            one.reason,
            _time(one.since, zone),
            _time(one.until, zone),
            _weekly(one.weekly, words),
            words.of(_EXCLUSION_STATES, one.state),
            one.created_name,
            one.approved_name or "",
            _time(one.approved_at, zone),
            words.say("是", "yes") if one.late else "",
            _time(one.ended_at, zone),
        ]

    return _bounded(("剔除", "Exclusions"), columns, exclusions, row, words)


def _faults(
    found: NamedReport, faults: Sequence[FaultFigures], settings: ReportSettings, zone: ZoneInfo, words: SheetWords
) -> WrittenSheet:
    columns = [
        *(
            WrittenColumn(words.say(*one), 14)
            for one in (
                ("村（小区）", "Village"),
                ("范围", "Scope"),
                ("名称", "Name"),
                ("涉及路数", "Cameras"),
                ("级别", "Severity"),
            )
        ),
        WrittenColumn(words.say("原因代码", "Cause (code)"), 20),
        WrittenColumn(words.say("维保单位", "Maintenance unit"), 24),
        *(WrittenColumn(words.say(*one), 17, as_text=True) for one in (("产生", "Opened"), ("恢复", "Closed"))),
        *(
            WrittenColumn(words.say(*one), 14)
            for one in (
                ("历时（小时）", "Lasted (h)"),
                ("扣除剔除（小时）", "Without exclusions (h)"),
                ("时限（小时）", "Due in (h)"),
                ("结论", "Result"),
                ("反复抖动", "Flapping"),
            )
        ),
    ]
    end = found.report.span.end

    def row(one: FaultFigures) -> list[CellValue]:
        fault = one.fault
        closed = None if fault.closed is None or fault.closed >= end else moment(fault.closed)
        return [
            found.villages.get(fault.village_id or 0, ""),
            words.of(_LEVELS, fault.level),
            _fault_name(found, one),
            len(fault.cameras),
            words.of(_SEVERITIES, fault.severity),
            fault.cause,
            words.say("、", ", ").join(unit or words.say(*_NO_UNIT) for unit in one.units),
            _time(moment(fault.opened), zone),
            _time(closed, zone),
            _number(one.before.lasted, _HOUR),
            _number(one.after.lasted, _HOUR),
            settings.due_hours[fault.severity],
            words.of(_VERDICTS, one.after.verdict),
            words.say("是", "yes") if fault.flapping else "",
        ]

    return _bounded(("故障", "Faults"), columns, faults, row, words)


def _notes(
    found: NamedReport, settings: ReportSettings, zone: ZoneInfo, words: SheetWords, unit: str | None, bound: bool
) -> list[str]:
    report, say = found.report, words.say
    span = report.span
    title = say(f"{settings.township}视频监控运行报表", f"{settings.township} video surveillance report".strip())
    of_unit = say(f"（维保单位：{unit or '档案未填'}）", f" (maintenance unit: {unit or 'not in the file'})")
    until, computed = _time(moment(span.end), zone), _time(found.computed_at, zone)
    due = [
        say(f"{_SEVERITIES[key][0]} {hours:g} 小时", f"{_SEVERITIES[key][1].lower()} {hours:g} h")
        for key, hours in settings.due_hours.items()
    ]
    lines = [
        title if unit is None else title + of_unit,
        say(f"统计期：{span.first} 至 {span.last}（{zone.key}）", f"Span: {span.first} to {span.last} ({zone.key})"),
        say(f"数据截至：{until}；生成时间：{computed}", f"Data as of {until}; made at {computed}"),
        say(
            "剔除：已批准的维护窗口、维修、拆除、计划停电、休眠等，生效期间不计入“剔除后”的任何指标，全部列在“剔除”表中。",
            "Exclusions: approved maintenance, repairs, removals, planned power cuts, sleep; while in force they count"
            " in no figure after exclusions, and all are listed on their sheet.",
        ),
        say(
            "未知：平台停机、中心出口中断或尚未检查的时间，既不算正常也不算异常，单列“未知”。",
            "Unknown: the hub was stopped, its own uplink cut, or nothing was looked at yet; neither well nor fault.",
        ),
        say(
            "百分比向下取到两位小数，只有一项不缺时才显示 100%。",
            "Percentages are rounded down to hundredths: 100 % means that nothing is missing.",
        ),
        *(
            say(f"{WORDS[key].zh}：{WORDS[key].zh_formula}", f"{WORDS[key].en}: {WORDS[key].en_formula}")
            for key in FIGURES
        ),
        say("修复时限：", "Repairs are due within: ") + say("，", ", ").join(due),
        say(CHANGES_ZH, CHANGES_EN),
    ]
    if not bound and unit is None:
        ranked = WORDS[report.rules.ranked_by]
        lines.insert(6, say(RANKING_ZH.format(figure=ranked.zh), RANKING_EN.format(figure=ranked.en)))
    if not found.complete:
        incomplete = say(
            "注意：统计期开始部分的状态已超过保存期限，数值不完整。",
            "Note: states of the first days are kept no longer: the figures are incomplete.",
        )
        lines.insert(3, incomplete)
    return lines


Item = TypeVar("Item")


def _bounded(
    name: Said,
    columns: Sequence[WrittenColumn],
    items: Sequence[Item],
    row: Callable[[Item], list[CellValue]],
    words: SheetWords,
) -> WrittenSheet:
    rows = [row(one) for one in items[:MOST_ROWS]]
    if len(items) > MOST_ROWS:
        left = len(items) - MOST_ROWS
        told = words.say(f"另有 {left} 行未列出，请缩短统计期", f"{left} more rows are left out; choose a shorter span")
        rows.append([told, *[None] * (len(columns) - 1)])
    return WrittenSheet(words.say(*name), columns, rows)


def _figure_columns(words: SheetWords) -> list[WrittenColumn]:
    shown = [WrittenColumn(words.say(f"{WORDS[key].zh}%", f"{WORDS[key].en} (%)"), 14) for key in _SHORT]
    return [
        *shown,
        WrittenColumn(words.say("在线率（剔除前）%", "Online before exclusions (%)"), 14),
        WrittenColumn(words.say("平均修复（小时）", "Mean repair (h)"), 14),
        WrittenColumn(words.say("修复件数", "Repairs"), 10),
        WrittenColumn(words.say("修复及时率%", "Repaired in time (%)"), 12),
    ]


def _figures(shares: Mapping[str, BothShares]) -> list[CellValue]:
    mean = _counts("mean", shares["repair_time"].after)
    return [
        *(_percent(shares[key].after) for key in _SHORT),
        _percent(shares["online_time"].before),
        mean[0],
        mean[2],
        _percent(shares["repair_in_time"].after),
    ]


def _fault_name(found: NamedReport, one: FaultFigures) -> str:
    names = [found.cameras[camera] for camera in sorted(one.fault.cameras) if camera in found.cameras]
    if one.fault.level == "village" or not names:
        return found.villages.get(one.fault.village_id or 0, "")
    return names[0].device if one.fault.level == "device" else names[0].name


def _percent(share: Share) -> CellValue:
    return None if share.hundredths is None else share.hundredths / 100


def _number(amount: int, scale: int) -> CellValue:
    return amount if scale == 1 else round(amount / scale, 2)


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _weekly(weekly: Mapping[str, object] | None, words: SheetWords) -> str:
    if weekly is None:
        return ""
    days = weekly["days"]
    named = [words.say(*_DAYS[one]) for one in days] if isinstance(days, list) else []
    span = f"{weekly['from']}–{weekly['to']}"
    return words.say(f"每周{'、'.join(named)} {span}", f"{', '.join(named)} {span}")
