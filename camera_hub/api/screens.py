"""Screens: set up by who manages them, used from any seat."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.policy import Action, Actor
from camera_hub.access.screen_tokens import ScreenTokens
from camera_hub.api.live_changes import Render, SharedReader
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas import screens as schemas
from camera_hub.api.schemas.base import Answer, Done, Id
from camera_hub.api.schemas.screens import ScreenAnswer, ScreenBody, ScreenCodeAnswer, ShowOnScreen, TakeBack
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.patrol import township
from camera_hub.patrol.screens.contents import NONE, CamerasContent, Content, RunContent, SceneContent
from camera_hub.patrol.screens.pictures import Picture
from camera_hub.patrol.screens.screens import ScreenMoved, Screens, ScreenSetting, ScreenView, TileWanted

router = APIRouter(prefix="/api/screens", tags=["screens"])

TheScreens = Annotated[Screens, part(Screens)]
TheTokens = Annotated[ScreenTokens, part(ScreenTokens)]
Managing = Annotated[Actor, needs(Action.MANAGE_SCREENS)]
Using = Annotated[Actor, needs(Action.USE_SCREENS)]


@router.get("")
async def list_screens(actor: Annotated[Actor, needs(Action.VIEW)], screens: TheScreens) -> list[ScreenAnswer]:
    """All screens by name, with what each shows now."""
    return [screen_answer(view) for view in await screens.list(actor)]


@router.post("", status_code=201)
async def create(body: ScreenBody, _actor: Managing, screens: TheScreens) -> ScreenAnswer:
    """Add a screen. It shows nothing, and no browser is enrolled for it yet."""
    return screen_answer(await screens.create(_setting(body)))


@router.get("/{screen_id}")
async def screen(screen_id: Id, actor: Annotated[Actor, needs(Action.VIEW)], screens: TheScreens) -> ScreenAnswer:
    return screen_answer(await screens.get(actor, screen_id))


@router.put("/{screen_id}")
async def change(screen_id: Id, body: ScreenBody, _actor: Managing, screens: TheScreens) -> ScreenAnswer:
    """Set a screen up anew; what it shows stays."""
    return screen_answer(await screens.change(screen_id, _setting(body)))


@router.delete("/{screen_id}")
async def remove(screen_id: Id, _actor: Managing, screens: TheScreens, clock: Annotated[Clock, part(Clock)]) -> Done:
    """Remove a screen; its browser is accepted no more."""
    await screens.remove(screen_id)
    return Done(at=clock.now())


@router.post("/{screen_id}/code", status_code=201)
async def new_code(screen_id: Id, _actor: Managing, tokens: TheTokens) -> ScreenCodeAnswer:
    """A one-time code by which a browser becomes this screen's; an earlier code ends."""
    return ScreenCodeAnswer.model_validate(await tokens.new_code(screen_id))


@router.post("/{screen_id}/revoke")
async def revoke(screen_id: Id, _actor: Managing, tokens: TheTokens, clock: Annotated[Clock, part(Clock)]) -> Done:
    """The browser that is enrolled for the screen is accepted no more, from now on."""
    await tokens.revoke(screen_id)
    return Done(at=clock.now())


@router.post("/{screen_id}/show")
async def show(screen_id: Id, body: ShowOnScreen, actor: Using, screens: TheScreens) -> ScreenAnswer:
    """Put something onto the screen, or a camera into one of its tiles. 409 `screen_moved`: params.screen."""
    try:
        return screen_answer(await screens.show(actor, screen_id, body.revision, _wanted(body)))
    except ScreenMoved as moved:
        raise _moved(moved) from moved


@router.post("/{screen_id}/take-back")
async def take_back(screen_id: Id, body: TakeBack, actor: Using, screens: TheScreens) -> ScreenAnswer:
    """Return to what the screen showed before. 409 `screen_moved`: params.screen."""
    try:
        return screen_answer(await screens.take_back(actor, screen_id, body.revision))
    except ScreenMoved as moved:
        raise _moved(moved) from moved


def live(screens: Screens, time_zone: str) -> SharedReader:
    """Screens as they are now: users get all of it, a screen's own page what it needs."""

    async def read(ids: Collection[int]) -> dict[int, Render]:
        return {view.id: _render(view, time_zone) for view in await screens.some(ids)}

    return read


def _render(view: ScreenView, time_zone: str) -> Render:
    answer, page = screen_answer(view), page_answer(view, time_zone)

    def render(actor: Actor) -> Answer | None:
        if actor.user_id == -view.id:
            return page
        return answer if township.sees(actor) else None

    return render


def screen_answer(view: ScreenView) -> ScreenAnswer:
    """What users get of a screen."""
    setting = view.setting
    return ScreenAnswer(
        id=view.id,
        name=setting.name,
        place=setting.place,
        layout=setting.layout,
        portrait=setting.portrait,
        streams=setting.streams,
        captions=setting.captions,
        clock=setting.clock,
        locked=setting.locked,
        revision=view.revision,
        content=_content(view.content, view.picture.name),
        picture=_picture(view.picture),
        before=None if view.before is None else _content(view.before, view.before_name),
        changed_name=view.changed_name,
        changed_at=view.changed_at,
        enrolled_at=view.enrolled_at,
        code_until=view.code_until,
        connected=view.connected,
        since=view.since,
        pages=view.pages,
        address=view.address,
    )


def page_answer(view: ScreenView, time_zone: str) -> schemas.ScreenPage:
    """What the screen's own page gets."""
    setting = view.setting
    return schemas.ScreenPage(
        id=view.id,
        name=setting.name,
        place=setting.place,
        portrait=setting.portrait,
        streams=setting.streams,
        captions=setting.captions,
        clock=setting.clock,
        revision=view.revision,
        picture=_picture(view.picture),
        time_zone=time_zone,
    )


def _picture(picture: Picture) -> schemas.PictureAnswer:
    run = picture.run
    return schemas.PictureAnswer(
        layout=picture.layout,
        tiles=[None if one is None else schemas.ScreenCameraAnswer.model_validate(one) for one in picture.tiles],
        carousels=[schemas.TurningAnswer.model_validate(one) for one in picture.carousels],
        magnify_s=picture.magnify_s,
        run=None
        if run is None
        else schemas.ScreenRunAnswer(
            id=run.id,
            tour_name=run.tour_name,
            state=run.state,
            position=run.position,
            stop_count=run.stop_count,
            stop_name=run.stop_name,
            stop_more=run.stop_more,
            time_left_s=run.time_left_s,
            now=run.now,
            dead=[schemas.DeadAnswer(id=camera, reason=reason) for camera, reason in run.dead.items()],
        ),
    )


def _content(content: Content, name: str) -> schemas.ContentAnswer:
    match content:
        case SceneContent(scene_id):
            return schemas.ContentAnswer(kind="scene", scene_id=scene_id, name=name)
        case RunContent(run_id):
            return schemas.ContentAnswer(kind="run", run_id=run_id, name=name)
        case CamerasContent():
            return schemas.ContentAnswer(kind="cameras")
        case _:
            return schemas.ContentAnswer(kind="none")


def _wanted(body: ShowOnScreen) -> Content | TileWanted:
    match body.content:
        case schemas.SceneOnScreen(scene_id=scene_id):
            return SceneContent(scene_id)
        case schemas.RunOnScreen(run_id=run_id):
            return RunContent(run_id)
        case schemas.CamerasOnScreen(layout=layout, cameras=cameras, carousels=carousels, magnify_s=magnify_s):
            turning = tuple((tile, one.wanted()) for tile, one in sorted(carousels.items()))
            return CamerasContent(layout, tuple(cameras), turning, magnify_s)
        case schemas.TileOnScreen(tile=tile, camera_id=camera_id):
            return TileWanted(tile, camera_id)
        case _:
            return NONE


def _setting(body: ScreenBody) -> ScreenSetting:
    return ScreenSetting(**body.model_dump())


def _moved(moved: ScreenMoved) -> HubError:
    screen = screen_answer(moved.view).model_dump(mode="json")
    return HubError(moved.kind, moved.detail, reason=moved.reason, screen=screen)
