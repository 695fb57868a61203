"""Text from outside, made fit to be shown: names without what the eye cannot see, and one line of bounded length.

Bidirectional controls turn a name around on a page or in a terminal, invisible letters make two names look the same.
"""

import re
import unicodedata

_INVISIBLE = frozenset(
    [
        *range(0x115F, 0x1161),  # Hangul fillers
        *range(0x180B, 0x1810),  # Mongolian variation selectors
        *range(0xFE00, 0xFE10),  # variation selectors
        *range(0xE0100, 0xE01F0),
        *(0x034F, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
    ]
)
"""Letters and marks that show nothing, beside those whose category says so."""
_ODD = re.compile(f"[{''.join(map(chr, sorted(_INVISIBLE)))}]")
_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, format characters (bidi, zero width), surrogates, private and unassigned ones, line separators."""


def is_invisible(character: str) -> bool:
    """Whether a character shows nothing by itself; a space does show."""
    return ord(character) in _INVISIBLE or unicodedata.category(character) in _CATEGORIES


def all_shows(text: str) -> bool:
    """Whether each character of a line shows something, told at once: no control, no blank but the plain one."""
    return text.isprintable() and _ODD.search(text) is None


def clean_name(text: str) -> str:
    """A name as it is stored and compared: NFC, without invisible characters, with single spaces. Idempotent."""
    seen = "".join(
        " " if letter.isspace() else letter for letter in text if letter.isspace() or not is_invisible(letter)
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())


def clean_text(text: str) -> str:
    """A note of several lines: as clean_name, but its line breaks and tabs stay."""
    seen = "".join(letter for letter in text.replace("\r\n", "\n") if letter in "\n\t" or not is_invisible(letter))
    return unicodedata.normalize("NFC", seen).strip()


def escaped(text: str) -> str:
    """One line: invisible characters, line breaks among them, as \\n, \\x1b or \\u202e."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if is_invisible(letter) else letter for letter in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
