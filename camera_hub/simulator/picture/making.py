"""Encoding loops: without a caption bar if it can be written in later, else with the bar drawn."""

import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture import caption, font, takes
from camera_hub.simulator.picture.bits import split_annex_b
from camera_hub.simulator.picture.canvas import Canvas, Colour
from camera_hub.simulator.picture.encoder import PictureEncoder, encode
from camera_hub.simulator.picture.loops import ParameterSets, Unit
from camera_hub.simulator.picture.moods import Pictures
from camera_hub.simulator.picture.scenes import Look, Mood, SceneKind

LOOP_SECONDS = 12
DRAWN_SECONDS = 6
"""Shorter where nothing is shared: x265 takes some 60 ms of a core for a 720p picture."""
_KEY_SHARE = 8
"""A take gets this fraction (one in so many) of its group's bits."""
_NOISE_SHARE, _NOISE_QP = 4, 43
"""Times the bits for a picture full of noise, and its coarsest quantizer: else the encoder would take all of it away,
sooner or later."""
_SETTLING = 8
_ENCODERS = {"h264": "libx264", "h265": "libx265"}
_SLICES, _IDR, _SEI, _SPS, _PPS = (1, 5), 5, 6, 7, 8
_H265_PARAMETERS, _H265_SEI = (32, 33, 34), (39, 40)


def frame_of(spec: StreamSpec) -> caption.Frame:
    """The geometry for a stream's size."""
    return caption.Frame(spec.width, spec.height, scale=2 if spec.width >= 1000 else 1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a loop is encoded from. Only a loop into which no caption can be written has a label."""

    look: Look
    spec: StreamSpec
    label: str = ""
    b_frames: bool = False
    refresh_seconds: int = 0
    """Interval between IDR pictures where intra refresh takes the place of all the others; 0: no intra refresh."""

    @property
    def cycle(self) -> int:
        """Frames from one place at which a decoder can join to the next: key pictures, or recovery points."""
        return self.spec.gov

    @property
    def gop(self) -> int:
        """Frames from one key frame (IDR) to the next."""
        cycles = max(1, -(-self.refresh_seconds * self.spec.fps // self.cycle))
        return self.cycle * cycles

    @property
    def takes(self) -> int:
        """How many additional times each key picture is encoded."""
        return 0 if self.refresh_seconds else takes.count(self.look, self.spec.codec)

    @property
    def length(self) -> int:
        """Frames in the loop, in whole groups. A frozen picture has one group, so that it is identical each time."""
        if self.look.mood is Mood.FROZEN or self.refresh_seconds:
            return self.gop
        groups = -(-(DRAWN_SECONDS if self.label else LOOP_SECONDS) * self.spec.fps // self.gop)
        return self.gop * groups


def recipe_for(look: Look, spec: StreamSpec, label: str, *, b_frames: bool, refresh_seconds: int = 0) -> Recipe:
    """The recipe that shares as much as the codec allows. Intra refresh is H.264's alone."""
    if spec.codec != "h264":
        return Recipe(look, spec, label, b_frames)
    if refresh_seconds:
        return Recipe(look, spec, label, refresh_seconds=refresh_seconds)
    return Recipe(look, spec, label, b_frames) if b_frames else Recipe(look, spec)


def units(recipe: Recipe, stop: threading.Event | None = None) -> Iterator[Unit]:
    """Draw and encode a loop frame by frame, each group followed by the takes of its key frame.

    Takes seconds of one core in all; for a thread. Raises Abandoned.
    """
    again = _again(recipe, stop)
    for number, (unit, _) in enumerate(_coded(recipe, _drawn(recipe), stop)):
        if number and number % recipe.gop == 0:
            yield from itertools.islice(again, recipe.takes)
        yield unit
    yield from again


def parameters(recipe: Recipe) -> ParameterSets:
    """The parameter sets that the recipe's loop will have: they depend on the settings, not on what is drawn."""
    return _parameters(replace(recipe, look=Look(SceneKind.ROAD, mood=Mood.BLACK), label=recipe.label and "-"))


@lru_cache(maxsize=64)
def _parameters(recipe: Recipe) -> ParameterSets:
    width, height = _size(recipe)
    blank = Canvas.blank(width, height, Colour(24, 128, 128))
    found: dict[int, bytes] = {}
    for _, nals in _coded(recipe, [blank], None):
        found |= nals
    if recipe.spec.codec == "h265":
        vps, sps, pps = (found[kind] for kind in _H265_PARAMETERS)
        return ParameterSets(sps, pps, vps)
    return ParameterSets(found[_SPS], found[_PPS])


def _again(recipe: Recipe, stop: threading.Event | None) -> Iterator[Unit]:
    """All takes of all key frames. They decode with the loop's parameter sets, or RuntimeError is raised."""
    if not recipe.takes:
        return
    known = parameters(recipe)
    coded = _coded(recipe, _drawn_again(recipe), stop, all_keys=True)
    for unit, nals in itertools.islice(coded, _SETTLING, None):
        if known.sps not in nals.values() or known.pps not in nals.values():
            raise RuntimeError("the encoder changed its parameter sets from one take to another")
        yield replace(unit, again=True)


def _coded(
    recipe: Recipe, pictures: Iterable[Canvas], stop: threading.Event | None, *, all_keys: bool = False
) -> Iterator[tuple[Unit, dict[int, bytes]]]:
    """Frames in coding order, each with all its NAL units by their type."""
    spec = recipe.spec
    bitrate = spec.bitrate * (_NOISE_SHARE if recipe.look.mood is Mood.NOISY else 1)
    bitrate = bitrate * recipe.gop // _KEY_SHARE if all_keys else bitrate
    coded = encode(
        _ENCODERS[spec.codec], pictures, size=_size(recipe), fps=spec.fps, bitrate=bitrate,
        options=_options(recipe), all_keys=all_keys, stop=stop,
    )  # fmt: skip
    for number, (data, shown, key) in enumerate(coded):
        unit, nals = unit_of(recipe, data, number, key=key)
        yield replace(unit, time_offset=shown - number), nals


def unit_of(recipe: Recipe, data: bytes, number: int, *, key: bool) -> tuple[Unit, dict[int, bytes]]:
    """An access unit as it is sent, and all its NAL units by their type."""
    h265 = recipe.spec.codec == "h265"
    kinds = {nal: nal[0] >> 1 & 0x3F if h265 else nal[0] & 0x1F for nal in split_annex_b(data)}
    if recipe.refresh_seconds:  # its SEI holds the recovery points; the first one the encoder's advertisement
        kept = tuple(nal for nal, kind in kinds.items() if kind != _SEI or number)
        key = _IDR in kinds.values()
    elif recipe.label:
        kept = tuple(nal for nal, kind in kinds.items() if kind not in (_H265_SEI if h265 else (_SEI,)))
    else:
        kept = tuple(nal for nal, kind in kinds.items() if kind in _SLICES)
        if len(kept) != 1:
            raise RuntimeError(f"the encoder made {len(kept)} slices of one picture")
    return Unit(kept, key), {kind: nal for nal, kind in kinds.items()}


def encoder_of(recipe: Recipe) -> PictureEncoder:
    """An encoder for the recipe that gives each picture at once."""
    spec, options = recipe.spec, _options(recipe)
    if spec.codec == "h265":
        options = options | {"tune": "zerolatency"}
    return PictureEncoder(
        _ENCODERS[spec.codec], size=_size(recipe), fps=spec.fps, bitrate=spec.bitrate, options=options
    )


def _size(recipe: Recipe) -> tuple[int, int]:
    """Width and height of what is encoded."""
    frame = frame_of(recipe.spec)
    if recipe.label:
        return frame.width, frame.height
    return frame.columns * 16, frame.body_height


def _options(recipe: Recipe) -> dict[str, str]:
    common = f"keyint={recipe.cycle}:min-keyint={recipe.cycle}:scenecut=0"
    if recipe.look.mood is Mood.NOISY:
        common += f":qpmax={_NOISE_QP}"
    if recipe.spec.codec == "h265":
        own = "bframes=0:open-gop=0:pools=1:frame-threads=1:log-level=none:repeat-headers=1:info=0"
        return {"preset": "ultrafast", "x265-params": f"{common}:{own}"}
    options = {"preset": "ultrafast", "threads": "1", "level": "3.2"}
    if recipe.refresh_seconds:
        own = "intra-refresh=1:rc-lookahead=0:sync-lookahead=0:force-cfr=1:repeat-headers=1:aud=0"
        return options | {"profile": "main", "bf": "0", "x264-params": f"{common}:{own}"}
    if recipe.label:
        own = f"bframes={2 if recipe.b_frames else 0}:b-adapt=0:open-gop=0"
        return options | {"profile": "main", "x264-params": f"{common}:{own}"}
    own = "rc-lookahead=0:sync-lookahead=0:force-cfr=1"
    return options | {"profile": "baseline", "bf": "0", "x264-params": f"{common}:{own}"}


def _drawn(recipe: Recipe) -> Iterator[Canvas]:
    """Draw the pictures of a loop."""
    frame = frame_of(recipe.spec)
    pictures = Pictures(recipe.look, frame.width, frame.body_height)
    random = np.random.default_rng(11)
    for number in range(recipe.length):
        yield _completed(recipe, pictures.frame(number / recipe.length, number), number, random)


def _drawn_again(recipe: Recipe) -> Iterator[Canvas]:
    """The takes of each group's first picture, group by group, preceded by some for rate control to settle."""
    frame = frame_of(recipe.spec)
    pictures = Pictures(recipe.look, frame.width, frame.body_height)
    sensor = takes.Sensor(frame.width, frame.body_height, recipe.takes)
    random = np.random.default_rng(11)
    for number in range(0, recipe.length, recipe.gop):
        light = pictures.light(number / recipe.length, number)
        for take in range(0 if number else -_SETTLING, recipe.takes):
            taken = sensor.take(light, take % recipe.takes, number / recipe.length)
            yield _completed(recipe, pictures.processed(taken, number + take), number, random)


def _completed(recipe: Recipe, picture: Canvas, number: int, random: np.random.Generator) -> Canvas:
    """The picture with its bar if there is a label, else with the noise that keeps a slice open."""
    if recipe.label:
        second = 0 if recipe.look.mood is Mood.FROZEN else number // recipe.spec.fps
        return with_bar(picture, frame_of(recipe.spec), f"{recipe.label}  +{second:02}")
    return with_noise(picture, random)


def with_noise(picture: Canvas, random: np.random.Generator) -> Canvas:
    """The picture with a column that is cropped away, and in it the noise that keeps a slice open."""
    wide = Canvas(*(np.pad(plane, ((0, 0), (0, extra)), mode="edge") for plane, extra in _planes(picture)))
    wide.y[-16:, -16:] = random.integers(40, 216, (16, 16), np.uint8)
    return wide


def with_bar(canvas: Canvas, frame: caption.Frame, text: str) -> Canvas:
    """The picture with its bar below, as samples."""
    room = frame.height - frame.body_height
    bar = np.full((room, frame.width), font.PAPER, np.uint8)
    line = font.line(frame.text(text), frame.scale)[:room]
    bar[: line.shape[0], : line.shape[1]] = line
    grey = np.full((room // 2, frame.width // 2), 128, np.uint8)
    return Canvas(np.vstack([canvas.y, bar]), np.vstack([canvas.u, grey]), np.vstack([canvas.v, grey]))


def _planes(canvas: Canvas) -> tuple[tuple[NDArray[np.uint8], int], ...]:
    return (canvas.y, 16), (canvas.u, 8), (canvas.v, 8)
