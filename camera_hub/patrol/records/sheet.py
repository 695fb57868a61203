"""Records as .xlsx, in the language that is asked for; texts are never formulas (sheets.writing).

Pure, but for the process that writes the workbook.
"""

from collections.abc import Iterable, Mapping, Sequence

from camera_hub.patrol.records.compare import camera_names, unreadable_text
from camera_hub.patrol.records.export import FullRecord
from camera_hub.patrol.records.listing import RecordRow
from camera_hub.patrol.records.presets import last_visits, preset_visits
from camera_hub.patrol.records.sheet_words import (
    COUNTED,
    EVENT_WORDS,
    OPINIONS,
    RecordWords,
    cause_text,
    event_text,
    int_in,
    iso_text,
    notes_of,
    operators_text,
    preset_text,
    result_text,
    seconds_text,
    signature_text,
    state_text,
    stop_name,
    text_in,
    time_text,
)
from camera_hub.sheets.writing import CellValue, WrittenColumn, WrittenSheet, write_workbook
from camera_hub.store.tables.readable import is_unreadable


def record_workbook(record: FullRecord, words: RecordWords) -> bytes:
    """One record: summary, results camera by camera, findings, PTZ presets (where there were any), events, reviews.
    Blocks while a process writes it.

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
        *_presets([record], words),
        _events(record, words),
        _reviews(record, words),
    ]
    return write_workbook(sheets, notes=notes_of(words), notes_sheet=words.notes_sheet)


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
                *COUNTED.values(),
                ("未看", "Not seen"),
                ("发现问题", "Findings"),
                ("未到预置位", "Presets missed"),
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
            time_text(one.due_at, words),
            time_text(one.started_at, words),
            time_text(one.ended_at, words),
            _minutes(one),
            operators_text(one, words),
            state_text(one, words),
            one.shown,
            one.skipped,
            *(one.results.get(name, 0) for name in COUNTED),
            one.unseen,
            one.findings,
            one.presets_missed,
            None if one.seal is None else one.seal.sequence,
            "" if one.seal is None else time_text(one.seal.at, words),
            "" if one.seal is None else one.seal.hash[:16],
            signature_text(one, words),
            one.signed_name or "",
            time_text(one.signed_at, words),
        ]
        for one in rows
    ]
    sheets = [
        WrittenSheet(words.say("巡查", "Patrols"), columns, lines),
        _results(worth, words, only_abnormal=True),
        _findings(worth, words),
        *_presets(worth, words, only_missed=True),
    ]
    return write_workbook(sheets, notes=[span, *notes_of(words)], notes_sheet=words.notes_sheet)


def _minutes(row: RecordRow) -> float | None:
    if row.ended_at is None or is_unreadable(row.ended_at) or is_unreadable(row.started_at):
        return None
    return round((row.ended_at - row.started_at).total_seconds() / 60, 1)


def _summary(record: FullRecord, words: RecordWords) -> Iterable[list[CellValue]]:
    row, say = record.row, words.say
    yield [say("单位", "Township"), words.township]
    yield [say("巡查编号", "Patrol no."), row.id]
    yield [say("巡查路线", "Tour"), row.tour_name]
    yield [say("巡查计划", "Plan"), row.plan_name or say("临时巡查", "None: not by a plan")]
    yield [say("应巡时间", "Due at"), time_text(row.due_at, words)]
    yield [say("发起人", "Started by"), row.started_name]
    yield [say("巡查人", "Operator"), operators_text(row, words)]
    yield [say("开始", "Started"), time_text(row.started_at, words)]
    yield [say("结束", "Ended"), time_text(row.ended_at, words)]
    yield [say("状态", "State"), state_text(row, words)]
    yield [say("已到站 / 跳过站", "Stops shown / skipped"), f"{row.shown} / {row.skipped}"]
    for name, called in COUNTED.items():
        yield [say(f"{called[0]}（路）", f"{called[1]} (cameras)"), row.results.get(name, 0)]
    yield [say("未看（路）", "Not seen (cameras)"), row.unseen]
    yield [say("发现问题（个）", "Findings"), row.findings]
    if last := last_visits(preset_visits(record.content)):
        told = say(
            f"{len(last)} 路，未到位 {row.presets_missed} 路", f"{len(last)} cameras, {row.presets_missed} missed"
        )
        yield [say("预置位", "PTZ presets"), told]
    if row.seal is not None:
        at = time_text(row.seal.at, words)
        yield [say("封存", "Seal"), say(f"第 {row.seal.sequence} 号，{at}", f"No. {row.seal.sequence}, {at}")]
        yield [say("封存校验码", "Seal hash"), row.seal.hash]
    signed = signature_text(row, words)
    if row.to_be_signed and row.opinion:
        signed = say("，", ", ").join((signed, row.signed_name or "", time_text(row.signed_at, words)))
    yield [say("签审", "Signature"), signed]
    if record.unreadable:
        yield [say("无法读取", "Unreadable"), unreadable_text(record.unreadable, words)]


def _place_columns(words: RecordWords) -> Sequence[WrittenColumn]:
    """Patrol, stop and camera, with which rows of cameras begin."""
    return (
        WrittenColumn(words.say("巡查编号", "Patrol no."), 10),
        WrittenColumn(words.say("站", "Stop"), 6),
        WrittenColumn(words.say("站点", "Stop name"), 22, as_text=True, wraps=True),
        WrittenColumn(words.say("摄像机", "Camera"), 28, as_text=True, wraps=True),
    )


def _results(records: Sequence[FullRecord], words: RecordWords, *, only_abnormal: bool = False) -> WrittenSheet:
    columns = [
        *_place_columns(words),
        WrittenColumn(words.say("重点站", "Key stop"), 8, as_text=True),
        WrittenColumn(words.say("结果", "Result"), 8, as_text=True),
        WrittenColumn(words.say("说明", "Words"), 36, as_text=True, wraps=True),
        WrittenColumn(words.say("看到（秒）", "Seen (s)"), 10),
        WrittenColumn(words.say("看到时间", "Seen at"), 20, as_time=True),
        WrittenColumn(words.say("预置位", "Preset"), 18, as_text=True, wraps=True),
        WrittenColumn(words.say("到位情况", "At the preset"), 26, as_text=True, wraps=True),
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
        presets = last_visits(preset_visits(record.content))
        found = sorted(record.content.get("run_results", ()), key=lambda one: int_in(one, "position") or 0)
        for one in found:
            position = int_in(one, "position") or 0
            preset = presets.get((position, int_in(one, "camera_id") or 0))
            if only_abnormal and one.get("result") == "normal" and not (preset and preset.missed):
                continue
            rows.append(
                [
                    record.row.id,
                    position + 1,
                    stops.get(position, ""),
                    names.get(int_in(one, "camera_id") or 0, f"#{one.get('camera_id')}"),
                    words.say("是", "yes") if one.get("key") else "",
                    result_text(text_in(one, "result"), record.row, words),
                    text_in(one, "words"),
                    seconds_text(one.get("seen_s"), words),
                    iso_text(one.get("seen_at"), words),
                    "" if preset is None else preset.preset,
                    "" if preset is None else preset_text(preset.state, words),
                    "" if one.get("seen_at") else cause_text(one.get("why"), words),
                    cause_text(one.get("cause"), words),
                    int_in(one, "reference"),
                    text_in(one, "confirmed_name"),
                    iso_text(one.get("confirmed_at"), words),
                    iso_text(one.get("picture_at"), words),
                    text_in(one, "sha256")[:16],
                ]
            )
    name = (
        ("异常、免看与未到位", "Abnormal, excused, off preset") if only_abnormal else ("逐路结果", "Camera by camera")
    )
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
                    int_in(one, "id"),
                    iso_text(one.get("at"), words),
                    (int_in(one, "position") or 0) + 1,
                    names.get(int_in(one, "camera_id") or 0, ""),
                    words.categories.get(text_in(one, "category"), text_in(one, "category")),
                    text_in(one, "words"),
                    text_in(one, "user_name"),
                ]
            )
    return WrittenSheet(words.say("发现问题", "Findings"), columns, rows)


def _presets(records: Sequence[FullRecord], words: RecordWords, *, only_missed: bool = False) -> list[WrittenSheet]:
    """Each time that a camera was wanted at a preset; no sheet where there was none."""
    columns = [
        *_place_columns(words),
        WrittenColumn(words.say("到站时间", "Stop began"), 20, as_time=True),
        WrittenColumn(words.say("离站时间", "Stop ended"), 20, as_time=True),
        WrittenColumn(words.say("预置位", "Preset"), 22, as_text=True, wraps=True),
        WrittenColumn(words.say("到位情况", "At the preset"), 40, as_text=True, wraps=True),
    ]
    rows: list[list[CellValue]] = []
    for record in records:
        names, stops = camera_names(record.content), _stops(record, words)
        rows += [
            [
                record.row.id,
                one.position + 1,
                stops.get(one.position, ""),
                names.get(one.camera_id, f"#{one.camera_id}"),
                iso_text(one.step.get("started_at"), words),
                iso_text(one.step.get("ended_at"), words),
                one.preset,
                preset_text(one.state, words),
            ]
            for one in preset_visits(record.content)
            if one.missed or not only_missed
        ]
    return [WrittenSheet(words.say("云台预置位", "PTZ presets"), columns, rows)] if rows else []


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
        stop, position = int_in(of, "stop"), int_in(one, "position")
        position = position if stop is None else stop
        rows.append(
            [
                iso_text(one.get("at"), words),
                words.of(EVENT_WORDS, text_in(one, "kind")),
                None if position is None else position + 1,
                text_in(one, "user_name") or words.say("平台", "Hub"),
                event_text(text_in(one, "kind"), of, names, words),
            ]
        )
    return WrittenSheet(words.say("经过", "What happened"), columns, rows)


def _reviews(record: FullRecord, words: RecordWords) -> WrittenSheet:
    columns = [
        WrittenColumn(words.say("时间", "Time"), 20, as_time=True),
        WrittenColumn(words.say("类别", "Category"), 12, as_text=True),
        WrittenColumn(words.say("姓名", "Name"), 14, as_text=True),
        WrittenColumn(words.say("内容", "Content"), 60, as_text=True, wraps=True),
    ]
    rows: list[list[CellValue]] = [
        [time_text(one.at, words), words.of(OPINIONS, one.kind), one.user_name, one.words] for one in record.reviews
    ]
    return WrittenSheet(words.say("签审与说明", "Signature and notes"), columns, rows)


def _stops(record: FullRecord, words: RecordWords) -> Mapping[int, str]:
    runs = record.content.get("runs", ())
    itinerary = runs[0].get("itinerary") if runs else ()
    if not isinstance(itinerary, Sequence) or isinstance(itinerary, str):
        return {}
    return {number: stop_name(stop, words) for number, stop in enumerate(itinerary) if isinstance(stop, Mapping)}
