"""From what was measured of cameras to the figures of a village, a maintenance unit or the township. Pure.

A share is a number of a number: neither is ever rounded, and shares of many cameras are those of their sums, never
averages of averages. Shown percentages are rounded down to hundredths, so that 100 % means that nothing is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from camera_hub.health.reports.repairs import RepairTally
from camera_hub.health.reports.tally import MEASURES, BothTallies, Tally

FIGURES: Final = (
    "connected",
    "online_time",
    "online_spot",
    "intact_time",
    "intact_spot",
    "recording_time",
    "recording_spot",
    "recording_days",
    "recording_amount",
    "clock_time",
    "clock_spot",
    "osd_time",
    "osd_spot",
    "ledger",
    "repair_time",
    "repair_in_time",
)
"""In the order in which a report shows them."""

RANKED: Final = tuple(one for one in FIGURES if one != "repair_time")
"""What villages can be ranked by: shares of which more is better."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`; `unknown`: what would belong to the whole if it were known. In cameras, microseconds, seconds,
    fields or repairs; of repair_time, `part` is microseconds and `whole` repairs."""

    part: int = 0
    whole: int = 0
    unknown: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.part + other.part, self.whole + other.whole, self.unknown + other.unknown)

    @property
    def hundredths(self) -> int | None:
        """Hundredths of a percent, rounded down; None where there is nothing to take a share of."""
        return None if self.whole == 0 else self.part * 10_000 // self.whole

    @property
    def mean(self) -> Fraction | None:
        """The part for each of the whole."""
        return None if self.whole == 0 else Fraction(self.part, self.whole)


@dataclass(frozen=True, slots=True)
class BothShares:
    """Before and after exclusions."""

    before: Share = Share()
    after: Share = Share()

    def __add__(self, other: "BothShares") -> "BothShares":
        return BothShares(self.before + other.before, self.after + other.after)


@dataclass(frozen=True, slots=True)
class CameraMeasured:
    """What a camera adds to figures while it belonged to one village.

    `time`: by measure, in microseconds; `spot`: by measure, one camera at the last moment of the span, if it was in use
    then. `connected`: whether a picture has come from it until then. `recording_days`, `recording_amount`: see
    recorded. `ledger`: mandatory fields that are filled in. `outages`: how often it stopped giving pictures.
    """

    camera_id: int
    village_id: int
    time: Mapping[str, BothTallies]
    spot: Mapping[str, BothTallies]
    connected: BothShares
    recording_days: BothShares = BothShares()
    recording_amount: BothShares = BothShares()
    ledger: Share = Share()
    excluded: int = 0
    unobserved: int = 0
    outages: tuple[int, int] = (0, 0)

    @property
    def counted(self) -> bool:
        """Whether it was in use at all in the span."""
        return any(one.before.due for one in self.time.values()) or self.connected.before.whole > 0


def shares_of(cameras: Iterable[CameraMeasured], repairs: tuple[RepairTally, RepairTally]) -> dict[str, BothShares]:
    """The figures of these cameras and repairs (before, after) together, by key, in the order of FIGURES."""
    found: dict[str, BothShares] = defaultdict(BothShares)
    for one in cameras:
        found["connected"] += one.connected
        for measure in MEASURES:
            found[f"{measure}_time"] += _share(one.time[measure])
            found[f"{measure}_spot"] += _share(one.spot[measure])
        found["recording_days"] += one.recording_days
        found["recording_amount"] += one.recording_amount
        found["ledger"] += BothShares(one.ledger, one.ledger if one.connected.after.whole else Share())
    before, after = repairs
    found["repair_time"] = BothShares(Share(before.lasted, before.repairs), Share(after.lasted, after.repairs))
    found["repair_in_time"] = BothShares(Share(before.on_time, before.decided), Share(after.on_time, after.decided))
    return {key: found[key] for key in FIGURES}


def _share(both: BothTallies) -> BothShares:
    before, after = (Share(one.ok, one.known, one.unknown) for one in (both.before, both.after))
    return BothShares(before, after)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A day of a camera's recording. `part`: seconds recorded of those that were due, None: not known how many; `due`:
    0 where none was; `excluded`: whether the camera was excluded on that day, even for a time."""

    part: int | None
    due: int
    excluded: bool


def recorded_amount(days: Iterable[Recorded]) -> BothShares:
    """Seconds recorded of the seconds that were due. A day on which the camera was excluded, even for a time, does not
    count after exclusions: how much of its gap lies in the excluded time is not stored."""
    found = BothShares()
    for one in days:
        if one.due <= 0:
            continue
        share = Share(0, 0, one.due) if one.part is None else Share(min(one.part, one.due), one.due)
        found += BothShares(share, Share() if one.excluded else share)
    return found


@dataclass(frozen=True, slots=True)
class Rank:
    """A village's place. None: not ranked, because `why`: no_cameras | nothing_known. `tied`: others share it."""

    village_id: int
    place: int | None
    hundredths: int | None
    tied: bool = False
    why: str | None = None


def ranking(villages: Sequence[tuple[int, bool, Share]]) -> list[Rank]:
    """Rank (village, whether it has cameras, its share after exclusions); the best first, then those without a place.

    Villages whose shown percentage is the same share a place, and the places after it are left out (1, 2, 2, 4): what
    nobody can see decides nothing. Within a place they stand in the order given.
    """
    known = [(village, share.hundredths) for village, any_cameras, share in villages if any_cameras]
    ranked = sorted(
        ((village, value) for village, value in known if value is not None), key=lambda one: one[1], reverse=True
    )
    values = [value for _, value in ranked]
    found = [Rank(village, values.index(value) + 1, value, values.count(value) > 1) for village, value in ranked]
    found += [Rank(village, None, None, why="nothing_known") for village, value in known if value is None]
    found += [Rank(village, None, None, why="no_cameras") for village, any_cameras, _ in villages if not any_cameras]
    return found


def spot_tally(state: str | None, *, before: bool, after: bool) -> BothTallies:
    """One camera at one moment; `before`, `after`: whether it counts."""
    one = Tally(*(int(state == name) for name in ("ok", "fault", "unknown")))
    return BothTallies(one if before else Tally(), one if after else Tally())
