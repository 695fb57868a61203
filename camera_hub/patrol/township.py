"""Scenes, tours and runs belong to the whole township: users who are restricted to some villages do not see them."""

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind


def sees(actor: Actor) -> bool:
    """Whether the actor may see what belongs to the whole township."""
    return not actor.bound


def require(actor: Actor, what: str) -> None:
    """Raise HubError(NOT_FOUND) if the actor may not: not even the existence of a `what` is revealed."""
    if not sees(actor):
        raise not_found(what)


def not_found(what: str) -> HubError:
    """The error for what does not exist, or not for this actor."""
    return HubError(Kind.NOT_FOUND, f"there is no such {what}")
