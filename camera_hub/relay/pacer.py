"""One pacer per peer: everything sent to a browser passes here, so that a replay of sixteen GOPs does not drown it.

A token bucket. Live frames may overdraw it up to a limit (they must not wait behind a replay); replays wait for it to
be full of tokens again, at most `TURN` bytes at once, and the loop runs in between.
"""

TURN = 40_000
"""Bytes that may be sent before the event loop gets its turn."""


class Bucket:
    """Tokens are bytes. Pure: the time is given."""

    def __init__(self, rate: int, *, depth: int = TURN, overdraft: int = 512 * 1024) -> None:
        self._rate = rate / 8.0
        self._depth = depth
        self._overdraft = overdraft
        self._tokens = float(depth)
        self._at: float | None = None

    def refill(self, now: float) -> None:
        """Take the tokens that have become due."""
        if self._at is not None:
            self._tokens = min(float(self._depth), self._tokens + (now - self._at) * self._rate)
        self._at = now

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

    def wait(self, count: int = TURN // 2) -> float:
        """Seconds until `count` tokens are there."""
        return max(0.0, (min(count, self._depth) - self._tokens) / self._rate)
