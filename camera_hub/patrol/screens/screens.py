"""The operations behind api/screens and the screens' own page.

A screen is no proof of looking: what it shows counts as seen by nobody, whoever put it there, since nobody may stand
before it. Its browser therefore reports nothing, and nothing that it reported would be taken.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, EventBus, ScreenChanged
from camera_hub.patrol import township
from camera_hub.patrol.layout import tile_count
from camera_hub.patrol.runs.itinerary import Itineraries
from camera_hub.patrol.screens.contents import (
    CamerasContent,
    Content,
    OnScreen,
    RunContent,
    SceneContent,
    before,
    from_row,
    put,
    take_back,
    to_row,
    with_camera,
)
from camera_hub.patrol.screens.pictures import Picture, RunsNow, ScreenSources, present, read_sources
from camera_hub.patrol.screens.presence import ScreenPresence
from camera_hub.patrol.tours import carousels
from camera_hub.patrol.tours.scenes import require_cameras
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, Scene, Screen

MAX_SCREENS = 64


@dataclass(frozen=True, slots=True)
class ScreenSetting:
    """What who manages screens says of one."""

    name: str
    place: str
    layout: str
    portrait: bool
    streams: int
    captions: bool
    clock: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class TileWanted:
    """A camera for one tile of what the screen shows; None empties the tile."""

    tile: int
    camera_id: int | None


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A screen, what it shows now, and what taking that back would return to (None: there is nothing to take back).

    `since`: since when it is connected, or when it was last. `pages`: how many browsers show it at the moment.
    """

    id: int
    setting: ScreenSetting
    revision: int
    content: Content
    picture: Picture
    before: Content | None
    before_name: str
    changed_name: str
    changed_at: datetime | None
    enrolled_at: datetime | None
    code_until: datetime | None
    connected: bool
    since: datetime | None
    pages: int
    address: str


class ScreenMoved(HubError):
    """The screen has changed since the caller saw it; `view` is its present state."""

    def __init__(self, view: ScreenView) -> None:
        super().__init__(
            Kind.CONFLICT,
            "the screen has changed meanwhile; check what it shows now and try again",
            reason="screen_moved",
        )
        self.view = view


_Change = Callable[[AsyncSession, Screen, OnScreen, ScreenSources], Awaitable[OnScreen]]
"""What is shown after an operation, from what is shown before it."""


class Screens:
    """All screens. `runs` tells where runs are; `presence` which browsers are there."""

    def __init__(
        self, database: Database, bus: EventBus, clock: Clock, runs: RunsNow, presence: ScreenPresence
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._runs = runs
        self._presence = presence
        self._itineraries = Itineraries()
        self._allowed: dict[int, frozenset[int]] = {}

    async def list(self, actor: Actor) -> Sequence[ScreenView]:
        """All screens by name."""
        if not township.sees(actor):
            return []
        async with self._database.read() as session:
            rows = (await session.scalars(select(Screen).order_by(Screen.name, Screen.id))).all()
            return await self._views(session, rows)

    async def some(self, screen_ids: Collection[int]) -> Sequence[ScreenView]:
        """Those of the given screens that exist. The caller decides who may see them."""
        async with self._database.read() as session:
            rows = (await session.scalars(select(Screen).where(Screen.id.in_(screen_ids)))).all()
            return await self._views(session, rows)

    async def get(self, actor: Actor, screen_id: int) -> ScreenView:
        """Raises HubError(NOT_FOUND)."""
        township.require(actor, "screen")
        async with self._database.read() as session:
            return await self._view(session, await _row(session, screen_id))

    async def create(self, setting: ScreenSetting) -> ScreenView:
        """Add a screen that shows nothing yet. Raises HubError: CONFLICT (its name is taken), BUSY (too many)."""
        try:
            async with self._database.write() as session:
                if (await session.scalar(select(func.count()).select_from(Screen)) or 0) >= MAX_SCREENS:
                    raise HubError(
                        Kind.BUSY,
                        f"there are {MAX_SCREENS} screens, which is the limit; remove one first",
                        reason="too_many_screens",
                    )
                screen = Screen(created_at=self._clock.now(), **_columns(setting))
                session.add(screen)
                await session.flush()
                view = await self._view(session, screen)
        except IntegrityError as error:
            raise _taken(setting.name) from error
        self._bus.publish(ScreenChanged(view.id))
        return view

    async def change(self, screen_id: int, setting: ScreenSetting) -> ScreenView:
        """Set a screen up anew; what it shows stays. Raises HubError: NOT_FOUND, CONFLICT (screen_name_taken)."""
        try:
            async with self._database.write() as session:
                screen = await _row(session, screen_id)
                for column, value in _columns(setting).items():
                    setattr(screen, column, value)
                await session.flush()
                view = await self._view(session, screen)
        except IntegrityError as error:
            raise _taken(setting.name) from error
        self._bus.publish(ScreenChanged(screen_id))
        return view

    async def remove(self, screen_id: int) -> None:
        """Remove a screen; its browser is accepted no more. Raises HubError(NOT_FOUND)."""
        async with self._database.write() as session:
            await _row(session, screen_id)
            await session.execute(delete(Screen).where(Screen.id == screen_id))
        self._allowed.pop(screen_id, None)
        self._bus.publish(AccessChanged(-screen_id))
        self._bus.publish(ScreenChanged(screen_id))

    async def show(self, actor: Actor, screen_id: int, revision: int, wanted: Content | TileWanted) -> ScreenView:
        """Put something onto a screen, or a camera into one of its tiles, as it was at `revision`.

        Raises ScreenMoved; HubError: NOT_FOUND, FORBIDDEN (screen_locked), INVALID (no_such_camera, too_many_tiles,
        no_such_tile, scene_gone), CONFLICT (run_ended, screen_runs).
        """

        async def change(session: AsyncSession, screen: Screen, shown: OnScreen, sources: ScreenSources) -> OnScreen:
            if isinstance(wanted, TileWanted):
                content: Content = _with_tile(screen, shown.content, sources, wanted)
            else:
                content = wanted
            return put(shown, await _checked(session, content))

        return await self._act(actor, screen_id, revision, change)

    async def take_back(self, actor: Actor, screen_id: int, revision: int) -> ScreenView:
        """Return to what the screen showed before; to nothing when there was nothing. Errors as of `show`."""

        async def change(_session: AsyncSession, _screen: Screen, shown: OnScreen, sources: ScreenSources) -> OnScreen:
            return take_back(shown)

        return await self._act(actor, screen_id, revision, change)

    async def settle(self, screen_ids: Collection[int]) -> Sequence[int]:
        """Bring rows up to date whose run has ended or whose scene is gone; the ids of those that have changed."""
        changed = []
        async with self._database.write() as session:
            rows = await session.scalars(select(Screen).where(Screen.id.in_(screen_ids)).with_for_update())
            for screen in rows.all():
                shown = _shown(screen)
                sources = await read_sources(session, [shown], self._runs, self._itineraries)
                if (now := present(shown, sources)) != shown:
                    self._write(screen, now, None)
                    changed.append(screen.id)
        for screen_id in changed:
            self._bus.publish(ScreenChanged(screen_id))
        return changed

    def may_show(self, screen_id: int, camera_id: int) -> bool:
        """Whether the camera is among those that the screen's content shows, as far as its content was read."""
        return camera_id in self._allowed.get(screen_id, frozenset())

    async def _act(self, actor: Actor, screen_id: int, revision: int, change: _Change) -> ScreenView:
        township.require(actor, "screen")
        refused: ScreenMoved | None = None
        async with self._database.write() as session:
            screen = await _row(session, screen_id, locked=True)
            if screen.locked and not allows(actor, Action.MANAGE_SCREENS):
                raise HubError(
                    Kind.FORBIDDEN,
                    "this screen is locked; who manages screens may change it or unlock it",
                    reason="screen_locked",
                )
            shown = _shown(screen)
            sources = await read_sources(session, [shown], self._runs, self._itineraries)
            if screen.revision != revision:
                refused = ScreenMoved(await self._view(session, screen))
            else:
                now = await change(session, screen, present(shown, sources), sources)
                if now != shown:
                    self._write(screen, now, actor)
                    await session.flush()
                view = await self._view(session, screen)
        if refused is not None:
            raise refused
        self._bus.publish(ScreenChanged(screen_id))
        return view

    def _write(self, screen: Screen, shown: OnScreen, actor: Actor | None) -> None:
        screen.content, screen.past = to_row(shown.content), [to_row(content) for content in shown.past]
        screen.revision += 1
        screen.changed_by = None if actor is None else actor.user_id
        screen.changed_name = "" if actor is None else actor.display_name
        screen.changed_at = self._clock.now()

    async def _view(self, session: AsyncSession, screen: Screen) -> ScreenView:
        return (await self._views(session, [screen]))[0]

    async def _views(self, session: AsyncSession, rows: Sequence[Screen]) -> Sequence[ScreenView]:
        stored = {screen.id: _shown(screen) for screen in rows}
        sources = await read_sources(session, list(stored.values()), self._runs, self._itineraries)
        found = []
        for screen in rows:
            shown = present(stored[screen.id], sources)
            self._allowed[screen.id] = sources.allowed(shown.content)
            since = self._presence.since(screen.id)
            back = before(shown)
            found.append(
                ScreenView(
                    screen.id,
                    _setting(screen),
                    screen.revision,
                    shown.content,
                    sources.picture(shown.content, screen.layout, tile_count(screen.layout)),
                    None if back is None else back.content,
                    "" if back is None else sources.name(back.content),
                    screen.changed_name,
                    screen.changed_at,
                    screen.enrolled_at,
                    screen.code_expires_at,
                    since is not None,
                    since or screen.seen_at,
                    self._presence.count(screen.id),
                    screen.address,
                )
            )
        return found


def _columns(setting: ScreenSetting) -> dict[str, Any]:
    return asdict(setting)


def _setting(screen: Screen) -> ScreenSetting:
    return ScreenSetting(
        screen.name,
        screen.place,
        screen.layout,
        screen.portrait,
        screen.streams,
        screen.captions,
        screen.clock,
        screen.locked,
    )


def _shown(screen: Screen) -> OnScreen:
    return OnScreen(from_row(screen.content), tuple(from_row(content) for content in screen.past))


async def _row(session: AsyncSession, screen_id: int, *, locked: bool = False) -> Screen:
    screen = await session.get(Screen, screen_id, with_for_update=locked)
    if screen is None:
        raise township.not_found("screen")
    return screen


def _with_tile(screen: Screen, content: Content, sources: ScreenSources, wanted: TileWanted) -> Content:
    """What is shown, with another camera in one tile: a scene becomes the single cameras that it consists of."""
    if isinstance(content, RunContent):
        raise HubError(
            Kind.CONFLICT,
            "the screen shows a running patrol, whose tiles are its stops'; put the camera onto the whole screen",
            reason="screen_runs",
        )
    picture = sources.picture(content, screen.layout, tile_count(screen.layout))
    if wanted.tile >= len(picture.tiles):
        raise HubError(
            Kind.INVALID,
            f"the screen has {len(picture.tiles)} tiles now",
            reason="no_such_tile",
            tiles=len(picture.tiles),
        )
    cameras = tuple(None if one is None else one.id for one in picture.tiles)
    shown = CamerasContent(picture.layout, cameras, sources.carousels(content), picture.magnify_s)
    return with_camera(shown, wanted.tile, wanted.camera_id)


async def _checked(session: AsyncSession, content: Content) -> Content:
    """The content, filled up to its tiles. Raises HubError when it cannot be shown."""
    match content:
        case CamerasContent(layout, cameras, turning, magnify_s):
            count = tile_count(layout)
            if len(cameras) > count:
                raise HubError(
                    Kind.INVALID, f"this layout has {count} tiles, not {len(cameras)}", reason="too_many_tiles"
                )
            listed = await carousels.checked(session, dict(turning), count)
            await require_cameras(session, listed | {camera for camera in cameras if camera is not None})
            tiles: list[int | None] = [*cameras, *[None] * (count - len(cameras))]
            for tile, _ in turning:
                tiles[tile] = None
            return CamerasContent(layout, tuple(tiles), turning, magnify_s if count > 1 else None)
        case SceneContent(scene_id) if await session.get(Scene, scene_id) is None:
            raise HubError(Kind.INVALID, "this scene has been deleted; choose another one", reason="scene_gone")
        case RunContent(run_id):
            run = await session.get(Run, run_id)
            if run is None or run.state == "ended":
                raise HubError(
                    Kind.CONFLICT, "this patrol has ended; there is nothing to show of it", reason="run_ended"
                )
    return content


def _taken(name: str) -> HubError:
    return HubError(Kind.CONFLICT, f"there is a screen named {name} already", reason="screen_name_taken", name=name)
