"""Reports: figures with their counts and formulas, before and after exclusions."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import EARLIEST, LATEST, Answer

Day = Annotated[date, Field(ge=EARLIEST.date(), lt=LATEST.date())]
"""A day of the site's calendar."""

FigureKey = Literal[
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
]
RankedKey = Literal[
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
    "repair_in_time",
]
FigureUnit = Literal["cameras", "time", "seconds", "fields", "repairs", "mean"]
SpotState = Literal["ok", "fault", "unknown"]
RepairVerdict = Literal["on_time", "late", "open", "not_counted"]


class ShareAnswer(Answer):
    """`part` of `whole`; `unknown`: what would belong to the whole if it were known. Durations are seconds. `percent`:
    rounded down to hundredths, None where there is nothing to take a share of; of a mean it is None, and `mean` says
    how many seconds each took."""

    part: float
    whole: float
    unknown: float
    percent: float | None
    mean: float | None


class FigureAnswer(Answer):
    """Before and after exclusions."""

    before: ShareAnswer
    after: ShareAnswer


Figures = dict[FigureKey, FigureAnswer]


class FigureWordsAnswer(Answer):
    """What a figure is called, and how it is computed."""

    key: FigureKey
    unit: FigureUnit
    zh: str
    en: str
    zh_formula: str
    en_formula: str


class VillageReportAnswer(Answer):
    """A village. `place` None: not ranked (`why`: no_cameras | nothing_known). `tied`: others share the place."""

    village_id: int
    name: str
    cameras: int
    figures: Figures
    place: int | None
    tied: bool
    why: Literal["no_cameras", "nothing_known"] | None


class UnitReportAnswer(Answer):
    """A maintenance unit ("": none is named in the file). `faults`: that were open in the span; `open`: at its end."""

    unit: str
    cameras: int
    faults: int
    open: int
    figures: Figures


class DayReportAnswer(Answer):
    """A day; percentages as in ShareAnswer."""

    day: date
    online: FigureAnswer
    intact: FigureAnswer


class CauseReportAnswer(Answer):
    """How often a fault of this cause began, and how many seconds there was one; after exclusions."""

    aspect: str
    cause: str
    count: int
    seconds: float


class FlappingAnswer(Answer):
    """How often a camera stopped giving pictures; `after` exclusions."""

    camera_id: int
    name: str
    village_name: str
    before: int
    after: int


class UnobservedAnswer(Answer):
    """The hub did not observe."""

    since: datetime
    until: datetime


class ReportAnswer(Answer):
    """A report. `begin`, `end`: what it covers, `end` at most `data_as_of`; `over`: the span has passed. `complete`
    False: states of its first days are kept no longer. `ranked_by` None: the user sees some villages only.
    `unobserved`: the newest 50 of `unobserved_count`, `unobserved_seconds` in all."""

    first: date
    last: date
    begin: datetime
    end: datetime
    over: bool
    complete: bool
    data_as_of: datetime
    computed_at: datetime
    township: str
    pass_percent: float
    due_hours: dict[str, float]
    ranked_by: RankedKey | None
    ranking_zh: str
    ranking_en: str
    changes_zh: str
    changes_en: str
    words: list[FigureWordsAnswer]
    cameras: int
    figures: Figures
    villages: list[VillageReportAnswer]
    units: list[UnitReportAnswer]
    days: list[DayReportAnswer]
    causes: list[CauseReportAnswer]
    flapping: list[FlappingAnswer]
    unobserved: list[UnobservedAnswer]
    unobserved_count: int
    unobserved_seconds: float


class CameraReportAnswer(Answer):
    """A camera in one village. `states`: at the end of the span, empty where it was not in use then; `excluded_now`:
    excluded then; seconds excluded and not observed; `outages`: how often it stopped giving pictures."""

    camera_id: int
    name: str
    device: str
    village_id: int
    village_name: str
    maintainer_unit: str
    figures: Figures
    states: dict[str, SpotState]
    excluded_now: bool
    excluded_seconds: float
    unobserved_seconds: float
    outages: int
    outages_after: int


class CameraReportsAnswer(Answer):
    """The cameras from `offset` on, and how many there are in all."""

    total: int
    cameras: list[CameraReportAnswer]


class FaultReportAnswer(Answer):
    """A fault. `seconds`: until it closed, else until the end of the span; `after_seconds`: without excluded time;
    `due_hours`: for its severity."""

    alarm_id: int
    level: str
    aspect: str
    cause: str
    severity: str
    village_name: str
    camera_id: int | None
    name: str
    cameras: int
    units: list[str]
    opened_at: datetime
    closed_at: datetime | None
    seconds: float
    after_seconds: float
    due_hours: float
    verdict: RepairVerdict
    flapping: bool


class FaultReportsAnswer(Answer):
    """The faults from `offset` on, the newest first, and how many there are in all."""

    total: int
    faults: list[FaultReportAnswer]
