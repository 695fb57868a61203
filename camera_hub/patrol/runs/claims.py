"""How many visible seconds a page may claim, by the hub's monotonic clock. Pure: every time is handed in.

A page sends sums that grow, one per camera of a visit (a step of a run). Whatever its own clock does, and whatever the
wall clocks do, such a sum grows by no more than the seconds that have passed since the page's last report, and
TOLERANCE: what the network may have kept one report back longer than the next. The tolerance is given once and earned
back by time that is not claimed, so that many small reports gain no more by it than one. Time in which a page has
claimed nothing is not saved up.

A sum begins at what the hub knew of the visit when it started (another hub process may have been told before), and
counts from the page's last report on another visit, or from when it connected: for time before that there is no
tolerance, so connecting anew gains nothing either. That several pages show the same run adds nothing: of their sums the
largest counts (runs.visibility), never the sum of them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

TOLERANCE = 2.0
"""Seconds."""

PAGES = 2048
"""Pages whose sums are kept, those that were heard of last: 32 of each of 64 users."""
VISITS = 64
"""Visits of one page of which the sums are kept: 32 runs that are shown, and as many that have just moved on."""
KNOWN = 512
"""Visits of which is kept what was known at first."""


@dataclass(frozen=True, slots=True)
class ReportingPage:
    """The page that reports. `opened`: since when (the hub's monotonic clock, s) its present connection is open."""

    user_id: int
    id: str
    opened: float


@dataclass(frozen=True, slots=True)
class Visit:
    """One step of a run."""

    run_id: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ClaimedSum:
    """What is believed of a page's sum: `seconds`, `at` (monotonic, s), and by how much it has run ahead of the time
    that has passed: 0 to TOLERANCE."""

    seconds: float
    at: float
    ahead: float

    def grown(self, claimed: float, now: float) -> "ClaimedSum":
        """After the page claims so many seconds at `now`: a sum never gets smaller."""
        passed = max(0.0, now - self.at)
        allowed = self.seconds + max(0.0, passed + TOLERANCE - self.ahead)
        seconds = max(self.seconds, min(claimed, allowed))
        return ClaimedSum(seconds, max(self.at, now), max(0.0, self.ahead + seconds - self.seconds - passed))


class PageClaims:
    """The sums of one page. `opened`: when the hub heard of it at first."""

    def __init__(self, opened: float) -> None:
        self._heard = opened
        self._late = False  # whether it has reported before: then a report of it may have been kept back
        self._visits: OrderedDict[Visit, dict[int, ClaimedSum]] = OrderedDict()
        self._begun: dict[Visit, ClaimedSum] = {}

    def believed(self, visit: Visit, camera_id: int, claimed: float, known: float, now: float) -> float:
        """The part of the claimed seconds that can be true. `known`: what the hub knew of the visit at first."""
        return self._sum(visit, camera_id, known).grown(claimed, now).seconds

    def note(self, visit: Visit, accepted: Mapping[int, float], known: Mapping[int, float], now: float) -> None:
        """The page has reported: these seconds were accepted."""
        begun = self._begun.setdefault(visit, self._begin())
        sums = self._visits.setdefault(visit, {})
        self._visits.move_to_end(visit)
        for camera_id, seconds in accepted.items():
            before = sums.get(camera_id) or ClaimedSum(known.get(camera_id, 0.0), begun.at, begun.ahead)
            sums[camera_id] = before.grown(seconds, now)
        self._heard, self._late = max(self._heard, now), True
        if len(self._visits) > VISITS:
            gone, _ = self._visits.popitem(last=False)
            del self._begun[gone]

    def _sum(self, visit: Visit, camera_id: int, known: float) -> ClaimedSum:
        found = self._visits.get(visit, {}).get(camera_id)
        if found is not None:
            return found
        begun = self._begun.get(visit) or self._begin()
        return ClaimedSum(known, begun.at, begun.ahead)

    def _begin(self) -> ClaimedSum:
        """Where the sums of a visit begin of which the page has not reported yet."""
        fresh = self._late and len(self._visits) < VISITS
        return ClaimedSum(0.0, self._heard, 0.0 if fresh else TOLERANCE)


class Claims:
    """Those of all pages, and what was known of visits before any of them reported."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[int, str], PageClaims] = OrderedDict()
        self._known: OrderedDict[Visit, Mapping[int, float]] = OrderedDict()

    def of(self, page: ReportingPage) -> PageClaims:
        """The page's claims: the same ones when it connects again."""
        key = (page.user_id, page.id)
        found = self._pages.setdefault(key, PageClaims(page.opened))
        self._pages.move_to_end(key)
        if len(self._pages) > PAGES:
            self._pages.popitem(last=False)
        return found

    def known(self, visit: Visit, now: Mapping[int, float]) -> Mapping[int, float]:
        """The seconds by camera that were known of the visit at first; `now`: those that are known now."""
        found = self._known.setdefault(visit, dict(now))
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return found
