"""Scenes, tours and runs are the township's, across its villages: those who are bound to some villages see none."""

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind


def sees(actor: Actor) -> bool:
    """Whether the actor may see what is the township's."""
    return not actor.bound


def require(actor: Actor, what: str) -> None:
    """Raise HubError(NOT_FOUND) for those who may not: not even its existence is revealed."""
    if not sees(actor):
        raise not_found(what)


def not_found(what: str) -> HubError:
    """There is none, or none for this actor."""
    return HubError(Kind.NOT_FOUND, f"there is no such {what}")
