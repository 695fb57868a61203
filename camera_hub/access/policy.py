"""The one policy: (who, action, whose village) → yes or no. Pure; every route asks it or the build fails."""

from dataclasses import dataclass
from enum import StrEnum

from camera_hub.errors import HubError, Kind


class Role(StrEnum):
    """The five kinds of people."""

    TOWNSHIP_ADMIN = "township_admin"
    OPERATOR = "operator"
    VILLAGE_ADMIN = "village_admin"
    MAINTAINER = "maintainer"
    LEADER = "leader"


class Action(StrEnum):
    """What a route lets one do."""

    SELF = "self"  # one's own session, password, favourites
    VIEW = "view"  # the tree, live pictures, snapshots, scenes, tours and running patrols
    LISTEN = "listen"  # hear a camera that one watches, where the site has sound at all (media.audio)
    READ_HEALTH = "read_health"  # alarms, observations
    ACKNOWLEDGE = "acknowledge"
    REGISTER = "register"  # search, add and change devices and cameras
    APPROVE = "approve"  # approve, retire, order cameras
    MANAGE_VILLAGES = "manage_villages"
    MANAGE_USERS = "manage_users"
    EDIT_TOURS = "edit_tours"  # tours and scenes
    RUN_TOURS = "run_tours"
    READ_RECORDS = "read_records"  # what patrols showed
    READ_SYSTEM = "read_system"
    MANAGE_SYSTEM = "manage_system"  # restart parts of the running hub
    MANAGE_STREAM_TOKENS = "manage_stream_tokens"  # RTSP out: tokens, and the register of their sessions


_ALL = frozenset(Action)
_MAY: dict[Role, frozenset[Action]] = {
    Role.TOWNSHIP_ADMIN: _ALL,
    Role.OPERATOR: frozenset(
        {
            Action.SELF,
            Action.VIEW,
            Action.LISTEN,
            Action.READ_HEALTH,
            Action.ACKNOWLEDGE,
            Action.EDIT_TOURS,
            Action.RUN_TOURS,
            Action.READ_RECORDS,
        }
    ),
    Role.VILLAGE_ADMIN: frozenset(
        {Action.SELF, Action.VIEW, Action.LISTEN, Action.READ_HEALTH, Action.ACKNOWLEDGE, Action.REGISTER}
    ),
    Role.MAINTAINER: frozenset(
        {Action.SELF, Action.VIEW, Action.LISTEN, Action.READ_HEALTH, Action.ACKNOWLEDGE, Action.READ_SYSTEM}
    ),
    Role.LEADER: frozenset({Action.SELF, Action.VIEW, Action.LISTEN, Action.READ_HEALTH, Action.READ_RECORDS}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user in a session. `village_id` is set for village admins and bounds all they see."""

    user_id: int
    username: str
    display_name: str
    role: Role
    village_id: int | None = None

    @property
    def scope(self) -> int | None:
        """The one village whose rows may be read, or None for all. A village admin without village sees nothing."""
        if self.role is Role.VILLAGE_ADMIN:
            return self.village_id if self.village_id is not None else 0
        return None


def actions(role: Role) -> frozenset[Action]:
    """All that the role may do."""
    return _MAY[role]


def allows(actor: Actor, action: Action, village_id: int | None = None) -> bool:
    """Whether `actor` may do `action`; `village_id` is that of the object, None where there is no object."""
    if action not in _MAY[actor.role]:
        return False
    return village_id is None or actor.scope is None or actor.scope == village_id


def require_village(actor: Actor, village_id: int | None, what: str) -> None:
    """Raise HubError(NOT_FOUND) when the object lies outside the actor's village: its existence is not told either."""
    if actor.scope is not None and actor.scope != village_id:
        raise HubError(Kind.NOT_FOUND, f"there is no such {what}")
