"""JSON lines: one object per measurement, written at once, so that an aborted bench keeps its results so far."""

import json
from collections.abc import Mapping
from typing import Any, TextIO


class Lines:
    """Writes to a text stream. Floats are rounded to four significant digits: nothing is measured more precisely."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, values: Mapping[str, Any]) -> None:
        """Write one line and flush it."""
        self._out.write(json.dumps(rounded(values), ensure_ascii=False) + "\n")
        self._out.flush()


def rounded(value: Any) -> Any:
    """The value with every float in it rounded to four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
