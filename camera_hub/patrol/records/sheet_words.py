"""How a record reads in a sheet, cell by cell, in the language that is asked for. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.content import Row
from camera_hub.patrol.records.listing import RecordRow
from camera_hub.sheets.language import Said, SheetWords
from camera_hub.store.tables.readable import Unreadable

_RESULTS: Mapping[str, Said] = {
    "open": ("待确认", "Open"),
    "normal": ("正常", "Normal"),
    "abnormal": ("异常", "Abnormal"),
    "excused": ("免看", "Excused"),
}
UNREADABLE: Said = ("无法读取", "invalid")
"""What was tampered with so that nobody can read it."""
_NOT_CONFIRMED: Said = ("未确认", "Not confirmed")
"""What is open of a patrol that has ended: nobody will confirm it any more."""
COUNTED: Mapping[str, Said] = {
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
OPINIONS: Mapping[str, Said] = {
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
    "busy": ("平台或设备繁忙", "The hub or the device was busy"),
    "ptz_none": ("摄像机没有云台", "The camera has no PTZ"),
    "ptz_unsupported": ("云台不支持这样转动", "The camera cannot move so"),
    "ptz_no_rights": ("设备不允许该账号控制云台", "The device does not let this user steer"),
    "ptz_locked": ("当时有人在操作云台", "Somebody was steering the camera"),
    "ptz_stop_failed": ("停止指令未被设备确认", "The device did not confirm a stop"),
    "ptz_moves_by_itself": ("云台在自行转动", "The camera moved by itself"),
    "ptz_preset_gone": ("设备上已没有该预置位", "The device has no such preset any more"),
    "ptz_preset_not_kept": ("设备没有保存预置位", "The device did not keep the preset"),
    "ptz_preset_copied": ("设备不能更新已有预置位", "The device does not store into an existing preset"),
    "ptz_preset_stays": ("设备拒绝删除预置位", "The device refused to remove the preset"),
    "ptz_presets_full": ("设备的预置位已满", "The device keeps no more presets"),
    # Kinds of errors that say nothing more exact.
    "not_found": ("设备或摄像机已不在台账中", "The device or camera is not registered any more"),
    "invalid": ("设备信息有误", "What is known of the device is not valid"),
    "forbidden": ("没有权限", "Not permitted"),
    "conflict": ("与设备当前状态冲突", "Not possible in the state of the device"),
    "unsupported": ("设备不支持", "The device cannot do that"),
    "timeout": ("响应超时", "Timed out"),
    "unavailable": ("平台暂时无法处理", "The hub could not do it then"),
    "internal": ("平台内部错误", "An internal error of the hub"),
}
_MOMENTS = {
    "at", "anchor_at", "started_at", "ended_at", "seen_from", "seen_until", "seen_at", "picture_at", "confirmed_at",
}  # fmt: skip
"""Columns that hold one."""
_PRESET_STATES: Mapping[str, Said] = {
    "reached": ("已到位", "Reached"),
    "moving": ("未到位：离站时还在转动", "Not reached: still turning when the stop ended"),
}
_PRESET_UNKNOWN: Said = ("未记录", "Not recorded")
"""The hub was down at the end of the stop, or the stop was skipped."""
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


_CODES: Mapping[str, Mapping[str, Said]] = {
    "result": _RESULTS,
    "state": _STATES,
    "end_reason": _ENDS,
    "pause_reason": _PAUSES,
    "outcome": {"shown": ("显示", "shown"), "skipped": ("跳过", "skipped")},
    "kind": {**EVENT_WORDS, **OPINIONS},
}
"""Columns that hold codes, and their words."""


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


@dataclass(frozen=True, slots=True)
class BothWords:
    """In both languages."""

    zh: RecordWords
    en: RecordWords


def event_text(kind: str, detail: Mapping[str, Json], names: Mapping[int, str], words: RecordWords) -> str:
    """What an event says beside its name: of which camera, to whom, how long, from what to what, why."""
    camera, say = names.get(int_in(detail, "camera") or 0, ""), words.say
    parts: list[str]
    if kind == "result_changed":
        before = (words.of(_RESULTS, text_in(detail, "before")), text_in(detail, "before_words"))
        was = say("：", ": ").join(filter(None, before))
        by = " ".join(filter(None, (text_in(detail, "before_name"), iso_text(detail.get("before_at"), words))))
        after = words.of(_RESULTS, text_in(detail, "result"))
        parts = [camera, say(f"{was}（{by}）改为{after}", f"{was} ({by}) changed to {after}"), text_in(detail, "words")]
    elif kind in ("finding_changed", "finding_deleted"):
        category = words.categories.get(text_in(detail, "before"), text_in(detail, "before"))
        told = say("：", ": ").join((category, text_in(detail, "before_words")))
        parts = [camera, say(f"原为“{told}”", f"was “{told}”"), text_in(detail, "words")]
    elif kind in ("interrupted", "another_alarm"):
        number = int_in(detail, "alarm")
        parts = [say(f"告警 {number}", f"alarm {number}"), cause_text(detail.get("cause"), words)]
    elif kind == "extended":
        parts = [f"{seconds_of(detail.get('seconds')) or 0:g} {say('秒', 's')}"]
    elif kind == "handed_over":
        parts = [f"{say('交给', 'to')} {text_in(detail, 'to_name')}", text_in(detail, "note")]
    elif kind == "taken_over":
        parts = [f"{say('接替', 'from')} {text_in(detail, 'from_name')}", text_in(detail, "note")]
    elif kind in ("paused", "resumed"):
        parts = [words.of(_PAUSES, text_in(detail, "reason"))]
    else:
        parts = [text_in(detail, "note")]
    return say("，", ", ").join(filter(None, parts))


def operators_text(row: RecordRow, words: RecordWords) -> str:
    """All who ran it, one after the other, each but the first with when and where it became theirs."""
    told = [row.started_name]
    for one in row.turns:
        at = time_text(one.since, words)
        if one.since.astimezone(words.zone).date() == row.started_at.astimezone(words.zone).date():
            at = at[-8:]
        if one.position is None:
            where = words.say(f"{at} 走完后", f"after the last stop, {at}")
        else:
            where = words.say(f"{at} 第 {one.position + 1} 站起", f"from stop {one.position + 1}, {at}")
        told.append(one.name + words.say(f"（{where}）", f" ({where})"))
    return " → ".join(told)


def result_text(code: str, row: RecordRow, words: RecordWords) -> str:
    """What is open of a patrol that is over was not confirmed, and will not be."""
    if code == "open" and row.state == "ended":
        return words.say(*_NOT_CONFIRMED)
    return words.of(_RESULTS, code)


def notes_of(words: RecordWords) -> list[str]:
    """What a reader must know of the columns, a paragraph each."""
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
            "预置位：巡查要求云台转到的位置；到位情况以离站时为准，同一站到过几次的取最后一次，每次见“云台预置位”。"
            "离站后云台由平台转回看守位，有人操作时除外。",
            "Preset: where the patrol wanted the camera to point. At the preset: as it was at the end of the stop, the"
            " last time of several; the sheet “PTZ presets” has each. After the stop the hub sends the camera home,"
            " unless somebody steers it.",
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


def stop_name(stop: Mapping[str, Json], words: RecordWords) -> str:
    """As pages call it (web/src/stopLabel.ts)."""
    more, name = stop.get("more", 0), text_in(stop, "name")
    if isinstance(more, int) and more > 0:
        return words.say(f"{name}等 {more + 1} 路", f"{name} ({more + 1} cameras)")
    return name


def state_text(row: RecordRow, words: RecordWords) -> str:
    """Its state, or how it ended."""
    if row.state != "ended":
        return words.of(_STATES, row.state)
    if row.loop and row.end_reason == "stopped":  # a presentation has nothing to be given up
        return words.of(_STATES, "ended")
    return words.of(_ENDS, row.end_reason or "")


def signature_text(row: RecordRow, words: RecordWords) -> str:
    """Approved, returned, not signed yet, or why there is none."""
    if row.seal is None:
        return ""
    if not row.to_be_signed:
        return words.say("无需签审", "No signature needed")
    return words.of(OPINIONS, row.opinion) if row.opinion else words.say(*_UNSIGNED)


def cause_text(code: Json, words: RecordWords) -> str:
    """Why a camera was not seen or is excused, in words; a code without words as it is."""
    if code is None:
        return ""
    return words.of(_WHY, str(code)) if str(code) in _WHY else words.causes.get(str(code), str(code))


def preset_text(state: Json, words: RecordWords) -> str:
    """Whether a camera had come to its preset by the end of the stop, and why not (run_step_cameras.preset_state)."""
    if state is None:
        return words.say(*_PRESET_UNKNOWN)
    if str(state) in _PRESET_STATES:
        return words.of(_PRESET_STATES, str(state))
    return words.say("未到位：", "Not reached: ") + cause_text(state, words)


def value_text(column: str, value: Json, words: RecordWords) -> str:
    """A value of a column in words where they are plainer than the value itself: a code, a moment; else ""."""
    if value is None:
        return words.say("空", "nothing")
    if column == "preset_state":
        return preset_text(value, words)
    if not isinstance(value, str):
        return ""
    if column in ("why", "cause", "picture_why", "reason"):
        return cause_text(value, words)
    if column in _CODES:
        return words.of(_CODES[column], value)
    if column == "category":
        return words.categories.get(value, value)
    with suppress(ValueError):
        if column in _MOMENTS:
            return iso_text(value, words)
    return ""


def confirmed_text(row: Row, words: RecordWords) -> str:
    """In brackets: what a result was, and who had said so."""
    told = [words.of(_RESULTS, text_in(row, "result")), text_in(row, "words"), text_in(row, "confirmed_name")]
    text = words.say("，", ", ").join(filter(None, [*told, iso_text(row.get("confirmed_at"), words)]))
    return words.say(f"（{text}）", f" ({text})")


def text_in(row: Row | Mapping[str, Json], name: str) -> str:
    """That value of a sealed row, "" where it is no text."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def int_in(row: Row | Mapping[str, Json], name: str) -> int | None:
    """That value of a sealed row, None where it is no whole number."""
    value = row.get(name)
    return value if isinstance(value, int) else None


def seconds_text(value: Json, words: RecordWords) -> float | str | None:
    """Seconds to one decimal; None where there are none."""
    return words.say(*UNREADABLE) if isinstance(value, Unreadable) else seconds_of(value)


def seconds_of(value: Json) -> float | None:
    """Seconds to one decimal, None where it is no number."""
    return round(value, 1) if isinstance(value, int | float) else None


def iso_text(value: Json, words: RecordWords) -> str:
    """A sealed moment (ISO 8601) in the site's time, "" where there is none; see time_text."""
    if isinstance(value, Unreadable):
        return words.say(*UNREADABLE)
    return time_text(datetime.fromisoformat(value), words) if isinstance(value, str) else ""


def time_text(at: datetime | None, words: RecordWords) -> str:
    """A moment in the site's time, to the second; of a record that was tampered with it may not be readable."""
    if isinstance(at, Unreadable):
        return words.say(*UNREADABLE)
    return "" if at is None else f"{at.astimezone(words.zone):%Y-%m-%d %H:%M:%S}"
