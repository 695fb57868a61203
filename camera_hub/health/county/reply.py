"""The reply to the county as .xlsx: its own columns as they came, ours behind them. In Chinese."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from camera_hub.health.county.columns import CountyColumn
from camera_hub.health.notices.cause_words import cause_words
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

CONCLUSION_WORDS = {
    "agrees": "属实，尚未修复",
    "repaired": "属实，已修复",
    "seen_well": "不属实，我方观测正常",
    "excluded": "已报备剔除",
    "not_known": "该时段无观测记录",
    "ambiguous": "对应多个点位，待人工确认",
    "no_camera": "平台无此点位",
}
MATCH_WORDS = {"gb_id": "国标编码", "name": "名称", "host": "IP地址", "address": "安装地址", "hand": "人工指定"}
_KINDS = {
    "maintenance": "维护",
    "repair": "维修",
    "removed": "拆除",
    "power_cut": "计划停电",
    "sleep": "休眠",
    "other": "其他",
}
_NOTES = {
    "id_lost": "编码被表格软件转成科学计数，末位已丢失，按名称或地址核对",
    "id_wrong": "编码不是 20 位，按名称或地址核对",
    "time_unread": "时间无法识别，按通报时间核对",
    "name_differs": "通报名称与平台名称不同",
    "other_fault": "所报问题不属实，但有其他异常",
    "hub_off": "该时段平台未运行",
    "not_in_use": "该点位未在用",
    "listed_well": "通报中该点位为正常",
}
_OURS = (
    ("核对结论", 24),
    ("平台村（小区）", 16),
    ("平台点位名称", 26),
    ("匹配依据", 12),
    ("核对时刻", 18),
    ("当时状态", 24),
    ("异常开始", 18),
    ("现在状态", 24),
    ("修复时间", 18),
    ("最近一次正常观测", 18),
    ("剔除", 28),
    ("告警编号", 12),
    ("佐证图片", 12),
    ("说明", 40),
)


class AnsweredRow(Protocol):
    """What the reply needs of a row."""

    @property
    def conclusion(self) -> str | None: ...

    @property
    def matched_by(self) -> str | None: ...

    @property
    def answer(self) -> Mapping[str, Any] | None: ...

    @property
    def candidates(self) -> Sequence["_Candidate"]: ...


class _Candidate(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def village(self) -> str: ...


def reply_sheet(
    columns: Sequence[CountyColumn],
    rows: Sequence[tuple[Sequence[str], AnsweredRow]],
    zone: ZoneInfo,
    checked_at: datetime,
) -> bytes:
    """The workbook; call it in a thread. `rows`: cells as they came, and the answer. Raises HubError(UNAVAILABLE)."""
    written = [WrittenColumn(one.header, 20, as_text=True) for one in columns]
    written += [WrittenColumn(header, width, as_text=True) for header, width in _OURS]
    width = len(columns)
    lines = [[*([*cells, *[""] * width][:width]), *_ours(row, zone)] for cells, row in rows]
    notes = [
        "通报核对回复",
        f"核对时间：{_time(checked_at.isoformat(), zone)}；共 {len(rows)} 行",
        *(f"{words}：{sum(row.conclusion == key for _, row in rows)} 行" for key, words in CONCLUSION_WORDS.items()),
        "前面各列为通报原表内容，未作改动；其后为平台核对结果。状态取自平台保存的状态区间，佐证图片可在平台告警中查看。",
    ]
    return write_xlsx(written, lines, sheet="通报核对", notes=notes)


def _ours(row: AnsweredRow, zone: ZoneInfo) -> list[str]:
    answer = row.answer or {}
    then, now, term = answer.get("then") or {}, answer.get("now") or {}, answer.get("exclusion")
    excluded = "" if term is None else f"{_KINDS.get(term['kind'], term['kind'])}：{term['reason']}"
    notes = [_NOTES[one] for one in answer.get("notes", ()) if one in _NOTES]
    if row.candidates:
        notes.append("可能是：" + "、".join(f"{one.village} {one.name}" for one in row.candidates))
    at = _time(answer.get("time"), zone)
    return [
        CONCLUSION_WORDS.get(row.conclusion or "", ""),
        answer.get("village", ""),
        answer.get("camera", ""),
        MATCH_WORDS.get(row.matched_by or "", ""),
        f"{at[:10]} 全天" if answer.get("whole_day") else at,
        _state(then),
        _time(then.get("since"), zone) if then.get("state") == "fault" else "",
        _state(now),
        _time(answer.get("repaired_at"), zone),
        _time(answer.get("seen_well_at"), zone),
        excluded,
        str(answer.get("alarm_id") or ""),
        "有" if answer.get("picture_id") else "",
        "；".join(notes),
    ]


def _state(seen: Mapping[str, Any]) -> str:
    if seen.get("state") == "fault":
        return cause_words(seen.get("cause") or "", seen.get("aspect") or "")
    return {"ok": "正常", "unknown": "未知"}.get(seen.get("state", ""), "")


def _time(iso: str | None, zone: ZoneInfo) -> str:
    return "" if iso is None else f"{datetime.fromisoformat(iso).astimezone(zone):%Y-%m-%d %H:%M}"
