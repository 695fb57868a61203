"""Round plans of villages, and the bytes that looks take."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer, RequestBody

Plan = Literal["normal", "thrifty"]


class VillagePlanAnswer(Answer):
    """Bytes: of this day so far, of the last thirty whole days, and of a month at the pace of the last week (null: no
    whole day has been measured yet)."""

    village_id: int
    name: str
    plan: Plan
    cameras: int
    today_bytes: int
    month_bytes: int
    estimate_bytes: int | None


class DayOfBytesAnswer(Answer):
    """A day of the site, and what the hub received of the camera in it."""

    at: datetime
    received_bytes: int


class WantedPlan(RequestBody):
    """How often the village's cameras are looked at."""

    plan: Plan
