"""What an occurrence is now. Pure, and a function of the present time alone: whatever the clock was while the hub ran,
the same rows and the same time give the same state.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

COMPLETED = frozenset({"submitted"})
"""How a run ends whose tour was done. Any other end (stopped, expired) leaves its occurrence as it was."""

OPEN = frozenset({"due", "late"})
"""States in which an occurrence can be started."""


@dataclass(frozen=True, slots=True)
class PlanTimes:
    """`grace`: not started for so long, it is late; `longest`: not started for so long, it is missed at the latest."""

    grace: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """When an occurrence is due, late when not started until then, and missed when not started until then."""

    due_at: datetime
    late_at: datetime
    over_at: datetime


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What became of the run that an occurrence was started as; `ended_at` None: it goes on."""

    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None

    @property
    def completed(self) -> bool:
        """Whether it was submitted, and so counts as done."""
        return self.ended_at is not None and self.end_reason in COMPLETED


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The state, whether it was started late (or is late), and why it was missed: not_started | given_up."""

    state: str
    late: bool
    why: str | None = None


def window(due_at: datetime, following: datetime | None, times: PlanTimes) -> Window:
    """Missed when the `following` one of the plan is due, or after the longest time; never before the grace is over."""
    late_at = due_at + times.grace
    over_at = due_at + times.longest
    if following is not None:
        over_at = min(over_at, following)
    return Window(due_at, late_at, max(late_at, over_at))


def judge(window: Window, run: RunEnd | None, now: datetime) -> CurrentState:
    """What the occurrence is at `now`."""
    if run is not None and (run.ended_at is None or run.completed):
        return CurrentState("running" if run.ended_at is None else "done", run.started_at >= window.late_at)
    if now >= window.over_at:
        return CurrentState("missed", False, "not_started" if run is None else "given_up")
    return CurrentState("late", True) if now >= window.late_at else CurrentState("due", False)


def next_change(window: Window, state: str, now: datetime) -> datetime | None:
    """When its state changes next by time alone; None when it does not."""
    if state not in OPEN:
        return None
    return next((at for at in (window.due_at, window.late_at, window.over_at) if at > now), now)
