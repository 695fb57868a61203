"""Pacing of all that is sent to one peer, so that a replay of sixteen GOP caches does not flood its link.

A token bucket. Live frames may overdraw it up to a limit (they must not wait behind a replay); replays wait for tokens,
and are sent in bursts of at most `BURST` bytes, between which the event loop runs.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

BURST = 40_000
"""Bytes that may be sent before the event loop gets its turn."""
REPLAY_PAUSE, REPLAY_PAUSE_STEP = 0.3, 0.03
MANY_TILES, MANY_FRAMES = 4, 100
MIN_DEPTH = 3_000
"""Bytes that a rate-limited peer may be sent at once: two packets."""


class TokenBucket:
    """Tokens are bytes; `rate` in bit/s. Pure: the time is given."""

    def __init__(self, rate: int, *, depth: int = BURST, overdraft: int = 512 * 1024) -> None:
        self._full = (rate / 8.0, depth, float(overdraft))
        self._rate, self._depth, self._overdraft = self._full
        self._tokens = float(depth)
        self._at: float | None = None

    def refill(self, now: float) -> None:
        """Add the tokens that have become due."""
        if self._at is not None:
            self._tokens = min(float(self._depth), self._tokens + (now - self._at) * self._rate)
        self._at = now

    def limit(self, rate: float | None) -> None:
        """Allow at most `rate` bit/s, a tenth of a second's worth at once, live frames too; None = as constructed."""
        if rate is None or rate / 8.0 >= self._full[0]:
            self._rate, self._depth, self._overdraft = self._full
            return
        self._rate = rate / 8.0
        self._depth = min(self._full[1], max(MIN_DEPTH, int(self._rate / 10)))
        self._overdraft = float("-inf")
        self._tokens = min(self._tokens, float(self._depth))

    def spend(self, count: int) -> None:
        self._tokens -= count

    @property
    def allows_live(self) -> bool:
        """Whether a live frame may be sent at once."""
        return self._tokens > -self._overdraft

    @property
    def burst(self) -> int:
        """Bytes that a replay may send now; 0 when it must wait."""
        return max(0, min(BURST, int(self._tokens)))

    @property
    def allows_burst(self) -> bool:
        """Whether enough may be sent to be worth the call."""
        return self._tokens >= min(BURST, self._depth) // 4

    def wait(self, count: int = BURST // 2) -> float:
        """Seconds until `count` tokens are there."""
        return max(0.0, (min(count, self._depth) - self._tokens) / self._rate)


class ReplayPause:
    """After the key frames of a new wall the rest of its GOP caches waits a moment. Pure.

    A browser that must decode everything at once shows its first pictures late: the last of sixteen came a fifth to a
    third later (measured).
    """

    def __init__(self) -> None:
        self._began = self._last = float("-inf")

    def key_frame_sent(self, now: float) -> None:
        """A key frame that a picture starts with has been sent."""
        if now - self._last > REPLAY_PAUSE:
            self._began = now
        self._last = now

    def remaining(self, now: float, tiles: int, frames: int) -> float:
        """Seconds that the `frames` queued for so many tiles should still wait."""
        if tiles < MANY_TILES or frames < MANY_FRAMES:
            return 0.0
        return max(0.0, min(self._last + REPLAY_PAUSE, self._began + 2 * REPLAY_PAUSE) - now)


class Backlog(Protocol):
    """What waits to be sent on one track."""

    @property
    def backlog(self) -> int:
        """Bytes."""
        ...

    @property
    def starts_next(self) -> bool:
        """Whether the next frame is the key frame that its picture starts with."""
        ...

    @property
    def waits_since(self) -> float:
        """When the next frame arrived (monotonic seconds)."""
        ...


Waiting = TypeVar("Waiting", bound=Backlog)


def next_track(waiting: Sequence[Waiting], *, in_turn: bool) -> Waiting:
    """Whose frame is sent next: key frames first, so that a wall of new tiles shows pictures at once; among equals the
    shortest backlog, so that the rest of a live frame goes before a replay.

    `in_turn`, for a link that cannot carry all of them: who has waited longest. Else the smaller key frames, which come
    again and again, would starve the largest.
    """
    return min(waiting, key=lambda one: one.waits_since if in_turn else (not one.starts_next, one.backlog))
