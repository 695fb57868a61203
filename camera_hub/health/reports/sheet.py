"""A report as .xlsx: summary, trend, villages, cameras, maintenance units, exclusions, faults, formulas.

In Chinese, like every sheet that leaves the hub. Percentages are numbers (rounded down), durations hours.
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
from camera_hub.health.reports.words import CHANGES_ZH, RANKING_ZH, WORDS
from camera_hub.settings import ReportSettings
from camera_hub.sheets.writing import CellValue, WrittenColumn, WrittenSheet, write_workbook

MOST_ROWS = 20_000
"""Rows of one sheet; what is left out is told."""

_HOUR = 3600 * SECOND
_LEVELS = {"village": "村（小区）", "device": "设备", "camera": "摄像机"}
_SEVERITIES = {"critical": "紧急", "major": "重要", "minor": "次要", "warning": "提示"}
_VERDICTS = {"on_time": "及时", "late": "超时", "open": "未修复", "not_counted": "不计"}
_STATES = {"ok": "正常", "fault": "异常", "unknown": "未知"}
_KINDS = {
    "maintenance": "维护",
    "repair": "维修",
    "removed": "拆除",
    "power_cut": "计划停电",
    "sleep": "休眠",
    "other": "其他",
}
_EXCLUSION_STATES = {
    "asked": "待批准",
    "lapsed": "已过期未批准",
    "declined": "未批准或已撤回",
    "planned": "已批准，未开始",
    "in_force": "生效中",
    "ended": "已结束",
}
_COUNTS = ("（%）", "分子", "分母", "未知")
_NOT_RANKED = {"no_cameras": "没有在用摄像机，不排名", "nothing_known": "没有已知数据，不排名"}
_NO_UNIT = "（档案未填）"
_WEEK = "一二三四五六日"
_UNITS = {"cameras": "路", "time": "小时", "seconds": "小时", "fields": "项", "repairs": "件", "mean": "小时/件"}
_SHORT = ("online_time", "intact_time", "recording_amount", "clock_time", "osd_spot", "ledger")


def report_sheet(
    found: NamedReport,
    exclusions: Sequence[ExclusionView],
    settings: ReportSettings,
    zone: ZoneInfo,
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
    sheets = [_summary(shares)]
    if unit is None:
        sheets += [_days(found), _villages(found, bound), _units(found)]
    sheets += [_cameras(found, cameras), _exclusions(exclusions, zone), _faults(found, faults, settings, zone)]
    return write_workbook(sheets, notes=_notes(found, settings, zone, unit, bound), notes_sheet="说明与公式")


def _summary(shares: Mapping[str, BothShares]) -> WrittenSheet:
    columns = [
        WrittenColumn("指标", 24),
        *(
            WrittenColumn(f"{when}{name}", 14)
            for when in ("剔除后", "剔除前")
            for name in ("（%）", "分子", "分母", "未知")
        ),
        WrittenColumn("计量单位", 12),
        WrittenColumn("计算公式", 60),
    ]
    rows: list[list[CellValue]] = []
    for key in FIGURES:
        if key in shares:
            words = WORDS[key]
            both = shares[key]
            counts = [*_counts(words.unit, both.after), *_counts(words.unit, both.before)]
            rows.append([words.zh, *counts, _UNITS[words.unit], words.zh_formula])
    return WrittenSheet("汇总", columns, rows)


def _counts(unit: str, share: Share) -> list[CellValue]:
    scale = {"time": _HOUR, "seconds": 3600, "mean": _HOUR}.get(unit, 1)
    if unit == "mean":
        mean = share.mean
        value: CellValue = None if mean is None else round(float(mean / _HOUR), 2)
        return [value, _number(share.part, scale), share.whole, None]
    return [_percent(share), *(_number(one, scale) for one in (share.part, share.whole, share.unknown))]


def _days(found: NamedReport) -> WrittenSheet:
    columns = [
        WrittenColumn("日期", 12, as_text=True),
        *(WrittenColumn(f"{one}（{when}，%）", 20) for one in ("在线率", "完好率") for when in ("剔除后", "剔除前")),
    ]
    rows: list[list[CellValue]] = [
        [one.day.isoformat(), *(_percent(at) for both in (one.online, one.intact) for at in (both.after, both.before))]
        for one in found.report.days
    ]
    return WrittenSheet("逐日", columns, rows)


def _villages(found: NamedReport, bound: bool) -> WrittenSheet:
    columns = [
        WrittenColumn("名次", 8),
        WrittenColumn("村（小区）", 20),
        WrittenColumn("在用路数", 10),
        *_figure_columns(),
        WrittenColumn("备注", 24),
    ]
    rows: list[list[CellValue]] = []
    for one in found.report.villages:
        why = {"no_cameras": "没有在用摄像机，不排名", "nothing_known": "没有已知数据，不排名"}.get(
            one.rank.why or "", ""
        )
        place = None if bound else one.rank.place
        note = why or ("并列" if one.rank.tied and not bound else "")
        rows.append([place, found.villages.get(one.village_id, ""), one.cameras, *_figures(one.shares), note])
    return WrittenSheet("分村", columns, rows)


def _units(found: NamedReport) -> WrittenSheet:
    columns = [
        WrittenColumn("维保单位", 24),
        WrittenColumn("在用路数", 10),
        WrittenColumn("故障件数", 10),
        WrittenColumn("期末未修复", 12),
        *_figure_columns(),
    ]
    rows: list[list[CellValue]] = [
        [one.unit or _NO_UNIT, one.cameras, one.faults, one.open, *_figures(one.shares)] for one in found.report.units
    ]
    return WrittenSheet("维保单位", columns, rows)


def _cameras(found: NamedReport, cameras: Sequence[CameraFigures]) -> WrittenSheet:
    columns = [
        WrittenColumn("村（小区）", 18),
        WrittenColumn("摄像机", 26),
        WrittenColumn("设备", 22, as_text=True),
        WrittenColumn("维保单位", 20),
        *_figure_columns(),
        *(WrittenColumn(one, 12) for one in ("期末在线", "期末画面", "中断次数", "其中剔除后")),
        *(WrittenColumn(one, 14) for one in ("剔除（小时）", "未观测（小时）")),
    ]

    def row(one: CameraFigures) -> list[CellValue]:
        names = found.cameras.get(one.camera_id)
        return [
            found.villages.get(one.village_id, ""),
            f"#{one.camera_id}" if names is None else names.name,
            "" if names is None else names.device,
            one.maintainer_unit,
            *_figures(one.shares),
            _STATES.get(one.states.get("online", ""), "未在用"),
            _STATES.get(one.states.get("intact", ""), "未在用"),
            *one.outages,
            _number(one.excluded, _HOUR),
            _number(one.unobserved, _HOUR),
        ]

    return _bounded("分摄像机", columns, cameras, row)


def _exclusions(exclusions: Sequence[ExclusionView], zone: ZoneInfo) -> WrittenSheet:
    columns = [
        *(WrittenColumn(one, 14) for one in ("范围", "名称", "村（小区）", "涉及路数", "类别")),
        WrittenColumn("原因", 30),
        *(WrittenColumn(one, 17, as_text=True) for one in ("开始", "到期")),
        WrittenColumn("每周时段", 26),
        *(WrittenColumn(one, 16) for one in ("状态", "申请人", "批准人")),
        WrittenColumn("批准时间", 17, as_text=True),
        WrittenColumn("开始后批准", 12),
        WrittenColumn("提前结束", 17, as_text=True),
    ]

    def row(one: ExclusionView) -> list[CellValue]:
        return [
            _LEVELS[one.level],
            one.name,
            one.village_name,
            one.cameras,
            _KINDS.get(one.kind, one.kind),
            one.reason,
            _time(one.since, zone),
            _time(one.until, zone),
            _weekly(one.weekly),
            _EXCLUSION_STATES[one.state],
            one.created_name,
            one.approved_name or "",
            _time(one.approved_at, zone),
            "是" if one.late else "",
            _time(one.ended_at, zone),
        ]

    return _bounded("剔除", columns, exclusions, row)


def _faults(
    found: NamedReport, faults: Sequence[FaultFigures], settings: ReportSettings, zone: ZoneInfo
) -> WrittenSheet:
    columns = [
        *(WrittenColumn(one, 14) for one in ("村（小区）", "范围", "名称", "涉及路数", "级别")),
        WrittenColumn("原因代码", 20),
        WrittenColumn("维保单位", 24),
        *(WrittenColumn(one, 17, as_text=True) for one in ("产生", "恢复")),
        *(WrittenColumn(one, 14) for one in ("历时（小时）", "扣除剔除（小时）", "时限（小时）", "结论", "反复抖动")),
    ]
    end = found.report.span.end

    def row(one: FaultFigures) -> list[CellValue]:
        fault = one.fault
        closed = None if fault.closed is None or fault.closed >= end else moment(fault.closed)
        return [
            found.villages.get(fault.village_id or 0, ""),
            _LEVELS.get(fault.level, fault.level),
            _fault_name(found, one),
            len(fault.cameras),
            _SEVERITIES[fault.severity],
            fault.cause,
            "、".join(unit or _NO_UNIT for unit in one.units),
            _time(moment(fault.opened), zone),
            _time(closed, zone),
            _number(one.before.lasted, _HOUR),
            _number(one.after.lasted, _HOUR),
            settings.due_hours[fault.severity],
            _VERDICTS[one.after.verdict],
            "是" if fault.flapping else "",
        ]

    return _bounded("故障", columns, faults, row)


def _notes(found: NamedReport, settings: ReportSettings, zone: ZoneInfo, unit: str | None, bound: bool) -> list[str]:
    report = found.report
    span = report.span
    title = f"{settings.township}视频监控运行报表"
    lines = [
        title if unit is None else f"{title}（维保单位：{unit or '档案未填'}）",
        f"统计期：{span.first} 至 {span.last}（{zone.key}）",
        f"数据截至：{_time(moment(span.end), zone)}；生成时间：{_time(found.computed_at, zone)}",
        "剔除：已批准的维护窗口、维修、拆除、计划停电、休眠等，生效期间不计入“剔除后”的任何指标，全部列在“剔除”表中。",
        "未知：平台停机、中心出口中断或尚未检查的时间，既不算正常也不算异常，单列“未知”。",
        "百分比向下取到两位小数，只有一项不缺时才显示 100%。",
        *(f"{WORDS[key].zh}：{WORDS[key].zh_formula}" for key in FIGURES),
        "修复时限：" + "，".join(f"{_SEVERITIES[key]} {hours:g} 小时" for key, hours in settings.due_hours.items()),
        CHANGES_ZH,
    ]
    if not bound and unit is None:
        lines.insert(6, RANKING_ZH.format(figure=WORDS[report.rules.ranked_by].zh))
    if not found.complete:
        lines.insert(3, "注意：统计期开始部分的状态已超过保存期限，数值不完整。")
    return lines


Item = TypeVar("Item")


def _bounded(
    name: str, columns: Sequence[WrittenColumn], items: Sequence[Item], row: Callable[[Item], list[CellValue]]
) -> WrittenSheet:
    rows = [row(one) for one in items[:MOST_ROWS]]
    if len(items) > MOST_ROWS:
        rows.append([f"另有 {len(items) - MOST_ROWS} 行未列出，请缩短统计期", *[None] * (len(columns) - 1)])
    return WrittenSheet(name, columns, rows)


def _figure_columns() -> list[WrittenColumn]:
    shown = [WrittenColumn(f"{WORDS[key].zh}%", 14) for key in _SHORT]
    return [
        *shown,
        WrittenColumn("在线率（剔除前）%", 14),
        WrittenColumn("平均修复（小时）", 14),
        WrittenColumn("修复件数", 10),
        WrittenColumn("修复及时率%", 12),
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


def _weekly(weekly: Mapping[str, object] | None) -> str:
    if weekly is None:
        return ""
    days = weekly["days"]
    named = "、".join(_WEEK[one] for one in days) if isinstance(days, list) else ""
    return f"每周{named} {weekly['from']}–{weekly['to']}"
