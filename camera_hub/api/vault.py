"""The vault that seals the logins of devices: how it stands, and a new key while the hub serves."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.key_rotation import VaultState
from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.api.schemas.vault import VaultAnswer
from camera_hub.cameras.bulk.key_change import KeyChange
from camera_hub.cameras.jobs import JobView

router = APIRouter(prefix="/api/vault", tags=["system"])

Manager = Annotated[Actor, needs(Action.MANAGE_SYSTEM)]
Keys = Annotated[KeyChange, part(KeyChange)]


@router.get("", response_model=VaultAnswer)
async def vault(actor: Manager, keys: Keys) -> VaultState:
    return await keys.state()


@router.post("/key", response_model=JobProgressAnswer, status_code=201)
async def change_key(actor: Manager, keys: Keys) -> JobView:
    """Add a key, seal everything with it, and remove the old one; or continue what was begun."""
    return await keys.start(actor)
