"""Who may run and change a tour. Pure.

A tour is open to all whose role runs or edits tours, unless it names roles. Its owner and township admins always may.
"""

from collections.abc import Collection

from camera_hub.access.policy import Action, Actor, Role, role_actions
from camera_hub.errors import HubError, Kind


def may_run(actor: Actor, roles: Collection[str], owner_id: int | None) -> bool:
    """Whether the actor, whose role runs tours, may run a tour that is kept for `roles` (empty: for all)."""
    return not roles or actor.role in roles or actor.role is Role.TOWNSHIP_ADMIN or actor.user_id == owner_id


def require_run(actor: Actor, roles: Collection[str], owner_id: int | None) -> None:
    """Raise HubError(FORBIDDEN) if the actor may not."""
    if not may_run(actor, roles, owner_id):
        raise HubError(
            Kind.FORBIDDEN, f"this tour is kept for other roles: {', '.join(roles)}", reason="tour_not_yours"
        )


def require_edit(actor: Actor, roles: Collection[str], owner_id: int | None) -> None:
    """Raise HubError(FORBIDDEN) if the actor may not change a tour that `roles` (empty: all) edit."""
    if not may_run(actor, roles, owner_id):
        raise HubError(
            Kind.FORBIDDEN, "only its owner and township admins may change this tour; make a copy", reason="tour_locked"
        )


def require_roles(roles: Collection[str], action: Action) -> None:
    """Raise HubError(INVALID) if a role could never do that with a tour."""
    for role in roles:
        if action not in role_actions(Role(role)):
            raise HubError(
                Kind.INVALID, f"the role {role} never may do that ({action.value})", reason="role_cannot", role=role
            )
