"""Sealed records of patrols: seal, signature, notes."""

from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.records import AddNote, RecordAnswer, Sign
from camera_hub.errors import HubError
from camera_hub.patrol.records.reviews import RecordReviewed, RecordReviews

router = APIRouter(tags=["records"])

Reader = Annotated[Actor, needs(Action.READ_RECORDS)]
Reviews = Annotated[RecordReviews, part(RecordReviews)]


@router.get("/api/runs/{run_id}/record")
async def record(run_id: Id, actor: Reader, reviews: Reviews) -> RecordAnswer:
    """The seal and the reviews of a run's record."""
    return RecordAnswer.model_validate(await reviews.of(actor, run_id))


@router.post("/api/runs/{run_id}/sign")
async def sign(
    run_id: Id, body: Sign, actor: Annotated[Actor, needs(Action.SIGN_RECORDS)], reviews: Reviews
) -> RecordAnswer:
    """Approve or return a sealed record. 409 `record_reviewed` carries its new state in params.record; 409
    `not_sealed`, `signed_already`; 403 `own_record` to who has run the patrol."""
    try:
        view = await reviews.sign(actor, run_id, body.opinion, body.words, body.reviews)
    except RecordReviewed as reviewed:
        record = RecordAnswer.model_validate(reviewed.view).model_dump(mode="json")
        raise HubError(reviewed.kind, reviewed.detail, reason=reviewed.reason, record=record) from reviewed
    return RecordAnswer.model_validate(view)


@router.post("/api/runs/{run_id}/notes", status_code=201)
async def add_note(
    run_id: Id, body: AddNote, actor: Annotated[Actor, needs(Action.RUN_TOURS)], reviews: Reviews
) -> RecordAnswer:
    """Add words to the sealed record of a patrol that one has run; nothing of the record is edited."""
    return RecordAnswer.model_validate(await reviews.note(actor, run_id, body.words))
