"""Reference pictures of cameras: what their pictures are compared with, and the question whether a change is right."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.pictures import NewReference, Profile, ReferenceAnswer, ReferenceQuestion, ReferencesAnswer
from camera_hub.health.references.references import References, ReferencesView, ReferenceView

router = APIRouter(tags=["pictures"])

_JPEG = "image/jpeg"
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {_JPEG: {}}}}
Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
Answerer = Annotated[Actor, needs(Action.SET_DEVICES)]
All = Annotated[References, part(References)]


@router.get("/api/references/questions")
async def reference_questions(actor: Reader, references: All) -> list[ReferencesAnswer]:
    """Cameras whose picture has changed for good: each asks whether that is right."""
    return [_answer(one) for one in await references.questions(actor)]


@router.get("/api/cameras/{camera_id}/references")
async def camera_references(actor: Reader, references: All, camera_id: Id) -> ReferencesAnswer:
    """What is known of a camera by day and by night, and what is asked."""
    return _answer(await references.of(actor, camera_id))


@router.post("/api/cameras/{camera_id}/references")
async def give_reference(actor: Answerer, references: All, camera_id: Id, wish: NewReference) -> ReferencesAnswer:
    """The present picture is the new reference."""
    return _answer(await references.give(actor, camera_id, wish.profile, wish.given_from))


@router.delete("/api/cameras/{camera_id}/references")
async def forget_references(actor: Answerer, references: All, camera_id: Id) -> ReferencesAnswer:
    """Learn both anew: the camera was turned on purpose."""
    return _answer(await references.forget(actor, camera_id))


@router.get("/api/cameras/{camera_id}/references/{profile}.jpg", response_class=Response, responses=_PICTURE)
async def reference_picture(actor: Reader, references: All, camera_id: Id, profile: Profile) -> Response:
    """The JPEG of a reference."""
    return _jpeg(await references.read(actor, camera_id, profile))


@router.get("/api/cameras/{camera_id}/references/{profile}/look.jpg", response_class=Response, responses=_PICTURE)
async def differing_picture(actor: Reader, references: All, camera_id: Id, profile: Profile) -> Response:
    """The JPEG of the last picture that differed."""
    return _jpeg(await references.read_look(actor, camera_id, profile))


def _jpeg(data: bytes) -> Response:
    return Response(data, headers={"Cache-Control": "private, no-cache"}, media_type=_JPEG)


def _answer(view: ReferencesView) -> ReferencesAnswer:
    base = f"/api/cameras/{view.camera_id}/references"
    question = None
    if (asked := view.question) is not None:
        url = f"{base}/{asked.profile}/look.jpg?at={asked.look_at.timestamp():.0f}" if asked.look_at else None
        question = ReferenceQuestion(
            profile=asked.profile, since=asked.since, score=asked.score, look_at=asked.look_at, look_url=url
        )
    return ReferencesAnswer(
        camera_id=view.camera_id,
        day=_profile(f"{base}/day.jpg", view.day),
        night=_profile(f"{base}/night.jpg", view.night),
        question=question,
    )


def _profile(url: str, view: ReferenceView | None) -> ReferenceAnswer | None:
    if view is None:
        return None
    return ReferenceAnswer(
        state=view.state,
        at=view.at,
        picture_url=f"{url}?at={view.at.timestamp():.0f}" if view.at is not None else None,
        pictures=view.pictures,
        set_name=view.set_name,
        differs_since=view.differs_since,
        score=view.score,
    )
