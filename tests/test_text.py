"""Names and log lines from whatever was typed, pasted or sent by a device."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.text import clean_name, clean_text, escaped, is_invisible


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  东沟村\t村口  ", "东沟村 村口"),
        ("\u202e口村\u202c", "口村"),
        ("A\u200bB\u2060C\ufeff", "ABC"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u3164\u2800", ""),
        ("x\x00y\x1b[31m", "xy[31m"),
        ("全角\u3000空格", "全角 空格"),
        ("\U000e0041tag", "tag"),
        ("lone \ud800", "lone"),
    ],
)
def test_a_name_holds_what_can_be_seen(typed: str, name: str) -> None:
    assert clean_name(typed) == name


def test_a_note_keeps_its_lines() -> None:
    assert clean_text(" 一\r\n\t二\u200e\x07 ") == "一\n\t二"


@given(st.text())
def test_a_clean_name_is_clean(text: str) -> None:
    name = clean_name(text)
    assert not any(is_invisible(letter) for letter in name)
    assert unicodedata.is_normalized("NFC", name)
    assert clean_name(name) == name


@given(st.text())
def test_an_escaped_text_is_one_line_that_changes_nothing_around_it(text: str) -> None:
    line = escaped(text)
    assert not any(is_invisible(letter) for letter in line)
    assert len(f"a{line}b".splitlines()) == 1
