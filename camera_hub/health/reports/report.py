"""What a report is made of, camera by camera, and all figures that it holds. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from camera_hub.health.reports.figures import (
    BothShares,
    Rank,
)
from camera_hub.health.reports.repairs import Fault, JudgedRepair
from camera_hub.health.reports.span import ReportSpan, Stretch
from camera_hub.health.reports.tally import (
    StateStretch,
)


@dataclass(frozen=True, slots=True)
class UsePeriod:
    """When a camera was in use, of one village and device."""

    village_id: int
    device_id: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """A day of a camera's recording: seconds of those due; None: something was recorded, how much is not known."""

    day: date
    seconds: int | None
    due: int


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """A camera's file as it was at the end of the span: mandatory fields that are filled in, of how many; who maintains
    it ("": not said)."""

    filled: int = 0
    asked: int = 0
    maintainer_unit: str = ""


@dataclass(frozen=True, slots=True)
class CameraHistory:
    """All that figures need of a camera. `pictured`: whether a picture came from it before the end of the span."""

    camera_id: int
    periods: Sequence[UsePeriod]
    states: Sequence[StateStretch]
    pictured: bool
    recorded: Sequence[RecordedDay] = ()
    ledger: LedgerFacts = LedgerFacts()


@dataclass(frozen=True, slots=True)
class ReportRules:
    """Hours within which a fault is due to be repaired, by severity; what villages are ranked by (figures.RANKED)."""

    due_hours: Mapping[str, float]
    ranked_by: str


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The trend: a day of the site's calendar."""

    day: date
    online: BothShares
    intact: BothShares


@dataclass(frozen=True, slots=True)
class CauseFigures:
    """How often a fault of this cause began after exclusions, and for how long (microseconds) there was one."""

    aspect: str
    cause: str
    count: int
    lasted: int


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """A camera in one village. `states`: at the last moment of the span, by measure (ok | fault | unknown); empty if it
    was not in use then."""

    camera_id: int
    village_id: int
    shares: Mapping[str, BothShares]
    states: Mapping[str, str]
    excluded_now: bool
    excluded: int
    unobserved: int
    outages: tuple[int, int]
    maintainer_unit: str


@dataclass(frozen=True, slots=True)
class VillageFigures:
    """A village. `cameras`: how many were in use in the span, even for a time."""

    village_id: int
    cameras: int
    shares: Mapping[str, BothShares]
    rank: Rank


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """What a maintenance unit looks after. `faults`: that were open in the span; `open`: that still are at its end."""

    unit: str
    cameras: int
    shares: Mapping[str, BothShares]
    faults: int
    open: int


@dataclass(frozen=True, slots=True)
class FlappingFigures:
    """How often a camera stopped giving pictures in the span: before and after exclusions."""

    camera_id: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class FaultFigures:
    """A fault, judged before and after exclusions. `units`: who looks after its cameras."""

    fault: Fault
    before: JudgedRepair
    after: JudgedRepair
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All figures. `cameras` in the order in which they were added, `villages` by rank, `units` by name, `faults` by
    the time at which they opened. `unobserved`: when the hub did not observe; `flapping`: those that stopped giving
    pictures most often."""

    span: ReportSpan
    rules: ReportRules
    shares: Mapping[str, BothShares]
    villages: Sequence[VillageFigures]
    cameras: Sequence[CameraFigures]
    units: Sequence[UnitFigures]
    days: Sequence[DayFigures]
    causes: Sequence[CauseFigures]
    flapping: Sequence[FlappingFigures]
    faults: Sequence[FaultFigures]
    unobserved: Sequence[Stretch]
