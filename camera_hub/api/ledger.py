"""The ledger, one camera one file: fields, files, figures of villages, photos, the county's sheet."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id, PlaceClass
from camera_hub.api.schemas.ledger import (
    ChangeFile,
    ChangeFiles,
    CodeAnswer,
    FieldKey,
    FilingAnswer,
    FilingState,
    LedgerChangeAnswer,
    LedgerFieldAnswer,
    LedgerFileAnswer,
    LedgerPageAnswer,
    LedgerRowAnswer,
    NewUnconnectedCamera,
    PhotoAnswer,
    PhotoKind,
    PickedPosition,
    PositionAnswer,
    ServiceState,
    VillageLedgerAnswer,
)
from camera_hub.api.sheet_bodies import XLSX, download
from camera_hub.cameras.ledger.coordinates import to_wgs84, within
from camera_hub.cameras.ledger.export import county_sheet
from camera_hub.cameras.ledger.fields import FIELDS
from camera_hub.cameras.ledger.files import CameraFile
from camera_hub.cameras.ledger.ledgers import ChangeView, FileQuery, Ledgers, VillageLedger
from camera_hub.cameras.ledger.photos import MAX_BYTES, Photos, PhotoView
from camera_hub.cameras.ledger.unconnected import UnconnectedCameras
from camera_hub.clock import Clock
from camera_hub.settings import Settings

router = APIRouter(prefix="/api/ledger", tags=["ledger"])

PHOTO_PATH = r"/api/ledger/[0-9]{1,10}/photos"
"""Where photos are uploaded (api.limits)."""

Reader = Annotated[Actor, needs(Action.VIEW)]
Registrar = Annotated[Actor, needs(Action.REGISTER)]
AllLedgers = Annotated[Ledgers, part(Ledgers)]
AllPhotos = Annotated[Photos, part(Photos)]


@router.get("/fields")
async def ledger_fields(actor: Reader) -> list[LedgerFieldAnswer]:
    """Every field, in the county's order, then those that only the hub keeps."""
    return [
        LedgerFieldAnswer(
            key=one.key,
            header=one.header,
            english=one.english,
            group=one.group,
            kind=one.kind,
            required=one.required,
            source=one.source,
            settable=one.settable,
            column=one.column,
            max_length=one.max_length,
            codes=[CodeAnswer(value=value, zh=word.zh, en=word.en) for value, word in one.codes.items()],
        )
        for one in FIELDS
    ]


@router.get("/villages")
async def ledger_villages(actor: Reader, ledgers: AllLedgers) -> list[VillageLedgerAnswer]:
    """How complete each village's files are, and how its filing stands."""
    return [_village(one) for one in await ledgers.villages(actor)]


@router.post("/position")
async def convert_position(
    body: PickedPosition, actor: Reader, settings: Annotated[Settings, part(Settings)]
) -> PositionAnswer:
    """A point that was picked on a map, in WGS-84."""
    point = to_wgs84(body.longitude, body.latitude, body.datum)
    return PositionAnswer(
        longitude=round(point.longitude, 7),
        latitude=round(point.latitude, 7),
        inside=within(point, settings.ledger.area),
    )


@router.get("")
async def ledger(
    actor: Reader,
    ledgers: AllLedgers,
    village_id: Id | None = None,
    place_class: PlaceClass | None = None,
    missing: FieldKey | None = None,
    service_state: ServiceState | None = None,
    filing: FilingState | None = None,
    connected: bool | None = None,
    text: Annotated[str, Query(max_length=64)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
) -> LedgerPageAnswer:
    """Files of cameras, paged. `missing`: only those that lack this field; retired cameras only as `removed`."""
    query = FileQuery(village_id, place_class, missing, service_state, filing, connected, text, offset, limit)
    page = await ledgers.listed(actor, query)
    rows = [LedgerRowAnswer(**_row(one)) for one in page.files]
    return LedgerPageAnswer(files=rows, total=page.total, missing=dict(page.missing))


@router.get(
    "/export.xlsx",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The county's sheet, without any login."}},
)
async def export_ledger(
    actor: Registrar,
    ledgers: AllLedgers,
    settings: Annotated[Settings, part(Settings)],
    village_id: Id | None = None,
) -> Response:
    """One camera one file in the county's 73 columns and their order: all villages of the user, or one. User names and
    passwords of devices are never in it."""
    page = await ledgers.listed(actor, FileQuery(village_id))
    content = await run_in_threadpool(county_sheet, page.files, settings.site.zone)
    return download("一机一档.xlsx", content, "ledger.xlsx")


@router.put("/values")
async def change_files(body: ChangeFiles, actor: Registrar, ledgers: AllLedgers) -> list[LedgerRowAnswer]:
    """Give several cameras the same values."""
    files = await ledgers.save(actor, list(dict.fromkeys(body.ids)), body.values, body.place_class)
    return [LedgerRowAnswer(**_row(one)) for one in files]


@router.post("/unconnected", status_code=201)
async def add_unconnected(
    body: NewUnconnectedCamera,
    actor: Registrar,
    unconnected: Annotated[UnconnectedCameras, part(UnconnectedCameras)],
    ledgers: AllLedgers,
) -> LedgerFileAnswer:
    """Register a camera that cannot be reached (an operator's cloud platform, no line): it only has a file."""
    camera_id = await unconnected.add(actor, body.village_id, body.name, body.place_class, body.values)
    return _file(await ledgers.of(actor, camera_id))


@router.get("/photos/{photo_id}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def ledger_photo(actor: Reader, photos: AllPhotos, photo_id: Id) -> Response:
    """The JPEG of a photo; it never changes."""
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(await photos.read(actor, photo_id), headers=headers, media_type="image/jpeg")


@router.delete("/photos/{photo_id}")
async def delete_photo(actor: Registrar, photos: AllPhotos, clock: Annotated[Clock, part(Clock)], photo_id: Id) -> Done:
    await photos.delete(actor, photo_id)
    return Done(at=clock.now())


@router.get("/{camera_id}")
async def ledger_file(actor: Reader, ledgers: AllLedgers, camera_id: Id) -> LedgerFileAnswer:
    return _file(await ledgers.of(actor, camera_id))


@router.patch("/{camera_id}")
async def change_file(body: ChangeFile, actor: Registrar, ledgers: AllLedgers, camera_id: Id) -> LedgerFileAnswer:
    """Give the camera these values, all or none. An error names its `field`; several are in `params.fields`."""
    (file,) = await ledgers.save(actor, [camera_id], body.values)
    return _file(file)


@router.get("/{camera_id}/changes", response_model=list[LedgerChangeAnswer])
async def ledger_changes(
    actor: Reader,
    ledgers: AllLedgers,
    camera_id: Id,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ChangeView]:
    """What was changed, newest first; `before`: only what is older than that change."""
    return await ledgers.history(actor, camera_id, before, limit)


@router.get("/{camera_id}/photos", response_model=list[PhotoAnswer])
async def ledger_photos(actor: Reader, photos: AllPhotos, camera_id: Id) -> list[PhotoView]:
    return await photos.of(actor, camera_id)


@router.post(
    "/{camera_id}/photos",
    response_model=PhotoAnswer,
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary", "maxLength": MAX_BYTES}}},
        }
    },
)
async def add_photo(request: Request, actor: Registrar, photos: AllPhotos, camera_id: Id, kind: PhotoKind) -> PhotoView:
    """Add a photo: a JPEG or PNG of up to 4 MB, which is scaled down to 1600 pixels and loses its metadata."""
    await photos.of(actor, camera_id)  # before 4 MB are read
    return await photos.add(actor, camera_id, kind, await request.body())


def _row(file: CameraFile) -> dict[str, Any]:
    texts = (
        "gb_id",
        "pole_number",
        "landmark",
        "manager",
        "manager_phone",
        "maintainer_unit",
        "maintainer_phone",
        "no_access_reason",
    )
    own = (
        "camera_id",
        "village_id",
        "device_id",
        "name",
        "place_class",
        "state",
        "service_state",
        "connected",
        "longitude",
        "latitude",
        "updated_at",
    )
    return {
        **{key: getattr(file, key) for key in own},
        **{key: file.values.get(key, "") for key in texts},
        "percent": file.completeness.percent,
        "missing": list(file.completeness.missing),
        "filing": FilingAnswer.model_validate(file.filing),
        "photos": dict(file.photos),
    }


def _file(file: CameraFile) -> LedgerFileAnswer:
    return LedgerFileAnswer(
        **_row(file),
        values=dict(file.values),
        known=sorted(file.known),
        filled=file.completeness.filled,
        asked=file.completeness.asked,
    )


def _village(one: VillageLedger) -> VillageLedgerAnswer:
    return VillageLedgerAnswer(
        village_id=one.village_id,
        name=one.name,
        cameras=one.cameras,
        percent=one.completeness.percent,
        complete=one.complete,
        not_connected=one.not_connected,
        repair=one.repair,
        filed=one.filed,
        filing_overdue=one.filing_overdue,
    )
