"""Stops of a tour: one camera, a saved scene, or some cameras of its own; what is wrong with them; their rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import HubError, Kind
from camera_hub.patrol.layout import tile_count
from camera_hub.patrol.tours.presets import (
    StopPreset,
    WantedPresets,
    in_order,
    presets_of,
    put_presets,
    require_presets,
)
from camera_hub.patrol.tours.scenes import require_cameras
from camera_hub.store.tables import Camera, Scene, TourStop


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop as it is asked for: exactly one of camera, scene, and layout with `cameras` (one per tile, None: empty).

    `presets`: at most one per camera that it shows. `title`: what a stop of several cameras is called; "" names it by
    its cameras. `key`: each of its cameras is confirmed singly.
    """

    camera_id: int | None
    scene_id: int | None
    dwell_s: int
    note: str
    presets: tuple[StopPreset, ...] = ()
    key: bool = False
    layout: str | None = None
    cameras: tuple[int | None, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop with the name of what it shows. `layout` and `cameras`: what it shows, whichever kind of stop it is.
    `more`: how many cameras it shows beside the one that it is named after (0: the name says it all). `presets`: in the
    order of its tiles, those of cameras that it does not show at the end."""

    position: int
    camera_id: int | None
    scene_id: int | None
    layout: str
    cameras: tuple[int | None, ...]
    title: str
    name: str
    more: int
    dwell_s: int
    note: str
    presets: tuple[StopPreset, ...]
    key: bool


async def put_stops(session: AsyncSession, tour_id: int, stops: Sequence[NewStop], most: int) -> None:
    """Replace the stops of a tour; at most `most`. Raises HubError(INVALID), which names the stop that is wrong.

    A camera that the tour shows already may stay when it has been retired meanwhile: whoever changes another stop has
    not to deal with it at once.
    """
    if not 1 <= len(stops) <= most:
        raise HubError(Kind.INVALID, f"a tour has 1 to {most} stops, not {len(stops)}", reason="stop_count", limit=most)
    for number, stop in enumerate(stops, 1):
        _require_shown(number, stop)
    before = await session.execute(select(TourStop.camera_id, TourStop.cameras).where(TourStop.tour_id == tour_id))
    had = {id for camera, own in before for id in (camera, *(own or ())) if id is not None}
    await require_cameras(session, {id for stop in stops for id in _own(stop)} - had)
    scenes = {stop.scene_id for stop in stops if stop.scene_id is not None}
    rows = await session.execute(select(Scene).where(Scene.id.in_(scenes))) if scenes else ()
    found = {scene.id: scene for (scene,) in rows}
    if missing := sorted(scenes - set(found)):
        raise HubError(Kind.INVALID, f"there is no scene {missing[0]}", reason="no_such_scene", scenes=missing)
    if turning := [scene.name for scene in found.values() if scene.carousels]:
        raise HubError(
            Kind.INVALID,
            f"tiles of these scenes turn through cameras: {', '.join(turning)}; a stop shows fixed cameras",
            reason="scene_turns",
            scenes=turning,
        )
    shown = [_own(stop) if stop.scene_id is None else found[stop.scene_id].cameras for stop in stops]
    wanted = [
        WantedPresets(number, stop.scene_id, cameras, stop.presets)
        for number, (stop, cameras) in enumerate(zip(stops, shown, strict=True), 1)
    ]
    await require_presets(session, tour_id, wanted)
    await session.execute(delete(TourStop).where(TourStop.tour_id == tour_id))
    made = [
        TourStop(
            tour_id=tour_id,
            position=position,
            camera_id=stop.camera_id,
            scene_id=stop.scene_id,
            layout=stop.layout,
            cameras=list(stop.cameras) if stop.layout is not None else None,
            title=stop.title if stop.layout is not None else "",
            dwell_s=stop.dwell_s,
            note=stop.note,
            key=stop.key,
        )
        for position, stop in enumerate(stops)
    ]
    session.add_all(made)
    await session.flush()
    await put_presets(session, [(row.id, stop.presets) for row, stop in zip(made, stops, strict=True)])


async def copy_stops(session: AsyncSession, from_tour: int, to_tour: int) -> None:
    """Copy the stops of a tour, with their presets, to one that has none."""
    query = select(TourStop).where(TourStop.tour_id == from_tour).order_by(TourStop.position)
    old = (await session.scalars(query)).all()
    presets = await presets_of(session, TourStop.tour_id == from_tour)
    columns = [one.key for one in TourStop.__table__.columns if one.key not in ("id", "tour_id")]
    made = [TourStop(tour_id=to_tour, **{one: getattr(stop, one) for one in columns}) for stop in old]
    session.add_all(made)
    await session.flush()
    await put_presets(session, [(new.id, presets.get(stop.id, ())) for new, stop in zip(made, old, strict=True)])


async def stop_views(session: AsyncSession, tour_id: int | None) -> dict[int, list[StopView]]:
    """The stops of one tour, or of all, by tour and in order: three statements."""
    query = (
        select(TourStop, Camera.name, Scene)
        .outerjoin(Camera, Camera.id == TourStop.camera_id)
        .outerjoin(Scene, Scene.id == TourStop.scene_id)
        .order_by(TourStop.tour_id, TourStop.position)
    )
    if tour_id is not None:
        query = query.where(TourStop.tour_id == tour_id)
    rows = [(stop, camera, scene) for stop, camera, scene in await session.execute(query)]
    first = {_first(stop.cameras or ()) for stop, _, _ in rows if stop.cameras and not stop.title}
    names = {id: name for id, name in await session.execute(select(Camera.id, Camera.name).where(Camera.id.in_(first)))}
    presets = await presets_of(session, None if tour_id is None else TourStop.tour_id == tour_id)
    views: dict[int, list[StopView]] = {}
    for stop, camera, scene in rows:
        views.setdefault(stop.tour_id, []).append(_view(stop, camera, scene, names, presets.get(stop.id, ())))
    return views


def group_name(title: str, cameras: Iterable[int | None], names: Mapping[int, str]) -> tuple[str, int]:
    """What a stop of several cameras is called: its title; else its first camera, and how many more it shows. Pages put
    the two into words (web/src/stopLabel.ts)."""
    if title:
        return title, 0
    shown = list(dict.fromkeys(id for id in cameras if id is not None))
    return (names.get(shown[0], ""), len(shown) - 1) if shown else ("", 0)


def _view(
    stop: TourStop, camera: str | None, scene: Scene | None, names: Mapping[int, str], presets: Iterable[StopPreset]
) -> StopView:
    layout, cameras, name, more = "1", tuple[int | None, ...]((stop.camera_id,)), camera or "", 0
    if scene is not None:
        layout, cameras, name = scene.layout, tuple(scene.cameras), scene.name
    elif stop.layout is not None:
        layout, cameras = stop.layout, tuple(stop.cameras or ())
        name, more = group_name(stop.title, cameras, names)
    return StopView(
        stop.position,
        stop.camera_id,
        stop.scene_id,
        layout,
        cameras,
        stop.title,
        name,
        more,
        stop.dwell_s,
        stop.note,
        in_order(presets, cameras),
        stop.key,
    )


def _require_shown(number: int, stop: NewStop) -> None:
    """Raise HubError(INVALID) when the stop is not one thing that can be shown."""
    kinds = (stop.camera_id is not None, stop.scene_id is not None, stop.layout is not None)
    if sum(kinds) != 1 or (stop.layout is None and stop.cameras):
        raise HubError(
            Kind.INVALID,
            f"stop {number} must be either a camera, a scene, or a layout with its cameras",
            reason="camera_or_scene",
            stop=number,
        )
    if stop.layout is None:
        return
    tiles = tile_count(stop.layout)
    if len(stop.cameras) > tiles:
        raise HubError(
            Kind.INVALID,
            f"the layout of stop {number} has {tiles} tiles, not {len(stop.cameras)}",
            reason="too_many_tiles",
            stop=number,
        )
    if not any(stop.cameras):
        raise HubError(Kind.INVALID, f"stop {number} shows no camera", reason="stop_empty", stop=number)


def _own(stop: NewStop) -> list[int]:
    return [id for id in (stop.camera_id, *stop.cameras) if id is not None]


def _first(cameras: Iterable[int | None]) -> int:
    return next((id for id in cameras if id is not None), 0)
