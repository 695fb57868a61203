"""What all viewers of a relay have been sent since it started: counters that never fall. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

OF_VIEWER = ("sends", "blocked", "failed", "gso_refused", "pacer_waits")
OF_TRACK = ("frames", "packets", "bytes", "rtx", "rtx_missed", "pli", "replays", "dropped_frames", "lost")


class Totals:
    """Sums the figures of viewers (`Viewer.read_figures`)."""

    def __init__(self) -> None:
        self._ended: Counter[str] = Counter()

    def add_ended(self, viewer: Mapping[str, Any]) -> None:
        """A viewer has ended; keep its counters."""
        _add(self._ended, viewer)

    def read(self, viewers: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Sums over ended and running viewers, each name with the prefix `sent_`."""
        sums = Counter(self._ended)
        for viewer in viewers:
            _add(sums, viewer)
        return {f"sent_{name}": sums[name] for name in (*OF_VIEWER, *OF_TRACK)}


def _add(sums: Counter[str], viewer: Mapping[str, Any]) -> None:
    for name in OF_VIEWER:
        sums[name] += viewer.get(name, 0)
    for track in viewer["tracks"]:
        for name in OF_TRACK:
            sums[name] += track[name]
