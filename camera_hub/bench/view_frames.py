"""Computes figures from a page's record. Pure.

A page records every frame that its tiles present (requestVideoFrameCallback), every click, and the moment when each
picture is uncovered. Times are milliseconds of the page's clock; RTP timestamps have 32 bits and wrap.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

RATE_PER_MS = 90.0
PRESENTING_MS = 50.0
"""What decoding, one refresh of a 60 Hz screen and loopback may take in all; an older frame does not count as live."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame that a tile presented. `at`: when the page got it; `received`: when its last packet arrived."""

    tile: int
    at: float
    rtp: int
    received: float


def frames(records: Iterable[Sequence[Any]], tile: int) -> list[Seen]:
    """A tile's frames from [tile, at, rtp, received] rows, without those not from the network (Chromium's black)."""
    return [
        Seen(int(row[0]), float(row[1]), int(row[2]), float(row[3]))
        for row in records
        if row[0] == tile and row[2] is not None and row[3] is not None
    ]


def ahead(rtp: int, of: int) -> int:
    """By how much a 32-bit timestamp is after another; negative if before."""
    return (rtp - of + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


def first_own(seen: Sequence[Seen], first_rtp: int) -> Seen | None:
    """The first frame of the camera that begins with `first_rtp`: the relay never steps back in time on a track."""
    return next((frame for frame in seen if ahead(frame.rtp, first_rtp) >= 0), None)


def hub_time(seen: Sequence[Seen]) -> float:
    """Page time minus RTP time of a track in ms, modulo the timestamp's wrap: that of its fastest frame, so undelayed.

    Needs frames of a camera that has played for a while: the times of a replayed cache are compressed.
    """
    anchor = seen[0]
    base = anchor.received - anchor.rtp / RATE_PER_MS
    return base + min((frame.received - anchor.received) - ahead(frame.rtp, anchor.rtp) / RATE_PER_MS for frame in seen)


def age(frame: Seen, offset: float) -> float:
    """How old a frame was when it was presented, in ms since it reached the hub."""
    wrap = 0x1_0000_0000 / RATE_PER_MS
    return (frame.at - (frame.rtp / RATE_PER_MS + offset) + wrap / 2) % wrap - wrap / 2


def first_live(seen: Sequence[Seen], first_rtp: int, offset: float, clicked: float, interval: float) -> Seen | None:
    """The first frame at the live edge: of the new camera, arrived at the hub after the click, at most one frame old.

    Replayed frames have times up to the moment of the switch, so one that is later than the click was not in the
    replayed cache.
    """
    for frame in seen:
        old = age(frame, offset)
        if ahead(frame.rtp, first_rtp) >= 0 and frame.at - old > clicked and old <= interval + PRESENTING_MS:
            return frame
    return None


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of repeated measurements, in ms. p95 is a nearest rank: the second largest of 20 values."""

    n: int
    p50: float
    p95: float
    max: float


def spread(values: Sequence[float]) -> Spread:
    """Nearest-rank quantiles. Raises ValueError when there are none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)

    def rank(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Spread(len(ordered), rank(0.50), rank(0.95), ordered[-1])
