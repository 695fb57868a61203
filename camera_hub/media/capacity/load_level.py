"""How loaded an event loop is, as a state with hysteresis. Pure: the time is given."""

from dataclasses import dataclass
from enum import IntEnum

HEADROOM = 0.15
"""Below the limit by so much a loop is busy already: room for what cannot be foreseen (key frames, handshakes)."""
MARGIN = 0.08
"""A level is left only when the loop is less busy than it takes to enter it by this much."""
LATE_BUSY = 0.1
LATE_FULL = 0.25
"""Seconds of lateness from which pictures stutter."""
LATENESS = 1.0
"""As a limit: the busy share says nothing, only the lateness does."""
RISE_SECONDS = 2.0
FALL_SECONDS = 5.0
"""A higher level is entered after so long, and a lower one."""


class LoadLevel(IntEnum):
    """NORMAL: everything is accepted as long as it fits. BUSY: sub streams only, and one look at a time that
    opens a stream. FULL: nothing new."""

    NORMAL = 0
    BUSY = 1
    FULL = 2

    @property
    def word(self) -> str:
        """normal | busy | full"""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Load:
    """A measurement of a loop: share of its time that is busy (0 to 1), and how late it runs (seconds)."""

    busy: float = 0.0
    late: float = 0.0


def grade(load: Load, limit: float) -> LoadLevel:
    """The level that this measurement alone speaks for; `limit`: the busy share from which nothing new is accepted, 1:
    there is none, and only the lateness counts.
    """
    busy = load.busy if limit < LATENESS else 0.0
    if busy >= limit or load.late >= LATE_FULL:
        return LoadLevel.FULL
    return LoadLevel.BUSY if busy >= limit - HEADROOM or load.late >= LATE_BUSY else LoadLevel.NORMAL


class LoadState:
    """Follows a loop's level: neither a moment's peak nor a moment's rest changes it."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._direction = 0
        self._since = 0.0
        self.level = LoadLevel.NORMAL

    def update(self, now: float, load: Load) -> LoadLevel:
        """The level after this measurement; `now`: monotonic seconds."""
        up = grade(load, self._limit)
        down = grade(Load(load.busy + MARGIN, load.late * 2), self._limit)
        target = up if up > self.level else min(down, self.level)
        direction = (target > self.level) - (target < self.level)
        if direction != self._direction:
            self._direction, self._since = direction, now
        if direction and now - self._since >= (RISE_SECONDS if direction > 0 else FALL_SECONDS):
            self.level, self._direction = target, 0
        return self.level
