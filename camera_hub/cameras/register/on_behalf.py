"""What township staff do for a village is marked, with who and when (代办). Pure except for writing the row."""

from datetime import datetime

from camera_hub.access.policy import Actor
from camera_hub.store.tables import Camera, Device


def on_behalf(actor: Actor) -> bool:
    """Whether what the actor does for a village is done on its behalf: by somebody who is not bound to villages."""
    return not actor.bound


def mark(row: Device | Camera, actor: Actor, now: datetime) -> None:
    """Write down that the actor did something for the village; nothing where the village did it."""
    if on_behalf(actor):
        row.on_behalf_by, row.on_behalf_at = actor.display_name, now
