"""The health board and a camera's health file."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer
from camera_hub.api.schemas.exclusions import ExclusionKind, ExclusionLevel
from camera_hub.api.schemas.health import Severity

StateAspect = Literal["reachable", "media", "picture", "clock", "recording", "osd"]


class FigureCountAnswer(Answer):
    """`well` of `of` cameras; `fault` are known to be otherwise, `unknown` are not judged yet."""

    well: int
    of: int
    fault: int
    unknown: int


class OpenAlarmCountsAnswer(Answer):
    """Open alarms by severity; `unacknowledged` of them have no name yet."""

    critical: int
    major: int
    minor: int
    warning: int
    unacknowledged: int


class HealthCountsAnswer(Answer):
    """The cameras of one village, or of all that the user may see."""

    due: int  # approved, not excluded
    connected: int  # of those: the hub can pull them
    excluded: int  # counted in no figure
    unknown: int  # connected, and never judged
    online: FigureCountAnswer  # of the connected
    intact: FigureCountAnswer  # of the connected: online, and the picture is well
    clock: FigureCountAnswer  # of those whose clock was judged
    recording: FigureCountAnswer  # of those whose recording was judged
    alarms: OpenAlarmCountsAnswer
    looked_at: datetime | None  # the latest look


class VillageHealthAnswer(Answer):
    village_id: int
    name: str
    link: Literal["up", "down", "unknown"]
    link_since: datetime | None  # since when it is down
    counts: HealthCountsAnswer


class RoundsPaceAnswer(Answer):
    """Of `observed` cameras `late` are not looked at in time, the longest since `late_s` seconds."""

    observed: int
    late: int
    late_s: float


class BoardAnswer(Answer):
    """Villages in their official order; `totals` are theirs together."""

    at: datetime
    totals: HealthCountsAnswer
    villages: list[VillageHealthAnswer]
    hub_alarms: OpenAlarmCountsAnswer  # of the hub itself; zeros for who is bound to villages
    pace: RoundsPaceAnswer


class AspectIntervalAnswer(Answer):
    """One aspect was in one state; `until` is null while it still is."""

    aspect: StateAspect
    state: Literal["ok", "fault"]
    cause: str | None  # Reason of a fault
    since: datetime
    until: datetime | None


class ExcludedIntervalAnswer(Answer):
    """The camera was not judged from `since` until `until`, because of the exclusion `id` of its level."""

    id: int
    level: ExclusionLevel
    kind: ExclusionKind
    reason: str
    since: datetime
    until: datetime


class CoveringAlarmAnswer(Answer):
    """An open alarm that stands for the camera."""

    id: int
    level: Literal["hub", "village", "device", "camera"]
    aspect: str
    severity: Severity
    cause: str
    opened_at: datetime
    acknowledged_name: str | None


class MeasuredAnswer(Answer):
    """What was measured last, each by the latest look that measured it."""

    at: datetime | None
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    fps: float | None
    bitrate_kbit: float | None
    gop_seconds: float | None
    scores_at: datetime | None
    profile: Literal["day", "night"] | None  # of the picture that was scored
    scores: dict[str, float] | None  # by Reason, 0–100; null: no picture was judged lately


class HealthFileAnswer(Answer):
    """The health file of a camera over a span."""

    camera_id: int
    since: datetime
    until: datetime
    verdicts: list[AspectIntervalAnswer]  # what is true now; an aspect that is missing is not known
    states: list[AspectIntervalAnswer]  # those that meet the span, the oldest first
    cut: bool  # the oldest of the span are left out
    excluded: ExcludedIntervalAnswer | None  # what keeps it from being judged now
    exclusions: list[ExcludedIntervalAnswer]  # within the span, in the order of time
    alarms: list[CoveringAlarmAnswer]
    measured: MeasuredAnswer
