"""What the hub and an eye say to each other over the pipe (see wire.py). The hub imports only this module of `eye`.

Hub → eye: `ready` {}, replied to with {} once its imports are done.
Hub → eye: `look` Look + body (one Annex-B access unit with parameter sets, or a JPEG).
Reply: Seen + body (JPEG, may be empty).
One request at a time per eye; the hub kills an eye that takes longer than 5 s.
"""

from dataclasses import dataclass
from typing import Literal

from camera_hub.wire import Message


@dataclass(frozen=True, slots=True)
class Look(Message):
    """Ask for a picture and/or scores of one key frame."""

    codec: Literal["h264", "h265", "mjpeg"]
    jpeg: bool = True
    max_width: int = 0  # 0: as it is; else the JPEG is scaled down to that width
    quality: int = 85
    scores: bool = False
    previous: str | None = None  # `signature` of an earlier look at the same camera, for freeze


FAULT_BELOW = 60.0
"""Scores are 0–100; below this the picture has the fault (standards 5.4)."""


@dataclass(frozen=True, slots=True)
class Seen(Message):
    """What the eye saw. Scores are 0–100, see FAULT_BELOW; None = not judged."""

    width: int
    height: int
    black: float | None = None
    frozen: float | None = None
    signature: str | None = None
