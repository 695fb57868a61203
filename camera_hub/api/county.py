"""County list check: the county's list of faulty cameras against what the hub observed. For township staff."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathValue

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, Moment, Name
from camera_hub.api.schemas.county import CountyCheckAnswer, CountyConclusion, CountyMatch, CountyRowAnswer
from camera_hub.api.sheet_bodies import SHEET, UPLOAD, download, received
from camera_hub.api.today import Today
from camera_hub.cameras.imports.sheets import file_name
from camera_hub.clock import Clock
from camera_hub.health.county.checks import CountyChecks

router = APIRouter(prefix="/api/county-checks", tags=["county"])

Staff = Annotated[Actor, needs(Action.CHECK_COUNTY)]
Checks = Annotated[CountyChecks, part(CountyChecks)]
Number = Annotated[int, PathValue(ge=1, le=2**31 - 1)]


@router.post("", status_code=201, openapi_extra=UPLOAD)
async def upload_county_list(
    request: Request,
    actor: Staff,
    checks: Checks,
    name: Annotated[Name | None, Query()] = None,
    listed_at: Annotated[Moment | None, Query()] = None,
) -> CountyCheckAnswer:
    """The body is the file itself (.xlsx, .xls, .csv). Its rows are judged afterwards: read the check again until
    `judged` is `total`. `listed_at`: the time that holds for rows without one of their own."""
    async with received(request) as path:
        return CountyCheckAnswer.model_validate(await checks.upload(actor, name or "", listed_at, path))


@router.get("")
async def county_checks(actor: Staff, checks: Checks) -> list[CountyCheckAnswer]:
    """The newest ones first."""
    return [CountyCheckAnswer.model_validate(one) for one in await checks.all()]


@router.get("/{check_id}")
async def county_check(check_id: Id, actor: Staff, checks: Checks) -> CountyCheckAnswer:
    return CountyCheckAnswer.model_validate(await checks.get(check_id))


@router.get("/{check_id}/rows")
async def county_rows(
    check_id: Id,
    actor: Staff,
    checks: Checks,
    conclusion: CountyConclusion | None = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[CountyRowAnswer]:
    """Rows in the order of the sheet, behind row `after`."""
    found = await checks.rows(check_id, conclusion=conclusion, after=after, limit=limit)
    return [CountyRowAnswer.model_validate(one) for one in found]


@router.put("/{check_id}/rows/{number}/match")
async def match_county_row(
    check_id: Id, number: Number, body: CountyMatch, actor: Staff, checks: Checks
) -> CountyRowAnswer:
    """Say which camera the row means; it is judged anew at once."""
    return CountyRowAnswer.model_validate(await checks.match(actor, check_id, number, body.camera_id))


@router.post("/{check_id}/judge", status_code=202)
async def judge_county_check(check_id: Id, actor: Staff, checks: Checks) -> CountyCheckAnswer:
    """Judge all rows again by what is known now; matches by hand stay."""
    return CountyCheckAnswer.model_validate(await checks.judge_again(check_id))


@router.delete("/{check_id}")
async def delete_county_check(check_id: Id, actor: Staff, checks: Checks, clock: Annotated[Clock, part(Clock)]) -> Done:
    """The list and its answers are gone."""
    await checks.remove(check_id)
    return Done(at=clock.now())


@router.get("/{check_id}/reply.xlsx", **SHEET)
async def county_reply(check_id: Id, actor: Staff, checks: Checks, today: Today) -> Response:
    """The reply: the county's own columns as they came, ours behind them."""
    name, content = await checks.reply(check_id)
    stem = name.rpartition(".")[0] or name
    return download(file_name(f"{stem}-核对回复", today), content)
