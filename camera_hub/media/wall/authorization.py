"""Whether this person may see this camera now, and what is known of its fault."""

from dataclasses import dataclass
from datetime import datetime

from camera_hub.access.actors import read_actor
from camera_hub.access.policy import Action, Actor, allows, require_village
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.settings import MediaSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a tile needs of a camera's row."""

    camera_id: int
    village_id: int
    state: str
    fault_since: datetime | None


async def facts_of(database: Database, camera_id: int) -> CameraFacts:
    """Raises HubError(NOT_FOUND)."""
    async with database.read() as session:
        camera = await session.get(Camera, camera_id)
    if camera is None:
        raise HubError(Kind.NOT_FOUND, "there is no such camera")
    since = camera.health_since if camera.health == "fault" else None
    return CameraFacts(camera.id, camera.village_id, camera.state, since)


async def watchable(database: Database, actor: Actor, camera_id: int) -> CameraFacts:
    """The camera, if the actor may watch it. Raises HubError: NOT_FOUND, NOT_APPROVED, RETIRED."""
    facts = await facts_of(database, camera_id)
    require_village(actor, facts.village_id, "camera")
    if facts.state == "retired":
        raise HubError(Kind.CONFLICT, "this camera is retired", reason=Reason.RETIRED)
    if facts.state != "approved":
        raise HubError(Kind.CONFLICT, "this camera is not approved yet", reason=Reason.NOT_APPROVED)
    return facts


def may_listen(settings: MediaSettings, actor: Actor, village_id: int | None = None) -> bool:
    """Whether the site has sound at all, and this person may hear (that village's)."""
    return settings.audio and allows(actor, Action.LISTEN, village_id)


async def actor_of(database: Database, user_id: int, now: datetime) -> Actor | None:
    """The user as they are at that time; None when they may not watch anything (disabled, gone, another role)."""
    async with database.read() as session:
        reading = await read_actor(session, user_id, now)
    return reading.actor if reading is not None and allows(reading.actor, Action.VIEW) else None
