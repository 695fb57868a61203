"""When and to where a camera returns by itself, and whether it was sent there. Values alone: a PTZ session tells what
becomes of its camera, asks when the return is due, and does it."""

from collections.abc import Callable
from datetime import datetime

from camera_hub.cameras.ptz.lock import PtzHolder
from camera_hub.cameras.ptz.store import HomePlan


class HomeReturn:
    """Moments are monotonic seconds, but for those of the plan. `seconds`: without a command, where the plan says none,
    0: never. `changed` is called when the plan changes.

    `away`: the camera was told to go elsewhere, and has not been sent home since. `there`: whether it was sent home
    last; None: nobody knows. `stays_for`: the tour that shows it where it is, however long.
    """

    def __init__(self, plan: HomePlan, seconds: float, now: float, changed: Callable[[], None]) -> None:
        self.plan = plan
        self.away = False
        self.there: bool | None = None
        self.stays_for: PtzHolder | None = None
        self._seconds = seconds
        self._commanded = now
        self._changed = changed

    def replan(self, plan: HomePlan) -> None:
        """From now on it returns by this plan."""
        if plan.token != self.plan.token:
            self.there = None
        self.plan = plan
        self._changed()

    def commanded(self, now: float) -> None:
        """Somebody has told it to do something: the time until its return begins anew."""
        self._commanded = now

    def at_once(self) -> None:
        """It returns as soon as it stands, if it is away."""
        self._commanded = float("-inf")

    def sent(self, *, home: bool = False) -> None:
        """It is told to go somewhere, or to its home."""
        self.away, self.there = self.away or not home, False

    def tried(self) -> None:
        """Its return begins, and is not begun again: a camera that cannot return stays where it is."""
        self.away, self.there = False, None

    def obeyed(self) -> None:
        """The device has taken the call to its home."""
        self.away, self.there = False, True

    def let_go(self, holder: PtzHolder) -> None:
        """If it stayed for this tour, it does not any more."""
        if self.stays_for is not None and self.stays_for.same(holder):
            self.stays_for = None

    def forget(self) -> None:
        """It does not return: it is none of ours any more."""
        self.away, self.stays_for = False, None

    def due(self, now: float, wall: datetime, *, able: bool) -> float | None:
        """When it returns, never before a second ago; None: it does not. `able`: whether the device has a home position
        of its own, or may have one."""
        seconds = self.plan.seconds if self.plan.seconds is not None else self._seconds
        if not self.away or not seconds or self.stays_for is not None or not (able or self.plan.token is not None):
            return None
        due = max(now - 1.0, self._commanded + seconds)
        if self.plan.suspended_until is not None:
            due = max(due, now + (self.plan.suspended_until - wall).total_seconds())
        return due

    def suspended_until(self, wall: datetime) -> datetime | None:
        """Until when the return is put off; None: it is not."""
        until = self.plan.suspended_until
        return until if until is not None and wall < until else None
