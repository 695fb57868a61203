"""Pure: what a camera can do, and a person's wish (as a share of what it can) in the numbers of its device."""

from dataclasses import dataclass
from typing import Literal

from camera_hub.cameras.onvif.ptz import PtzNode, PtzRange, PtzSpace, PtzStatus, PtzVector

STEP_SHARE = 0.04
"""Of an axis, for a step of size 1 by a relative move."""
STEP_FOV = 0.25
"""Of half the picture, for a step of size 1 where moves within the field of view are understood."""
STEP_SECONDS = 0.2
"""How long a step of size 1 lasts where it must be made of a continuous move."""
STEP_SPEED = 0.5
VIEW_WIDTH, VIEW_HEIGHT, MAGNIFICATION = 0.4, 0.8, 10.0
"""What an absolute position is worth in the picture, where the device does not say: some 70° of 360° and 40° of 100° at
the widest, a tenth of that at full zoom. Too little rather than too much: a second click comes closer."""


@dataclass(frozen=True, slots=True)
class PtzCapabilities:
    """What a page offers. `point`: a click into the picture centres that place. The ranges are those of absolute
    positions, as the device counts; None: it has none."""

    continuous: bool
    zoom: bool
    absolute: bool
    relative: bool
    point: bool
    presets: bool
    home: bool
    max_presets: int
    pan_range: PtzRange | None = None
    tilt_range: PtzRange | None = None
    zoom_range: PtzRange | None = None


@dataclass(frozen=True, slots=True)
class DeviceMove:
    """One call to the device. `seconds`: a continuous move that ends after so long."""

    kind: Literal["continuous", "relative", "absolute"]
    vector: PtzVector
    seconds: float | None = None


ASSUMED = PtzNode("", PtzSpace(y=PtzRange()), PtzSpace(), presets=0)
"""A device that names no node, though a profile has a PTZ configuration: it is asked to move as most are."""


def capabilities_of(node: PtzNode, *, tells_position: bool) -> PtzCapabilities:
    """What can be offered of a node. `tells_position`: GetStatus answers where the camera points."""
    pan_tilt, zoom = node.absolute, node.absolute_zoom
    return PtzCapabilities(
        continuous=node.continuous is not None or node.continuous_zoom is not None,
        zoom=any(one is not None for one in (node.continuous_zoom, node.relative_zoom, node.absolute_zoom)),
        absolute=pan_tilt is not None,
        relative=node.relative is not None or node.fov is not None,
        point=node.fov is not None or (pan_tilt is not None and tells_position),
        presets=node.presets > 0,
        home=node.home,
        max_presets=node.presets,
        pan_range=pan_tilt.x if pan_tilt is not None else None,
        tilt_range=pan_tilt.y if pan_tilt is not None else None,
        zoom_range=zoom.x if zoom is not None else None,
    )


def velocity(node: PtzNode, pan: float, tilt: float, zoom: float) -> PtzVector | None:
    """A continuous move; each from -1 to 1. All axes that the node has are named, also those that stand still: some
    devices let an axis that is not named go on. None: the node has none of the axes that are asked for."""
    plane, depth = node.continuous, node.continuous_zoom
    if not ((plane is not None and (pan or tilt)) or (depth is not None and zoom) or not (pan or tilt or zoom)):
        return None
    return PtzVector(
        _speed(plane.x, pan) if plane is not None else None,
        _speed(plane.y or PtzRange(), tilt) if plane is not None else None,
        _speed(depth.x, zoom) if depth is not None else None,
        plane.uri if plane is not None else "",
    )


def step(node: PtzNode, pan: int, tilt: int, zoom: int, size: int) -> DeviceMove | None:
    """A step of a set length: a relative move where the node has it, else a short continuous one. None: neither."""
    if (pan or tilt) and not zoom and node.fov is not None:
        share = STEP_FOV * size
        return DeviceMove("relative", _translation(node.fov, pan * share, tilt * share))
    if (not (pan or tilt) or node.relative is not None) and (not zoom or node.relative_zoom is not None):
        share = STEP_SHARE * size
        plane = (
            _translation(node.relative, pan * share, tilt * share) if node.relative and (pan or tilt) else PtzVector()
        )
        depth = _speed(node.relative_zoom.x, zoom * share) if node.relative_zoom and zoom else None
        return DeviceMove("relative", PtzVector(plane.pan, plane.tilt, depth, plane.space))
    moved = velocity(node, pan * STEP_SPEED, tilt * STEP_SPEED, zoom * STEP_SPEED)
    return DeviceMove("continuous", moved, STEP_SECONDS * size) if moved is not None else None


def centred(node: PtzNode, x: float, y: float, status: PtzStatus) -> DeviceMove | None:
    """The move that brings a place of the picture to its middle: x from left to right, y from top to bottom, 0 to 1."""
    aside, up = 2 * x - 1, 1 - 2 * y
    if node.fov is not None:
        return DeviceMove("relative", _translation(node.fov, aside, up))
    space = node.absolute
    if space is None or status.pan is None or status.tilt is None:
        return None
    zoomed = 0.0
    if node.absolute_zoom is not None and status.zoom is not None:
        depth = node.absolute_zoom.x
        zoomed = _limited((status.zoom - depth.low) / (depth.high - depth.low), PtzRange(0.0, 1.0))
    scale = 1 + (MAGNIFICATION - 1) * zoomed
    tilts = space.y or PtzRange()
    pan = status.pan + aside * VIEW_WIDTH / 4 * (space.x.high - space.x.low) / scale
    tilt = status.tilt + up * VIEW_HEIGHT / 4 * (tilts.high - tilts.low) / scale
    return DeviceMove("absolute", PtzVector(_round(pan, space.x), _limited(tilt, tilts), None, space.uri))


def _translation(space: PtzSpace, pan: float, tilt: float) -> PtzVector:
    return PtzVector(_speed(space.x, pan), _speed(space.y or PtzRange(), tilt), None, space.uri)


def _speed(axis: PtzRange, share: float) -> float:
    """A share from -1 to 1 in the numbers of an axis; of one that has no negative numbers as they are."""
    if share >= 0 or axis.low >= 0:
        return share * axis.high
    return -share * axis.low


def _limited(value: float, axis: PtzRange) -> float:
    return min(max(value, axis.low), axis.high)


def _round(value: float, axis: PtzRange) -> float:
    """Beyond one end of the pan axis lies the other one."""
    width = axis.high - axis.low
    return value if axis.low <= value <= axis.high else (value - axis.low) % width + axis.low
