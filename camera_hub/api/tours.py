"""Tours."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import HUB, SharedReader, each, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.patrol import TourAnswer, TourBody
from camera_hub.clock import Clock
from camera_hub.patrol.tours.tours import NewStop, Tours

router = APIRouter(prefix="/api/tours", tags=["tours"])


@router.get("")
async def tours(actor: Annotated[Actor, needs(Action.VIEW)], tours: Annotated[Tours, part(Tours)]) -> list[TourAnswer]:
    """All tours by name."""
    return [TourAnswer.model_validate(tour) for tour in await tours.list(actor)]


@router.post("", status_code=201)
async def create(
    body: TourBody, actor: Annotated[Actor, needs(Action.EDIT_TOURS)], tours: Annotated[Tours, part(Tours)]
) -> TourAnswer:
    """Create a tour."""
    return TourAnswer.model_validate(await tours.create(actor, body.name, body.note, _stops(body)))


@router.get("/{tour_id}")
async def tour(
    tour_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], tours: Annotated[Tours, part(Tours)]
) -> TourAnswer:
    """One tour with its stops."""
    return TourAnswer.model_validate(await tours.get(actor, tour_id))


@router.put("/{tour_id}")
async def change(
    tour_id: Id,
    body: TourBody,
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)],
    tours: Annotated[Tours, part(Tours)],
) -> TourAnswer:
    """Replace the whole tour; active runs are not changed."""
    return TourAnswer.model_validate(await tours.change(actor, tour_id, body.name, body.note, _stops(body)))


@router.delete("/{tour_id}")
async def remove(
    tour_id: Id,
    actor: Annotated[Actor, needs(Action.EDIT_TOURS)],
    tours: Annotated[Tours, part(Tours)],
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    """Retire the tour; the records of its runs are kept."""
    await tours.remove(actor, tour_id)
    return Done(at=clock.now())


def live(tours: Tours) -> SharedReader:
    """Tours for the pages' WebSockets; the id 0, which no tour has, means that scenes have changed."""
    return lambda ids: each(
        ids, lambda id: tours.get(HUB, id), lambda view: to_township(TourAnswer.model_validate(view))
    )


def _stops(body: TourBody) -> list[NewStop]:
    return [NewStop(stop.camera_id, stop.scene_id, stop.dwell_s, stop.note, stop.preset) for stop in body.stops]
