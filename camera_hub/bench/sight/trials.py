"""The labelled set: what is shown to the eye, and what it must or must not say of it.

A trial is one look: a first key frame and, where the eye asks for more, those of the next seconds. A fault stays in
all of them; a lorry and an insect are gone by the second one, as they would be. Scenes for tuning and for testing are
other places, not other pictures of the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from camera_hub.bench.sight import faults, weather
from camera_hub.bench.sight.footage import key_frames
from camera_hub.bench.sight.scenes import Picture, Place, Profile, drawn, photographs, simulated
from camera_hub.eye.look import look
from camera_hub.eye.messages import Look, Seen, picture_fault
from camera_hub.simulator.picture.scenes import SceneKind

FINE = "fine"
"""The label of what is no fault."""
Share = Literal["tune", "test"]
_FIRST_SEED = {"tune": 0, "test": 5000}
_KINDS = {"tune": (SceneKind.ROAD, SceneKind.SQUARE), "test": (SceneKind.BRIDGE, SceneKind.GATE)}
_TRANSIENT = frozenset({"lorry", "insect"})
_PROFILES: tuple[Profile, ...] = ("day", "night", "lamps")
_MORE = 3
_FPS = 10
BIT_RATES = (500, 2000)
"""kbit/s at ten key frames a second: 6 and 25 kB for a key frame of 640 × 360."""
_STILL = (
    ("frozen", "0", 0.0, False),
    ("frozen", "tight", 0.0, True),
    (FINE, "quiet", 0.3, False),
    (FINE, "still", 1.5, True),
)
"""Label, step, the sensor's noise, and whether the encoder keeps to its rate within each second, so that it hardly
settles."""
_LAST_LOOK = 300.0
"""Seconds since the look before."""
_HOUR = 12
"""Looks in which a freeze must be found."""
_CLIP_FPS, _SETTLING, _CLIP_KEYS = 5, 6, 20
"""Pictures a second, and key frames that are not looked at and that are, of what stands still."""

ACCEPTED: dict[str, frozenset[str]] = {
    # A camera's own name on black looks like the words of a recorder on black.
    "black": frozenset({"black", "no_signal"}),
    "no_signal": frozenset({"no_signal", "black"}),
    "underexposed": frozenset({"underexposed", "black"}),
    # A veil before the lens takes the details, the sharpness and the contrast.
    "covered": frozenset({"covered", "blurred", "low_contrast"}),
    "low_contrast": frozenset({"low_contrast", "covered"}),
    "blurred": frozenset({"blurred", "covered"}),
}
"""What else is right to say of a fault, beside its own name."""


@dataclass(frozen=True)
class Trial:
    """`label`: FINE or the Reason's value; `step`: which one of them. `keys(n)`: the n-th key frame. `known`: the
    camera's references, by profile. `looks`: one after the other, as long as the `key_frames` last."""

    place: str
    profile: Profile
    label: str
    step: str
    keys: Callable[[int], bytes]
    known: dict[str, str] = field(default_factory=dict)
    looks: int = 1
    key_frames: int = 1 + _MORE

    def run(self, *, with_reference: bool) -> Seen:
        """What is seen in the end, in each look after as many key frames as the eye asks for, after the looks until a
        fault is seen or there is no more of them."""
        references = self.known if with_reference else {}
        seen, number = Seen(0, 0), 0
        for turn in range(self.looks):
            for more in range(1 + _MORE):
                at = _LAST_LOOK * (turn + 1) + 2 * more
                asked = Look("h264", jpeg=False, scores=True, at=at, memory=seen.memory, references=references)
                seen, _ = look(asked, self.keys(number))
                number += 1
                if not seen.again:
                    break
            if picture_fault(seen.scores) is not None or number > self.key_frames - 1 - _MORE:
                break
        return seen


def places(share: Share, count: int, folder: Path | None) -> list[Place]:
    """`count` drawn places with each kind of light, the simulator's, and the photographs of the folder."""
    first = _FIRST_SEED[share]
    found = [drawn(first + number, profile) for number in range(count) for profile in _PROFILES]
    found += [simulated(kind, night=night, mirrored=False) for kind in _KINDS[share] for night in (False, True)]
    if folder is not None:
        found += photographs(folder, "day") + photographs(folder, "night")[::3]
    return found


def trials(places: Sequence[Place]) -> Iterator[Trial]:
    """All trials, place by place."""
    for number, place in enumerate(places):
        known = _learnt(place)
        for turn, (name, change) in enumerate(weather.NO_FAULTS.items()):
            if _fits(name, place, weather.OF_DAY) and not (name == "headlights" and place.profile == "day"):
                rate = BIT_RATES[(number + turn) % 2]
                of_place = name in weather.OF_PLACE
                yield _still(place, FINE, name, change, rate, {} if of_place else known, anywhere=turn % 2 == 1)
        for name, steps in faults.FAULTS.items():
            if not _fits(name, place, faults.OF_DAY):
                continue
            for step, change in enumerate(steps):
                # An encoder without bits to spare removes noise: then there is none to be seen.
                rate = BIT_RATES[(number + step) % 2] if name != "noisy" else BIT_RATES[1]
                yield _still(place, name, str(step), change, rate, known, anywhere=step % 2 == 1)
        for step, (right, down) in enumerate(((0.16, 0.0), (-0.3, 0.06), (0.45, 0.1))):
            yield _turned(place, str(step), right, down, known)
        yield from _freezes(place, number)


def _fits(name: str, place: Place, of_day: frozenset[str]) -> bool:
    return place.profile == "day" or name not in of_day


def _still(
    place: Place, label: str, step: str, change: weather.Change, rate: int, known: dict[str, str], *, anywhere: bool
) -> Trial:
    def keys(number: int) -> bytes:
        random = np.random.default_rng((place.seed, len(label), number))
        made = weather.nothing if number and step in _TRANSIENT else change
        picture = np.ascontiguousarray(made(place.picture(100.0 + 2 * number), random))
        return _encoded(weather.caption(picture, random, 100 + 2 * number, anywhere=anywhere), rate)

    return Trial(place.name, place.profile, label, step, cache(keys), known)


def _turned(place: Place, step: str, right: float, down: float, known: dict[str, str]) -> Trial:
    def keys(number: int) -> bytes:
        picture = faults.shifted(place.picture(200.0 + 2 * number), right, down)
        return _encoded(weather.caption(picture, np.random.default_rng(number), number), BIT_RATES[0])

    return Trial(place.name, place.profile, "moved", step, cache(keys), known)


def _freezes(place: Place, number: int) -> Iterator[Trial]:
    """A source that stands still under a running clock, and one that is alive though nothing moves in it."""
    rate = BIT_RATES[number % 2]
    for label, step, noise, tight in _STILL:
        clip = _clip(place, noise, rate, tight=tight)
        yield Trial(place.name, place.profile, label, step, clip.__getitem__, {}, _HOUR, len(clip))


def _clip(place: Place, noise: float, rate: int, *, tight: bool) -> list[bytes]:
    """Key frames each second, of an encoder that has had some of them to settle; `noise` 0: every picture is the
    same."""
    scene = Place(place.name, place.profile, place.still, place.seed, moving=False)
    held = scene.picture(1.0)

    def pictures() -> Iterator[Picture]:
        for number in range(_CLIP_FPS * (_SETTLING + _CLIP_KEYS)):
            picture = held.copy() if noise == 0 else scene.picture(1.0 + number / _CLIP_FPS, noise)
            yield weather.caption(np.rint(picture), np.random.default_rng(0), number // _CLIP_FPS)

    return key_frames(pictures(), rate, gop=_CLIP_FPS, fps=_CLIP_FPS, tight=tight)[_SETTLING:]


def _learnt(place: Place) -> dict[str, str]:
    """References of three pictures, of other times than those of the trials."""
    lines: dict[str, list[str]] = {}
    for seconds in (500.0, 700.0, 900.0):
        picture = weather.caption(place.picture(seconds), np.random.default_rng(0), round(seconds))
        request = Look("h264", jpeg=False, scores=True, features=True)
        seen, _ = look(request, _encoded(picture, BIT_RATES[0]))
        lines.setdefault(str(seen.profile), []).append(str(seen.reference_features))
    return {profile: "\n".join(found) for profile, found in lines.items()}


def _encoded(picture: Picture, rate: int) -> bytes:
    """The second key frame of an encoder that has seen the picture once."""
    return key_frames([picture, picture], rate, gop=1, fps=_FPS)[-1]
