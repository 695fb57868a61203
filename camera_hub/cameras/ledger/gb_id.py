"""The 20-digit ID of GB/T 28181 (Annex D, coding rule A): 8 division + 2 industry + 3 type + 1 network + 6 serial.

The county allocates them: they are read from sheets or typed, and never made here. Pure.
"""

import re

_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82]
)
"""GB/T 2260."""
_INDUSTRIES = frozenset([*range(15), *range(40, 100)])
"""00–14 are named by the standard, 40–99 belong to trades and users; 15–39 are reserved."""
CAMERA_TYPES = {"131": "camera", "132": "IP camera"}
_NETWORKS = "012345678"
_MANGLED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}")


def mangled_by_excel(text: str) -> bool:
    """Whether a spreadsheet has made a number of it: 3.3E+19, or all digits after the fifteenth lost to zeros."""
    plain = text.removesuffix(".0")
    return bool(_MANGLED.fullmatch(text)) or (len(plain) == 20 and plain.isdecimal() and plain.endswith("00000"))


def is_province(digits: str) -> bool:
    """Whether two digits begin the code of a province."""
    return digits.isdecimal() and int(digits) in _PROVINCES


def fault_of(gb_id: str) -> str | None:
    """What is wrong with a camera's ID: "digits", "length", "division", "industry", "type" or "network"; None: nothing.

    `gb_id`: without spaces.
    """
    if not (gb_id.isascii() and gb_id.isdecimal()):
        return "digits"
    if len(gb_id) != 20:
        return "length"
    if not is_province(gb_id[:2]):
        return "division"
    if int(gb_id[8:10]) not in _INDUSTRIES:
        return "industry"
    if gb_id[10:13] not in CAMERA_TYPES:
        return "type"
    return None if gb_id[13] in _NETWORKS else "network"
