"""What a check of a camera's recording says, given the one before. Pure.

A device that tells nothing is not known, and that is no fault. A camera without a card tells by ONVIF that it has no
recordings: that is no fault either, since its recorder may keep them; a camera that has a card or had recordings, and
each channel of a recorder, must have some. What was recorded before the hub knew the camera is not asked for: too few
days count once it has been there for that long, once the oldest has been seen to go, or once its disks are full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from camera_hub.cameras.described import Disk
from camera_hub.cameras.recordings.days import RecordingDay
from camera_hub.cameras.recordings.schedule import day_span
from camera_hub.cameras.recordings.spans import Span, clipped, total
from camera_hub.cameras.recordings.values import DiskState, KnownRecording, RecordingStatus, SaidOfCamera, SaidOfDevice
from camera_hub.errors import Param, Reason

WEEK = 7
"""Days whose completeness is judged together."""
LEAST_MISSING = 3600
"""Seconds that must lack of one day alone."""
_FULL_SHARE = 0.05
"""Of a disk that overwrites what is oldest hardly anything is free."""
_GOES = timedelta(hours=1)
_BROKEN = ("error", "fail", "unformat", "abnormal", "notexist", "exception", "smartfailed", "idle_bad", "offline")
_UNUSED = ("idle", "sleeping", "")


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """`days`: how many must be kept; `share`: of what was due that must be there; `silent_s`: after so many seconds
    that were due and are not recorded, nothing is recorded; `confirm_s`: how long after a fault was found it is
    looked at again."""

    days: int = 30
    share: float = 0.95
    silent_s: float = 7200.0
    confirm_s: float = 600.0


@dataclass(frozen=True, slots=True)
class _Found:
    reason: str | None
    params: Mapping[str, Param]


def judged(
    known: KnownRecording,
    said: SaidOfCamera | None,
    of_device: SaidOfDevice,
    days: Sequence[RecordingDay],
    at: datetime,
    *,
    since: datetime,
    recorder: bool,
    limits: RecordingLimits,
    zone: ZoneInfo,
) -> RecordingStatus:
    """The status after a check that asked the device. `said` None: it says nothing of this camera. `days`: all that
    are known now, the oldest first. `since`: since when the hub has the camera."""
    before = known.status
    disk = disk_state(of_device.disks)
    asked = replace(
        before,
        checked_at=at,
        road=of_device.road,
        disk=disk,
        clock_offset_s=of_device.clock_offset_s,
        problem=of_device.late,
    )
    if said is None or not said.ends_told:
        return _unknown(replace(asked, problem=of_device.late or Reason.RECORDING_UNKNOWN.value), at)
    oldest = said.oldest
    gone = before.oldest is not None and oldest is not None and oldest - before.oldest > _GOES
    told = replace(
        asked,
        told_at=at,
        oldest=oldest,
        latest=said.latest,
        overwrites=before.overwrites or (gone and before.told_at is not None),
    )
    if oldest is None and not (recorder or before.oldest is not None or days or _has_disks(of_device.disks)):
        return _unknown(replace(told, problem=Reason.RECORDING_UNKNOWN.value), at)
    return settled(told, _found(told, said, of_device.disks, days, at, since, limits, zone), at, limits)


def unanswered(before: RecordingStatus, reason: str, at: datetime) -> RecordingStatus:
    """The status after a check that the device did not answer: what was known stays."""
    return replace(before, checked_at=at, problem=reason)


def settled(told: RecordingStatus, found: "_Found", at: datetime, limits: RecordingLimits) -> RecordingStatus:
    """A fault counts once two checks have found it, some minutes apart; that it is gone counts at once."""
    if found.reason is None:
        since = told.since if told.state == "ok" else at
        return replace(
            told, state="ok", reason=None, params=found.params, since=since, unconfirmed=None, unconfirmed_at=None
        )
    if told.state == "fault":  # another fault in its place needs no second look: it is not well either way
        since = told.since if told.reason == found.reason else at
        return replace(
            told, reason=found.reason, params=found.params, since=since, unconfirmed=None, unconfirmed_at=None
        )
    first = told.unconfirmed_at if told.unconfirmed is not None else None
    if first is not None and first <= at and (at - first).total_seconds() >= limits.confirm_s / 2:
        return replace(
            told,
            state="fault",
            reason=found.reason,
            params=found.params,
            since=first,
            unconfirmed=None,
            unconfirmed_at=None,
        )
    return replace(told, unconfirmed=found.reason, unconfirmed_at=first if first is not None and first <= at else at)


def disk_state(disks: Sequence[Disk] | None) -> DiskState | None:
    """Of all disks in one word: ok | error | none; None: not told."""
    if disks is None:
        return None
    words = ["".join(one.state.lower().split()) for one in disks]
    if not words:
        return "none"
    return "error" if any(word.startswith(_BROKEN) for word in words) else "ok"


def kept_days(status: RecordingStatus, at: datetime) -> float | None:
    """Days from the oldest recording until now; 0 where nothing is kept, None where it is not known."""
    if status.told_at is None:
        return None
    return max(0.0, (at - status.oldest).total_seconds() / 86400) if status.oldest is not None else 0.0


def completeness(days: Sequence[RecordingDay]) -> tuple[int, int]:
    """Seconds recorded, and seconds that were due, of the days of which both are known. More than was due fills
    nothing else."""
    measured = [one for one in days if one.seconds is not None and one.due > 0]
    return sum(min(one.seconds or 0, one.due) for one in measured), sum(one.due for one in measured)


def _unknown(status: RecordingStatus, at: datetime) -> RecordingStatus:
    """What was a fault stays one until the device says otherwise: a device that is asked in vain is not repaired."""
    if status.state == "fault":
        return status
    return replace(status, state="unknown", reason=None, params={}, since=None, unconfirmed=None, unconfirmed_at=None)


def _found(
    status: RecordingStatus,
    said: SaidOfCamera,
    disks: Sequence[Disk] | None,
    days: Sequence[RecordingDay],
    at: datetime,
    since: datetime,
    limits: RecordingLimits,
    zone: ZoneInfo,
) -> _Found:
    kept = kept_days(status, at) or 0.0
    params: dict[str, Param] = {"days": int(kept)}
    if status.oldest is not None:
        params["oldest"] = status.oldest.astimezone(zone).date().isoformat()
    recent = [one for one in days if day_span(one.date, zone).end > at - timedelta(days=WEEK)]
    recorded, due = completeness(recent)
    params["missing_hours"] = round((due - recorded) / 3600, 1)
    if status.oldest is None:
        return _Found(Reason.NO_RECORDING, {**params, "cause": "disk" if status.disk == "error" else "none"})
    if _is_silent(said, at, limits, zone):
        return _Found(Reason.NO_RECORDING, {**params, "cause": "disk" if status.disk == "error" else "stopped"})
    # Only days from the oldest recording on: what was overwritten, or was before the device was there, lacks nowhere.
    lacking = [
        one
        for one in recent
        if one.due > 0 and one.missing >= LEAST_MISSING and one.missing > one.due * (1 - limits.share)
    ]
    fresh = [one for one in lacking if day_span(one.date, zone).end > at - timedelta(days=1)]
    if (due and recorded < due * limits.share and due - recorded >= LEAST_MISSING) or fresh:
        return _Found(Reason.RECORDING_GAPS, params)
    there = (at - since).total_seconds() / 86400
    known_short = there >= limits.days or status.overwrites or _is_full(disks)
    if kept < limits.days - 1 and known_short:
        return _Found(Reason.RECORDING_SHORT, params)
    return _Found(None, params)


def _is_silent(said: SaidOfCamera, at: datetime, limits: RecordingLimits, zone: ZoneInfo) -> bool:
    """Whether nothing of the last hours is there though it was due. On events alone nothing is due."""
    window = Span(at - timedelta(seconds=limits.silent_s), at)
    if said.running is True:
        return False
    if said.latest is not None and said.latest > window.begin:
        return False
    return total(said.schedule.due(window, zone)) >= limits.silent_s / 2 and not clipped(said.spans, window)


def _has_disks(disks: Sequence[Disk] | None) -> bool:
    return bool(disks) and any(one.capacity_mb != 0 for one in disks or ())


def _is_full(disks: Sequence[Disk] | None) -> bool:
    """Whether the disks that say so have hardly any room left."""
    sized = [one for one in disks or () if one.capacity_mb and one.free_mb is not None]
    free = sum(one.free_mb or 0 for one in sized)
    return bool(sized) and free <= _FULL_SHARE * sum(one.capacity_mb or 0 for one in sized)
