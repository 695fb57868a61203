"""The only policy: (who, action, whose village) → yes or no. Pure; a route without it keeps the hub from starting."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from camera_hub.errors import HubError, Kind


class Role(StrEnum):
    """The six kinds of users, and the screens. A contractor registers devices for some villages, for a limited time."""

    TOWNSHIP_ADMIN = "township_admin"
    OPERATOR = "operator"
    VILLAGE_ADMIN = "village_admin"
    MAINTAINER = "maintainer"
    LEADER = "leader"
    CONTRACTOR = "contractor"
    SCREEN = "screen"  # the browser of a screen, never a person (access.screen_tokens)


OF_PERSONS = tuple(role for role in Role if role is not Role.SCREEN)
"""The roles that a user may have."""


class Action(StrEnum):
    """What a route allows its user to do."""

    SELF = "self"  # one's own session, password, favourites
    READ_VILLAGES = "read_villages"  # names, ranges and figures of the villages that one may see
    VIEW = "view"  # the tree, live pictures, snapshots, scenes, tours and running patrols
    LISTEN = "listen"  # listen to a camera that one watches, if the site allows sound at all (media.audio)
    STEER = "steer"  # move cameras (PTZ), their presets and home positions
    READ_HEALTH = "read_health"  # alarms, observations
    ACKNOWLEDGE = "acknowledge"
    EXCLUDE = "exclude"  # ask that cameras are not judged for a time, and end that; APPROVE approves it
    INTAKE = "intake"  # search, register, and see and change what is not approved yet
    REGISTER = "register"  # keep devices and cameras, approved ones too
    SET_DEVICES = "set_devices"  # clock, OSD and sub stream on devices
    FOLLOW_JOBS = "follow_jobs"  # progress and verdicts of what one may start for many devices
    APPROVE = "approve"  # approve, retire, order cameras
    MANAGE_VILLAGES = "manage_villages"
    MANAGE_USERS = "manage_users"
    EDIT_TOURS = "edit_tours"  # tours and scenes
    RUN_TOURS = "run_tours"
    READ_RECORDS = "read_records"  # what patrols showed
    SIGN_RECORDS = "sign_records"  # approve or return the sealed record of somebody else's patrol
    CHECK_COUNTY = "check_county"  # lists of faulty cameras that the county sends, of all villages
    READ_SYSTEM = "read_system"
    MANAGE_SYSTEM = "manage_system"  # restart parts of the running hub
    MANAGE_STREAM_TOKENS = "manage_stream_tokens"  # RTSP out: tokens, and the register of their sessions
    USE_SCREENS = "use_screens"  # put pictures onto screens, and take them back
    MANAGE_SCREENS = "manage_screens"  # add and set up screens, enrol and revoke their browsers, lock their content
    BE_SCREEN = "be_screen"  # what a screen's own page asks for: its content and the pictures in it; no user's


_ALL = frozenset(Action) - {Action.BE_SCREEN}
_MAY: dict[Role, frozenset[Action]] = {
    Role.TOWNSHIP_ADMIN: _ALL,
    Role.OPERATOR: frozenset(
        {
            Action.SELF,
            Action.READ_VILLAGES,
            Action.VIEW,
            Action.LISTEN,
            Action.STEER,
            Action.READ_HEALTH,
            Action.ACKNOWLEDGE,
            Action.EDIT_TOURS,
            Action.RUN_TOURS,
            Action.READ_RECORDS,
            Action.CHECK_COUNTY,
            Action.USE_SCREENS,
        }
    ),
    Role.VILLAGE_ADMIN: frozenset(
        {
            Action.SELF,
            Action.READ_VILLAGES,
            Action.VIEW,
            Action.LISTEN,
            Action.STEER,
            Action.READ_HEALTH,
            Action.ACKNOWLEDGE,
            Action.EXCLUDE,
            Action.INTAKE,
            Action.REGISTER,
            Action.SET_DEVICES,
            Action.FOLLOW_JOBS,
        }
    ),
    Role.MAINTAINER: frozenset(
        {
            Action.SELF,
            Action.READ_VILLAGES,
            Action.VIEW,
            Action.LISTEN,
            Action.STEER,
            Action.READ_HEALTH,
            Action.ACKNOWLEDGE,
            Action.EXCLUDE,
            Action.SET_DEVICES,
            Action.FOLLOW_JOBS,
            Action.READ_SYSTEM,
        }
    ),
    Role.LEADER: frozenset(
        {
            Action.SELF,
            Action.READ_VILLAGES,
            Action.VIEW,
            Action.LISTEN,
            Action.READ_HEALTH,
            Action.READ_RECORDS,
            Action.SIGN_RECORDS,
        }
    ),
    Role.CONTRACTOR: frozenset({Action.SELF, Action.READ_VILLAGES, Action.INTAKE, Action.FOLLOW_JOBS}),
    Role.SCREEN: frozenset({Action.BE_SCREEN}),
}


_TOWNSHIP = frozenset(
    {
        Action.APPROVE,
        Action.MANAGE_VILLAGES,
        Action.MANAGE_USERS,
        Action.EDIT_TOURS,
        Action.RUN_TOURS,
        Action.READ_RECORDS,
        Action.SIGN_RECORDS,
        Action.CHECK_COUNTY,
        Action.READ_SYSTEM,
        Action.MANAGE_SYSTEM,
        Action.MANAGE_STREAM_TOKENS,
        Action.USE_SCREENS,
        Action.MANAGE_SCREENS,
    }
)
"""What concerns the whole township: not allowed to users who are restricted to some villages, whatever their role."""


ALWAYS_BOUND = frozenset({Role.VILLAGE_ADMIN, Role.CONTRACTOR})
"""Roles that are restricted to some villages, whoever sets them up."""


@dataclass(frozen=True, slots=True)
class VillageGrant:
    """Access to one village from `valid_from` until just before `valid_until`; None: without that limit."""

    village_id: int
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Whether it gives access at that time."""
        return (self.valid_from is None or self.valid_from <= now) and (
            self.valid_until is None or now < self.valid_until
        )


def villages_at(grants: Iterable[VillageGrant], now: datetime) -> frozenset[int]:
    """The villages that are granted at that time."""
    return frozenset(grant.village_id for grant in grants if grant.valid(now))


def next_change(grants: Iterable[VillageGrant], now: datetime) -> datetime | None:
    """When a grant begins or ends next; None when no change is to come."""
    times = [time for grant in grants for time in (grant.valid_from, grant.valid_until) if time is not None]
    return min((time for time in times if time > now), default=None)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the user of a session, with the rights of this moment; or a screen, whose `user_id` is the negative of
    its own id, so that it never meets a user's rows.

    `villages`: the only ones they may see and act on; None for all. Village admins and contractors are always
    restricted.
    """

    user_id: int
    username: str
    display_name: str
    role: Role
    villages: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.role in ALWAYS_BOUND and self.villages is None:
            object.__setattr__(self, "villages", frozenset())

    @property
    def only_pending(self) -> bool:
        """Whether the actor has nothing to do with cameras that are approved: a contractor."""
        return self.role is Role.CONTRACTOR

    @property
    def bound(self) -> bool:
        """Whether the actor is restricted to some villages (perhaps none), and sees nothing of the whole township."""
        return self.villages is not None

    def sees(self, village_id: int | None) -> bool:
        """Whether the actor may see the village; None: something that belongs to the whole township."""
        return self.villages is None or village_id in self.villages


def role_actions(role: Role) -> frozenset[Action]:
    """All that the role may do if it is not restricted to some villages."""
    return _MAY[role]


def actions(actor: Actor) -> frozenset[Action]:
    """All that the actor may do, in the villages that they may see."""
    return _MAY[actor.role] - _TOWNSHIP if actor.bound else _MAY[actor.role]


def allows(actor: Actor, action: Action, village_id: int | None = None) -> bool:
    """Whether `actor` may do `action`; `village_id` is that of the object, None where there is no object yet."""
    return action in actions(actor) and (village_id is None or actor.sees(village_id))


def may_watch(actor: Actor) -> bool:
    """Whether the actor sees live pictures at all: a user who may, or a screen."""
    return bool({Action.VIEW, Action.BE_SCREEN} & actions(actor))


def require_village(actor: Actor, village_id: int | None, what: str) -> None:
    """Raise HubError(NOT_FOUND), which reveals nothing, when the object is outside the actor's villages."""
    if not actor.sees(village_id):
        raise HubError(Kind.NOT_FOUND, f"there is no such {what}")
