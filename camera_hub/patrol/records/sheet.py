"""Records as .xlsx, in the language that is asked for; texts are never formulas (sheets.writing).

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
from camera_hub.sheets.language import Said, SheetWords
from camera_hub.sheets.writing import CellValue, WrittenColumn, WrittenSheet, write_workbook

_RESULTS: Mapping[str, Said] = {
    "open": ("待确认", "Open"),
    "normal": ("正常", "Normal"),
    "abnormal": ("异常", "Abnormal"),
    "excused": ("免看", "Excused"),
}
_NOT_CONFIRMED: Said = ("未确认", "Not confirmed")
"""What is open of a patrol that has ended: nobody will confirm it any more."""
_COUNTED: Mapping[str, Said] = {
    **{name: _RESULTS[name] for name in ("normal", "abnormal", "excused")},
    "open": _NOT_CONFIRMED,
}
_STATES: Mapping[str, Said] = {
    "running": ("巡查中", "Running"),
    "paused": ("已暂停", "Paused"),
    "closing": ("待提交", "To be submitted"),
    "ended": ("已结束", "Ended"),
}
_ENDS: Mapping[str, Said] = {
    "submitted": ("已提交", "Submitted"),
    "finished": ("走完", "Finished"),
    "stopped": ("已放弃", "Given up"),
    "all_dead": ("所有站点都无法显示", "No stop could be shown"),
    "expired": ("过期未提交", "Expired, not submitted"),
}
_PAUSES: Mapping[str, Said] = {
    "operator": ("人工暂停", "by the operator"),
    "attention": ("值守提醒无人应答", "the attention prompt was not answered"),
    "alarm": ("告警打断", "by an alarm"),
    "ptz": ("云台操作", "a camera was steered"),
}
_OPINIONS: Mapping[str, Said] = {
    "approved": ("同意", "Approved"),
    "returned": ("退回", "Returned"),
    "note": ("补充说明", "Note"),
}
_UNSIGNED: Said = ("未签审", "Not signed")
_WHY: Mapping[str, Said] = {
    "no_page": ("巡查人没有打开巡查页面", "the operator had no page open"),
    "page_hidden": ("当时页面在后台", "The page was in the background"),
    "page_covered": ("当时画面被其他窗口或弹窗挡住", "Something lay over the picture"),
    "off_screen": ("当时画面不在屏幕可见范围内", "The picture was not on the screen"),
    "passed_over": ("停留时间不足，未看够", "Not long enough to count as seen"),
    "no_picture": ("没有画面", "No picture"),
    "hub_away": ("平台停机", "The hub did not run"),
    "retired": ("已停用", "Retired"),
    "not_approved": ("未批准", "Not approved"),
}
EVENT_WORDS: Mapping[str, Said] = {
    "started": ("开始", "Started"),
    "paused": ("暂停", "Paused"),
    "resumed": ("继续", "Resumed"),
    "next": ("下一站", "Next stop"),
    "previous": ("上一站", "Previous stop"),
    "jumped": ("跳站", "Jumped"),
    "extended": ("延长停留", "Extended"),
    "handed_over": ("交接", "Handed over"),
    "taken_over": ("接手", "Taken over"),
    "received": ("收到交接", "Hand-over received"),
    "interrupted": ("告警打断", "Interrupted by an alarm"),
    "another_alarm": ("打断期间又有告警", "Another alarm meanwhile"),
    "closing": ("各站走完，待提交", "Stops are over, to be submitted"),
    "submitted": ("提交", "Submitted"),
    "stopped": ("放弃", "Given up"),
    "expired": ("过期未提交", "Expired, not submitted"),
    "all_dead": ("所有站点都无法显示", "No stop could be shown"),
    "result_changed": ("更改确认结果", "Changed a result"),
    "finding_changed": ("修改发现问题", "Corrected a finding"),
    "finding_deleted": ("删除发现问题", "Deleted a finding"),
}


@dataclass(frozen=True, slots=True)
class RecordWords(SheetWords):
    """What codes are called here, in `language`: causes (errors.Reason), categories of findings; and the site's time
    zone and name."""

    causes: Mapping[str, str]
    categories: Mapping[str, str]
    zone: ZoneInfo
    township: str = ""

    @property
    def notes_sheet(self) -> str:
        """What the sheet of notes is called."""
        return self.say("说明", "Notes")


def record_workbook(record: FullRecord, words: RecordWords) -> bytes:
    """One record: summary, results camera by camera, findings, events, reviews. Blocks while a process writes it.

    Raises HubError(UNAVAILABLE).
    """
    summary = WrittenSheet(
        words.say("概况", "Summary"),
        [WrittenColumn(words.say("项目", "Item"), 16), WrittenColumn(words.say("内容", "Content"), 70, wraps=True)],
        list(_summary(record, words)),
    )
    sheets = [
        summary,
        _results([record], words),
        _findings([record], words),
        _events(record, words),
        _reviews(record, words),
    ]
    return write_workbook(sheets, notes=_notes(words), notes_sheet=words.notes_sheet)


def records_workbook(rows: Sequence[RecordRow], worth: Sequence[FullRecord], words: RecordWords, span: str) -> bytes:
    """Many records: one line each, then what was abnormal, excused or found in those of `worth`.

    Blocks while a process writes it. Raises HubError(UNAVAILABLE).
    """
    columns = [
        WrittenColumn(words.say("编号", "No."), 8),
        WrittenColumn(words.say("巡查路线", "Tour"), 24, as_text=True, wraps=True),
        WrittenColumn(words.say("巡查计划", "Plan"), 20, as_text=True),
        *(
            WrittenColumn(words.say(*name), 20, as_time=True)
            for name in (("应巡时间", "Due at"), ("开始", "Started"), ("结束", "Ended"))
        ),
        WrittenColumn(words.say("用时（分）", "Minutes"), 10),
        WrittenColumn(words.say("巡查人", "Operator"), 30, as_text=True, wraps=True),
        WrittenColumn(words.say("状态", "State"), 18, as_text=True),
        *(
            WrittenColumn(words.say(*name), 8)
            for name in (
                ("已到站", "Stops shown"),
                ("跳过站", "Stops skipped"),
                *_COUNTED.values(),
                ("未看", "Not seen"),
                ("发现问题", "Findings"),
            )
        ),
        WrittenColumn(words.say("封存号", "Seal no."), 8),
        WrittenColumn(words.say("封存时间", "Sealed at"), 20, as_time=True),
        WrittenColumn(words.say("封存校验码", "Seal hash"), 20, as_text=True),
        WrittenColumn(words.say("签审", "Signature"), 8, as_text=True),
        WrittenColumn(words.say("签审人", "Signed by"), 14, as_text=True),
        WrittenColumn(words.say("签审时间", "Signed at"), 20, as_time=True),
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
            _operators(one, words),
            _state(one, words),
            one.shown,
            one.skipped,
            *(one.results.get(name, 0) for name in _COUNTED),
            one.unseen,
            one.findings,
            None if one.seal is None else one.seal.sequence,
            "" if one.seal is None else _time(one.seal.at, words),
            "" if one.seal is None else one.seal.hash[:16],
            _signature(one, words),
            one.signed_name or "",
            _time(one.signed_at, words),
        ]
        for one in rows
    ]
    sheets = [
        WrittenSheet(words.say("巡查", "Patrols"), columns, lines),
        _results(worth, words, only_abnormal=True),
        _findings(worth, words),
    ]
    return write_workbook(sheets, notes=[span, *_notes(words)], notes_sheet=words.notes_sheet)


def _summary(record: FullRecord, words: RecordWords) -> Iterable[list[CellValue]]:
    row, say = record.row, words.say
    yield [say("单位", "Township"), words.township]
    yield [say("巡查编号", "Patrol no."), row.id]
    yield [say("巡查路线", "Tour"), row.tour_name]
    yield [say("巡查计划", "Plan"), row.plan_name or say("临时巡查", "None: not by a plan")]
    yield [say("应巡时间", "Due at"), _time(row.due_at, words)]
    yield [say("发起人", "Started by"), row.started_name]
    yield [say("巡查人", "Operator"), _operators(row, words)]
    yield [say("开始", "Started"), _time(row.started_at, words)]
    yield [say("结束", "Ended"), _time(row.ended_at, words)]
    yield [say("状态", "State"), _state(row, words)]
    yield [say("已到站 / 跳过站", "Stops shown / skipped"), f"{row.shown} / {row.skipped}"]
    for name, called in _COUNTED.items():
        yield [say(f"{called[0]}（路）", f"{called[1]} (cameras)"), row.results.get(name, 0)]
    yield [say("未看（路）", "Not seen (cameras)"), row.unseen]
    yield [say("发现问题（个）", "Findings"), row.findings]
    if row.seal is not None:
        at = _time(row.seal.at, words)
        yield [say("封存", "Seal"), say(f"第 {row.seal.sequence} 号，{at}", f"No. {row.seal.sequence}, {at}")]
        yield [say("封存校验码", "Seal hash"), row.seal.hash]
    signed = _signature(row, words)
    if row.to_be_signed and row.opinion:
        signed = say("，", ", ").join((signed, row.signed_name or "", _time(row.signed_at, words)))
    yield [say("签审", "Signature"), signed]


def _results(records: Sequence[FullRecord], words: RecordWords, *, only_abnormal: bool = False) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("巡查编号", "Patrol no."), 10),
        WrittenColumn(words.say("站", "Stop"), 6),
        WrittenColumn(words.say("站点", "Stop name"), 22, as_text=True, wraps=True),
        WrittenColumn(words.say("摄像机", "Camera"), 28, as_text=True, wraps=True),
        WrittenColumn(words.say("重点站", "Key stop"), 8, as_text=True),
        WrittenColumn(words.say("结果", "Result"), 8, as_text=True),
        WrittenColumn(words.say("说明", "Words"), 36, as_text=True, wraps=True),
        WrittenColumn(words.say("看到（秒）", "Seen (s)"), 10),
        WrittenColumn(words.say("看到时间", "Seen at"), 20, as_time=True),
        WrittenColumn(words.say("未看原因", "Why not seen"), 20, as_text=True),
        WrittenColumn(words.say("免看原因", "Why excused"), 20, as_text=True),
        WrittenColumn(words.say("告警号", "Alarm no."), 10),
        WrittenColumn(words.say("确认人", "Confirmed by"), 14, as_text=True),
        WrittenColumn(words.say("确认时间", "Confirmed at"), 20, as_time=True),
        WrittenColumn(words.say("画面时间", "Picture at"), 20, as_time=True),
        WrittenColumn(words.say("画面校验码", "Picture hash"), 20, as_text=True),
    ]
    rows: list[list[CellValue]] = []
    for record in records:
        names, stops = camera_names(record.content), _stops(record, words)
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
                    words.say("是", "yes") if one.get("key") else "",
                    _result(_text(one, "result"), record.row, words),
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
    name = ("异常与免看", "Abnormal and excused") if only_abnormal else ("逐路结果", "Camera by camera")
    return WrittenSheet(words.say(*name), columns, rows)


def _findings(records: Sequence[FullRecord], words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("巡查编号", "Patrol no."), 10),
        WrittenColumn(words.say("编号", "No."), 8),
        WrittenColumn(words.say("时间", "Time"), 20, as_time=True),
        WrittenColumn(words.say("站", "Stop"), 6),
        WrittenColumn(words.say("摄像机", "Camera"), 28, as_text=True, wraps=True),
        WrittenColumn(words.say("类别", "Category"), 14, as_text=True),
        WrittenColumn(words.say("内容", "Content"), 50, as_text=True, wraps=True),
        WrittenColumn(words.say("记录人", "Recorded by"), 14, as_text=True),
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
    return WrittenSheet(words.say("发现问题", "Findings"), columns, rows)


def _events(record: FullRecord, words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("时间", "Time"), 20, as_time=True),
        WrittenColumn(words.say("事项", "Event"), 20, as_text=True),
        WrittenColumn(words.say("站", "Stop"), 6),
        WrittenColumn(words.say("操作人", "By"), 14, as_text=True),
        WrittenColumn(words.say("详情", "Detail"), 50, as_text=True, wraps=True),
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
                words.of(EVENT_WORDS, _text(one, "kind")),
                None if position is None else position + 1,
                _text(one, "user_name") or words.say("平台", "Hub"),
                event_text(_text(one, "kind"), of, names, words),
            ]
        )
    return WrittenSheet(words.say("经过", "What happened"), columns, rows)


def event_text(kind: str, detail: Mapping[str, Json], names: Mapping[int, str], words: RecordWords) -> str:
    """What an event says beside its name: of which camera, to whom, how long, from what to what, why."""
    camera, say = names.get(_int(detail, "camera") or 0, ""), words.say
    parts: list[str]
    if kind == "result_changed":
        before = (words.of(_RESULTS, _text(detail, "before")), _text(detail, "before_words"))
        was = say("：", ": ").join(filter(None, before))
        by = " ".join(filter(None, (_text(detail, "before_name"), _iso(detail.get("before_at"), words))))
        after = words.of(_RESULTS, _text(detail, "result"))
        parts = [camera, say(f"{was}（{by}）改为{after}", f"{was} ({by}) changed to {after}"), _text(detail, "words")]
    elif kind in ("finding_changed", "finding_deleted"):
        category = words.categories.get(_text(detail, "before"), _text(detail, "before"))
        told = say("：", ": ").join((category, _text(detail, "before_words")))
        parts = [camera, say(f"原为“{told}”", f"was “{told}”"), _text(detail, "words")]
    elif kind in ("interrupted", "another_alarm"):
        number = _int(detail, "alarm")
        parts = [say(f"告警 {number}", f"alarm {number}"), _cause(detail.get("cause"), words)]
    elif kind == "extended":
        parts = [f"{_seconds(detail.get('seconds')) or 0:g} {say('秒', 's')}"]
    elif kind == "handed_over":
        parts = [f"{say('交给', 'to')} {_text(detail, 'to_name')}", _text(detail, "note")]
    elif kind == "taken_over":
        parts = [f"{say('接替', 'from')} {_text(detail, 'from_name')}", _text(detail, "note")]
    elif kind in ("paused", "resumed"):
        parts = [words.of(_PAUSES, _text(detail, "reason"))]
    else:
        parts = [_text(detail, "note")]
    return say("，", ", ").join(filter(None, parts))


def _operators(row: RecordRow, words: RecordWords) -> str:
    """All who ran it, one after the other, each but the first with when and where it became theirs."""
    told = [row.started_name]
    for one in row.turns:
        at = _time(one.since, words)
        if one.since.astimezone(words.zone).date() == row.started_at.astimezone(words.zone).date():
            at = at[-8:]
        if one.position is None:
            where = words.say(f"{at} 走完后", f"after the last stop, {at}")
        else:
            where = words.say(f"{at} 第 {one.position + 1} 站起", f"from stop {one.position + 1}, {at}")
        told.append(one.name + words.say(f"（{where}）", f" ({where})"))
    return " → ".join(told)


def _result(code: str, row: RecordRow, words: RecordWords) -> str:
    """What is open of a patrol that is over was not confirmed, and will not be."""
    if code == "open" and row.state == "ended":
        return words.say(*_NOT_CONFIRMED)
    return words.of(_RESULTS, code)


def _reviews(record: FullRecord, words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("时间", "Time"), 20, as_time=True),
        WrittenColumn(words.say("类别", "Category"), 12, as_text=True),
        WrittenColumn(words.say("姓名", "Name"), 14, as_text=True),
        WrittenColumn(words.say("内容", "Content"), 60, as_text=True, wraps=True),
    ]
    rows: list[list[CellValue]] = [
        [_time(one.at, words), words.of(_OPINIONS, one.kind), one.user_name, one.words] for one in record.reviews
    ]
    return WrittenSheet(words.say("签审与说明", "Signature and notes"), columns, rows)


def _notes(words: RecordWords) -> list[str]:
    say = words.say
    return [
        say(f"{words.township}视频巡查记录", f"{words.township} patrol records".strip()),
        say(f"时间均为当地时间（{words.zone.key}）。", f"Times are local ({words.zone.key})."),
        say(
            "看到（秒）：该路画面在屏幕上真正可见的最长一次，按浏览器解码的画面计量；只计当时巡查人本人账号打开的页面，"
            "同时开几个页面取最长的一个，大屏和他人的页面不计。",
            "Seen (s): the longest visit for which the camera was really visible, by the pictures that the browser"
            " decoded, on pages of whoever was the operator then; of several at once the longest. Screens and pages of"
            " others do not count.",
        ),
        say(
            "免看：到站时摄像机无法显示，由平台注明原因和告警号。未确认：巡查结束时仍没有人确认。",
            "Excused: the camera could not be shown; the hub says why, with the number of its alarm. Not confirmed:"
            " nobody had confirmed it when the patrol ended.",
        ),
        say(
            "封存校验码：巡查提交、放弃或过期结束时记入审计链的 SHA-256；画面校验码为画面文件 SHA-256 的前 16 位。",
            "Seal hash: the SHA-256 that the audit chain has of the record as it ended, submitted, given up or expired."
            " Picture hash: the first 16 digits of the SHA-256 of the file.",
        ),
        say(
            "核验：在平台记录页点“核验封存”，或在服务器上运行 camera-hub verify-audit。",
            "To verify: “Verify seal” on the page of the record, or camera-hub verify-audit on the server.",
        ),
    ]


def _stops(record: FullRecord, words: RecordWords) -> Mapping[int, str]:
    runs = record.content.get("runs", ())
    itinerary = runs[0].get("itinerary") if runs else ()
    if not isinstance(itinerary, Sequence) or isinstance(itinerary, str):
        return {}
    return {number: _stop_name(stop, words) for number, stop in enumerate(itinerary) if isinstance(stop, Mapping)}


def _stop_name(stop: Mapping[str, Json], words: RecordWords) -> str:
    """As pages call it (web/src/stopLabel.ts)."""
    more, name = stop.get("more", 0), _text(stop, "name")
    if isinstance(more, int) and more > 0:
        return words.say(f"{name}等 {more + 1} 路", f"{name} ({more + 1} cameras)")
    return name


def _state(row: RecordRow, words: RecordWords) -> str:
    if row.state != "ended":
        return words.of(_STATES, row.state)
    if row.loop and row.end_reason == "stopped":  # a presentation has nothing to be given up
        return words.of(_STATES, "ended")
    return words.of(_ENDS, row.end_reason or "")


def _signature(row: RecordRow, words: RecordWords) -> str:
    """Approved, returned, not signed yet, or why there is none."""
    if row.seal is None:
        return ""
    if not row.to_be_signed:
        return words.say("无需签审", "No signature needed")
    return words.of(_OPINIONS, row.opinion) if row.opinion else words.say(*_UNSIGNED)


def _cause(code: Json, words: RecordWords) -> str:
    if code is None:
        return ""
    return words.of(_WHY, str(code)) if str(code) in _WHY else words.causes.get(str(code), str(code))


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
