"""What is printed of a record has a word for each code."""

import re
from collections.abc import Mapping
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.sheet_words import EVENT_WORDS, RecordWords, event_text
from camera_hub.patrol.runs.run_events import EventKind

WORDS = RecordWords("zh", {"device_down": "设备离线"}, {"flood": "积水汛情"}, ZoneInfo("Asia/Shanghai"))
ENGLISH = RecordWords("en", {"device_down": "Device offline"}, {"flood": "flood"}, ZoneInfo("Asia/Shanghai"))
NAMES = {6: "东沟村 加油站"}
CHANGED: Mapping[str, Json] = {
    "stop": 3, "camera": 6, "before": "normal", "before_words": "", "before_by": 1, "before_name": "张三",
    "before_at": "2026-11-29T18:44:04+00:00", "result": "abnormal", "words": "积水", "finding": None,
}  # fmt: skip
FINDING: Mapping[str, Json] = {
    "stop": 3, "camera": 6, "finding": 2, "before": "flood", "before_words": "出口积水", "before_by": 1,
    "before_name": "张三", "words": "",
}  # fmt: skip
TOLD: dict[str, tuple[Mapping[str, Json], str]] = {
    "paused": ({"reason": "operator"}, "人工暂停"),
    "resumed": ({"reason": "ptz"}, "云台操作"),
    "extended": ({"seconds": 30.0}, "30 秒"),
    "handed_over": ({"to": 2, "to_name": "李四", "note": "换班"}, "交给 李四，换班"),
    "taken_over": ({"from": 1, "from_name": "张三", "note": ""}, "接替 张三"),
    "interrupted": ({"alarm": 7, "cause": "device_down", "severity": "critical"}, "告警 7，设备离线"),
    "another_alarm": ({"alarm": 8, "cause": "device_down", "severity": "major"}, "告警 8，设备离线"),
    "result_changed": (CHANGED, "东沟村 加油站，正常（张三 2026-11-30 02:44:04）改为异常，积水"),
    "finding_changed": ({**FINDING, "words": "退了"}, "东沟村 加油站，原为“积水汛情：出口积水”，退了"),
    "finding_deleted": (FINDING, "东沟村 加油站，原为“积水汛情：出口积水”"),
    "submitted": ({"note": "无异常"}, "无异常"),
}


def test_each_kind_of_event_has_its_word_on_the_sheet() -> None:
    assert EVENT_WORDS.keys() == set(get_args(EventKind))


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_an_event_is_told_in_words_and_not_in_codes(kind: EventKind) -> None:
    detail, words = TOLD.get(kind, ({}, ""))
    told = event_text(kind, detail, NAMES, WORDS)
    assert told == words
    assert re.search("[a-z]", told) is None


TOLD_IN_ENGLISH: dict[str, tuple[Mapping[str, Json], str]] = {
    "paused": ({"reason": "attention"}, "the attention prompt was not answered"),
    "extended": ({"seconds": 30.0}, "30 s"),
    "handed_over": ({"to": 2, "to_name": "Li", "note": "shift"}, "to Li, shift"),
    "taken_over": ({"from": 1, "from_name": "Zhang", "note": ""}, "from Zhang"),
    "interrupted": ({"alarm": 7, "cause": "device_down", "severity": "critical"}, "alarm 7, Device offline"),
    "result_changed": (
        {**CHANGED, "before_name": "Zhang", "words": "water"},
        "Gate, Normal (Zhang 2026-11-30 02:44:04) changed to Abnormal, water",
    ),
    "finding_deleted": ({**FINDING, "before_words": "water"}, "Gate, was “flood: water”"),
}


@pytest.mark.parametrize("kind", TOLD_IN_ENGLISH)
def test_an_english_sheet_tells_events_in_english(kind: str) -> None:
    detail, words = TOLD_IN_ENGLISH[kind]
    assert event_text(kind, detail, {6: "Gate"}, ENGLISH) == words
