"""Set-up, session, users."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from camera_hub.access.accounts import MAX_GRANTS
from camera_hub.api.schemas.base import Answer, Id, Line, Moment, Name, RequestBody, Role

Username = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=32, pattern=r"^[A-Za-z0-9_.-]+$")
]
Password = Annotated[SecretStr, Field(max_length=256)]


class SetupState(Answer):
    """Whether the hub still waits for its first township admin."""

    needed: bool


class SetupRequest(RequestBody):
    """Create the first township admin, with the token of the one-time link."""

    token: Line = Field(max_length=128)
    username: Username
    display_name: Name
    password: Password


class SignInRequest(RequestBody):
    username: Line = Field(max_length=64)
    password: Password


class NewPassword(RequestBody):
    old: Password
    new: Password


class VillageGrant(BaseModel):
    """Access to a village from one time until another; null: without that limit."""

    model_config = ConfigDict(from_attributes=True, extra="forbid", populate_by_name=True)

    village_id: Id
    valid_from: Moment | None = Field(None, alias="from")
    valid_until: Moment | None = Field(None, alias="until")


Grants = Annotated[list[VillageGrant], Field(max_length=MAX_GRANTS)]


class MyVillage(Answer):
    id: int
    name: str


class Me(Answer):
    """Who is signed in, and what they may do (access.policy.Action), so that pages show no button that fails."""

    id: int
    username: str
    display_name: str
    role: Role
    villages: list[MyVillage] | None  # to which the user is restricted now; null: all
    actions: list[str]
    time_zone: str  # of the site (IANA name): pages show all times in it


class UserAnswer(Answer):
    id: int
    username: str
    display_name: str
    role: Role
    villages: list[VillageGrant] | None  # null: all
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None


class NewUser(RequestBody):
    username: Username
    display_name: Name
    role: Role
    villages: Grants | None = None  # null: all
    password: Password


class ChangeUser(RequestBody):
    display_name: Name | None = None
    role: Role | None = None
    villages: Grants | None = None  # null: all; not sent: as it is
    disabled: bool | None = None
    password: Password | None = None
