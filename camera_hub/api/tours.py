"""Tours."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import HUB, SharedReader, each, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.tours import (
    ArchiveTour,
    ChangeTour,
    CopyTour,
    FromPlacesBody,
    PlaceStopsAnswer,
    TourAnswer,
    TourBody,
)
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol.tours.from_places import FromPlaces
from camera_hub.patrol.tours.presets import StopPreset
from camera_hub.patrol.tours.stops import NewStop
from camera_hub.patrol.tours.tours import TourChangedMeanwhile, TourDraft, Tours, TourSource

router = APIRouter(prefix="/api/tours", tags=["tours"])

AllTours = Annotated[Tours, part(Tours)]
Reader = Annotated[Actor, needs(Action.VIEW)]
Editor = Annotated[Actor, needs(Action.EDIT_TOURS)]


@router.get("")
async def tours(actor: Reader, tours: AllTours, archived: bool = False) -> list[TourAnswer]:
    """All tours by name: those in use, or those that are archived."""
    return [TourAnswer.model_validate(tour) for tour in await tours.list(actor, archived=archived)]


@router.post("", status_code=201)
async def create(body: TourBody, actor: Editor, tours: AllTours) -> TourAnswer:
    """Create a tour."""
    return TourAnswer.model_validate(await tours.create(actor, _draft(body)))


@router.post("/from-places")
async def from_places(
    body: FromPlacesBody, actor: Editor, places: Annotated[FromPlaces, part(FromPlaces)]
) -> PlaceStopsAnswer:
    """Stops of all cameras of some place classes and villages, in the order in which they lie. Nothing is stored."""
    source = TourSource(tuple(body.place_classes), tuple(body.village_ids), body.per_stop, body.dwell_s)
    return PlaceStopsAnswer.model_validate(await places.preview(actor, source, body.without))


@router.get("/{tour_id}")
async def tour(tour_id: Id, actor: Reader, tours: AllTours) -> TourAnswer:
    """One tour with its stops; also an archived one."""
    return TourAnswer.model_validate(await tours.get(actor, tour_id))


@router.put("/{tour_id}")
async def change(tour_id: Id, body: ChangeTour, actor: Editor, tours: AllTours) -> TourAnswer:
    """Replace the whole tour; active runs are not changed. 409 `tour_changed` carries its new state in params.tour."""
    try:
        view = await tours.change(actor, tour_id, _draft(body), body.revision)
    except TourChangedMeanwhile as changed:
        tour = TourAnswer.model_validate(changed.view).model_dump(mode="json")
        raise HubError(
            changed.kind, changed.detail, reason=changed.reason, **{**changed.params, "tour": tour}
        ) from changed
    return TourAnswer.model_validate(view)


@router.post("/{tour_id}/copy", status_code=201)
async def copy(tour_id: Id, body: CopyTour, actor: Editor, tours: AllTours) -> TourAnswer:
    """A tour of one's own with the same stops and settings."""
    return TourAnswer.model_validate(await tours.copy(actor, tour_id, body.name))


@router.post("/{tour_id}/archive")
async def archive(tour_id: Id, body: ArchiveTour, actor: Editor, tours: AllTours) -> TourAnswer:
    """Put the tour away, or take it back. An archived tour cannot be started."""
    return TourAnswer.model_validate(await tours.archive(actor, tour_id, archived=body.archived))


@router.delete("/{tour_id}")
async def remove(tour_id: Id, actor: Editor, tours: AllTours, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Retire the tour; the records of its runs are kept."""
    await tours.remove(actor, tour_id)
    return Done(at=clock.now())


def live(tours: Tours) -> SharedReader:
    """Tours for the pages' WebSockets; the id 0, which no tour has, means that scenes have changed."""
    return lambda ids: each(
        ids, lambda id: tours.get(HUB, id), lambda view: to_township(TourAnswer.model_validate(view))
    )


def _draft(body: TourBody) -> TourDraft:
    source = body.source
    return TourDraft(
        name=body.name,
        stops=[
            NewStop(
                stop.camera_id,
                stop.scene_id,
                stop.dwell_s,
                stop.note,
                tuple(StopPreset(one.camera_id, one.token, one.name) for one in stop.presets),
                stop.key,
                stop.layout,
                tuple(stop.cameras),
                stop.title,
            )
            for stop in body.stops
        ],
        note=body.note,
        kind=body.kind,
        roles=tuple(body.roles),
        edit_roles=tuple(body.edit_roles),
        confirm=body.confirm,
        least_s=body.least_s,
        interrupt=body.interrupt,
        source=None
        if source is None
        else TourSource(
            tuple(source.place_classes),
            tuple(source.village_ids),
            source.per_stop,
            source.dwell_s,
            tuple(source.left_out),
        ),
    )
