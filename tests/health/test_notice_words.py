"""Notices in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from camera_hub.health.judging.verdict import CLOCK, LOAD, LOGIN, OFFLINE, OSD, PICTURE, RECORDING
from camera_hub.health.notices.cause_words import CAUSES, CAUSES_EN, cause_words
from camera_hub.health.notices.words import AlarmWords, cut, duration_words, notice_words, utf16_units

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 29, 6, 13, tzinfo=UTC)
VILLAGE = AlarmWords("village", "media", "village_link", NOW - timedelta(minutes=10), village="东沟村", cameras=40)
CAMERA = AlarmWords(
    "camera",
    "picture",
    "covered",
    NOW - timedelta(days=1, hours=3),
    village="东沟村",
    camera="东沟村村口",
    place="大槐树旁",
)


@pytest.mark.parametrize(
    ("kind", "alarm", "title", "text"),
    [
        ("opened", VILLAGE, "告警：东沟村网络中断", "东沟村网络中断，涉及 40 路摄像机，14:03 起，已持续 10 分钟。"),
        (
            "opened",
            CAMERA,
            "告警：东沟村“村口” 镜头遮挡",
            "东沟村“村口” 镜头遮挡，11月28日 11:13 起，已持续 1 天 3 小时。位置：大槐树旁。",
        ),
        (
            "closed",
            AlarmWords("device", "media", "device_down", NOW - timedelta(hours=2), NOW, "西沟村", "录像机", cameras=8),
            "恢复：西沟村“录像机”",
            "西沟村“录像机” 设备离线，涉及 8 路摄像机，12:13 起，14:13 恢复，历时 2 小时。",
        ),
        (
            "opened",
            AlarmWords("hub", "media", "hub_uplink", NOW, cameras=320),
            "告警：中心网络中断",
            "中心网络中断，涉及 320 路摄像机，14:13 起，已持续 不到 1 分钟。",
        ),
        ("flapping", CAMERA, "反复中断：东沟村“村口” 镜头遮挡", None),
    ],
)
def test_one_alarm_in_words(kind: str, alarm: AlarmWords, title: str, text: str | None) -> None:
    said = notice_words(kind, [alarm], NOW, ZONE)
    assert said.title == title
    assert text is None or said.text == text
    assert "\n" not in said.short


def test_many_alarms_are_counted_and_ten_listed() -> None:
    many = [VILLAGE, *[CAMERA] * 30]
    said = notice_words("digest", many, NOW, ZONE, known=3)
    lines = said.text.split("\n")
    assert said.title == "晨报：31 起问题待处理"
    assert lines[0] == "画面异常 30、无画面 1；东沟村 31；另有已通知的 3 起未恢复。"
    assert (len(lines), lines[-1]) == (12, "……还有 21 起，详见告警页面")
    assert notice_words("escalated", many, NOW, ZONE, level=2).title == "告警升级（2 级）：31 起长时间未恢复"


def test_a_name_cannot_break_a_line_or_fill_a_message() -> None:
    evil = AlarmWords("camera", "media", "no_media", NOW, village="东\r\n沟", camera="x" * 500)
    said = notice_words("opened", [evil], NOW, ZONE)
    assert "\n" not in said.title + said.text
    assert len(said.title) < 120


@pytest.mark.parametrize(
    ("text", "units", "expected"),
    [
        ("一二三", 3, "一二三"),
        ("一二三四", 3, "一二…"),
        ("第一句话。第二句话很长很长", 8, "第一句话。"),
        ("前半句话，后半句话很长很长", 7, "前半句话…"),
        ("😀😀😀", 4, "😀…"),
        ("ab\u0301cd", 3, "a…"),
        ("", 5, ""),
        ("字", 0, ""),
    ],
)
def test_a_text_is_cut_at_a_clause_and_never_within_a_letter(text: str, units: int, expected: str) -> None:
    assert cut(text, units) == expected
    assert utf16_units(cut(text, units)) <= units


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "不到 1 分钟"),
        (59, "不到 1 分钟"),
        (3600, "1 小时"),
        (7505, "2 小时 5 分钟"),
        (90000, "1 天 1 小时"),
        (-5, "不到 1 分钟"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_every_cause_that_judging_gives_has_words() -> None:
    judged = OFFLINE | LOGIN | PICTURE | RECORDING | CLOCK | OSD | LOAD
    assert {reason for reason in judged if reason not in CAUSES} == set()
    assert cause_words("new_thing", "osd") == "字幕不规范"


def test_every_cause_has_words_in_both_languages() -> None:
    assert CAUSES_EN.keys() == CAUSES.keys()
    assert not [words for words in CAUSES_EN.values() if not words.isascii()]
