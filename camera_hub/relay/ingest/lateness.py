"""Lateness: whether a feed has been late for too long, and when to reopen it for that. Pure.

Over TCP a camera on a thin link sends what it filmed seconds ago, and falls further behind; no packet is lost, and
only the timestamps show it. A burst after a stall is late as well, but only for a moment. Reopening discards what is in
the camera's buffers. It does not cure a thin link, so the intervals between two reopenings grow.
"""

REOPEN_AFTER = 20.0
"""Seconds that the hub has to switch to a smaller stream before the feed is reopened for those who still watch."""
REOPEN_INTERVAL = 60.0
MAX_REOPEN_INTERVAL = 600.0


class Lateness:
    """Of one feed, across its sessions. Late: frames more than `limit` seconds late for `span` seconds on end."""

    def __init__(self, limit: float, span: float) -> None:
        self._limit = limit
        self._span = span
        self.late = False
        self._changing_since: float | None = None  # since when measurements contradict `late`
        self._late_since = 0.0
        self._interval = REOPEN_INTERVAL
        self._reopened_at = float("-inf")

    def restart(self) -> None:
        """The stream was reopened."""
        self.late = False
        self._changing_since = None

    def update(self, now: float, lateness: float) -> bool:
        """Add a measurement in seconds; returns whether `late` has changed. In time again: under half the limit."""
        contradicts = lateness < self._limit / 2 if self.late else lateness > self._limit
        if not contradicts:
            self._changing_since = None
            return False
        self._changing_since = now if self._changing_since is None else self._changing_since
        if now - self._changing_since < self._span:
            return False
        self.late, self._late_since, self._changing_since = not self.late, now, None
        return True

    def should_reopen(self, now: float) -> bool:
        """Whether to reopen the stream at `now`; True counts as reopened."""
        due = now - self._late_since >= REOPEN_AFTER and now - self._reopened_at >= self._interval
        if not self.late or not due:
            return False
        recurring = now - self._reopened_at < 2 * MAX_REOPEN_INTERVAL
        self._interval = min(MAX_REOPEN_INTERVAL, self._interval * 2) if recurring else REOPEN_INTERVAL
        self._reopened_at = now
        return True
