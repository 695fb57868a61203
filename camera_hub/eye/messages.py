"""Messages between the hub and an eye over the pipe (see wire.py). The hub imports only this module of `eye`.

Hub → eye: `ready` {}, replied to with {} once its imports are complete.
Hub → eye: `look` Look + body (one Annex-B access unit with parameter sets, or a JPEG).
Reply: Seen + body (JPEG, may be empty).
Hub → eye: `image` Photo + body (an uploaded JPEG, PNG or WebP file). Reply: Seen + body (JPEG without metadata).
Hub → eye: `part` {} + body, before an `image` whose file is over MAX_PART: its first, second … bytes. Reply: {}.
One request at a time per eye; the hub kills an eye that takes longer than 5 s for one.
"""

from dataclasses import dataclass
from typing import Literal

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
    max_width: int = 0  # pixels; a wider JPEG is scaled down to it; 0: not scaled
    quality: int = 85  # of the JPEG, 1 … 100
    scores: bool = False
    previous: str | None = None  # `signature` of an earlier look at the same camera, for freeze
    outline: bool = False  # what another picture can be compared with
    known: str | None = None  # `outline` of another picture, for `alike`


@dataclass(frozen=True, slots=True)
class Photo(Message):
    """Request a picture file as JPEG, upright, without EXIF or any other metadata, and not larger than this."""

    max_side: int = 1600  # pixels
    quality: int = 85  # of the JPEG, 1 … 100


FAULT_BELOW = 60.0
"""Scores are 0–100; below this the picture has the fault (standards 5.4)."""


@dataclass(frozen=True, slots=True)
class Seen(Message):
    """Size in pixels and scores of one key frame. Scores are 0 … 100, below FAULT_BELOW is a fault; None = not scored.

    `signature`: text of some 3 kB, for `Look.previous`. `outline`: text of some 1.2 kB, for `Look.known`, "" where
    nothing can be made out; `alike`: from FAULT_BELOW on both pictures show the same place.
    """

    width: int
    height: int
    black: float | None = None
    frozen: float | None = None
    signature: str | None = None
    outline: str | None = None
    alike: float | None = None
