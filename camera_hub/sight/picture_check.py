"""All checks of one key frame, with what is remembered of those before it and what the camera normally shows.

A fault that hides others silences their checks: of a picture without signal nobody asks whether it is in focus.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from camera_hub.sight.colour import Profile, colour_cast, profile
from camera_hub.sight.exposure import low_contrast, overexposed, underexposed
from camera_hub.sight.freeze import moment
from camera_hub.sight.images import Image
from camera_hub.sight.interference import noisy, striped
from camera_hub.sight.memory import confirmed, judged_freeze, read_memory, write_memory
from camera_hub.sight.reference import Reference, features, found_elsewhere, moved, read_reference, shift
from camera_hub.sight.scoring import FAULT_BELOW
from camera_hub.sight.sharpness import blurred, covered
from camera_hub.sight.signal_loss import black, no_signal
from camera_hub.sight.view import View


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """Scores 0 … 100 by kind of fault, below 60 = fault; what could not be judged is missing. `memory`: for the next
    check. `again`: one more key frame decides what is open. `features`: what a reference is learnt from."""

    scores: dict[str, float] = field(default_factory=dict)
    profile: Profile = "day"
    memory: str | None = None
    again: bool = False
    features: str | None = None


_STANDING_STILL = ("no_signal", "black", "covered")
"""With these faults every picture repeats the one before."""


def picture_scores(view: View, profile: Profile, reference: Reference | None) -> dict[str, float]:
    """What one picture shows by itself, and against the camera's reference of this profile."""
    found: dict[str, float | None] = {"no_signal": no_signal(view)}
    if not _faulty(found):
        found["black"] = black(view)
    if not _faulty(found):
        found |= {"overexposed": overexposed(view), "underexposed": underexposed(view)}
        found |= {"noisy": noisy(view), "striped": striped(view)}
    overlay = shift(view, reference) if reference is not None and not _faulty(found) else None
    if overlay is not None:
        found["moved"] = found_elsewhere(overlay)
    if not _faulty(found):
        found["covered"] = covered(view, reference)
        found["blurred"] = blurred(view, reference)
    if not _faulty(found):
        found["low_contrast"] = low_contrast(view)
        if profile == "day":
            found["colour_cast"] = colour_cast(view, reference.tints if reference is not None else None)
    if not _faulty(found) and overlay is not None and reference is not None:
        found["moved"] = moved(overlay, view, reference)
    return {name: value for name, value in found.items() if value is not None}


def _faulty(found: Mapping[str, float | None]) -> bool:
    return any(value is not None and value < FAULT_BELOW for value in found.values())


def check_picture(
    image: Image,
    memory: str | None = None,
    references: Mapping[str, str] | None = None,
    *,
    at: float = 0.0,
    with_features: bool = False,
) -> PictureCheck:
    """Check a picture. `image`: (height, width[, 3]), BGR, 8 bits. `memory`: of the check before. `references`: by
    profile, one or several lines of `features` each. `at`: when it came, Unix seconds."""
    view = View.of(image)
    kind = profile(view)
    line = (references or {}).get(kind)
    reference = read_reference(line) if line else None
    known = read_memory(memory)
    scores, after, more = confirmed(known, picture_scores(view, kind, reference))
    if not any(scores.get(name, 100.0) < FAULT_BELOW for name in _STANDING_STILL):
        still, after, undecided = judged_freeze(after, moment(image, view, at))
        more = more or undecided
        if still is not None:
            scores["frozen"] = still
    after = replace(after, tries=known.tries + 1 if more else 0)
    return PictureCheck(scores, kind, write_memory(after), more, features(view) if with_features else None)
