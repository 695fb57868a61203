"""JSON lines: one object per measurement, written as soon as it is known, so that a broken run keeps what it has."""

import json
from collections.abc import Mapping
from typing import Any, TextIO


class Lines:
    """Writes to a text stream. Floats are cut to four significant digits: nothing here is measured better."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, values: Mapping[str, Any]) -> None:
        """One line, flushed."""
        self._out.write(json.dumps(rounded(values), ensure_ascii=False) + "\n")
        self._out.flush()


def rounded(value: Any) -> Any:
    """The value with every float in it at four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
