"""Whether a feed is too late for too long, and when that is worth opening it anew. Pure.

A camera on a thin link sends over TCP what it filmed seconds ago, ever later; no packet is lost, and nothing but the
timestamps tells. A burst after a stall is late, too, but for a moment. Opening anew throws away what the camera's
buffers hold; it cures nothing for long, so it is done ever more seldom.
"""

MEND_AFTER = 20.0
"""Seconds that the hub has for showing another stream, before the feed is opened anew for those who still watch."""
REST = 60.0
REST_CAP = 600.0


class Lateness:
    """Of one feed, over all its openings. Late: more than `limit` seconds for `span` seconds on end."""

    def __init__(self, limit: float, span: float) -> None:
        self._limit = limit
        self._span = span
        self.late = False
        self._changing_since: float | None = None  # since when it has been other than `late` says
        self._late_since = 0.0
        self._rest = REST
        self._mended_at = float("-inf")

    def restart(self) -> None:
        """The stream was opened anew."""
        self.late = False
        self._changing_since = None

    def judge(self, now: float, lateness: float) -> bool:
        """Whether the verdict has changed, with frames that come `lateness` seconds late. Half the limit is in time."""
        differs = lateness < self._limit / 2 if self.late else lateness > self._limit
        if not differs:
            self._changing_since = None
            return False
        self._changing_since = now if self._changing_since is None else self._changing_since
        if now - self._changing_since < self._span:
            return False
        self.late, self._late_since, self._changing_since = not self.late, now, None
        return True

    def worth_opening_anew(self, now: float) -> bool:
        """Whether to open the stream anew; counts as done when it is."""
        if not self.late or now - self._late_since < MEND_AFTER or now - self._mended_at < self._rest:
            return False
        again = now - self._mended_at < 2 * REST_CAP
        self._rest = min(REST_CAP, self._rest * 2) if again else REST
        self._mended_at = now
        return True
