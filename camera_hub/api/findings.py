"""Findings of patrols: list, sheet, pictures; making and correcting them."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_township
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, Moment
from camera_hub.api.schemas.proof import (
    Category,
    ChangeFinding,
    FindingAnswer,
    FindingBody,
    FindingCategoryAnswer,
    FindingsAnswer,
)
from camera_hub.api.sheet_bodies import XLSX, Language, download
from camera_hub.clock import Clock
from camera_hub.patrol.proof.finding_list import LIMIT, FindingList, FindingQuery
from camera_hub.patrol.proof.finding_sheet import MOST_ROWS, finding_sheet
from camera_hub.patrol.proof.findings import MAX_PHOTO, Findings, NewFinding
from camera_hub.settings import Settings
from camera_hub.sheets.language import said

router = APIRouter(tags=["findings"])

PHOTO_PATH = r"/api/findings/[0-9]{1,10}/photo"
"""Where photos are uploaded (api.limits)."""
_JPEG = "image/jpeg"
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {_JPEG: {}}}}

Reader = Annotated[Actor, needs(Action.READ_RECORDS)]
Runner = Annotated[Actor, needs(Action.RUN_TOURS)]
AllFindings = Annotated[FindingList, part(FindingList)]
KeptFindings = Annotated[Findings, part(Findings)]
HubSettings = Annotated[Settings, part(Settings)]


def asked(
    run_id: Id | None = None,
    village_id: Id | None = None,
    camera_id: Id | None = None,
    category: Category | None = None,
    begin: Moment | None = None,
    end: Moment | None = None,
    text: Annotated[str, Query(max_length=64, pattern="^[^\\x00]*$")] = "",
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = 50,
) -> FindingQuery:
    """`begin` ≤ at < `end`; `text`: part of the words or of the names of camera or village."""
    return FindingQuery(run_id, village_id, camera_id, category, begin, end, text, before, limit)


Asked = Annotated[FindingQuery, Depends(asked)]


@router.get("/api/findings")
async def findings(actor: Reader, findings: AllFindings, query: Asked) -> FindingsAnswer:
    """Findings, newest first."""
    return FindingsAnswer.model_validate(await findings.listed(actor, query))


@router.get("/api/findings/categories")
async def finding_categories(actor: Reader, settings: HubSettings) -> list[FindingCategoryAnswer]:
    """The categories, in the order in which they are offered."""
    given = settings.patrol.finding_categories
    return [FindingCategoryAnswer(code=code, zh=zh, en=en) for code, (zh, en) in given.items()]


@router.get(
    "/api/findings/export.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The findings as a sheet, newest first."}},
)
async def export_findings(
    actor: Reader, findings: AllFindings, settings: HubSettings, query: Asked, language: Language = "zh"
) -> Response:
    """All findings of the query as a sheet; of more than it may have, the newest."""
    found = await findings.newest(actor, query, MOST_ROWS)
    categories = settings.patrol.finding_categories
    content = await run_in_threadpool(finding_sheet, found, categories, settings.site.zone, language)
    return download(said(("巡查发现问题.xlsx", "Findings of patrols.xlsx"), language), content, "findings.xlsx")


@router.post("/api/runs/{run_id}/findings", status_code=201)
async def add_finding(run_id: Id, body: FindingBody, actor: Runner, findings: KeptFindings) -> FindingAnswer:
    """Note what was found at a camera; its result becomes abnormal. The hub takes a picture, within a few seconds.

    409 `already_confirmed`: it is confirmed as normal, and `change` does not say that the user knows.
    """
    new = NewFinding(body.position, body.camera_id, body.category, body.words, body.change)
    return FindingAnswer.model_validate(await findings.add(actor, run_id, new))


@router.get("/api/findings/{finding_id}")
async def finding(finding_id: Id, actor: Reader, findings: AllFindings) -> FindingAnswer:
    return FindingAnswer.model_validate(await findings.get(actor, finding_id))


@router.patch("/api/findings/{finding_id}")
async def change_finding(finding_id: Id, body: ChangeFinding, actor: Runner, findings: KeptFindings) -> FindingAnswer:
    """Correct a finding: whoever made it, and the operator. 409 `run_ended` once its patrol has ended."""
    return FindingAnswer.model_validate(await findings.change(actor, finding_id, body.category, body.words))


@router.delete("/api/findings/{finding_id}")
async def delete_finding(
    finding_id: Id, actor: Runner, findings: KeptFindings, clock: Annotated[Clock, part(Clock)]
) -> Done:
    """Withdraw a finding that was a mistake: whoever made it, and the operator. The record keeps what it said, and who
    withdrew it. 409 `run_ended` once its patrol has ended."""
    await findings.delete(actor, finding_id)
    return Done(at=clock.now())


@router.get(
    "/api/findings/{finding_id}/picture.jpg", response_class=Response, responses={200: {"content": {_JPEG: {}}}}
)
async def finding_picture(finding_id: Id, actor: Reader, findings: AllFindings) -> Response:
    """What the hub saw at that moment."""
    return Response(await findings.picture(actor, finding_id), headers=_headers(), media_type=_JPEG)


@router.get("/api/findings/{finding_id}/photo.jpg", response_class=Response, responses=_PICTURE)
async def finding_photo(finding_id: Id, actor: Reader, findings: AllFindings) -> Response:
    """The photo that a person added."""
    return Response(await findings.picture(actor, finding_id, photo=True), headers=_headers(), media_type=_JPEG)


@router.post(
    "/api/findings/{finding_id}/photo",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary", "maxLength": MAX_PHOTO}}},
        }
    },
)
async def add_finding_photo(finding_id: Id, request: Request, actor: Runner, findings: KeptFindings) -> FindingAnswer:
    """Add a photo: JPEG, PNG or WebP of up to 8 MiB, which is scaled down and loses its metadata (place, device)."""
    await findings.require_open(actor, finding_id)  # before 8 MiB are read
    return FindingAnswer.model_validate(await findings.add_photo(actor, finding_id, await request.body()))


def live(findings: FindingList) -> SharedReader:
    """Findings, for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {one.id: to_township(FindingAnswer.model_validate(one)) for one in await findings.some(ids)}

    return read


def _headers() -> dict[str, str]:
    """A photo may be replaced while the patrol is on."""
    return {"Cache-Control": "private, max-age=60"}
