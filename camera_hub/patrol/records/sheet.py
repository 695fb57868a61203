"""Records as .xlsx, in Chinese like every sheet that leaves the hub; texts are never formulas (sheets.writing).

Pure, but for the process that writes the workbook.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.compare import camera_names
from camera_hub.patrol.records.content import Row
from camera_hub.patrol.records.export import FullRecord
from camera_hub.patrol.records.listing import RecordRow
from camera_hub.sheets.writing import CellValue, WrittenColumn, WrittenSheet, write_workbook

_RESULTS = {"open": "待确认", "normal": "正常", "abnormal": "异常", "excused": "免看"}
_COUNTED = {name: _RESULTS[name] for name in ("normal", "abnormal", "excused", "open")}
_STATES = {"running": "巡查中", "paused": "已暂停", "closing": "待提交", "ended": "已结束"}
_ENDS = {
    "submitted": "已提交",
    "finished": "走完",
    "stopped": "中途结束",
    "all_dead": "所有站点都无法显示",
    "expired": "过期未提交",
}
_PAUSES = {"operator": "人工暂停", "attention": "值守提醒无人应答", "alarm": "告警打断", "ptz": "云台操作"}
_OPINIONS = {"approved": "同意", "returned": "退回", "note": "补充说明"}
_WHY = {
    "no_page": "没有页面在看",
    "page_hidden": "页面未显示",
    "page_covered": "画面被遮住",
    "off_screen": "不在屏幕可见处",
    "passed_over": "略过（看得太短）",
    "no_picture": "没有画面",
    "hub_away": "平台停机",
    "retired": "已停用",
    "not_approved": "未批准",
}
EVENT_WORDS = {
    "started": "开始",
    "paused": "暂停",
    "resumed": "继续",
    "next": "下一站",
    "previous": "上一站",
    "jumped": "跳站",
    "extended": "延长停留",
    "handed_over": "交接",
    "taken_over": "接手",
    "received": "收到交接",
    "interrupted": "告警打断",
    "another_alarm": "打断期间又有告警",
    "closing": "各站走完，待提交",
    "submitted": "提交",
    "stopped": "中途结束",
    "expired": "过期未提交",
    "all_dead": "所有站点都无法显示",
    "result_changed": "更改确认结果",
    "finding_changed": "修改发现问题",
    "finding_deleted": "删除发现问题",
}


@dataclass(frozen=True, slots=True)
class RecordWords:
    """What codes are called here: causes (errors.Reason), categories of findings; and the site's time zone and name."""

    causes: Mapping[str, str]
    categories: Mapping[str, str]
    zone: ZoneInfo
    township: str = ""


def record_workbook(record: FullRecord, words: RecordWords) -> bytes:
    """One record: summary, results camera by camera, findings, events, reviews. Blocks while a process writes it.

    Raises HubError(UNAVAILABLE).
    """
    summary = WrittenSheet(
        "概况", [WrittenColumn("项目", 16), WrittenColumn("内容", 70, wraps=True)], list(_summary(record, words))
    )
    sheets = [
        summary,
        _results([record], words),
        _findings([record], words),
        _events(record, words),
        _reviews(record, words),
    ]
    return write_workbook(sheets, notes=_notes(words), notes_sheet="说明")


def records_workbook(rows: Sequence[RecordRow], worth: Sequence[FullRecord], words: RecordWords, span: str) -> bytes:
    """Many records: one line each, then what was abnormal, excused or found in those of `worth`.

    Blocks while a process writes it. Raises HubError(UNAVAILABLE).
    """
    columns = [
        WrittenColumn("编号", 8),
        WrittenColumn("巡查路线", 24, as_text=True, wraps=True),
        WrittenColumn("巡查计划", 20, as_text=True),
        *(WrittenColumn(name, 20, as_time=True) for name in ("应巡时间", "开始", "结束")),
        WrittenColumn("用时（分）", 10),
        WrittenColumn("巡查人", 14, as_text=True),
        WrittenColumn("状态", 18, as_text=True),
        *(
            WrittenColumn(name, 8)
            for name in ("已到站", "跳过站", "正常", "异常", "免看", "待确认", "未看", "发现问题")
        ),
        WrittenColumn("封存号", 8),
        WrittenColumn("封存时间", 20, as_time=True),
        WrittenColumn("封存校验码", 20, as_text=True),
        WrittenColumn("签审", 8, as_text=True),
        WrittenColumn("签审人", 14, as_text=True),
        WrittenColumn("签审时间", 20, as_time=True),
    ]
    lines: list[list[CellValue]] = [
        [
            one.id,
            one.tour_name,
            one.plan_name or "",
            _time(one.due_at, words),
            _time(one.started_at, words),
            _time(one.ended_at, words),
            None if one.ended_at is None else round((one.ended_at - one.started_at).total_seconds() / 60, 1),
            one.operator_name or one.started_name,
            _state(one),
            one.shown,
            one.skipped,
            *(one.results.get(name, 0) for name in _COUNTED),
            one.unseen,
            one.findings,
            None if one.seal is None else one.seal.sequence,
            "" if one.seal is None else _time(one.seal.at, words),
            "" if one.seal is None else one.seal.hash[:16],
            _signature(one),
            one.signed_name or "",
            _time(one.signed_at, words),
        ]
        for one in rows
    ]
    sheets = [
        WrittenSheet("巡查", columns, lines),
        _results(worth, words, only_abnormal=True),
        _findings(worth, words),
    ]
    return write_workbook(sheets, notes=[span, *_notes(words)], notes_sheet="说明")


def _summary(record: FullRecord, words: RecordWords) -> Iterable[list[CellValue]]:
    row = record.row
    yield ["单位", words.township]
    yield ["巡查编号", row.id]
    yield ["巡查路线", row.tour_name]
    yield ["巡查计划", row.plan_name or "临时巡查"]
    yield ["应巡时间", _time(row.due_at, words)]
    yield ["发起人", row.started_name]
    yield ["巡查人", " → ".join(_operators(record))]
    yield ["开始", _time(row.started_at, words)]
    yield ["结束", _time(row.ended_at, words)]
    yield ["状态", _state(row)]
    yield ["已到站 / 跳过站", f"{row.shown} / {row.skipped}"]
    for name, called in _COUNTED.items():
        yield [f"{called}（路）", row.results.get(name, 0)]
    yield ["未看（路）", row.unseen]
    yield ["发现问题（件）", row.findings]
    if row.seal is not None:
        yield ["封存", f"第 {row.seal.sequence} 号，{_time(row.seal.at, words)}"]
        yield ["封存校验码", row.seal.hash]
    signed = f"{_OPINIONS[row.opinion]}，{row.signed_name}，{_time(row.signed_at, words)}" if row.opinion else "未签审"
    yield ["签审", signed if row.to_be_signed else _signature(row)]


def _results(records: Sequence[FullRecord], words: RecordWords, *, only_abnormal: bool = False) -> WrittenSheet:
    columns = [
        WrittenColumn("巡查编号", 10),
        WrittenColumn("站", 6),
        WrittenColumn("站点", 22, as_text=True, wraps=True),
        WrittenColumn("摄像机", 28, as_text=True, wraps=True),
        WrittenColumn("重点站", 8, as_text=True),
        WrittenColumn("结果", 8, as_text=True),
        WrittenColumn("说明", 36, as_text=True, wraps=True),
        WrittenColumn("看到（秒）", 10),
        WrittenColumn("看到时间", 20, as_time=True),
        WrittenColumn("未看原因", 20, as_text=True),
        WrittenColumn("免看原因", 20, as_text=True),
        WrittenColumn("告警号", 10),
        WrittenColumn("确认人", 14, as_text=True),
        WrittenColumn("确认时间", 20, as_time=True),
        WrittenColumn("画面时间", 20, as_time=True),
        WrittenColumn("画面校验码", 20, as_text=True),
    ]
    rows: list[list[CellValue]] = []
    for record in records:
        names, stops = camera_names(record.content), _stops(record)
        found = sorted(record.content.get("run_results", ()), key=lambda one: _int(one, "position") or 0)
        for one in found:
            if only_abnormal and one.get("result") == "normal":
                continue
            position = _int(one, "position") or 0
            rows.append(
                [
                    record.row.id,
                    position + 1,
                    stops.get(position, ""),
                    names.get(_int(one, "camera_id") or 0, f"#{one.get('camera_id')}"),
                    "是" if one.get("key") else "",
                    _RESULTS.get(_text(one, "result"), _text(one, "result")),
                    _text(one, "words"),
                    _seconds(one.get("seen_s")),
                    _iso(one.get("seen_at"), words),
                    "" if one.get("seen_at") else _cause(one.get("why"), words),
                    _cause(one.get("cause"), words),
                    _int(one, "reference"),
                    _text(one, "confirmed_name"),
                    _iso(one.get("confirmed_at"), words),
                    _iso(one.get("picture_at"), words),
                    _text(one, "sha256")[:16],
                ]
            )
    return WrittenSheet("异常与免看" if only_abnormal else "逐路结果", columns, rows)


def _findings(records: Sequence[FullRecord], words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn("巡查编号", 10),
        WrittenColumn("编号", 8),
        WrittenColumn("时间", 20, as_time=True),
        WrittenColumn("站", 6),
        WrittenColumn("摄像机", 28, as_text=True, wraps=True),
        WrittenColumn("类别", 14, as_text=True),
        WrittenColumn("内容", 50, as_text=True, wraps=True),
        WrittenColumn("记录人", 14, as_text=True),
    ]
    rows: list[list[CellValue]] = []
    for record in records:
        names = camera_names(record.content)
        for one in record.content.get("findings", ()):
            rows.append(
                [
                    record.row.id,
                    _int(one, "id"),
                    _iso(one.get("at"), words),
                    (_int(one, "position") or 0) + 1,
                    names.get(_int(one, "camera_id") or 0, ""),
                    words.categories.get(_text(one, "category"), _text(one, "category")),
                    _text(one, "words"),
                    _text(one, "user_name"),
                ]
            )
    return WrittenSheet("发现问题", columns, rows)


def _events(record: FullRecord, words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn("时间", 20, as_time=True),
        WrittenColumn("事项", 20, as_text=True),
        WrittenColumn("站", 6),
        WrittenColumn("操作人", 14, as_text=True),
        WrittenColumn("详情", 50, as_text=True, wraps=True),
    ]
    rows: list[list[CellValue]] = []
    names = camera_names(record.content)
    for one in record.content.get("run_events", ()):
        detail = one.get("detail")
        of = detail if isinstance(detail, Mapping) else {}
        stop, position = _int(of, "stop"), _int(one, "position")
        position = position if stop is None else stop
        rows.append(
            [
                _iso(one.get("at"), words),
                EVENT_WORDS.get(_text(one, "kind"), _text(one, "kind")),
                None if position is None else position + 1,
                _text(one, "user_name") or "平台",
                event_text(_text(one, "kind"), of, names, words),
            ]
        )
    return WrittenSheet("经过", columns, rows)


def event_text(kind: str, detail: Mapping[str, Json], names: Mapping[int, str], words: RecordWords) -> str:
    """What an event says beside its name: of which camera, to whom, how long, from what to what, why."""
    camera = names.get(_int(detail, "camera") or 0, "")
    parts: list[str]
    if kind == "result_changed":
        before = "：".join(filter(None, (_RESULTS.get(_text(detail, "before"), ""), _text(detail, "before_words"))))
        by = " ".join(filter(None, (_text(detail, "before_name"), _iso(detail.get("before_at"), words))))
        changed = f"{before}（{by}）改为{_RESULTS.get(_text(detail, 'result'), '')}"
        parts = [camera, changed, _text(detail, "words")]
    elif kind in ("finding_changed", "finding_deleted"):
        category = words.categories.get(_text(detail, "before"), _text(detail, "before"))
        parts = [camera, f"原为“{category}：{_text(detail, 'before_words')}”", _text(detail, "words")]
    elif kind in ("interrupted", "another_alarm"):
        parts = [f"告警 {_int(detail, 'alarm')}", _cause(detail.get("cause"), words)]
    elif kind == "extended":
        parts = [f"{_seconds(detail.get('seconds')) or 0:g} 秒"]
    elif kind == "handed_over":
        parts = [f"交给 {_text(detail, 'to_name')}", _text(detail, "note")]
    elif kind == "taken_over":
        parts = [f"接替 {_text(detail, 'from_name')}", _text(detail, "note")]
    elif kind in ("paused", "resumed"):
        parts = [_PAUSES.get(_text(detail, "reason"), "")]
    else:
        parts = [_text(detail, "note")]
    return "，".join(filter(None, parts))


def _operators(record: FullRecord) -> list[str]:
    """Who ran it, one after the other."""
    names = [record.row.started_name]
    for one in record.content.get("run_events", ()):
        detail = one.get("detail")
        if one.get("kind") == "handed_over" and isinstance(detail, Mapping):
            names.append(_text(detail, "to_name"))
        elif one.get("kind") == "taken_over":
            names.append(_text(one, "user_name"))
    return [name for n, name in enumerate(names) if name and (n == 0 or name != names[n - 1])]


def _reviews(record: FullRecord, words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn("时间", 20, as_time=True),
        WrittenColumn("类别", 12, as_text=True),
        WrittenColumn("姓名", 14, as_text=True),
        WrittenColumn("内容", 60, as_text=True, wraps=True),
    ]
    rows: list[list[CellValue]] = [
        [_time(one.at, words), _OPINIONS.get(one.kind, one.kind), one.user_name, one.words] for one in record.reviews
    ]
    return WrittenSheet("签审与说明", columns, rows)


def _notes(words: RecordWords) -> list[str]:
    return [
        f"{words.township}视频巡查记录",
        f"时间均为当地时间（{words.zone.key}）。",
        "看到（秒）：该路画面在屏幕上真正可见的最长一次，按浏览器解码的画面计量。",
        "免看：到站时摄像机无法显示，由平台注明原因和告警号。",
        "封存校验码：巡查提交、放弃或过期结束时记入审计链的 SHA-256；画面校验码为画面文件 SHA-256 的前 16 位。",
        "核验：在平台记录页点“核验封存”，或在服务器上运行 camera-hub verify-audit。",
    ]


def _stops(record: FullRecord) -> Mapping[int, str]:
    runs = record.content.get("runs", ())
    itinerary = runs[0].get("itinerary") if runs else ()
    if not isinstance(itinerary, Sequence) or isinstance(itinerary, str):
        return {}
    return {number: _stop_name(stop) for number, stop in enumerate(itinerary) if isinstance(stop, Mapping)}


def _stop_name(stop: Mapping[str, Json]) -> str:
    """As pages call it (web/src/stopLabel.ts)."""
    more = stop.get("more", 0)
    return f"{_text(stop, 'name')}等 {more + 1} 路" if isinstance(more, int) and more > 0 else _text(stop, "name")


def _state(row: RecordRow) -> str:
    return _ENDS.get(row.end_reason or "", row.end_reason or "") if row.state == "ended" else _STATES.get(row.state, "")


def _signature(row: RecordRow) -> str:
    """Approved, returned, not signed yet, or why there is none."""
    if row.seal is None:
        return ""
    return _OPINIONS.get(row.opinion or "", "未签审") if row.to_be_signed else "无需签审"


def _cause(code: Json, words: RecordWords) -> str:
    return "" if code is None else _WHY.get(str(code)) or words.causes.get(str(code), str(code))


def _text(row: Row | Mapping[str, Json], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _int(row: Row | Mapping[str, Json], name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) else None


def _seconds(value: Json) -> float | None:
    return round(value, 1) if isinstance(value, int | float) else None


def _iso(value: Json, words: RecordWords) -> str:
    return _time(datetime.fromisoformat(value), words) if isinstance(value, str) else ""


def _time(at: datetime | None, words: RecordWords) -> str:
    return "" if at is None else f"{at.astimezone(words.zone):%Y-%m-%d %H:%M:%S}"
