"""The inbox: what waits in a village, and what is done about candidates."""

import hashlib
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.api.live_changes import HUB, Render, SharedReader
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.inbox import (
    CandidateAnswer,
    ChangeCandidate,
    InboxAnswer,
    InboxCountsAnswer,
    InboxDeviceAnswer,
    IntakeAnswer,
    TryCandidates,
)
from camera_hub.api.schemas.jobs import JobAnswer
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.intake.inbox import Inbox, InboxCounts, InboxDevice
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.wanted import IntakeResult
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.decoders.pictures import Pictures

router = APIRouter(prefix="/api", tags=["inbox"])

Newcomer = Annotated[Actor, needs(Action.INTAKE)]
Boxes = Annotated[Inbox, part(Inbox)]
Taking = Annotated[Intake, part(Intake)]
_JPEG = "image/jpeg"


@router.get("/inbox")
async def inbox(
    actor: Newcomer,
    boxes: Boxes,
    logins: Annotated[LoginBudget, part(LoginBudget)],
    village_id: Id | None = None,
) -> InboxAnswer:
    """What waits: counts of every village in scope; with `village_id` its candidates and devices too."""
    counts = [InboxCountsAnswer.model_validate(one) for one in await boxes.counts(actor)]
    if village_id is None:
        return InboxAnswer(villages=counts, candidates=[], devices=[])
    found = await boxes.of(actor, village_id)
    return InboxAnswer(
        villages=counts,
        candidates=[CandidateAnswer.model_validate(one) for one in found.candidates],
        devices=[_with_pause(one, logins) for one in found.devices],
    )


@router.get(
    "/inbox/cameras/{waiting_id}/picture",
    response_class=Response,
    responses={200: {"content": {_JPEG: {}}}, 304: {"description": "unchanged"}},
)
async def waiting_picture(
    waiting_id: Id, actor: Newcomer, boxes: Boxes, pictures: Annotated[Pictures, part(Pictures)], request: Request
) -> Response:
    """The key frame of a camera that is not approved yet; 404 when there is none, or it is not for this user."""
    await boxes.require_picture(actor, waiting_id)
    jpeg = await pictures.read(waiting_id)
    if jpeg is None:
        raise HubError(Kind.NOT_FOUND, "there is no picture of this camera yet", reason="no_picture")
    tag = f'"{hashlib.sha256(jpeg).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, headers=headers, media_type=_JPEG)


@router.post("/candidates/try", response_model=JobAnswer, status_code=201)
async def try_candidates(
    body: TryCandidates, actor: Newcomer, boxes: Boxes, intake: Taking, jobs: Annotated[Jobs, part(Jobs)]
) -> JobView:
    """Try several candidates again, as a job (/api/jobs); those that are not there any more are left out."""
    waiting = await boxes.named(actor, body.ids)
    villages = {one.village_id for one in waiting}

    async def work(item: JobItem) -> JobVerdict:
        result = await intake.try_again(actor, int(item.key))
        return JobVerdict(result.device_id is not None, result.reason, result.detail, dict(result.params))

    items = [JobItem(str(one.id), one.name or one.host) for one in waiting]
    return jobs.start(actor, "try", villages.pop() if len(villages) == 1 else None, items, work)


@router.post("/candidates/{candidate_id}/try")
async def try_candidate(candidate_id: Id, actor: Newcomer, intake: Taking) -> IntakeAnswer:
    """Try to register the device now."""
    return answered(await intake.try_again(actor, candidate_id))


@router.post("/candidates/{candidate_id}/dismiss")
async def dismiss_candidate(
    candidate_id: Id, actor: Newcomer, intake: Taking, clock: Annotated[Clock, part(Clock)]
) -> Done:
    """Forget a device that waits."""
    await intake.dismiss(actor, candidate_id)
    return Done(at=clock.now())


@router.patch("/candidates/{candidate_id}")
async def change_candidate(
    candidate_id: Id, body: ChangeCandidate, actor: Newcomer, intake: Taking, boxes: Boxes
) -> CandidateAnswer:
    """Correct its address, login or name; it is tried when somebody asks."""
    await intake.change(
        actor,
        candidate_id,
        name=body.name,
        host=body.host,
        port=body.port,
        rtsp_port=body.rtsp_port,
        username=body.username,
        password=body.password.get_secret_value() if body.password is not None else None,
    )
    (found,) = await boxes.named(actor, [candidate_id])
    return CandidateAnswer.model_validate(found)


def answered(result: IntakeResult) -> IntakeAnswer:
    """What became of a wanted device, as a page gets it."""
    return IntakeAnswer(
        device_id=result.device_id,
        candidate_id=result.candidate_id,
        cameras=sorted(result.camera_ids.values()),
        reason=result.reason,
        detail=result.detail,
        params=dict(result.params),
    )


def live(boxes: Inbox) -> SharedReader:
    """Counts of villages' inboxes for the pages' WebSockets."""

    async def read(ids: Collection[Any]) -> dict[Any, Render]:
        counts = {one.village_id: one for one in await boxes.counts(HUB)}
        return {village_id: _counted(counts[village_id]) for village_id in ids if village_id in counts}

    return read


def _counted(counts: InboxCounts) -> Render:
    answer = InboxCountsAnswer.model_validate(counts)
    return lambda actor: answer if allows(actor, Action.INTAKE, counts.village_id) else None


def _with_pause(device: InboxDevice, logins: LoginBudget) -> InboxDeviceAnswer:
    pause = logins.pause(device.id)
    return InboxDeviceAnswer.model_validate(
        {**asdict(device), "login_reason": pause.reason, "login_retry_at": pause.until}
    )
