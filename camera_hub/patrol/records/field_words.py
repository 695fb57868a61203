"""What the columns of a sealed record are called, so that a change is told in words and not by a column. Pure.

Each phrase stands before "of <the row>" in English ("the words of the confirmation of camera X at stop 3") and after
"<the row>的" in Chinese.
"""

import re
from collections.abc import Mapping

from camera_hub.sheets.language import Said

FIELDS: Mapping[str, Mapping[str, Said]] = {
    "runs": {
        "tour_id": ("所属路线", "the tour"),
        "tour_name": ("路线名称", "the name of the tour"),
        "itinerary": ("路线内容", "the itinerary"),
        "loop": ("类型（巡查或循环播放）", "the kind (patrol or presentation)"),
        "lap": ("圈数", "the number of laps"),
        "confirm": ("确认方式", "the way of confirming"),
        "least_s": ("最短观看时间", "the least time to see a camera"),
        "interrupt": ("告警打断设置", "the setting of alarms that interrupt"),
        "state": ("状态", "the state"),
        "pause_reason": ("暂停原因", "the reason of the pause"),
        "alarm_id": ("打断告警号", "the alarm that interrupted it"),
        "more_alarms": ("打断期间的告警数", "the number of alarms meanwhile"),
        "position": ("当前站", "the last stop"),
        "anchor_at": ("计时起点", "the moment of the last change"),
        "elapsed_s": ("本站已用时间", "the time spent at the last stop"),
        "extended_s": ("延长时间", "the time of extending the last stop"),
        "revision": ("操作次数", "the count of changes"),
        "steps": ("到站总数", "the number of steps"),
        "shown": ("已到站数", "the number of stops shown"),
        "skipped": ("跳过站数", "the number of stops skipped"),
        "rolled_up": ("已汇总到站数", "the number of summed steps"),
        "started_name": ("发起人", "the name of the starter"),
        "started_at": ("开始时间", "the time of the start"),
        "operator_name": ("巡查人", "the name of the operator"),
        "ended_at": ("结束时间", "the time of the end"),
        "end_reason": ("结束方式", "the outcome"),
    },
    "run_steps": {
        "run_id": ("所属巡查", "the patrol number"),
        "sequence": ("顺序", "the order"),
        "times": ("次数", "the count"),
        "lap": ("圈数", "the lap"),
        "position": ("站号", "the number of the stop"),
        "name": ("站点名称", "the name"),
        "outcome": ("是否显示", "the outcome"),
        "reason": ("跳过原因", "the reason for skipping"),
        "started_at": ("到站时间", "the beginning"),
        "ended_at": ("离站时间", "the end"),
        "shown_s": ("停留秒数", "the seconds shown"),
    },
    "run_step_cameras": {
        "step_id": ("所属到站记录", "the step number"),
        "camera_id": ("摄像机", "the camera"),
        "times": ("次数", "the count"),
        "visible_s": ("看到秒数", "the seconds seen"),
        "seen_from": ("开始看到的时间", "the first moment seen"),
        "seen_until": ("看到为止的时间", "the last moment seen"),
        "why": ("未看原因", "the reason for not being seen"),
        "preset": ("预置位", "the PTZ preset"),
        "preset_state": ("预置位到位情况", "the arrival at the PTZ preset"),
    },
    "run_results": {
        "run_id": ("所属巡查", "the patrol number"),
        "position": ("站号", "the number of the stop"),
        "camera_id": ("摄像机", "the camera"),
        "key": ("是否重点站", "the mark as a key stop"),
        "result": ("结果", "the result"),
        "seen_s": ("看到秒数", "the seconds seen"),
        "seen_at": ("看到时间", "the moment seen"),
        "why": ("未看原因", "the reason for not being seen"),
        "visits": ("到站次数", "the number of visits"),
        "step_id": ("对应的到站记录", "the step of the longest visit"),
        "picture": ("画面编号", "the number of the picture"),
        "picture_at": ("画面时间", "the time of the picture"),
        "sha256": ("画面校验码", "the hash of the picture"),
        "picture_why": ("没有画面的原因", "the reason for the missing picture"),
        "confirmed_name": ("确认人", "the name of the confirmer"),
        "confirmed_at": ("确认时间", "the time of the confirmation"),
        "words": ("确认说明", "the words of the confirmation"),
        "cause": ("免看原因", "the cause of the excuse"),
        "reference": ("告警号", "the number of the alarm"),
    },
    "findings": {
        "run_id": ("所属巡查", "the patrol number"),
        "position": ("站号", "the number of the stop"),
        "camera_id": ("摄像机", "the camera"),
        "village_id": ("所属村", "the village"),
        "category": ("类别", "the category"),
        "words": ("内容", "the words"),
        "at": ("时间", "the time"),
        "user_name": ("记录人", "the name of the recorder"),
        "picture": ("画面编号", "the number of the picture"),
        "picture_at": ("画面时间", "the time of the picture"),
        "sha256": ("画面校验码", "the hash of the picture"),
        "picture_why": ("没有画面的原因", "the reason for the missing picture"),
        "photo": ("照片编号", "the number of the photo"),
        "photo_sha256": ("照片校验码", "the hash of the photo"),
    },
    "run_events": {
        "run_id": ("所属巡查", "the patrol number"),
        "at": ("时间", "the time"),
        "kind": ("事项", "the kind"),
        "position": ("站号", "the number of the stop"),
        "user_name": ("操作人", "the name of the actor"),
        "detail": ("详情", "the details"),
    },
    "run_reviews": {
        "run_id": ("所属巡查", "the patrol number"),
        "kind": ("意见", "the opinion"),
        "words": ("内容", "the words"),
        "user_name": ("姓名", "the name"),
        "at": ("时间", "the time"),
    },
}
"""Table → column → what it is called."""


_INNER: Mapping[str, Said] = {
    "name": ("名称", "name"),
    "note": ("备注", "note"),
    "dwell_s": ("停留时间", "dwell"),
    "layout": ("画面布局", "layout"),
    "key": ("重点站", "key stop"),
    "cameras": ("摄像机", "cameras"),
    "village": ("村", "village"),
    "presets": ("预置位", "presets"),
    "preset": ("预置位", "preset"),
    "token": ("预置位号", "preset token"),
    "words": ("说明", "words"),
    "to_name": ("接手人", "who it was handed to"),
    "from_name": ("交出人", "who it was taken from"),
    "reason": ("原因", "reason"),
    "before": ("原结果", "what it was before"),
    "before_words": ("原说明", "words before"),
    "before_name": ("原确认人", "who had confirmed it"),
    "result": ("结果", "result"),
}
"""Names within JSON columns."""
_PLURAL = ("words", "seconds", "details")


def verb(phrase: str) -> str:
    """Was or were, after an English phrase of FIELDS."""
    return "were" if phrase.split()[1:2] and phrase.split()[1] in _PLURAL else "was"


def field_words(table: str, path: str) -> Said:
    """What a changed value is called: `path` begins with its column and, within JSON, has its place
    ("itinerary[3].name"); the path itself where nobody has named it."""
    column, *places = re.findall(r"[^.\[\]]+", path) or [path]
    known = FIELDS.get(table, {}).get(column)
    if known is None:
        return path, path
    if not places:
        return known
    inner = [_INNER.get(one, (one, one)) for one in places]
    if column == "itinerary" and places[0].isdecimal():
        number = int(places[0]) + 1
        inner[0] = (f"第 {number} 站", f"stop {number}")
    within = ("，".join(one[0] for one in inner), ", ".join(one[1] for one in inner))
    return f"{known[0]}（{within[0]}）", f"{known[1]} ({within[1]})"
