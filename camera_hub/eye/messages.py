"""Messages between the hub and an eye over the pipe (see wire.py). The hub imports only this module of `eye`.

Hub → eye: `ready` {}, replied to with {} once its imports are complete.
Hub → eye: `look` Look + body (one Annex-B access unit with parameter sets, or a JPEG).
Reply: Seen + body (JPEG, may be empty).
Hub → eye: `image` Photo + body (an uploaded JPEG, PNG or WebP file). Reply: Seen + body (JPEG without metadata).
Hub → eye: `part` {} + body, before an `image` whose file is over MAX_PART: its first, second … bytes. Reply: {}.
One request at a time per eye; the hub kills an eye that takes longer than 5 s for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from camera_hub.errors import Reason
from camera_hub.wire import Message

MAX_PART = 3 * 1024 * 1024
"""Bytes of a file in one message (wire.MAX_FRAME)."""
MAX_FILE = 24 * 1024 * 1024
"""Bytes of a file, all parts together."""


@dataclass(frozen=True, slots=True)
class Look(Message):
    """Request the JPEG and/or the scores of one key frame."""

    codec: Literal["h264", "h265", "mjpeg"]
    jpeg: bool = True
    jpeg_of_faults: bool = False  # the JPEG also where a score shows a fault
    max_width: int = 0  # pixels; a wider JPEG is scaled down to it; 0: not scaled
    quality: int = 85  # of the JPEG, 1 … 100
    scores: bool = False
    at: float = 0.0  # Unix seconds: when the key frame came
    memory: str | None = None  # `Seen.memory` of the look before at the same camera
    references: dict[str, str] = field(default_factory=dict)  # what was learnt from `reference_features`, by profile
    at_home: bool = True  # whether the camera looks where its references were taken
    features: bool = False  # asks for `reference_features`
    outline: bool = False  # what another picture can be compared with
    known: str | None = None  # `outline` of another picture, for `alike`


@dataclass(frozen=True, slots=True)
class Photo(Message):
    """Request a picture file as JPEG, upright, without EXIF or any other metadata, and not larger than this."""

    max_side: int = 1600  # pixels
    quality: int = 85  # of the JPEG, 1 … 100


FAULT_BELOW = 60.0
"""Scores are 0–100; below this the picture has the fault (standards 5.4)."""

FAULTS = (
    Reason.NO_SIGNAL,
    Reason.BLACK,
    Reason.COVERED,
    Reason.FROZEN,
    Reason.STRIPED,
    Reason.NOISY,
    Reason.OVEREXPOSED,
    Reason.UNDEREXPOSED,
    Reason.BLURRED,
    Reason.MOVED,
    Reason.LOW_CONTRAST,
    Reason.COLOUR_CAST,
)
"""What a picture is scored for. Of several faults the first is named: it explains the others, or hides them."""


def picture_fault(scores: Mapping[str, float]) -> Reason | None:
    """The fault that these scores (by the Reason's value) show, None when there is none."""
    return next((fault for fault in FAULTS if scores.get(fault.value, FAULT_BELOW) < FAULT_BELOW), None)


@dataclass(frozen=True, slots=True)
class Seen(Message):
    """Size in pixels and scores of one key frame.

    `scores`: by the value of a Reason of FAULTS, 0 … 100, below FAULT_BELOW is a fault; what could not be judged is not
    named. `profile`: "night" is an infrared picture (without colour). `memory`: evidence of this picture and those
    before it, for the next look (`Look.memory`), at most 16 kB. `again`: one more key frame decides what this one left
    open; its look, with this `memory`, replaces these scores. `reference_features`: what a reference is learnt from.
    `outline`: text of some 1.2 kB, for `Look.known`, "" where nothing can be made out; `alike`: from FAULT_BELOW on
    both pictures show the same place.
    """

    width: int
    height: int
    scores: dict[str, float] = field(default_factory=dict)
    profile: Literal["day", "night"] | None = None
    memory: str | None = None
    again: bool = False
    reference_features: str | None = None
    outline: str | None = None
    alike: float | None = None
