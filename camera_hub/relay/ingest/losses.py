"""Why a feed's frames do not arrive, and whether it loses so many that it must be said. Pure: the time is given.

The depacketizer and the pipeline count each frame that is not passed on under its cause. What a gap breaks counts as
the gap's, also the whole frames after it that cannot be decoded before the next key frame.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GAP: Final = 0
BROKEN: Final = 1
RESTART: Final = 2
NO_PARAMETER_SETS: Final = 3
NO_KEY_FRAME: Final = 4
CAUSES: Final = 5


class LossCause(StrEnum):
    """Why frames were lost, in the order of the numbers above."""

    GAP = "gap"  # packets are missing
    BROKEN = "broken"  # all packets came, but not a whole NAL unit or picture
    RESTART = "restart"  # the stream began anew without a key frame
    NO_PARAMETER_SETS = "no_parameter_sets"  # a key frame, and neither it nor the SDP had them
    NO_KEY_FRAME = "no_key_frame"  # none has come yet


_NAMES = tuple(LossCause)

WINDOW = 30.0
"""Seconds over which the share of lost frames is taken."""
LOSSY_SHARE = 0.05
WELL_SHARE = 0.02
"""Above the first a feed is lossy, below the second it is not any longer."""
MIN_LOST = 3
"""A window with fewer lost frames proves nothing, however few came."""
MIN_SPELLS = 2
"""So often frames must have begun to be lost within the window: a single accident is none that lasts."""
_BEAT = 0.5


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost within the window: the weightiest cause, and the share of the frames that should have come, in per
    cent."""

    cause: LossCause
    percent: int


@dataclass(frozen=True, slots=True)
class _Count:
    at: float
    delivered: int
    lost: tuple[int, ...]


class LossWindow:
    """Of one session: fed with the counters at each check, it says whether the feed is `lossy`."""

    def __init__(self) -> None:
        self._counts: deque[_Count] = deque()
        self.lossy: Loss | None = None

    def update(self, now: float, delivered: int, lost: Sequence[int]) -> bool:
        """Add the counters as they are `now` (monotonic seconds): frames passed on, frames lost by cause. Returns
        whether `lossy` has come, gone or changed its cause."""
        counts = self._counts
        counts.append(_Count(now, delivered, tuple(lost)))
        while len(counts) > 2 and counts[1].at <= now - WINDOW:
            counts.popleft()
        loss, spells = self._loss(), self._spells()
        before = self.lossy
        if loss is None:
            share, lost_frames = 0.0, 0
        else:
            share, lost_frames = self._share()
        if before is None:
            if share >= LOSSY_SHARE and lost_frames >= MIN_LOST and spells >= MIN_SPELLS:
                self.lossy = loss
        elif share < WELL_SHARE:
            self.lossy = None
        elif loss is not None:
            self.lossy = loss
        return (before.cause if before else None) != (self.lossy.cause if self.lossy else None)

    def _loss(self) -> Loss | None:
        lost = self._lost()
        worst = max(range(CAUSES), key=lost.__getitem__)
        if not lost[worst]:
            return None
        share, _ = self._share()
        return Loss(_NAMES[worst], max(1, round(share * 100)))

    def _lost(self) -> list[int]:
        first, last = self._counts[0], self._counts[-1]
        return [after - before for before, after in zip(first.lost, last.lost, strict=True)]

    def _share(self) -> tuple[float, int]:
        lost = sum(self._lost())
        expected = lost + self._counts[-1].delivered - self._counts[0].delivered
        return (lost / expected if expected else 0.0), lost

    def _spells(self) -> int:
        """How often frames began to be lost: a count with losses after one without, or beside deliveries."""
        spells, losing = 0, False
        before: _Count | None = None
        for count in self._counts:
            if before is not None:
                loses = sum(count.lost) > sum(before.lost)
                if loses and (not losing or count.delivered > before.delivered):
                    spells += 1
                losing = loses
            before = count
        return spells
