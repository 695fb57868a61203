"""How long each camera of a stop was really visible: what pages report, limited to what is possible. Pure.

A page reports the seconds per camera since the stop began, as a sum that only grows: a report that is lost or sent
twice changes nothing. Of several pages that show the run, the one that showed the camera longest counts, so that two
windows side by side do not turn 10 seconds into 20. Of a patrol only the operator's own pages count, as many as are
open (runs.duty); what a screen shows never does.

A camera is *seen* when it was visible for the least time of its tour. What the hub itself knows counts for more than a
page: a picture that shows nothing of its place (UNSEEN) was not seen, however long it was on a screen.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from camera_hub.errors import Reason

LATEST = 30.0
"""Seconds after the end of a stop for which reports on it are accepted: a page sends its last one when it learns that
the stop has changed.
"""

SMALLEST = 0.5
"""The smallest growth, in seconds, that is written; less is where it completes the least time."""

Gap = Literal["page_hidden", "covered", "off_screen", "no_picture", "frozen", "black"]
"""Why a page did not show a camera: it was in the background, something lay over the tile or the window, the tile was
scrolled away, no frame came, the picture stood still, or was black."""

GAPS: dict[Gap, Reason] = {
    "page_hidden": Reason.PAGE_HIDDEN,
    "covered": Reason.PAGE_COVERED,
    "off_screen": Reason.OFF_SCREEN,
    "no_picture": Reason.NO_PICTURE,
    "frozen": Reason.FROZEN,
    "black": Reason.BLACK,
}
"""As they are written: `covered` would be a covered lens."""

UNSEEN = frozenset({Reason.NO_SIGNAL, Reason.BLACK, Reason.COVERED, Reason.FROZEN})
"""Faults of a picture that shows nothing of its place."""

_WEAKEST_FIRST = (Reason.NO_PAGE, *GAPS.values(), Reason.PASSED_OVER)
"""Of several reports of one visit, the one that came nearest to a camera that was seen says why it was not. A fault
that the hub itself knows of is not among them: it counts for more than all."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page's report on one camera of the stop: seconds visible since the stop began, and why it was not longer."""

    camera_id: int
    seconds: float
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Visible:
    """What is written of a camera's visit: seconds, and why they are not enough (errors.Reason; None: it was seen)."""

    seconds: float
    why: str | None


def possible(claimed: float, started_at: datetime, ended_at: datetime | None, now: datetime) -> float:
    """The part of the claimed seconds that is possible: none before the stop began, none after it ended or `now`."""
    until = now if ended_at is None else min(now, ended_at)
    return max(0.0, min(claimed, (until - started_at).total_seconds()))


def accepted(ended_at: datetime | None, now: datetime) -> bool:
    """Whether reports on the visit are still accepted."""
    return ended_at is None or (now - ended_at).total_seconds() <= LATEST


def after(known: Visible, seconds: float, gap: Gap | None, least_s: float, fault: str | None) -> Visible:
    """What is known of the visit after one more report. `seconds`: the possible part of what it claims; `fault`: what
    the hub knows to be wrong with the camera's picture now. Equal to `known` when there is nothing to write.
    """
    if known.why is None:
        return Visible(seconds, None) if fault is None and seconds >= known.seconds + SMALLEST else known
    if fault in UNSEEN:
        return Visible(known.seconds, fault)
    if seconds >= least_s:
        return Visible(seconds, None)
    why = GAPS[gap] if gap is not None else Reason.PASSED_OVER
    if seconds > known.seconds and (seconds >= known.seconds + SMALLEST or _says_more(known.why, why)):
        return Visible(seconds, why)
    return Visible(known.seconds, why) if _says_more(known.why, why) else known


def _says_more(known: str, why: Reason) -> bool:
    """Whether the reason comes nearer to a camera that was seen than the one known so far; a fault of the hub's own
    knowledge stays."""
    return known in _WEAKEST_FIRST and _WEAKEST_FIRST.index(why) > _WEAKEST_FIRST.index(Reason(known))
