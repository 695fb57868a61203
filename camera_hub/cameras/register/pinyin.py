"""Chinese names as Latin letters, so that `djc` or `dongjia` finds 董家村."""

import re

_KEPT = re.compile(r"[^a-z0-9]+")

_SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "区": "ou", "查": "zha", "盖": "ge", "朴": "piao",
    "乐": "yue", "缪": "miao", "尉": "wei", "翟": "zhai", "华": "hua", "任": "ren", "纪": "ji", "卜": "bu",
}  # fmt: skip
"""Villages are named after families, and these characters are pronounced differently as surnames than as words."""


def pinyin_of(name: str) -> tuple[str, str]:
    """Full pinyin without tones, and the initials; Latin letters and digits stay as they are.

    A leading character with another pronunciation as a surname gives a second reading after a space: both are found.
    """
    from pypinyin import Style, lazy_pinyin  # its dictionaries take 0.4 s to load: not when the hub starts

    parts = lazy_pinyin(name, style=Style.NORMAL, errors=_foreign)  # type: ignore[arg-type]  # lists are accepted too
    readings = [[plain for part in parts if (plain := _KEPT.sub("", part.lower()))]]
    surname = _SURNAMES.get(name.strip()[:1])
    if surname is not None and readings[0] and surname != readings[0][0]:
        readings.append([surname, *readings[0][1:]])
    full = " ".join("".join(reading) for reading in readings)
    initials = " ".join("".join(part if part.isdigit() else part[:1] for part in reading) for reading in readings)
    return full, initials


def _foreign(text: str) -> list[str]:
    """Text that is not Chinese, split into words so that each gives its own initial ("East Gate 2" → e g 2)."""
    return re.findall(r"[A-Za-z]+|[0-9]+", text)
