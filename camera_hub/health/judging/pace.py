"""Pure: whether the hub's own rounds stand still, or cannot keep their period. A hub that looks at nothing must say so:
else all cameras seem well for ever."""

from dataclasses import dataclass

from camera_hub.errors import Reason
from camera_hub.health.judging.causes import ExpectedAlarm
from camera_hub.health.judging.hub_load import KEY

STOPPED_PERIODS = 3
"""After so many periods without a single look, though cameras wait for one, rounds stand still …"""

STOPPED_SECONDS = 120.0
"""… and after so long at least: with short rounds a machine that is busy for a moment is not stuck."""

LATE_SHARE = 0.1
"""From this share of cameras on, that wait longer than a whole period for their look, rounds cannot keep it …"""

OVER_SHARE = 0.05
"""… until fewer than these do."""

SETTLE_SECONDS = 60.0
"""How long either must last."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of `total` observed cameras `late` have waited longer than a period for a look that has not begun."""

    late: int = 0
    total: int = 0


class PaceWatch:
    """Follows the pace of rounds. Times are monotonic seconds."""

    def __init__(self, period: float, now: float) -> None:
        self._period = period
        self._looked_at = now
        self._waiting = Waiting()
        self._is_late = False
        self._doubted_since: float | None = None  # since when the newest reports say the opposite

    def looked(self, now: float) -> None:
        """A look has ended, whatever it found."""
        self._looked_at = now

    def report(self, waiting: Waiting, now: float) -> None:
        """How many cameras wait at this moment."""
        self._waiting = waiting
        share = waiting.late / waiting.total if waiting.total else 0.0
        if share < OVER_SHARE if self._is_late else share >= LATE_SHARE:
            self._doubted_since = now if self._doubted_since is None else self._doubted_since
            if now - self._doubted_since >= SETTLE_SECONDS:
                self._is_late, self._doubted_since = not self._is_late, None
        else:
            self._doubted_since = None

    def expected(self, now: float) -> ExpectedAlarm | None:
        """The alarm that should be open now."""
        late, total = self._waiting.late, self._waiting.total
        silence = now - self._looked_at
        if late and silence > max(STOPPED_PERIODS * self._period, STOPPED_SECONDS):
            detail = (
                f"no camera has been looked at for {silence:.0f} s: look into the log for what is stuck, restart the "
                "hub, check that the database answers and the disk is not full"
            )
            return ExpectedAlarm(
                KEY, Reason.ROUNDS_STOPPED, frozenset(), detail=detail, params={"seconds": round(silence)}
            )
        if self._is_late:
            detail = (
                f"{late} of {total} cameras have waited longer than a round for their look: raise health.at_once and "
                "health.at_once_per_village, make rounds longer, or give the server more CPU"
            )
            return ExpectedAlarm(
                KEY, Reason.ROUNDS_LATE, frozenset(), detail=detail, params={"late": late, "total": total}
            )
        return None
