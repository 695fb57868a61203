"""What devices reported."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer


class DeviceEventAnswer(Answer):
    id: int
    device_id: int
    camera_id: int | None  # null: the device itself
    kind: Literal["motion", "tamper", "video_loss", "picture", "hardware"]
    since: datetime
    seen: datetime  # the last report
    until: datetime | None  # null: it lasts
    count: int  # how often it was reported to begin; pauses under a minute belong to it
