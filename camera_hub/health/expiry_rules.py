"""How long health keeps what it writes."""

from datetime import timedelta

from sqlalchemy import select

from camera_hub.settings import HealthSettings
from camera_hub.store.retention import ExpiryRule
from camera_hub.store.tables import (
    Alarm,
    AlarmPicture,
    Camera,
    CameraState,
    CountyCheck,
    Digest,
    Exclusion,
    Notice,
    Observation,
    ObservationDay,
    ObservationHour,
    ObservingPeriod,
    RollUpMark,
    ServicePeriod,
    ToldAlarm,
)

UNROLLED = timedelta(days=30)
"""Looks that could not be rolled up for so long after their time go all the same: else they would fill the disk."""


def expiry_rules(settings: HealthSettings) -> list[ExpiryRule]:
    """Looks end after `look_days` once they are rolled up into hours, hours after `hour_days` once they are rolled up
    into days, days after `day_days`; notices after `keep_days`; closed alarms (with their members), former states of
    cameras, what figures are taken from beside these, and checks of the
    county's lists, after `alarm_keep_days`. What is open or still true has no
    end yet, and stays."""
    raw, record = timedelta(days=settings.keep_days), timedelta(days=settings.alarm_keep_days)
    looks, hours = timedelta(days=settings.look_days), timedelta(days=settings.hour_days)
    cameras = select(Camera.id)
    rolled_up = {
        level: select(RollUpMark.until).where(RollUpMark.level == level).scalar_subquery()
        for level in ("hours", "days")
    }
    return [
        ExpiryRule(
            "observations",
            Observation,
            Observation.id,
            Observation.at,
            looks,
            owner=Observation.camera_id,
            owners=cameras,
            when=Observation.at < rolled_up["hours"],
        ),
        ExpiryRule(
            "observations never rolled up",
            Observation,
            Observation.id,
            Observation.at,
            looks + UNROLLED,
            owner=Observation.camera_id,
            owners=cameras,
        ),
        ExpiryRule(
            "hours of observations",
            ObservationHour,
            None,
            ObservationHour.at,
            hours,
            owner=ObservationHour.camera_id,
            owners=cameras,
            when=ObservationHour.at < rolled_up["days"],
            slice=timedelta(hours=12),
        ),
        ExpiryRule(
            "days of observations",
            ObservationDay,
            None,
            ObservationDay.at,
            timedelta(days=settings.day_days),
            owner=ObservationDay.camera_id,
            owners=cameras,
            slice=timedelta(days=12),
        ),
        # Also those that were never delivered: after a day nobody tries any more.
        ExpiryRule("notices", Notice, Notice.id, Notice.created_at, raw),
        ExpiryRule("told alarms", ToldAlarm, ToldAlarm.id, ToldAlarm.closed_at, timedelta(days=1)),
        ExpiryRule("digests", Digest, Digest.id, Digest.made_at, raw),
        ExpiryRule("alarm pictures", AlarmPicture, AlarmPicture.id, AlarmPicture.kept_at, record),
        ExpiryRule("alarms", Alarm, Alarm.id, Alarm.closed_at, record),
        ExpiryRule("camera states", CameraState, CameraState.id, CameraState.until, record),
        ExpiryRule("service periods", ServicePeriod, ServicePeriod.id, ServicePeriod.until, record),
        ExpiryRule("observing periods", ObservingPeriod, ObservingPeriod.id, ObservingPeriod.until, record),
        ExpiryRule("county list checks", CountyCheck, CountyCheck.id, CountyCheck.created_at, record),
        ExpiryRule("exclusions", Exclusion, Exclusion.id, Exclusion.until, record),
    ]
