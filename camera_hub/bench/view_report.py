"""Lines of `bench view` and `bench ptz`: a figure's spread, its target, and the load of the machine."""

import os
from collections.abc import Sequence

from camera_hub.bench.lines import Lines
from camera_hub.bench.view_frames import spread


class Report:
    """Writes lines, and records whether every target was met."""

    def __init__(self, lines: Lines, bench: str = "view") -> None:
        self.met = True
        self._lines = lines
        self._bench = bench

    def figure(self, name: str, values: Sequence[float], bar_p95: float | None = None, **more: object) -> None:
        """Write one figure's spread, with its target if it has one, and what else is given."""
        found = spread(values)
        line: dict[str, object] = {"figure": name, "n": found.n, "p50": found.p50, "p95": found.p95, "max": found.max}
        if bar_p95 is not None:
            line |= {"bar_p95": bar_p95, "met": found.p95 <= bar_p95}
        self.line(line | more)

    def line(self, line: dict[str, object]) -> None:
        """Write any line, with the load of the machine, without which no time means anything."""
        self.met = self.met and bool(line.get("met", True))
        self._lines.write({"bench": self._bench, **line, "load": os.getloadavg()[0]})
