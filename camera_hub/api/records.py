"""Records of patrols: the list, seal, signature, notes, verification, sheets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.concurrency import run_in_threadpool

from camera_hub.access.policy import Action, Actor
from camera_hub.api.record_words import record_words
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id, Moment
from camera_hub.api.schemas.records import (
    AddNote,
    RecordAnswer,
    RecordCheckAnswer,
    RecordCountsAnswer,
    RecordDoubtsAnswer,
    RecordReviewsAnswer,
    RecordRowAnswer,
    RecordsAnswer,
    Sign,
)
from camera_hub.api.sheet_bodies import XLSX, Language, download
from camera_hub.errors import HubError
from camera_hub.patrol.records.export import RecordExport
from camera_hub.patrol.records.listing import RecordList, RecordQuery, RecordState, SignedState
from camera_hub.patrol.records.reviews import RecordReviewed, RecordReviews, RecordView
from camera_hub.patrol.records.sheet import record_workbook, records_workbook
from camera_hub.patrol.records.verify import RecordVerification
from camera_hub.settings import Settings

router = APIRouter(tags=["records"])

MOST_DETAILED = 300
"""Records of an export whose results are listed one by one: those that tell of something (RecordRow.tells)."""

Reader = Annotated[Actor, needs(Action.READ_RECORDS)]
Signer = Annotated[Actor, needs(Action.SIGN_RECORDS)]
Runner = Annotated[Actor, needs(Action.RUN_TOURS)]
Reviews = Annotated[RecordReviews, part(RecordReviews)]
Records = Annotated[RecordList, part(RecordList)]
Export = Annotated[RecordExport, part(RecordExport)]
Verification = Annotated[RecordVerification, part(RecordVerification)]
AllSettings = Annotated[Settings, part(Settings)]


def asked(
    state: RecordState | None = None,
    loop: bool | None = None,
    tour_id: Id | None = None,
    operator_id: Id | None = None,
    begin: Moment | None = None,
    end: Moment | None = None,
    signed: SignedState | None = None,
    findings: bool | None = None,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RecordQuery:
    """`begin` ≤ started < `end`; `loop`: presentations only, or patrols only; `findings`: with or without."""
    return RecordQuery(state, loop, tour_id, operator_id, begin, end, signed, findings, before, limit)


Asked = Annotated[RecordQuery, Depends(asked)]


@router.get("/api/records")
async def records(actor: Reader, records: Records, query: Asked) -> RecordsAnswer:
    """Patrols and presentations, newest first, with their results, seal and signature."""
    found = await records.listed(actor, query)
    return RecordsAnswer(
        records=[RecordRowAnswer.model_validate(one) for one in found],
        next=found[-1].id if len(found) == query.limit else None,
    )


@router.get("/api/records/counts")
async def record_counts(actor: Reader, records: Records) -> RecordCountsAnswer:
    """How many records wait for a signature or were returned, and who has run patrols."""
    return RecordCountsAnswer.model_validate(await records.counts(actor))


@router.get(
    "/api/records/records.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "One line per patrol; what was abnormal or found."}},
)
async def records_xlsx(
    actor: Reader, export: Export, settings: AllSettings, query: Asked, language: Language = "zh"
) -> Response:
    """The patrols that the query asks for; 413 `too_many_records` for more than 2,000."""
    rows = await export.several(actor, query)
    telling = [one for one in rows if one.tells]
    worth = [await export.full(one) for one in telling[:MOST_DETAILED]]
    zone = settings.site.zone
    days = [f"{at.astimezone(zone):%Y-%m-%d}" for at in (query.begin, query.end) if at is not None]
    words = record_words(settings, language)
    span = words.say(
        f"范围：{' 至 '.join(days) or '全部'}，共 {len(rows)} 次", f"{' to '.join(days) or 'All'}, {len(rows)} in all"
    )
    if len(telling) > len(worth):
        span += words.say(
            f"；逐路只列出最近 {len(worth)} 次有异常的巡查",
            f"; cameras of the newest {len(worth)} with something abnormal only",
        )
    content = await run_in_threadpool(records_workbook, rows, worth, words, span)
    name = words.say("视频巡查记录", "Patrol records ")
    return download(f"{name}{'-'.join(days)}".strip() + ".xlsx", content, "records.xlsx")


@router.get("/api/runs/{run_id}/record")
async def record(run_id: Id, actor: Reader, reviews: Reviews, verification: Verification) -> RecordAnswer:
    """The seal and the reviews of a run's record, and what shows that it was tampered with."""
    return await _answer(actor, await reviews.of(actor, run_id), verification)


@router.get(
    "/api/runs/{run_id}/record.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The record, a sheet for each part of it."}},
)
async def record_xlsx(
    run_id: Id, actor: Reader, export: Export, settings: AllSettings, language: Language = "zh"
) -> Response:
    """One record in full."""
    found = await export.one(actor, run_id)
    words = record_words(settings, language)
    content = await run_in_threadpool(record_workbook, found, words)
    name = words.say("视频巡查记录", "Patrol record ")
    return download(f"{name}{run_id}-{found.row.tour_name}.xlsx", content, "record.xlsx")


@router.post("/api/runs/{run_id}/verify")
async def verify(
    run_id: Id,
    actor: Reader,
    reviews: Reviews,
    verification: Verification,
) -> RecordCheckAnswer:
    """Compare the sealed record with its rows and pictures as they are now. 409 `not_sealed`; 429 while another one is
    verified."""
    await reviews.of(actor, run_id)  # 404 for a run that does not exist
    return RecordCheckAnswer.model_validate(await verification.check(actor, run_id))


@router.post("/api/runs/{run_id}/sign")
async def sign(
    run_id: Id,
    body: Sign,
    actor: Signer,
    reviews: Reviews,
    verification: Verification,
) -> RecordAnswer:
    """Approve or return the sealed record of a submitted patrol.

    409 `record_reviewed` carries its new state in params.record; 409 `not_sealed`, `not_submitted`, `signed_already`,
    `not_as_sealed` (approving what was changed since); 403 `own_record` to who took part in the patrol.
    """
    if body.opinion == "approved" and (await reviews.of(actor, run_id)).may_sign:
        await verification.require_intact(actor, run_id)
    try:
        view = await reviews.sign(actor, run_id, body.opinion, body.words, body.reviews)
    except RecordReviewed as reviewed:
        record = (await _answer(actor, reviewed.view, verification)).model_dump(mode="json")
        raise HubError(reviewed.kind, reviewed.detail, reason=reviewed.reason, record=record) from reviewed
    return await _answer(actor, view, verification)


@router.post("/api/runs/{run_id}/notes", status_code=201)
async def add_note(
    run_id: Id, body: AddNote, actor: Runner, reviews: Reviews, verification: Verification
) -> RecordAnswer:
    """Add words to the sealed record of a patrol that one took part in; nothing of the record is edited."""
    return await _answer(actor, await reviews.note(actor, run_id, body.words), verification)


async def _answer(actor: Actor, view: RecordView, verification: RecordVerification) -> RecordAnswer:
    reviews = RecordReviewsAnswer.model_validate(view)
    doubts = RecordDoubtsAnswer.model_validate(await verification.doubts(actor, view.run_id))
    return RecordAnswer(**dict(reviews), **dict(doubts))
