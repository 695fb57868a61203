"""Viewers: a page's peer connection with a relay."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Key
from camera_hub.api.schemas.media import MediaAnswer, NewViewer, TileFiguresAnswer, ViewerOfferAnswer
from camera_hub.clock import Clock
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.viewers import Viewers
from camera_hub.settings import Settings

router = APIRouter(prefix="/api", tags=["media"])

TRACKS = 16
"""Video m-lines a page offers at once; larger layouts have a second connection for the rest of their tiles."""

Watching = Annotated[Actor, needs(Action.VIEW)]
TheViewers = Annotated[Viewers, part(Viewers)]


@router.get("/media")
async def media_parameters(
    actor: Watching,
    pages: Annotated[PageConnections, part(PageConnections)],
    audio: Annotated[PageAudio, part(PageAudio)],
    settings: Annotated[Settings, part(Settings)],
) -> MediaAnswer:
    """What a page must know to build its peer connections: one per relay."""
    return MediaAnswer(
        ice_servers=list(settings.media.ice_servers),
        relays=sorted(pages.relay_epochs()),
        tracks=TRACKS,
        audio=audio.may(actor),
    )


@router.post("/viewers", status_code=201)
async def offer(actor: Watching, viewers: TheViewers, body: NewViewer) -> ViewerOfferAnswer:
    """Answer the page's offer. An earlier viewer of the same page, relay and first tile ends."""
    return ViewerOfferAnswer.model_validate(
        await viewers.offer(actor, body.page, body.relay, body.sdp, first=body.first)
    )


@router.get("/viewers/{viewer}/figures")
async def figures(actor: Watching, viewers: TheViewers, viewer: Key) -> list[TileFiguresAnswer]:
    """Measurements of each tile of one's own viewer; the wall's overlay polls them while it is open."""
    return [TileFiguresAnswer.model_validate(reading) for reading in await viewers.readings(viewer, actor)]


@router.delete("/viewers/{viewer}")
async def close(actor: Watching, viewers: TheViewers, clock: Annotated[Clock, part(Clock)], viewer: Key) -> Done:
    """Close one's own viewer."""
    await viewers.close(viewer, actor)
    return Done(at=clock.now())
