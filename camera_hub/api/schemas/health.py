"""Alarms and what rounds measured."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer


class AlarmAnswer(Answer):
    id: int
    level: Literal["hub", "village", "device", "camera"]
    cause: str  # Reason
    village_id: int | None
    village_name: str | None
    device_id: int | None
    device_name: str | None
    camera_id: int | None
    camera_name: str | None
    members: list[int]
    detail: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_name: str | None
    closed_at: datetime | None


class ObservationAnswer(Answer):
    at: datetime
    reason: str | None
    detail: str
    signalling_ms: float | None
    stream_ms: float | None
    key_frame_ms: float | None
    clock_error_s: float | None
    scores: dict[str, float]


class SystemAnswer(Answer):
    """The hub's own state."""

    version: str
    started_at: datetime
    now: datetime
    cameras: int
    feeds: int
    viewers: int
    relays: list[dict[str, float | int | str | None]]
    eyes: list[dict[str, float | int | str | None]]


class RelayRestartedAnswer(Answer):
    relay: int
    epoch: int  # grows with every process that takes over
