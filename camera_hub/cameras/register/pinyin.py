"""Chinese names as Latin letters, so that `djc` or `dongjia` finds 董家村.

Reads pypinyin's dictionaries instead of importing it: loaded, they take 55 MB for as long as the hub runs, and names
are given seldom. A lookup searches the mapped files, which takes a few milliseconds per name.
"""

import json
import mmap
import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from camera_hub.errors import HubError, Kind

_KEPT = re.compile(r"[^a-z0-9]+")
_WORDS = re.compile(r"[A-Za-z]+|[0-9]+")
_DIAERESIS = "\N{COMBINING DIAERESIS}"

_SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "区": "ou", "查": "zha", "盖": "ge", "朴": "piao",
    "乐": "yue", "缪": "miao", "尉": "wei", "翟": "zhai", "华": "hua", "任": "ren", "纪": "ji", "卜": "bu",
}  # fmt: skip
"""Villages are named after families, and these characters are pronounced differently as surnames than as words."""

_MAX_ENTRY = 4096
"""Bytes of the longest entry in the dictionary of phrases, with room to spare."""


def pinyin_of(name: str) -> tuple[str, str]:
    """Full pinyin without tones, and the initials; Latin letters and digits stay as they are.

    A leading character with another pronunciation as a surname gives a second reading after a space: both are found.
    """
    with _Dictionary() as dictionary:
        readings = [[plain for part in dictionary.parts(name) if (plain := _KEPT.sub("", part.lower()))]]
    surname = _SURNAMES.get(name.strip()[:1])
    if surname is not None and readings[0] and surname != readings[0][0]:
        readings.append([surname, *readings[0][1:]])
    full = " ".join("".join(reading) for reading in readings)
    initials = " ".join("".join(part if part.isdigit() else part[:1] for part in reading) for reading in readings)
    return full, initials


class _Dictionary(ExitStack):
    """pypinyin's two files, mapped while the block runs: phrases, and single characters by code point."""

    def __enter__(self) -> "_Dictionary":
        super().__enter__()
        self._phrases = self._mapped("phrases_dict.json")
        self._characters = self._mapped("pinyin_dict.json")
        return self

    def parts(self, text: str) -> Iterator[str]:
        """One syllable per Chinese character, as the longest known phrase pronounces it; other text word by word."""
        foreign, at = "", 0
        while at < len(text):
            syllables = self._phrase(text, at) or self._character(text[at])
            if syllables:
                # "East Gate 2" gives the initials e g 2.
                yield from _WORDS.findall(foreign)
                yield from syllables
                foreign = ""
                at += len(syllables)
            else:
                foreign += text[at]
                at += 1
        yield from _WORDS.findall(foreign)

    def _phrase(self, text: str, at: int) -> list[str]:
        """The syllables of the longest phrase that starts at `at`; empty when there is none."""
        found: list[str] = []
        if text[at].isascii():
            return found
        for end in range(at + 2, len(text) + 1):
            key = text[at:end]
            if self._phrases.find(f'\n"{key}'.encode()) < 0:
                break
            if (place := self._phrases.find(f'\n"{key}": '.encode())) >= 0:
                start = place + len(f'\n"{key}": '.encode())
                entry = self._phrases[start : start + _MAX_ENTRY].decode("utf-8", "ignore")
                spoken = json.JSONDecoder().raw_decode(entry)[0]
                if len(spoken) == len(key):
                    found = [_toneless(readings[0]) for readings in spoken]
        return found

    def _character(self, character: str) -> list[str]:
        key = f'"{ord(character)}": "'.encode()
        if character.isascii() or (place := self._characters.find(key)) < 0:
            return []
        start = place + len(key)
        readings = self._characters[start : self._characters.find(b'"', start)].decode()
        return [_toneless(readings.partition(",")[0])]

    def _mapped(self, name: str) -> mmap.mmap:
        spec = find_spec("pypinyin")
        try:
            if spec is None or spec.origin is None:
                raise FileNotFoundError(name)
            file = self.enter_context(Path(spec.origin).with_name(name).open("rb"))
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"pypinyin's dictionary {name} is not installed; reinstall camera-hub"
            ) from error
        return self.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _toneless(syllable: str) -> str:
    """`nǚ` → `nv`, as input methods spell it."""
    parts = unicodedata.normalize("NFD", syllable).replace("u" + _DIAERESIS, "v")
    return "".join(letter for letter in parts if not unicodedata.combining(letter))
