"""The map: base picture, villages, key places, positions of cameras; coverage of the key places."""

import hashlib
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from camera_hub.access.policy import Action, Actor
from camera_hub.api.live_changes import Render, SharedReader, to_everybody, to_village
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.map import (
    BasePictureAnswer,
    CameraPositionAnswer,
    ChangeBase,
    ChangeKeyPlace,
    CoverageAnswer,
    CoverageFormulaAnswer,
    CoverageRowAnswer,
    KeyPlaceAnswer,
    Latitude,
    Longitude,
    MapAnswer,
    MapVillageAnswer,
    NewKeyPlace,
    PlaceCamera,
    PlaceCoverageAnswer,
    PlacedBaseAnswer,
    PlacedCameraAnswer,
    PlacedKeyPlaceAnswer,
    PlacementWarningAnswer,
)
from camera_hub.api.sheet_bodies import XLSX, Language, download
from camera_hub.api.static import matches
from camera_hub.cameras.map.base_picture import MAX_UPLOAD, BasePictures, BaseView
from camera_hub.cameras.map.coverages import CoverageReport, Coverages
from camera_hub.cameras.map.key_places import KeyPlaceDraft, KeyPlaces, KeyPlaceView
from camera_hub.cameras.map.placement import PlacementWarning
from camera_hub.cameras.map.positions import CameraPositions, Placing
from camera_hub.cameras.map.sheet import coverage_sheet
from camera_hub.cameras.map.table import AREA_ERROR, COVERED_FROM, UNCOVERED_UNTIL
from camera_hub.cameras.map.township_map import MapView, TownshipMap
from camera_hub.clock import Clock
from camera_hub.settings import MapSettings, Settings
from camera_hub.sheets.language import SheetWords

router = APIRouter(prefix="/api/map", tags=["map"])

BASE_PATH = "/api/map/base"
"""Where the base picture is uploaded (api.limits)."""

Reader = Annotated[Actor, needs(Action.VIEW)]
Editor = Annotated[Actor, needs(Action.MANAGE_VILLAGES)]
AllBases = Annotated[BasePictures, part(BasePictures)]
AllPlaces = Annotated[KeyPlaces, part(KeyPlaces)]
AllPositions = Annotated[CameraPositions, part(CameraPositions)]
AllCoverage = Annotated[Coverages, part(Coverages)]
HubSettings = Annotated[Settings, part(Settings)]
_POSITIONS = TypeAdapter(list[CameraPositionAnswer])


@router.get("", response_model=MapAnswer)
async def township_map(actor: Reader, whole: Annotated[TownshipMap, part(TownshipMap)]) -> MapView:
    """The map without its cameras."""
    return await whole.view(actor)


@router.get("/cameras", response_model=list[CameraPositionAnswer], responses={304: {"description": "Unchanged."}})
async def camera_positions(request: Request, actor: Reader, positions: AllPositions) -> Response:
    """Cameras that have a position and are not retired. With If-None-Match 304 while nothing has changed."""
    found = [CameraPositionAnswer.model_validate(one) for one in await positions.all(actor)]
    body = _POSITIONS.dump_json(found)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


@router.put("/cameras/{camera_id}")
async def place_camera(
    camera_id: Id, body: PlaceCamera, actor: Annotated[Actor, needs(Action.INTAKE)], positions: AllPositions
) -> PlacedCameraAnswer:
    """Put a camera on the map, turn it, or take it off."""
    placing = Placing(
        frozenset(body.model_fields_set),
        body.longitude,
        body.latitude,
        body.datum,
        body.direction_deg,
        body.angle_deg,
        body.reach_m,
    )
    position, warning = await positions.place(actor, camera_id, placing)
    return PlacedCameraAnswer(
        position=CameraPositionAnswer.model_validate(position) if position is not None else None,
        warning=_warning(warning),
    )


@router.put(
    "/base",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary", "maxLength": MAX_UPLOAD}}},
        }
    },
)
async def put_base(
    request: Request,
    actor: Editor,
    bases: AllBases,
    west: Annotated[Longitude, Query()],
    south: Annotated[Latitude, Query()],
    east: Annotated[Longitude, Query()],
    north: Annotated[Latitude, Query()],
) -> PlacedBaseAnswer:
    """Show this picture under the map: a JPEG, PNG or WebP of up to 20 MiB, scaled down to 4096 pixels, without its
    metadata; at these degrees of WGS-84."""
    corners = (west, south), (east, north)
    await bases.judge(corners)  # before 20 MiB are read
    return _placed_base(*await bases.put(actor, corners, await request.body()))


@router.patch("/base")
async def change_base(body: ChangeBase, actor: Editor, bases: AllBases) -> PlacedBaseAnswer:
    """Move the base picture, or show it lighter."""
    return _placed_base(*await bases.change(body.corners, body.opacity))


@router.delete("/base")
async def delete_base(actor: Editor, bases: AllBases, clock: Annotated[Clock, part(Clock)]) -> Done:
    await bases.delete()
    return Done(at=clock.now())


@router.get("/base.jpg", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def base_picture(request: Request, actor: Reader, bases: AllBases, id: Id | None = None) -> Response:
    """The JPEG of the base picture. `id`: the one that is meant; 404 when there is another one by now."""
    number, jpeg = await bases.read(id)
    tag = f'"base-{number}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache" if id is None else "private, max-age=86400"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(jpeg, headers=headers, media_type="image/jpeg")


@router.post("/places", status_code=201)
async def add_place(body: NewKeyPlace, actor: Editor, places: AllPlaces) -> PlacedKeyPlaceAnswer:
    draft = KeyPlaceDraft(body.village_id, body.name, body.place_class, body.kind, body.geometry, body.reach_m)
    return _placed_place(*await places.add(actor, draft))


@router.patch("/places/{place_id}")
async def change_place(place_id: Id, body: ChangeKeyPlace, actor: Editor, places: AllPlaces) -> PlacedKeyPlaceAnswer:
    changes = body.model_dump(exclude_unset=True)
    return _placed_place(*await places.change(actor, place_id, changes))


@router.delete("/places/{place_id}")
async def remove_place(place_id: Id, actor: Editor, places: AllPlaces, clock: Annotated[Clock, part(Clock)]) -> Done:
    await places.remove(place_id)
    return Done(at=clock.now())


@router.get("/coverage", response_model=CoverageAnswer)
async def coverage(
    actor: Reader, coverages: AllCoverage, settings: HubSettings, village_id: Id | None = None
) -> Response:
    """How far the key places are covered: all that the user may see, or those of one village."""
    report = await coverages.report(actor, village_id)
    # In a thread: thousands of corners of gaps.
    body = await run_in_threadpool(lambda: _coverage(report, settings.map).model_dump_json())
    return Response(body, media_type="application/json")


@router.get("/coverage.xlsx", response_class=Response, responses={200: {"content": {XLSX: {}}}})
async def coverage_table(
    actor: Reader,
    coverages: AllCoverage,
    whole: Annotated[TownshipMap, part(TownshipMap)],
    settings: HubSettings,
    village_id: Id | None = None,
    language: Language = "zh",
) -> Response:
    """The same as a sheet, with the formula of each figure."""
    report = await coverages.report(actor, village_id)
    names = {one.id: one.name for one in (await whole.view(actor)).villages}
    words = SheetWords(language)
    content = await run_in_threadpool(coverage_sheet, report, names, settings.map, words)
    return download(words.say("重点部位覆盖统计.xlsx", "Coverage of key places.xlsx"), content, "coverage.xlsx")


def live_map(whole: TownshipMap, bases: BasePictures, places: KeyPlaces) -> SharedReader:
    """Parts of the map for the pages' WebSockets."""

    async def read(parts: Collection[str]) -> dict[str, Render]:
        numbers: dict[str, list[int]] = {"place": [], "village": []}
        for one in parts:
            kind, _, number = one.partition(":")
            if kind in numbers:
                numbers[kind].append(int(number))
        found: dict[str, Render] = {}
        if "base" in parts and (base := await bases.get()) is not None:
            found["base"] = to_everybody(BasePictureAnswer.model_validate(base))
        for place in await places.some(numbers["place"]) if numbers["place"] else ():
            answer = KeyPlaceAnswer.model_validate(place)
            shown = to_everybody(answer) if place.village_id is None else to_village(answer, place.village_id)
            found[f"place:{place.id}"] = shown
        for village in await whole.villages(numbers["village"]) if numbers["village"] else ():
            found[f"village:{village.id}"] = to_village(MapVillageAnswer.model_validate(village), village.id)
        return found

    return read


def live_positions(positions: CameraPositions) -> SharedReader:
    """Positions of cameras for the pages' WebSockets."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        found = await positions.some(ids)
        return {one.id: to_village(CameraPositionAnswer.model_validate(one), one.village_id) for one in found}

    return read


def _warning(warning: PlacementWarning | None) -> PlacementWarningAnswer | None:
    return PlacementWarningAnswer.model_validate(warning) if warning is not None else None


def _placed_base(view: BaseView, warning: PlacementWarning | None) -> PlacedBaseAnswer:
    return PlacedBaseAnswer(**BasePictureAnswer.model_validate(view).model_dump(), warning=_warning(warning))


def _placed_place(view: KeyPlaceView, warning: PlacementWarning | None) -> PlacedKeyPlaceAnswer:
    return PlacedKeyPlaceAnswer(**KeyPlaceAnswer.model_validate(view).model_dump(), warning=_warning(warning))


def _coverage(report: CoverageReport, settings: MapSettings) -> CoverageAnswer:
    return CoverageAnswer(
        rows=[CoverageRowAnswer.model_validate(one) for one in report.rows],
        places=[PlaceCoverageAnswer.model_validate(one) for _, one in report.places],
        cameras=report.cameras,
        cameras_without_position=report.without_position,
        cameras_without_direction=report.without_direction,
        gaps_left_out=report.gaps_left_out,
        formula=CoverageFormulaAnswer(
            reach_m=settings.reach_m,
            angle_deg=settings.angle_deg,
            covered_from=COVERED_FROM,
            uncovered_until=UNCOVERED_UNTIL,
            area_error=AREA_ERROR,
        ),
    )
