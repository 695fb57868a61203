"""One pacer per peer: everything sent to a browser passes here, so that a replay of sixteen GOPs does not drown it.

A token bucket. Live frames may overdraw it up to a limit (they must not wait behind a replay); replays wait for it to
be full of tokens again, at most `TURN` bytes at once, and the loop runs in between.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

TURN = 40_000
"""Bytes that may be sent before the event loop gets its turn."""
BREATH, BREATH_TURN = 0.3, 0.03
MANY_TILES, MANY_FRAMES = 4, 100
LEAST = 3_000
"""Bytes that a limited peer may be sent at once: two packets."""


class Bucket:
    """Tokens are bytes. Pure: the time is given."""

    def __init__(self, rate: int, *, depth: int = TURN, overdraft: int = 512 * 1024) -> None:
        self._full = (rate / 8.0, depth, float(overdraft))
        self._rate, self._depth, self._overdraft = self._full
        self._tokens = float(depth)
        self._at: float | None = None

    def refill(self, now: float) -> None:
        """Take the tokens that have become due."""
        if self._at is not None:
            self._tokens = min(float(self._depth), self._tokens + (now - self._at) * self._rate)
        self._at = now

    def limit(self, rate: float | None) -> None:
        """Give no more than `rate` bit/s, a tenth of a second's worth at once, live frames too; None = as made."""
        if rate is None or rate / 8.0 >= self._full[0]:
            self._rate, self._depth, self._overdraft = self._full
            return
        self._rate = rate / 8.0
        self._depth = min(self._full[1], max(LEAST, int(self._rate / 10)))
        self._overdraft = float("-inf")
        self._tokens = min(self._tokens, float(self._depth))

    def spend(self, count: int) -> None:
        self._tokens -= count

    @property
    def live(self) -> bool:
        """Whether a live frame may go at once."""
        return self._tokens > -self._overdraft

    @property
    def turn(self) -> int:
        """Bytes that a replay may send now; 0 when it must wait."""
        return max(0, min(TURN, int(self._tokens)))

    @property
    def worth_a_turn(self) -> bool:
        """Whether so much may be sent that it is worth the call."""
        return self._tokens >= min(TURN, self._depth) // 4

    def wait(self, count: int = TURN // 2) -> float:
        """Seconds until `count` tokens are there."""
        return max(0.0, (min(count, self._depth) - self._tokens) / self._rate)


class Breath:
    """After the key frames of a new wall its caches wait a moment. Pure.

    A browser that decodes them all at once is nearly through before it shows its first pictures: the last of sixteen
    came a fifth to a third later (measured).
    """

    def __init__(self) -> None:
        self._began = self._opened = float("-inf")

    def opened(self, now: float) -> None:
        """A key frame that a picture begins with has gone out."""
        if now - self._opened > BREATH:
            self._began = now
        self._opened = now

    def left(self, now: float, tiles: int, frames: int) -> float:
        """Seconds that the `frames` which wait in so many tiles, late anyway, had better go on waiting."""
        if tiles < MANY_TILES or frames < MANY_FRAMES:
            return 0.0
        return max(0.0, min(self._opened + BREATH, self._began + 2 * BREATH) - now)


class Backlog(Protocol):
    """What waits to be sent on one track."""

    @property
    def backlog(self) -> int:
        """Bytes."""
        ...

    @property
    def opens(self) -> bool:
        """Whether the key frame goes next that its picture begins with."""
        ...

    @property
    def waits_since(self) -> float:
        """When the frame that goes next arrived."""
        ...


Waiting = TypeVar("Waiting", bound=Backlog)


def next_of(waiting: Sequence[Waiting], *, in_turn: bool) -> Waiting:
    """Whose turn it is: key frames first, so that a wall of new tiles shows pictures at once and hurries through their
    caches then; among equals the shortest backlog, a live frame's rest before a replay.

    `in_turn`, for a link that does not bear all of them for long: who has waited longest. There the smaller key frames,
    which come again and again, would keep the largest from ever being sent.
    """
    return min(waiting, key=lambda one: one.waits_since if in_turn else (not one.opens, one.backlog))
