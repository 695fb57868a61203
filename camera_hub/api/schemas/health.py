"""Alarms, what rounds measured, and the channels of notices."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Moment, RequestBody, Text

Aspect = Literal["media", "picture", "clock", "recording", "osd", "load"]  # load: of the hub itself
Severity = Literal["critical", "major", "minor", "warning"]
SuspensionReason = Literal["parts", "power_cut", "construction", "other"]


class OwnerAnswer(Answer):
    """A user who takes care of an alarm, or could."""

    id: int
    name: str


class SuspensionAnswer(Answer):
    """Nobody is notified of the alarm until then; it resumes by itself."""

    since: datetime
    until: datetime
    reason: SuspensionReason
    by: str


class AlarmAnswer(Answer):
    id: int
    level: Literal["hub", "village", "device", "camera"]
    aspect: Aspect
    severity: Severity  # ITU-T X.733
    cause: str  # Reason
    village_id: int | None
    village_name: str | None
    device_id: int | None
    device_name: str | None
    camera_id: int | None
    camera_name: str | None
    members: list[int]  # cameras that it covers, or covered when it closed
    recovered: list[int]  # cameras that left it before it closed
    detail: str  # a technical sentence
    params: dict[str, str | int | float]  # for the page's own sentence
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_name: str | None
    closed_at: datetime | None
    duration_s: float | None  # null while it is open
    # How it closed: only `recovered` is a recovery; merged: an alarm of a higher level stands for it; unobserved: no
    # longer looked at. Null: it is open.
    ending: Literal["recovered", "merged", "excluded", "unobserved"] | None
    owner: OwnerAnswer | None
    notified_at: datetime | None  # when somebody was first notified; null: it is only shown so far
    reminders: int
    escalation: int  # 0, or how far up it was taken: 1, 2
    escalated_at: datetime | None
    suspended: SuspensionAnswer | None
    note: str
    flapping: bool  # it comes and goes, and stays one alarm
    place_group: str | None  # the same in losses of one place at one time
    hint: dict[str, Any] | None  # what was seen in the minute before the loss


class AcknowledgeMany(RequestBody):
    """Acknowledge up to 500 alarms at once."""

    ids: list[Id] = Field(min_length=1, max_length=500)
    note: Text | None = None


class OtherNameAnswer(Answer):
    """An alarm that somebody else had acknowledged before."""

    id: int
    name: str


class AcknowledgedAnswer(Answer):
    done: list[int]  # acknowledged by you, now or before
    others: list[OtherNameAnswer]
    gone: list[int]  # no such alarms


class SetOwner(RequestBody):
    user_id: Id | None


class Suspend(RequestBody):
    until: Moment
    reason: SuspensionReason
    note: Text | None = None


class AlarmCountAnswer(Answer):
    open: int


class AlarmMemberAnswer(Answer):
    camera_id: int
    camera_name: str
    joined_at: datetime
    left_at: datetime | None


class ObservationAnswer(Answer):
    """One look. `reachable`, `media`, `picture`, `clock`: null = not checked, "ok" = good, else the Reason."""

    id: int
    at: datetime
    reason: str | None  # the most serious of them
    reachable: str | None
    media: str | None
    picture: str | None
    clock: str | None
    detail: str
    params: dict[str, str | int | float]
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    scores: dict[str, float]
    profile: str | None  # day | night
    fps: float | None
    bitrate_kbit: float | None
    gop_seconds: float | None
    gaps: int | None
    received_bytes: int | None


class StateSpanAnswer(Answer):
    """One aspect was in one state; `reason` is null while it was good."""

    aspect: Aspect | Literal["reachable"]
    since: datetime
    until: datetime
    reason: str | None


class CurvePointAnswer(Answer):
    """Means over an interval that begins at `at`."""

    at: datetime
    looks: int
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    fps: float | None
    bitrate_kbit: float | None
    gop_seconds: float | None
    gaps: int
    received_bytes: int
    scores: dict[str, float]  # the least of each kind; in hours and days only those below 80


class HistoryAnswer(Answer):
    """All looks of a period."""

    since: datetime
    until: datetime
    level: Literal["looks", "hours", "days"]
    looks: int
    bad: int
    key_frame_median_ms: float | None  # of single looks alone
    key_frame_mean_ms: float | None
    received_bytes: int
    spans: list[StateSpanAnswer]  # each aspect's in order of time; a gap means that it was not checked
    points: list[CurvePointAnswer]


class SystemAnswer(Answer):
    """The hub's own state."""

    version: str
    started_at: datetime
    now: datetime
    cameras: int
    feeds: int
    viewers: int
    hub: dict[str, float | int | str | None]
    relays: list[dict[str, float | int | str | None]]
    eyes: list[dict[str, float | int | str | None]]


class RelayRestartedAnswer(Answer):
    relay: int
    epoch: int  # grows with every process that takes over
