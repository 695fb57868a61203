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
    Digest,
    Exclusion,
    Notice,
    Observation,
    ObservingPeriod,
    ServicePeriod,
    ToldAlarm,
)


def expiry_rules(settings: HealthSettings) -> list[ExpiryRule]:
    """Observations and notices end after `keep_days`; closed alarms (with their members), former states of cameras, and
    what figures are taken from beside these, after `alarm_keep_days`. What is open or still true has no end yet, and
    stays."""
    raw, record = timedelta(days=settings.keep_days), timedelta(days=settings.alarm_keep_days)
    return [
        ExpiryRule(
            "observations",
            Observation,
            Observation.id,
            Observation.at,
            raw,
            owner=Observation.camera_id,
            owners=select(Camera.id),
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
        ExpiryRule("exclusions", Exclusion, Exclusion.id, Exclusion.until, record),
    ]
