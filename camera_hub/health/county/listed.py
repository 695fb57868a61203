"""What a row of the county's list says: an ID, a time, what is complained of. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ASPECTS: Final = ("media", "picture", "clock", "recording", "osd")
"""What a list may complain of, the most serious first."""

_COMPLAINTS: Final = (
    ("clock", r"时钟|校时|时间(?:不准|偏差|错误|误差|异常)|时差|clock"),
    ("recording", r"录像|存储|recording"),
    ("osd", r"字幕|标注|OSD"),
    (
        "picture",
        r"模糊|失焦|虚焦|遮挡|黑屏|蓝屏|花屏|雪花|噪[声点]|条纹|偏色|过[曝亮暗]|冻结|卡死|静止|移位|偏移|角度|画面|"
        r"图像|画质|亮度|清晰|信号丢失|blur|black|picture",
    ),
    (
        "media",
        r"离线|掉线|不在线|断线|断网|无法(?:连接|访问|播放|调[阅看])|无视频|无码流|调[阅看]失败|取流|不通|offline|down",
    ),
)
_WELL: Final = re.compile(r"^(?:在线|正常|online|ok)$", re.IGNORECASE)

_DAY: Final = re.compile(r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)", re.ASCII)
_PACKED: Final = re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?:T?([0-2]\d)([0-5]\d)([0-5]\d)?)?(?!\d)", re.ASCII)
_SHORT_DAY: Final = re.compile(r"(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?", re.ASCII)
_CLOCK: Final = re.compile(r"(?<!\d)(\d{1,2})\s*[:：时点]\s*(\d{1,2})?(?:\s*[:：分]\s*(\d{1,2}))?", re.ASCII)
_SERIAL: Final = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
_AFTERNOON: Final = re.compile(r"下午|晚上|傍晚|\bPM\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListedTime:
    """When the list says so: from `begin` to `end`, which are the same for a moment, and a whole day otherwise."""

    begin: datetime
    end: datetime

    @property
    def whole_day(self) -> bool:
        return self.end > self.begin

    @classmethod
    def moment(cls, at: datetime) -> "ListedTime":
        """A moment."""
        return cls(at, at)


def plain(text: str) -> str:
    """A name as it is compared: without width, case, blanks and punctuation."""
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if one.isalnum())


def gb_id_of(text: str) -> str | None:
    """The 20 digits of an ID; None for anything else, also for one of which a spreadsheet has lost digits."""
    digits = re.sub(r"[\s'‘’`-]", "", unicodedata.normalize("NFKC", text))
    return digits if len(digits) == 20 and digits.isascii() and digits.isdigit() else None


def gb_id_lost(text: str) -> bool:
    """Whether a spreadsheet has made a floating-point number of it."""
    return re.fullmatch(r"\d(?:\.\d+)?E\+?(?:1[89]|2[01])", text.strip(), re.IGNORECASE | re.ASCII) is not None


def complained_of(text: str) -> str | None:
    """One of ASPECTS, where the words tell; an offline camera with a blurred picture is offline."""
    found = [aspect for aspect, words in _COMPLAINTS if re.search(words, text, re.IGNORECASE)]
    if "media" in found:
        return "media"
    return found[0] if found else None


def called_well(text: str) -> bool:
    """Whether the list itself says that the camera is well: a list of all cameras, not only of faulty ones."""
    return _WELL.match(text.strip()) is not None


def time_of(text: str, zone: ZoneInfo, now: datetime) -> ListedTime | None:
    """The time that a text names first, by the site's clock; a date without one is that whole day. None: it names none.

    Takes 2026-11-29 08:30, 2026/11/29, 2026年11月29日8时30分, 20261129083000, 11月29日 (of the last twelve months)
    and the serial number of a spreadsheet.
    """
    text = unicodedata.normalize("NFKC", text).strip()[:100]
    try:
        if serial := _SERIAL.fullmatch(text):
            return _serial(float(text), serial[2] is not None, zone)
        if packed := _PACKED.search(text):
            year, month, day, hour, minute, second = packed.groups()
            on = date(int(year), int(month), int(day))
            return _at(on, None if hour is None else time(int(hour), int(minute), int(second or 0)), zone)
        if full := _DAY.search(text):
            on, rest = date(*map(int, full.groups())), text[full.end() :]
        elif short := _SHORT_DAY.search(text):
            on, rest = _last(int(short[1]), int(short[2]), now.astimezone(zone).date()), text[short.end() :]
        else:
            return None
        return _at(on, _clock(rest), zone)
    except (ValueError, OverflowError):
        return None


def _clock(text: str) -> time | None:
    found = _CLOCK.search(text)
    if found is None:
        return None
    hour = int(found[1])
    if hour < 12 and _AFTERNOON.search(text):
        hour += 12
    return time(hour, int(found[2] or 0), int(found[3] or 0)) if hour < 24 else None


def _last(month: int, day: int, today: date) -> date:
    found = date(today.year, month, day)
    return found if found <= today + timedelta(days=1) else date(today.year - 1, month, day)


def _serial(days: float, exact: bool, zone: ZoneInfo) -> ListedTime | None:
    if not 36_526 <= days < 73_050:  # 2000 … 2099
        return None
    wall = datetime(1899, 12, 30) + timedelta(seconds=round(days * 86_400))
    return _at(wall.date(), wall.time() if exact else None, zone)


def _at(on: date, clock: time | None, zone: ZoneInfo) -> ListedTime | None:
    if not 2000 <= on.year < 2100:
        return None
    if clock is not None:
        return ListedTime.moment(datetime.combine(on, clock, tzinfo=zone).astimezone(UTC))
    begin = datetime.combine(on, time(), tzinfo=zone).astimezone(UTC)
    return ListedTime(begin, datetime.combine(on + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC))
