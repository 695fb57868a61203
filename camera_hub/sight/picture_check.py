"""All checks of one key frame, with what is remembered of those before it."""

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np

from camera_hub.sight.black import black
from camera_hub.sight.freeze import frozen, signature
from camera_hub.sight.images import Image

Profile = Literal["day", "night"]
FAULT_BELOW = 60.0
_SMALL = (160, 90)
_COLOURLESS = 3.0
"""Mean distance of the two chroma planes from grey, in levels, below which there is no colour."""


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """Scores 0 … 100 by kind of fault, below 60 = fault; what could not be judged is missing. `memory`: for the next
    check. `again`: one more key frame decides what is open."""

    scores: dict[str, float] = field(default_factory=dict)
    profile: Profile = "day"
    memory: str | None = None
    again: bool = False


def check_picture(image: Image, memory: str | None = None) -> PictureCheck:
    """Check a picture. `image`: (height, width[, 3]), BGR, 8 bits. `memory`: of the check before."""
    scores = {"black": black(image)}
    suspected, _, before = (memory or "").partition("|")
    again = False
    # A black picture repeats itself as well; only its cause is reported.
    if before and scores["black"] >= FAULT_BELOW:
        same = frozen(before, image)
        # The same picture as at the last look, exactly: believed only if the next one is the same again.
        again = same is not None and same < FAULT_BELOW and suspected != "suspected"
        if same is not None and not again:
            scores["frozen"] = same
    return PictureCheck(scores, _profile(image), f"{'suspected' if again else ''}|{signature(image)}", again)


def _profile(image: Image) -> Profile:
    if image.ndim == 2:
        return "night"
    small = cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA)
    chroma = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)[:, :, 1:].astype(np.float32) - 128
    return "night" if float(np.abs(chroma).mean()) < _COLOURLESS else "day"
