"""Questions whether two devices are one, and cameras that got another device."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from camera_hub.api.schemas.base import Answer, Id, RequestBody

MatchState = Literal["open", "accepted", "rejected", "gone"]
MarkName = Literal["serial", "mac", "endpoint"]


class MatchSideAnswer(Answer):
    """One of the two. `device_id` null: it is not registered; its picture, where there is one (`picture_at`), is
    GET /api/matches/{id}/picture, else that of `camera_id`."""

    device_id: int | None
    village_id: int
    name: str
    place: str  # host:port
    maker: str
    serial: str
    mac: str
    endpoint: str
    cameras: int
    camera_id: int | None
    picture_at: datetime | None
    online: bool  # it shows pictures where it is registered


class MatchAnswer(Answer):
    """may_be_same: `other` was registered beside `known`, and may be the same device. moved: `known` was seen at the
    place of `other`. changed: `other` answers at the place of `known`, which gets no login until this is decided."""

    id: int
    kind: Literal["may_be_same", "moved", "changed"]
    state: MatchState
    source: str  # register, hello, search, login, describe
    known: MatchSideAnswer
    other: MatchSideAnswer
    agree: list[MarkName]  # marks that are equal …
    weak: list[MarkName]  # … that are equal, but which several devices have
    differ: list[MarkName]
    reason: str | None  # why it could not be accepted last; pictures_differ: look at both, and say so again
    alike: float | None  # how much the pictures are alike, 0 … 100; below 60 they do not fit; null: not compared
    seen_at: datetime
    last_seen_at: datetime
    decided_at: datetime | None
    decided_by: str


class AcceptMatch(RequestBody):
    """`password`: of the device, from those who may not approve. `pictures_seen`: both pictures were looked at."""

    password: Annotated[SecretStr, Field(max_length=128)] | None = None
    pictures_seen: bool = False


class ReplacePair(RequestBody):
    """`camera_id` goes on with the channel of `other_camera_id`."""

    camera_id: Id
    other_camera_id: Id


class NewReplacements(RequestBody):
    pairs: list[ReplacePair] = Field(min_length=1, max_length=256)


class ReplacementAnswer(Answer):
    id: int
    camera_id: int
    other_camera_id: int  # had the new channel before; has the old one since, out of service
    village_id: int
    old_device_id: int
    old_device: str
    new_device_id: int
    new_device: str
    replaced_at: datetime
    replaced_by: str
    undone_at: datetime | None
