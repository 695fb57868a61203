"""Reports: figures of a span, per village, camera and maintenance unit; as .xlsx."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.concurrency import run_in_threadpool

from camera_hub.access.policy import Action, Actor
from camera_hub.api.report_answers import camera_answer, fault_answer, report_answer
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.reports import (
    CameraReportsAnswer,
    Day,
    FaultReportsAnswer,
    RankedKey,
    RepairVerdict,
    ReportAnswer,
)
from camera_hub.api.sheet_bodies import XLSX, Language, download
from camera_hub.health.exclusion_register import AT_ONCE, ExclusionQuery, ExclusionRegister, ExclusionView
from camera_hub.health.reports.report import CameraFigures
from camera_hub.health.reports.reports import NamedReport, ReportQuery, Reports
from camera_hub.health.reports.sheet import report_sheet
from camera_hub.health.reports.span import moment
from camera_hub.settings import Settings
from camera_hub.sheets.language import SheetWords

router = APIRouter(prefix="/api/reports", tags=["reports"])

MOST_EXCLUSIONS = 5000
"""Exclusions in a sheet."""

Reader = Annotated[Actor, needs(Action.READ_HEALTH)]
AllReports = Annotated[Reports, part(Reports)]
AllSettings = Annotated[Settings, part(Settings)]


def asked(
    first: Day,
    last: Day,
    village_id: Id | None = None,
    ranked_by: RankedKey = "online_time",
) -> ReportQuery:
    """`first`, `last`: days of the site's calendar, both included; `village_id`: of one village only."""
    return ReportQuery(first, last, village_id, ranked_by)


Asked = Annotated[ReportQuery, Depends(asked)]


@router.get("")
async def report(actor: Reader, reports: AllReports, settings: AllSettings, query: Asked) -> ReportAnswer:
    """The figures of the villages that the user may see, before and after exclusions, with counts and formulas."""
    return report_answer(await reports.report(actor, query), settings.reports, bound=actor.bound)


@router.get("/cameras", response_model=CameraReportsAnswer)
async def report_cameras(
    actor: Reader,
    reports: AllReports,
    query: Asked,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> Response:
    """The figures of each camera, the one with the least time online first."""
    found = await reports.report(actor, query)
    cameras = sorted(found.report.cameras, key=lambda one: _worst(one.shares["online_time"].after.hundredths))
    body = await run_in_threadpool(_cameras_body, found, cameras[offset : offset + limit], len(cameras))
    return Response(body, media_type="application/json")


@router.get("/faults")
async def report_faults(
    actor: Reader,
    reports: AllReports,
    settings: AllSettings,
    query: Asked,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    verdict: RepairVerdict | None = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> FaultReportsAnswer:
    """Faults that were open in the span, the newest first; `unit`: of a maintenance unit ("": of none)."""
    found = await reports.report(actor, query)
    faults = [
        one
        for one in reversed(found.report.faults)
        if (unit is None or unit in one.units) and (verdict is None or one.after.verdict == verdict)
    ]
    chosen = faults[offset : offset + limit]
    return FaultReportsAnswer(
        total=len(faults), faults=[fault_answer(found, one, settings.reports.due_hours) for one in chosen]
    )


@router.get(
    "/report.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The report, a sheet for each part of it."}},
)
async def report_xlsx(
    actor: Reader,
    reports: AllReports,
    register: Annotated[ExclusionRegister, part(ExclusionRegister)],
    settings: AllSettings,
    query: Asked,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    language: Language = "zh",
) -> Response:
    """Summary, villages, cameras, exclusions, faults and formulas; `unit`: only what a maintenance unit looks after."""
    found = await reports.report(actor, query)
    listed = await _exclusions(register, actor, found, query.village_id)
    words = SheetWords(language)
    content = await run_in_threadpool(
        report_sheet, found, listed, settings.reports, settings.site.zone, words, unit, bound=actor.bound
    )
    name = (
        f"{words.say('运行报表', 'Report ')}{query.first:%Y%m%d}-{query.last:%Y%m%d}{'-' + unit if unit else ''}.xlsx"
    )
    return download(name, content, "report.xlsx")


async def _exclusions(
    register: ExclusionRegister, actor: Actor, found: NamedReport, village_id: int | None
) -> list[ExclusionView]:
    """Those that overlap the span, whether approved or not."""
    begin, end = moment(found.report.span.begin), moment(found.report.span.end)
    listed: list[ExclusionView] = []
    before: int | None = None
    while len(listed) < MOST_EXCLUSIONS:
        query = ExclusionQuery(begin=begin, end=end, village_id=village_id, before=before, limit=AT_ONCE)
        page = await register.listed(actor, query)
        listed += page
        if len(page) < AT_ONCE:
            break
        before = page[-1].id
    return listed[:MOST_EXCLUSIONS]


def _cameras_body(found: NamedReport, cameras: Sequence[CameraFigures], total: int) -> bytes:
    """A CameraReportsAnswer as JSON: a thousand cameras take a second, so they are written one by one, in a thread."""
    written = ",".join(camera_answer(found, one).model_dump_json(by_alias=True) for one in cameras)
    return f'{{"total":{total},"cameras":[{written}]}}'.encode()


def _worst(hundredths: int | None) -> int:
    return 10_001 if hundredths is None else hundredths
