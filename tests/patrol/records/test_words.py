"""What is printed of a record has a word for each code."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from camera_hub.access.audit.canonical import Json
from camera_hub.patrol.records.compare import differences
from camera_hub.patrol.records.content import SEALED_TABLES, Content
from camera_hub.patrol.records.field_words import FIELDS, field_words
from camera_hub.patrol.records.reviews import review_content
from camera_hub.patrol.records.sheet_words import EVENT_WORDS, RecordWords, event_text, value_text
from camera_hub.patrol.runs.run_events import EventKind
from camera_hub.store.tables import RunReview

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


def test_each_sealed_column_and_each_column_of_a_review_has_words_of_its_own() -> None:
    """Whoever verifies reads "the words of the confirmation", and never the name of a column."""
    sealed = {one.table.name: {column.name for column in one.columns} - {"id"} for one in SEALED_TABLES}
    review = RunReview(id=1, run_id=1, kind="note", words="", user_name="", at=datetime(2026, 11, 30, tzinfo=UTC))
    assert {table: set(columns) for table, columns in FIELDS.items()} == {
        **sealed,
        "run_reviews": review_content(review).keys() - {"id"},
    }
    for table, columns in FIELDS.items():
        for language in (0, 1):
            phrases = [words[language] for words in columns.values()]
            assert len(set(phrases)) == len(phrases), table


@pytest.mark.parametrize(
    ("table", "path", "told"),
    [
        ("run_results", "words", ("确认说明", "the words of the confirmation")),
        ("runs", "itinerary[3].dwell_s", ("路线内容（第 4 站，停留时间）", "the itinerary (stop 4, dwell)")),
        ("runs", "itinerary", ("路线内容", "the itinerary")),
        ("run_events", "detail.to_name", ("详情（接手人）", "the details (who it was handed to)")),
        ("run_events", "detail.later", ("详情（later）", "the details (later)")),
        ("run_events", "later", ("later", "later")),
    ],
)
def test_a_place_within_a_column_is_told_as_people_count(table: str, path: str, told: tuple[str, str]) -> None:
    assert field_words(table, path) == told


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("result", "abnormal", "异常"),
        ("confirmed_at", "2026-11-29T18:44:04+00:00", "2026-11-30 02:44:04"),
        ("confirmed_at", "rubbish", ""),
        ("cause", "device_down", "设备离线"),
        ("category", "flood", "积水汛情"),
        ("preset_state", "moving", "未到位：离站时还在转动"),
        ("preset_state", None, "空"),
        ("words", None, "空"),
        ("words", "积水", ""),
        ("seen_s", 3.5, ""),
    ],
)
def test_codes_and_moments_of_a_change_are_told_in_words(column: str, value: Json, told: str) -> None:
    assert value_text(column, value, WORDS) == told


def test_both_languages_name_what_was_changed_of_which_row() -> None:
    itinerary: Json = [{"cameras": [{"id": 6, "village": "东沟村", "name": "加油站"}]}]
    result: Mapping[str, Json] = {"id": 3, "position": 0, "camera_id": 6, "words": "积水"}
    sealed: Content = {"runs": [{"id": 12, "itinerary": itinerary}], "run_results": [result]}
    (found,) = differences(sealed, {**sealed, "run_results": [{**result, "words": ""}]})
    assert found.sentence(WORDS) == "第 1 站 东沟村 加油站的确认说明在封存后被改动：原为 “积水”，现为 空"
    assert found.sentence(ENGLISH) == (
        "the words of the confirmation of 东沟村 加油站 at stop 1 were changed after sealing: was “积水”, is now empty"
    )
    (gone,) = differences(sealed, {**sealed, "run_results": []})
    assert gone.sentence(WORDS) == "第 1 站 东沟村 加油站的结果（积水）在封存后被删除"
