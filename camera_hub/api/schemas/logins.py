"""Login profiles, and new logins for many devices at once. Passwords are write-only."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Id, Name, RequestBody
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.api.schemas.places import CameraPassword, Login, LoginPurpose

Purposes = Annotated[list[LoginPurpose], Field(min_length=1, max_length=4)]
Devices = Annotated[list[Id], Field(min_length=1, max_length=5_000)]


class ProfileUseAnswer(Answer):
    """A device that has the profile for one purpose. `untried`: since the last change it has not been reached, and it
    still has the login from before."""

    device_id: int
    name: str
    host: str
    purpose: LoginPurpose
    state: Literal["accepted", "refused", "untried"]
    reason: str | None
    asked_at: datetime | None


class ProfileAnswer(Answer):
    """A login that devices of a village share. Its password is set, and never shown."""

    id: int
    village_id: int
    name: str
    purposes: list[LoginPurpose]
    username: str
    changed_at: datetime  # when user name or password were set, and by whom
    changed_name: str
    on_behalf: bool  # by township staff for the village
    uses: list[ProfileUseAnswer]


class NewProfile(RequestBody):
    village_id: Id
    name: Name
    purposes: Purposes = Field(default=["ordinary"])
    username: Login
    password: CameraPassword


class ChangeProfile(RequestBody):
    """A new user name or password is tried at each device that has the profile; `purposes` only while none has it."""

    name: Name | None = None
    purposes: Purposes | None = None
    username: Login | None = None
    password: CameraPassword | None = None


class ProfileChanged(Answer):
    """The profile, and the job that brings its new login to its devices; None when no device has to change."""

    profile: ProfileAnswer
    job: JobProgressAnswer | None


class ProfileDevices(RequestBody):
    device_ids: Devices


class NewLogins(RequestBody):
    """A login of their own for these devices, for one purpose. Without a user name each keeps its own."""

    device_ids: Devices
    purpose: LoginPurpose = "ordinary"
    username: Login = ""
    password: CameraPassword


class NewNamedLogins(RequestBody):
    """As `NewLogins`, for all devices of a village whose login for that purpose has the old user name."""

    village_id: Id
    old_username: Login
    purpose: LoginPurpose = "ordinary"
    username: Login = ""
    password: CameraPassword
