"""The file's direction (GB/T 28181, eight and "all around") ↔ degrees clockwise from north. Pure."""

_DEGREES = {"4": 0.0, "6": 45.0, "1": 90.0, "5": 135.0, "3": 180.0, "7": 225.0, "2": 270.0, "8": 315.0}
_CODES = {degrees: code for code, degrees in _DEGREES.items()}
ALL_AROUND = "9"


def direction_code(direction_deg: float) -> str:
    """The code of the nearest of the eight directions."""
    return _CODES[round(direction_deg % 360 / 45) % 8 * 45.0]


def direction_of(code: str | None, exact_deg: float | None) -> float | None:
    """Degrees, None where the camera sees all around or nothing is known.

    The exact ones count only while the file's direction is the nearest to them: whoever changes the file knows better.
    """
    if not code or code not in _DEGREES:
        return None
    return exact_deg if exact_deg is not None and direction_code(exact_deg) == code else _DEGREES[code]
