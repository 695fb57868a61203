"""In which language a sheet is written: that of the page that asks for it.

Sheets that are read in again (the ledger, its template, a county's list and the reply to it) have the headings of
whoever defined them, in any language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

SheetLanguage = Literal["zh", "en"]
Said = tuple[str, str]
"""The same in Chinese and in English."""


def said(words: Said, language: SheetLanguage) -> str:
    """The words in that language."""
    return words[1] if language == "en" else words[0]


@dataclass(frozen=True, slots=True)
class SheetWords:
    """What a sheet says, in its language."""

    language: SheetLanguage

    def say(self, zh: str, en: str) -> str:
        """One of the two."""
        return said((zh, en), self.language)

    def of(self, words: Mapping[str, Said], code: str) -> str:
        """What the code is called; the code itself where it has no words."""
        return said(words[code], self.language) if code in words else code
