"""What a screen shows, and what it showed before: pure values.

{kind: none} | {kind: scene, scene_id} | {kind: cameras, layout, cameras, carousels, magnify_s} | {kind: run, run_id}
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from camera_hub.patrol.layout import tile_count
from camera_hub.patrol.tours.carousels import Carousel

PAST = 8
"""Contents that can be taken back, the newest last; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class NoContent:
    """Nothing: the screen says its name."""


@dataclass(frozen=True, slots=True)
class SceneContent:
    """A scene as it is now: who changes the scene changes the screen."""

    scene_id: int


@dataclass(frozen=True, slots=True)
class CamerasContent:
    """Single cameras: one per tile of the layout, None where a tile is empty or a carousel's (tile, carousel).
    `magnify_s`: seconds that each small tile is shown large in turn; None: not."""

    layout: str
    cameras: tuple[int | None, ...]
    carousels: tuple[tuple[int, Carousel], ...] = ()
    magnify_s: int | None = None


@dataclass(frozen=True, slots=True)
class RunContent:
    """A run: its present stop, until it has ended."""

    run_id: int


Content = NoContent | SceneContent | CamerasContent | RunContent
NONE = NoContent()


@dataclass(frozen=True, slots=True)
class OnScreen:
    """What is on, and what was on before, newest last."""

    content: Content
    past: tuple[Content, ...] = ()


def put(shown: OnScreen, content: Content) -> OnScreen:
    """Something else is put on; what was on can be taken back to. The same once more changes nothing."""
    if content == shown.content:
        return shown
    return OnScreen(content, (*shown.past, shown.content)[-PAST:])


def take_back(shown: OnScreen) -> OnScreen:
    """What was on before; nothing, when nothing was."""
    if not shown.past:
        return OnScreen(NONE)
    return OnScreen(shown.past[-1], shown.past[:-1])


def before(shown: OnScreen) -> OnScreen | None:
    """What taking back returns to; None when nothing is on, and nothing was."""
    return None if shown == OnScreen(NONE) else take_back(shown)


def without(shown: OnScreen, is_over: Callable[[Content], bool]) -> OnScreen:
    """What is left when runs have ended and scenes are gone: the newest content that is not over, and its past."""
    kept = [content for content in (*shown.past, shown.content) if not is_over(content)]
    return OnScreen(kept[-1], _steps(kept[:-1], kept[-1])) if kept else OnScreen(NONE)


def _steps(past: Sequence[Content], last: Content) -> tuple[Content, ...]:
    """Without those that repeat their successor, since what was between them is gone."""
    steps = [*past, last]
    return tuple(one for one, following in pairwise(steps) if one != following)


def with_camera(content: CamerasContent, tile: int, camera_id: int | None) -> CamerasContent:
    """The same with another camera in one tile. A camera that is in another tile moves, as on the wall."""
    tiles = [None if camera == camera_id else camera for camera in content.cameras]
    tiles[tile] = camera_id
    turning = tuple(one for one in content.carousels if one[0] != tile)
    return replace(content, cameras=tuple(tiles), carousels=turning)


def to_row(content: Content) -> dict[str, Any]:
    """As it is stored."""
    match content:
        case SceneContent(scene_id):
            return {"kind": "scene", "scene_id": scene_id}
        case CamerasContent(layout, cameras, carousels, magnify_s):
            turning = {str(tile): carousel.to_row() for tile, carousel in carousels}
            row = {"kind": "cameras", "layout": layout, "cameras": list(cameras), "carousels": turning}
            return row if magnify_s is None else row | {"magnify_s": magnify_s}
        case RunContent(run_id):
            return {"kind": "run", "run_id": run_id}
        case _:
            return {"kind": "none"}


def from_row(row: Mapping[str, Any]) -> Content:
    """As it was stored. What this version does not know shows nothing, rather than keeping the screen dark."""
    match row:
        case {"kind": "scene", "scene_id": int(scene_id)}:
            return SceneContent(scene_id)
        case {"kind": "cameras", "layout": str(layout), "cameras": list(cameras)} if _fits(layout, cameras):
            turning = carousels_of(row.get("carousels", {}))
            return CamerasContent(layout, tuple(cameras), turning, row.get("magnify_s"))
        case {"kind": "run", "run_id": int(run_id)}:
            return RunContent(run_id)
        case _:
            return NONE


def carousels_of(row: Mapping[str, Any]) -> tuple[tuple[int, Carousel], ...]:
    """Carousels as they are stored, by tile."""
    return tuple(
        (int(tile), Carousel(**{**one, "cameras": tuple(one.get("cameras", ()))})) for tile, one in sorted(row.items())
    )


def _fits(layout: str, cameras: Sequence[int | None]) -> bool:
    try:
        return tile_count(layout) == len(cameras)
    except ValueError:
        return False
