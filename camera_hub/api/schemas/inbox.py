"""The inbox: what of a village still needs somebody."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, CameraState, Id, PlaceClass, RequestBody, Text
from camera_hub.api.schemas.places import CameraPassword, Host, Login

ProofState = Literal["pending", "proved", "failed"]


class InboxCountsAnswer(Answer):
    """How much waits in a village. `failed`: waiting cameras without a picture; they count in `waiting` too."""

    village_id: int
    candidates: int
    waiting: int
    failed: int
    returned: int


class CandidateAnswer(Answer):
    """A device that is not registered yet, and why. Passwords are write-only."""

    id: int
    village_id: int
    host: str
    port: int | None
    rtsp_port: int | None
    name: str
    username: str
    profile_id: int | None
    has_password: bool
    shown_url: str  # of a camera that is known by its RTSP address: redacted
    cameras: list[str]  # names of the cameras that are wanted of it, "" where not known
    source: Literal["search", "address", "sheet"]
    reason: str
    detail: str
    params: dict[str, str | int | float]
    attempts: int
    tried_at: datetime
    next_try_at: datetime | None  # it is tried by itself then
    added_by: str
    on_behalf: bool  # added by township staff for the village
    created_at: datetime


class InboxCameraAnswer(Answer):
    """A camera that is not approved yet. `picture_at`: GET /api/inbox/cameras/{id}/picture has one of that time."""

    id: int
    name: str
    channel: str
    place_class: PlaceClass
    state: CameraState
    proof_state: ProofState
    proof: str | None  # why no picture came
    picture_at: datetime | None
    codecs: list[str]
    returned_note: str
    returned_by: str
    returned_at: datetime | None
    on_behalf_by: str  # township staff who did something for the village last; "": nobody
    on_behalf_at: datetime | None


class InboxDeviceAnswer(Answer):
    """A device with those of its cameras that are not approved yet; `approved`: how many are."""

    id: int
    village_id: int
    kind: Literal["camera", "recorder", "platform"]
    name: str
    host: str
    place: str  # where it is reached, host:port
    approved_place: str | None  # another one: it was moved since
    moved_at: datetime | None
    manufacturer: str
    model: str
    username: str
    login_reason: str | None  # the device refused its login: why, and when it is tried again
    login_retry_at: datetime | None
    added_by: str
    on_behalf_by: str
    on_behalf_at: datetime | None
    created_at: datetime
    approved: int
    cameras: list[InboxCameraAnswer]


class InboxAnswer(Answer):
    """Counts of every village that the user may see; candidates and devices of the one that was asked for."""

    villages: list[InboxCountsAnswer]
    candidates: list[CandidateAnswer]
    devices: list[InboxDeviceAnswer]


class ChangeCandidate(RequestBody):
    """What is given is changed. A port of 0: the usual ones are tried. A user name replaces the login profile."""

    name: Text | None = None
    host: Host | None = None
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    rtsp_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    username: Login | None = None
    password: CameraPassword | None = None


class IntakeAnswer(Answer):
    """What became of a wanted device: `device_id` (registered; a reason beside it says what is not as wanted), or
    `candidate_id` (it waits in the inbox) and the reason why."""

    device_id: int | None
    candidate_id: int | None
    cameras: list[int]
    reason: str | None
    detail: str
    params: dict[str, str | int | float]


class TryCandidates(RequestBody):
    ids: list[Id] = Field(min_length=1, max_length=1000)
