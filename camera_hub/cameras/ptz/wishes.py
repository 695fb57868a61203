"""What may be asked of a camera that is steered. Values only; shares of what it can, not numbers of its device."""

from dataclasses import dataclass

from camera_hub.cameras.ptz.watchdog import STOP_SECONDS


@dataclass(frozen=True, slots=True)
class MoveWish:
    """Move with these speeds, each from -1 to 1, for so long unless it is asked for again."""

    pan: float
    tilt: float
    zoom: float
    seconds: float = STOP_SECONDS


@dataclass(frozen=True, slots=True)
class StopWish:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class StepWish:
    """A step of a set length (1 to 3); each direction -1, 0 or 1."""

    pan: int
    tilt: int
    zoom: int
    size: int


@dataclass(frozen=True, slots=True)
class PointWish:
    """Bring a place of the picture to its middle: from left to right, from top to bottom, 0 to 1."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class PresetWish:
    """Go to a preset."""

    token: str


@dataclass(frozen=True, slots=True)
class HomeWish:
    """Go to the home position."""


PtzWish = MoveWish | StopWish | StepWish | PointWish | PresetWish | HomeWish
