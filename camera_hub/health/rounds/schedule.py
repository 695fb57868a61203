"""Pure: which looks may start now, within the bounds of the hub and of each village, and whether they start in time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from camera_hub.health.judging.pace import Waiting
from camera_hub.health.rounds.camera_watch import CameraWatch


def looks_to_start(
    watches: Iterable[CameraWatch], now: float, *, at_once: int, at_once_per_village: int
) -> list[CameraWatch]:
    """The cameras to look at now, the longest due first. Looks under way count against both bounds."""
    watches = list(watches)
    looking = [watch for watch in watches if watch.looking]
    villages = Counter(watch.village_id for watch in looking)
    free = at_once - len(looking)
    chosen: list[CameraWatch] = []
    due = sorted((w for w in watches if w.due <= now and not w.looking), key=lambda watch: watch.due)
    for watch in due:
        if len(chosen) >= free:
            break
        if villages[watch.village_id] < at_once_per_village:
            villages[watch.village_id] += 1
            chosen.append(watch)
    return chosen


LATE = 30.0
"""A look that has not begun this many seconds after it was due is late."""


@dataclass(frozen=True, slots=True)
class RoundsPace:
    """Whether looks begin when they are due: of `observed` cameras `late` wait longer, the longest since `late_s`
    seconds."""

    observed: int
    late: int
    late_s: float


def pace_of(watches: Iterable[CameraWatch], now: float) -> RoundsPace:
    """The pace of rounds at that moment."""
    waiting = [0.0 if watch.looking else now - watch.due for watch in watches]
    late = [seconds for seconds in waiting if seconds > LATE]
    return RoundsPace(len(waiting), len(late), max(late, default=0.0))


def waiting_of(watches: Iterable[CameraWatch], now: float, period: float) -> Waiting:
    """How many cameras wait longer than a period for a look that has not begun. Those that are known to give no media
    are left out: looks at them take up to their deadline, and their villages' bounds make them wait."""
    waits = [not w.looking and w.media.state != "fault" and now - w.due > period for w in watches]
    return Waiting(sum(waits), len(waits))
