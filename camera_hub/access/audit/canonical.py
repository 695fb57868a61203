"""Canonical JSON (RFC 8785, JCS): one value has exactly one text, whatever wrote it.

Keys are sorted by their UTF-16 code units, there is no white space, texts are UTF-8 with the fewest escapes. Numbers
are IEEE 754 doubles, written as ECMAScript writes them: 5 and 5.0 are the same number and the same text, 1e21 is
"1e+21". Whole numbers beyond ±(2^53 − 1), which a double does not hold exactly, NaN and infinities have no such text.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

_EXACT = 2**53 - 1
_DIGITS = re.compile(r"(\d+)(?:\.(\d+))?(?:e([+-]\d+))?")


def canonical(value: Json) -> bytes:
    """The canonical JSON of `value`. Raises ValueError for an inexact number, or half a character."""
    written: list[str] = []
    _write(value, written)
    return "".join(written).encode()


def _write(value: Json, written: list[str]) -> None:
    if isinstance(value, str):
        written.append(json.dumps(value, ensure_ascii=False))
    elif value is None or isinstance(value, bool):
        written.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        if abs(value) > _EXACT:
            raise ValueError(f"{value} is not exact as a JSON number")
        written.append(str(value))
    elif isinstance(value, float):
        written.append(number(value))
    elif isinstance(value, Mapping):
        mark = "{"
        for key in sorted(value, key=_utf16):
            written += (mark, json.dumps(key, ensure_ascii=False), ":")
            _write(value[key], written)
            mark = ","
        written.append("}" if value else "{}")
    else:
        mark = "["
        for one in value:
            written.append(mark)
            _write(one, written)
            mark = ","
        written.append("]" if value else "[]")


def number(value: float) -> str:
    """A double as ECMAScript's Number.prototype.toString writes it. Raises ValueError for NaN and infinities."""
    if not math.isfinite(value):
        raise ValueError("NaN and infinities have no JSON text")
    if value == 0:
        return "0"
    matched = _DIGITS.fullmatch(repr(abs(value)))  # the shortest digits that read back as the same double, as there
    if matched is None:
        raise ValueError(f"{value!r} is no number")
    whole, fraction, power = matched[1], matched[2] or "", int(matched[3] or 0)
    point = len(whole) + power  # where the decimal point stands, counted in digits …
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)  # … of those without leading zeros
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
