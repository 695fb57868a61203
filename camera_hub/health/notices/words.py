"""Pure: notices in words, in Chinese: village, place, cause, since when, how many cameras, how long. No addresses and
no secrets of devices: messages leave the site."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from camera_hub.health.notices.cause_words import ASPECTS, cause_words

SMS_UNITS = 134
"""UTF-16 units of two parts of a long SMS: 67 each, as the header of a part takes three of 70 (3GPP TS 23.040)."""

LISTED = 10
"""Alarms that a notice of many lists by name."""

_NAME = 40
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BREAKS = "。；;\n"
_SOFT_BREAKS = "，、, "


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """What is said of one alarm. `place`: the landmark or address of its camera. `cameras`: how many it stands for."""

    level: str
    aspect: str
    cause: str
    opened_at: datetime
    closed_at: datetime | None = None
    village: str = ""
    device: str = ""
    camera: str = ""
    place: str = ""
    cameras: int = 1


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One notice in words: a title, its text, and both in one for an SMS (not cut yet)."""

    title: str
    text: str
    short: str


def notice_words(
    kind: str, alarms: Sequence[AlarmWords], now: datetime, zone: tzinfo, *, level: int = 0, known: int = 0
) -> NoticeWords:
    """The words of a notice about these alarms, the weightiest first. `level`: of an escalation. `known`: how many
    other alarms the reader of a digest knows of that are still open."""
    if kind in ("opened", "flapping", "closed") and len(alarms) == 1:
        return _single(kind, alarms[0], now, zone)
    count = len(alarms)
    if kind == "closed":
        title = f"恢复：{count} 起告警已恢复"
    elif kind == "flapping":
        title = f"反复中断：{count} 处时断时续"
    elif kind == "reminder":
        title = f"催办：{count} 起告警未恢复"
    elif kind == "escalated":
        title = f"告警升级（{level} 级）：{count} 起长时间未恢复"
    elif kind == "digest":
        title = f"晨报：{count} 起问题待处理"
    else:
        title = f"告警：新增 {count} 起"
    lead = _summary(alarms)
    if kind == "digest" and known:
        lead += f"；另有已通知的 {known} 起未恢复"
    lines = [_line(kind, one, now, zone) for one in alarms[:LISTED]]
    if count > LISTED:
        lines.append(f"……还有 {count - LISTED} 起，详见告警页面")
    text = "\n".join([f"{lead}。", *lines])
    if count == 1:
        return NoticeWords(title, text, f"{title}，{lines[0]}")
    return NoticeWords(title, text, f"{title}。{lead}。")


def _single(kind: str, alarm: AlarmWords, now: datetime, zone: tzinfo) -> NoticeWords:
    where, cause, since = _where(alarm), cause_words(alarm.cause, alarm.aspect), _when(alarm.opened_at, now, zone)
    what = _joined(where, cause, alarm)
    cameras = f"，涉及 {alarm.cameras} 路摄像机" if alarm.cameras > 1 or alarm.level in ("hub", "village") else ""
    place = f"。位置：{_clean(alarm.place)}" if alarm.place else ""
    if kind == "closed":
        until = alarm.closed_at or now
        lasted = duration_words((until - alarm.opened_at).total_seconds())
        subject = where or "中心网络"
        text = f"{what}{cameras}，{since} 起，{_when(until, now, zone)} 恢复，历时 {lasted}{place}。"
        return NoticeWords(f"恢复：{subject}", text, f"【恢复】{subject}已恢复（{cause}）{cameras}，历时 {lasted}。")
    lasts = duration_words((now - alarm.opened_at).total_seconds())
    if kind == "flapping":
        text = f"{what}，{since} 起反复中断{cameras}，稳定后再通知{place}。"
        return NoticeWords(f"反复中断：{what}", text, f"【反复中断】{text}")
    text = f"{what}{cameras}，{since} 起，已持续 {lasts}{place}。"
    return NoticeWords(f"告警：{what}", text, f"【告警】{text}")


def _line(kind: str, alarm: AlarmWords, now: datetime, zone: tzinfo) -> str:
    what = _joined(_where(alarm), cause_words(alarm.cause, alarm.aspect), alarm)
    cameras = f"（{alarm.cameras} 路）" if alarm.cameras > 1 else ""
    if kind == "closed":
        until = alarm.closed_at or now
        return f"{what}{cameras}，历时 {duration_words((until - alarm.opened_at).total_seconds())}"
    lasts = duration_words((now - alarm.opened_at).total_seconds())
    return f"{what}{cameras}，{_when(alarm.opened_at, now, zone)} 起，已持续 {lasts}"


def _summary(alarms: Sequence[AlarmWords]) -> str:
    """How many of what, and where."""
    aspects = Counter(ASPECTS.get(one.aspect, "异常") for one in alarms)
    villages = Counter(_clean(one.village) or "本系统" for one in alarms)
    what = "、".join(f"{word} {count}" for word, count in aspects.most_common())
    named = villages.most_common(5)
    where = "、".join(f"{name} {count}" for name, count in named)
    more = f"等 {len(villages)} 个村" if len(villages) > len(named) else ""
    return f"{what}；{where}{more}"


def _joined(where: str, cause: str, alarm: AlarmWords) -> str:
    """Where and what, without saying the village twice."""
    if alarm.level == "hub":
        return cause
    if alarm.level == "village" and cause.startswith("村"):
        return (
            f"{where}{'' if where.endswith('村') else ' '}{cause.removeprefix('村') if where.endswith('村') else cause}"
        )
    return f"{where} {cause}"


def _where(alarm: AlarmWords) -> str:
    village = _clean(alarm.village)
    if alarm.level == "hub":
        return ""
    if alarm.level == "village":
        return village
    name = _clean(alarm.camera if alarm.level == "camera" else alarm.device)
    # Cameras are often named with their village in front.
    name = name.removeprefix(village) or name
    return f"{village}“{name}”" if name else village


def _when(at: datetime, now: datetime, zone: tzinfo) -> str:
    there, here = at.astimezone(zone), now.astimezone(zone)
    clock = there.strftime("%H:%M")
    if there.date() == here.date():
        return clock
    day = f"{there.month}月{there.day}日 {clock}"
    return day if there.year == here.year else f"{there.year}年{day}"


def duration_words(seconds: float) -> str:
    """Two units at most: 2 天 3 小时, 5 小时 12 分钟, 30 分钟."""
    minutes = int(max(0.0, seconds) // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} 天 {hours} 小时" if hours else f"{days} 天"
    if hours:
        return f"{hours} 小时 {minutes} 分钟" if minutes else f"{hours} 小时"
    return f"{minutes} 分钟" if minutes else "不到 1 分钟"


def _clean(name: str) -> str:
    """A name on one line, of bounded length."""
    one = _CONTROLS.sub(" ", name).strip()
    return one if len(one) <= _NAME else one[: _NAME - 1] + "…"


def utf16_units(text: str) -> int:
    """How long an SMS counts a text."""
    return len(text) + sum(ord(letter) > 0xFFFF for letter in text)


def cut(text: str, units: int) -> str:
    """The text within so many UTF-16 units: cut behind a sentence if one ends in the last third, else behind a clause,
    else between two letters, and then with an ellipsis; never within a letter."""
    if utf16_units(text) <= units:
        return text
    if units < 1:
        return ""
    taken, used = [], 0
    for letter in text:
        width = 2 if ord(letter) > 0xFFFF else 1
        if used + width > units - 1:
            break
        taken.append(letter)
        used += width
    kept = "".join(taken)
    following = text[len(kept) : len(kept) + 1]
    while kept and (_continues(following) or kept.endswith("\u200d")):
        following, kept = kept[-1], kept[:-1]
    third = len(kept) * 2 // 3
    for breaks, mark in ((_BREAKS, ""), (_SOFT_BREAKS, "…")):
        place = max(kept.rfind(letter) for letter in breaks)
        if place >= third:
            return (kept[: place + 1] if not mark else kept[:place] + mark).rstrip("\n")
    return kept + "…"


def _continues(letter: str) -> bool:
    """Whether it belongs to the letter before it."""
    return bool(letter) and (unicodedata.combining(letter) > 0 or letter in "\u200d\ufe0e\ufe0f" or letter in _SKIN)


_SKIN = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
