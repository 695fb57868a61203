"""PTZ presets of a stop: one per camera that it shows; what is wrong with them; their rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.errors import HubError, Kind
from camera_hub.store.tables import Camera, TourStop, TourStopPreset


@dataclass(frozen=True, slots=True)
class StopPreset:
    """The PTZ preset at which a stop shows one of its cameras. `token`: the device's; `name`: what it is called there.

    `shown` false: its scene does not show that camera (any more); it is kept for when it does again.
    """

    camera_id: int
    token: str
    name: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class WantedPresets:
    """The presets of the stop `number` (from 1), which shows these cameras."""

    number: int
    scene_id: int | None
    cameras: Collection[int | None]
    presets: Sequence[StopPreset]


async def require_presets(session: AsyncSession, tour_id: int, wanted: Sequence[WantedPresets]) -> None:
    """Raise HubError(INVALID) for a preset that cannot be gone to: a second one of a camera, one of a camera that the
    stop does not show or that cannot be steered. At most two statements.

    What the tour has already may stay when its scene has lost the camera, or the camera its drive, meanwhile. Whether
    the device still keeps the preset is asked of it only when it is gone to: a tour can be saved while it is away.
    """
    cameras = {one.camera_id for stop in wanted for one in stop.presets}
    if not cameras:
        return
    before = await session.execute(
        select(TourStop.scene_id, TourStopPreset.camera_id)
        .join(TourStopPreset, TourStopPreset.stop_id == TourStop.id)
        .where(TourStop.tour_id == tour_id)
    )
    had = {(scene, camera) for scene, camera in before}
    steered = {camera for _, camera in had}
    rows = await session.execute(select(Camera.id, Camera.name, Camera.ptz).where(Camera.id.in_(cameras)))
    known = {camera: (name, ptz) for camera, name, ptz in rows}
    for stop in wanted:
        seen = set[int]()
        for one in stop.presets:
            name, ptz = known.get(one.camera_id, ("", False))
            stays = stop.scene_id is not None and one.camera_id in known and (stop.scene_id, one.camera_id) in had
            if one.camera_id in seen:
                raise _wrong("preset_twice", stop, one, name, "has two presets at this stop; keep one of them")
            if one.camera_id not in stop.cameras and not stays:
                raise _wrong(
                    "preset_not_shown", stop, one, name, "is not shown at this stop; show it there or drop its preset"
                )
            if not ptz and one.camera_id not in steered:
                raise _wrong("preset_without_ptz", stop, one, name, "cannot be steered (no PTZ); drop its preset")
            seen.add(one.camera_id)


async def put_presets(session: AsyncSession, wanted: Iterable[tuple[int, Iterable[StopPreset]]]) -> None:
    """Store the presets of new stops, by the ids of these: one statement for all."""
    rows = [
        {"stop_id": stop, "camera_id": one.camera_id, "token": one.token, "name": one.name}
        for stop, presets in wanted
        for one in presets
    ]
    if rows:
        await session.execute(insert(TourStopPreset), rows)


async def presets_of(session: AsyncSession, which: ColumnElement[bool] | None) -> dict[int, list[StopPreset]]:
    """The presets by stop, of the stops of which `which` holds (None: of all): one statement."""
    query = select(TourStopPreset).order_by(TourStopPreset.stop_id, TourStopPreset.camera_id)
    if which is not None:
        query = query.join(TourStop, TourStop.id == TourStopPreset.stop_id).where(which)
    found = defaultdict[int, list[StopPreset]](list)
    for row in await session.scalars(query):
        found[row.stop_id].append(StopPreset(row.camera_id, row.token, row.name))
    return found


def in_order(presets: Iterable[StopPreset], cameras: Sequence[int | None]) -> tuple[StopPreset, ...]:
    """The presets in the order of the tiles, then those of cameras that are not shown. Pure."""
    place = {camera: number for number, camera in reversed(list(enumerate(cameras)))}
    told = [replace(one, shown=one.camera_id in place) for one in presets]
    return tuple(sorted(told, key=lambda one: (not one.shown, place.get(one.camera_id, 0), one.camera_id)))


def _wrong(reason: str, stop: WantedPresets, preset: StopPreset, name: str, what: str) -> HubError:
    camera = f"camera {preset.camera_id}" + (f" ({name})" if name else "")
    return HubError(
        Kind.INVALID,
        f"stop {stop.number}: {camera} {what}",
        reason=reason,
        stop=stop.number,
        camera=preset.camera_id,
        name=name or str(preset.camera_id),
    )
