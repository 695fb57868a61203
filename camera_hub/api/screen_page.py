"""The screens' own page: its browser is known by a token in a cookie that goes to these addresses and to no others.

So the token opens nothing but what its screen shows: no list, no other camera, nothing that can be changed, and what it
reports as seen is not taken.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response, WebSocket
from starlette.requests import HTTPConnection

from camera_hub.access.policy import Action, Actor
from camera_hub.access.screen_tokens import ScreenTokens
from camera_hub.api import pictures as camera_pictures
from camera_hub.api import viewers as media_viewers
from camera_hub.api.live import LivePages, PageLogin, Wish, page_id, serve
from camera_hub.api.routing import Judged, part, public, refuse_foreign_pages
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.media import MediaAnswer, NewViewer, ShowMessage, ViewerOfferAnswer, WarmMessage
from camera_hub.api.schemas.screens import EnrolBody, ScreenPage
from camera_hub.api.screens import page_answer
from camera_hub.api.session import address
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.decoders.pictures import Pictures
from camera_hub.media.decoders.stills import Stills
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.authorization import WatchAuthorization
from camera_hub.media.wall.page_connections import PageConnections
from camera_hub.media.wall.viewers import Viewers
from camera_hub.patrol import township
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.screens.screens import Screens
from camera_hub.settings import Settings

router = APIRouter(prefix="/api/screen", tags=["screens"])

COOKIE = "camera_hub_screen"
COOKIE_DAYS = 400
"""The longest that browsers keep a cookie (RFC 6265bis); each visit of the page begins it anew."""
_JPEG = "image/jpeg"


class ScreenLogin(Judged):
    """The policy of these routes: the token of a screen. A user's session is of no use here."""

    def __init__(self) -> None:
        super().__init__(Action.BE_SCREEN)

    async def __call__(self, connection: HTTPConnection, tokens: Annotated[ScreenTokens, part(ScreenTokens)]) -> Actor:
        refuse_foreign_pages(connection)
        token = _token(connection)
        actor = await tokens.actor(token) if token else None
        if actor is None:
            raise HubError(
                Kind.UNAUTHENTICATED,
                "this browser is enrolled for no screen, or was revoked; enter a new code",
                reason="screen_unknown",
            )
        return actor


OfScreen = Annotated[Actor, Depends(ScreenLogin())]
TheScreens = Annotated[Screens, part(Screens)]


@router.post("/enrol", dependencies=[public()])
async def enrol(
    body: EnrolBody,
    request: Request,
    response: Response,
    tokens: Annotated[ScreenTokens, part(ScreenTokens)],
    screens: TheScreens,
    settings: Annotated[Settings, part(Settings)],
) -> ScreenPage:
    """Make this browser a screen's, by the code that the page of the screens shows."""
    enrolled = await tokens.enrol(body.code.replace(" ", ""), address=address(request))
    page = await _page(screens, settings, enrolled.screen_id)
    _set_cookie(request, response, enrolled.token)
    return page


@router.get("")
async def own_screen(
    actor: OfScreen,
    request: Request,
    response: Response,
    screens: TheScreens,
    settings: Annotated[Settings, part(Settings)],
) -> ScreenPage:
    """The screen, and what it shows now."""
    page = await _page(screens, settings, -actor.user_id)
    _set_cookie(request, response, _token(request))
    return page


@router.get("/media")
async def media_parameters(
    actor: OfScreen,
    pages: Annotated[PageConnections, part(PageConnections)],
    audio: Annotated[PageAudio, part(PageAudio)],
    settings: Annotated[Settings, part(Settings)],
) -> MediaAnswer:
    """As GET /api/media."""
    return await media_viewers.media_parameters(actor, pages, audio, settings)


@router.post("/viewers", status_code=201)
async def offer(actor: OfScreen, viewers: Annotated[Viewers, part(Viewers)], body: NewViewer) -> ViewerOfferAnswer:
    """As POST /api/viewers."""
    return await media_viewers.offer(actor, viewers, body)


@router.get(
    "/cameras/{camera_id}/picture",
    response_class=Response,
    responses={200: {"content": {_JPEG: {}}}, 304: {"description": "unchanged"}},
)
async def picture(
    actor: OfScreen,
    screens: TheScreens,
    authorization: Annotated[WatchAuthorization, part(WatchAuthorization)],
    pictures: Annotated[Pictures, part(Pictures)],
    request: Request,
    camera_id: Id,
) -> Response:
    """The last stored picture of a camera that the screen shows."""
    _require_shown(screens, actor, camera_id)
    return await camera_pictures.picture(actor, authorization, pictures, request, camera_id)


@router.get("/cameras/{camera_id}/still", response_class=Response, responses={200: {"content": {_JPEG: {}}}})
async def still(
    actor: OfScreen,
    screens: TheScreens,
    authorization: Annotated[WatchAuthorization, part(WatchAuthorization)],
    stills: Annotated[Stills, part(Stills)],
    clock: Annotated[Clock, part(Clock)],
    camera_id: Id,
    stream: Literal["main", "sub"] = "sub",
    n: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
) -> Response:
    """The last key frame of a camera that the screen shows as pictures."""
    _require_shown(screens, actor, camera_id)
    return await camera_pictures.still(actor, authorization, stills, clock, camera_id, stream, n)


@router.websocket("/live")
async def live(
    socket: WebSocket,
    actor: OfScreen,
    pages: Annotated[LivePages, part(LivePages)],
    page: Annotated[str, Depends(page_id)],
    screens: TheScreens,
    tokens: Annotated[ScreenTokens, part(ScreenTokens)],
    presence: Annotated[ScreenPresence, part(ScreenPresence)],
) -> None:
    """As /api/live: tiles, feeds ahead, and changes of this screen. Only cameras of its content can be asked for."""
    screen_id = -actor.user_id
    await screens.some([screen_id])  # what it may show is known from here on

    def accepts(wish: Wish) -> bool:
        return may_ask(wish, lambda camera: screens.may_show(screen_id, camera))

    host = socket.client.host if socket.client is not None else ""
    async with presence.connected(screen_id, host):
        await serve(pages, socket, PageLogin(actor, lambda: tokens.actor(_token(socket)), accepts), page)


def may_ask(wish: Wish, may_show: Callable[[int], bool]) -> bool:
    """Whether a screen's page may ask for this: cameras of its content, shown now or next, and nothing else."""
    match wish:
        case ShowMessage(camera=camera):
            return camera is None or may_show(camera)
        case WarmMessage(cameras=cameras):
            return all(may_show(camera) for camera in cameras)
        case _:
            return False


async def _page(screens: Screens, settings: Settings, screen_id: int) -> ScreenPage:
    found = await screens.some([screen_id])
    if not found:
        raise township.not_found("screen")
    return page_answer(found[0], settings.site.time_zone)


def _require_shown(screens: Screens, actor: Actor, camera_id: int) -> None:
    if not screens.may_show(-actor.user_id, camera_id):
        raise HubError(Kind.NOT_FOUND, "this screen does not show such a camera")


def cookie_name(secure: bool) -> str:
    """The cookie's name. `__Host-` would ask for the path /, and the token is to go to these addresses only."""
    return f"__Secure-{COOKIE}" if secure else COOKIE


def _token(connection: HTTPConnection) -> str:
    return connection.cookies.get(cookie_name(getattr(connection.app.state, "secure_cookies", False)), "")


def _set_cookie(request: Request, response: Response, token: str) -> None:
    secure: bool = request.app.state.secure_cookies
    response.set_cookie(
        cookie_name(secure),
        token,
        max_age=COOKIE_DAYS * 86_400,
        path=router.prefix,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
