"""How much may be retransmitted to one peer: half as much as its media, so that repair never fills the link. Pure.

A client may request everything that it misses with each packet that arrives (aiortc does): behind a link of 100 kbit/s
that came to 4 Mbit/s of retransmissions, which kept the link full.
"""

SHARE = 0.5
LEAST = 32 * 1024
"""Bytes a second that may be retransmitted in any case."""
SAVED_LEAST = 128 * 1024
SAVED_SECONDS = 2.0
"""So many seconds' media may be retransmitted at once: a link that lost everything for a moment is repaired fully."""
FADE = 0.8
LOOKUPS = 4_000
"""Packets a second that may be requested: a wall that lost all of a second. A request for what is no longer kept costs
time, too."""


class RepairBudget:
    """`room` in bytes, `lookups` in packets. `grant` is called once a second."""

    def __init__(self) -> None:
        self.room = SAVED_LEAST
        self.lookups = LOOKUPS
        self._media = 0.0

    def spend(self, count: int) -> None:
        self.room = max(0, self.room - count)

    def look_up(self, count: int) -> int:
        """How many of so many packets may be looked up now; they count as looked up."""
        count = min(count, self.lookups)
        self.lookups -= count
        return count

    def grant(self, media: int, rate: float | None) -> None:
        """Another second has passed, in which `media` bytes were sent; `rate`: bit/s that the link carries."""
        self.lookups = LOOKUPS
        self._media = max(float(media), self._media * FADE)
        if rate is None:
            more, most = max(LEAST, SHARE * media), max(SAVED_LEAST, SAVED_SECONDS * self._media)
        else:
            more = most = SHARE * rate / 8
        self.room = int(min(self.room + more, most))
