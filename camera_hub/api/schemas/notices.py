"""Notices of one person, as the page shows them."""

from datetime import datetime
from typing import Literal

from camera_hub.api.schemas.base import Answer, Id, RequestBody
from camera_hub.api.schemas.health import Severity

NoticeKind = Literal["opened", "flapping", "closed", "reminder", "escalated", "digest"]


class NoticeAnswer(Answer):
    """One notice. Its words are the hub's, in Chinese; `alarm_id` is null when it is about several (`alarm_ids`)."""

    id: int
    alarm_id: int | None
    alarm_ids: list[int]
    kind: NoticeKind
    title: str
    text: str
    severity: Severity
    sound: bool  # the page plays a sound
    at: datetime
    read_at: datetime | None


class UnreadAnswer(Answer):
    unread: int
    newest: int | None  # the id of the newest notice, read or not


class ReadNotices(RequestBody):
    up_to: Id  # this notice and all before it
