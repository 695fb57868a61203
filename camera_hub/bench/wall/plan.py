"""What `bench wall` measures, as values. Light to import: the command line reads it before anything heavy is loaded."""

from dataclasses import dataclass, replace
from pathlib import Path

from camera_hub.bench.plan import Cipher, Picture, Spans

PEERS = ("go2rtc", "mediamtx", "janus")
BETTER_OF = ("go2rtc", "mediamtx")
"""The ratios of the summary are to the better of these."""

TRACKS = 16
"""Tiles whose frames are timed, at the beginning of the wall and once more in its middle."""


@dataclass(frozen=True, slots=True)
class HubVariant:
    """A hub to measure: this one, or that of another checkout. `plain`: without compiled modules."""

    name: str
    python: Path
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """What is shown: the cameras, the tiles, and the picture of each camera."""

    feeds: int
    tiles: int
    picture: Picture
    tiles_per_viewer: int = 16
    cipher: Cipher = "gcm"


@dataclass(frozen=True, slots=True)
class WallPlan:
    """One comparison. `relay_alone`: the hub's relay over its pipe, instead of the whole hub."""

    load: Load
    spans: Spans
    hubs: tuple[HubVariant, ...] = ()
    peers: tuple[str, ...] = PEERS
    repeat: int = 1
    relay_alone: bool = False
    load_processes: int = 1


@dataclass(frozen=True, slots=True)
class OverloadPlan:
    """`load` is the first half; `more` tiles of as many further cameras come on top of it, wall by wall."""

    load: Load
    more: int
    spans: Spans
    hub: HubVariant
    patience: float = 20.0
    recovery: float = 60.0


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """The whole hub at a load for some minutes, with a line each `every` seconds."""

    load: Load
    minutes: float
    hub: HubVariant
    warm_up: float = 30.0
    every: float = 60.0


_SUB = Picture(400_000, 640, 360, fps=15)
_MAIN = Picture(1_000_000, 1280, 720)
PRESETS = {
    "16x16": Load(16, 16, _SUB),
    "100x160": Load(100, 160, _MAIN),
    "200x320": Load(200, 320, _MAIN),
}


def load(preset: str, **values: object) -> Load:
    """A preset in which the values that are not None stand instead. Fields of the picture are named as such."""
    base = PRESETS[preset]
    given = {name: value for name, value in values.items() if value is not None}
    of_picture = {name: given.pop(name) for name in list(given) if name in Picture.__dataclass_fields__}
    changed: Load = replace(base, picture=replace(base.picture, **of_picture), **given)  # type: ignore[arg-type]
    return changed


def feed_of(tile: int, feeds: int) -> int:
    """The feed that a tile shows: all in turn."""
    return tile % feeds


def timed_tiles(tiles: int) -> list[int]:
    """The tiles whose frames are timed, the same for every server: up to TRACKS from the beginning and the middle."""
    middle = tiles // 2 // TRACKS * TRACKS
    return sorted({*range(min(TRACKS, tiles)), *range(middle, min(middle + TRACKS, tiles))})


def per_viewer(load: Load) -> int:
    """Tiles in one peer connection of the hub."""
    return min(load.tiles, load.tiles_per_viewer)


def rotated(names: tuple[str, ...], repetition: int) -> tuple[str, ...]:
    """The order of the servers in a repetition: each is the first in turn, so that no one always follows another."""
    shift = repetition % len(names) if names else 0
    return names[shift:] + names[:shift]
