"""Imports of sheets: upload, map the headers, look at the verdict of each row, bring in what is good."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathValue

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, Name
from camera_hub.api.schemas.imports import (
    ChangeRow,
    ImportAnswer,
    ImportFieldAnswer,
    ImportRowAnswer,
    ImportRowsAnswer,
    NewMapping,
    RowVerdict,
    RunStarted,
    StartImport,
)
from camera_hub.api.sheet_bodies import SHEET, UPLOAD, download, received
from camera_hub.api.today import Today
from camera_hub.cameras.imports.fields import described_fields
from camera_hub.cameras.imports.imports import Imports
from camera_hub.cameras.imports.runs import ImportRuns
from camera_hub.cameras.imports.sheets import ImportSheets, file_name
from camera_hub.cameras.imports.views import ImportView, RowPage, RowView
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/imports", tags=["imports"])

Importer = Annotated[Actor, needs(Action.INTAKE)]
Registrar = Annotated[Actor, needs(Action.REGISTER)]
AllImports = Annotated[Imports, part(Imports)]
Sheets = Annotated[ImportSheets, part(ImportSheets)]
Runs = Annotated[ImportRuns, part(ImportRuns)]
Village = Annotated[Id | None, Query()]
Number = Annotated[int, PathValue(ge=1, le=2**31 - 1)]


@router.post("", response_model=ImportAnswer, status_code=201, openapi_extra=UPLOAD)
async def upload(
    request: Request,
    actor: Importer,
    imports: AllImports,
    village_id: Village = None,
    name: Annotated[Name | None, Query()] = None,
) -> ImportView:
    """The body is the file itself (.xlsx, .xls, .csv), whatever its content type says."""
    async with received(request) as path:
        return await imports.upload(actor, village_id, name or "", path)


@router.get("", response_model=list[ImportAnswer])
async def list_imports(actor: Importer, imports: AllImports) -> list[ImportView]:
    """The newest ones first."""
    return await imports.all(actor)


@router.get("/fields", response_model=list[ImportFieldAnswer])
async def import_fields(actor: Importer) -> Any:
    """What columns may stand for, in the order of the template."""
    return described_fields()


@router.get("/template.xlsx", **SHEET)
async def template(actor: Importer, sheets: Sheets, today: Today) -> Response:
    """An empty sheet with all columns, their lists, and how to fill it in."""
    return download(file_name("点位导入模板", today), await sheets.template())


@router.get("/list.xlsx", **SHEET)
async def camera_list(actor: Registrar, sheets: Sheets, today: Today, village_id: Village = None) -> Response:
    """The cameras with their place class and ledger, to be edited and read in again."""
    return download(file_name("点位清单", today), await sheets.list(actor, village_id))


@router.get("/{import_id}", response_model=ImportAnswer)
async def get_import(import_id: Id, actor: Importer, imports: AllImports) -> ImportView:
    return await imports.get(actor, import_id)


@router.put("/{import_id}/mapping", response_model=ImportAnswer)
async def map_import(import_id: Id, body: NewMapping, actor: Importer, imports: AllImports) -> ImportView:
    """Rows are judged anew; the mapping is used for the next sheet with the same headers."""
    fields = None if body.columns is None else {one.index: one.field for one in body.columns}
    return await imports.map(actor, import_id, body.sheet, body.header_row, fields)


@router.get("/{import_id}/rows", response_model=ImportRowsAnswer)
async def import_rows(
    import_id: Id,
    actor: Importer,
    imports: AllImports,
    verdict: RowVerdict | None = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> RowPage:
    return await imports.rows(actor, import_id, verdict=verdict, after=after, limit=limit)


@router.patch("/{import_id}/rows/{number}", response_model=ImportRowAnswer)
async def change_import_row(
    import_id: Id, number: Number, body: ChangeRow, actor: Importer, imports: AllImports
) -> RowView:
    """The row is judged anew. A password may be given; it is never answered."""
    return await imports.change_row(actor, import_id, number, body.values)


@router.post("/{import_id}/run", response_model=RunStarted, status_code=202)
async def run_import(import_id: Id, body: StartImport, actor: Importer, runs: Runs) -> RunStarted:
    """Follow it as a job; the rows have their verdicts as soon as these are known."""
    return RunStarted(
        job_id=(await runs.start(actor, import_id, body.only, outside=body.outside, approve=body.approve)).id
    )


@router.delete("/{import_id}")
async def delete_import(
    import_id: Id, actor: Importer, imports: AllImports, clock: Annotated[Clock, part(Clock)]
) -> Done:
    """What was brought in stays."""
    await imports.remove(actor, import_id)
    return Done(at=clock.now())


@router.get("/{import_id}/failed.xlsx", **SHEET)
async def failed_rows(import_id: Id, actor: Importer, sheets: Sheets, today: Today) -> Response:
    """The rows that are not in: the sheet's own columns, then why and what to do. Passwords are left out."""
    name, content = await sheets.failed(actor, import_id)
    stem = name.rpartition(".")[0] or name
    return download(file_name(f"{stem}-未导入", today), content)
