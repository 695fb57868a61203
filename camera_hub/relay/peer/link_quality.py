"""Whether a browser's link carries what it is sent: from its receiver reports, second by second, to a level. Pure.

Random loss that retransmission repairs is no reason to send less; loss beyond it, packets that queue for seconds, and a
backlog that overflows are. One level down at a time, each with time to take effect; up again after a rest, which grows
for a link that fails again. (MediaMTX and go2rtc only drop; LiveKit chooses a layer from a bandwidth estimate, which
needs probing. Cameras offer two layers and key frames: loss decides well enough among three.)
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from camera_hub.relay.messages import LinkLevel

LOSS = 0.10
"""Share of packets lost, as the browser reports it, from which on a second counts as bad."""
HEAVY_LOSS = 0.25
"""… and from which on even key frames alone are better. Chromium decodes 98 % of the frames at 15 % random loss."""
QUEUED = 1.5
"""Seconds of round trip from which on packets are taken to queue at a bottleneck."""
BAD_SECONDS = 3
SETTLE = 3.0
"""Seconds that a step down has before its effect is judged: reports about what was sent before still arrive."""
REST = 30.0
REST_CAP = 600.0
RELAPSE = 60.0
"""A step down that soon after a step up doubles the rest before the next try."""
RATE_FLOOR = 64_000

_LADDER = (LinkLevel.FULL, LinkLevel.LIGHT, LinkLevel.KEYS)


@dataclass(slots=True)
class LinkSecond:
    """Reports about all tracks of one peer since the last judgement. Packets, bytes; `round_trip`: the longest."""

    reports: int = 0
    expected: int = 0
    lost: int = 0
    round_trip: float = 0.0
    overflows: int = 0
    bytes: int = 0

    @property
    def loss(self) -> float:
        """Share of packets lost, 0–1."""
        return min(1.0, max(0, self.lost) / self.expected) if self.expected else 0.0

    def bad(self, limit: float) -> bool | None:
        """Whether the link failed, for a `limit` of loss; None when nothing was reported.

        Few packets prove little: the loss must lie above the limit by two standard deviations of a count.
        """
        if self.overflows:
            return True
        if not self.reports:
            return None
        lost = max(0, self.lost)
        beyond_chance = lost > 0 and lost - 2 * lost**0.5 >= limit * self.expected
        return beyond_chance or self.round_trip >= QUEUED


@dataclass(slots=True)
class Reports:
    """Turns the totals that reports carry into differences; one per track."""

    _before: tuple[int, int] | None = field(default=None)

    def add(self, highest: int, lost: int, round_trip: float | None, into: LinkSecond) -> None:
        """`highest`: extended sequence number; `lost`: in total (falls when a retransmission arrives). 32 bits."""
        into.reports += 1
        into.round_trip = max(into.round_trip, round_trip or 0.0)
        before, self._before = self._before, (highest, lost)
        if before is not None and 0 <= highest - before[0] < 1 << 20:
            into.expected += highest - before[0]
            into.lost += lost - before[1]


class LinkQuality:
    """The level that a peer's link is judged to carry, and at KEYS the rate (bit/s) that it is sent at most."""

    def __init__(self) -> None:
        self.level = LinkLevel.FULL
        self.rate: float | None = None
        self._bad = 0
        self._recent: deque[LinkSecond] = deque(maxlen=BAD_SECONDS)  # in which something was reported
        self._good_since: float | None = None
        self._changed_at = float("-inf")
        self._raised_at = float("-inf")
        self._rest = REST

    def judge(self, now: float, second: LinkSecond) -> LinkLevel:
        """The level after this second. Times are monotonic seconds."""
        bad = second.bad(LOSS)
        if self.rate is not None and second.reports:
            self.rate = max(RATE_FLOOR, self.rate * _factor(second.loss))
        if bad is None or now - self._changed_at < SETTLE:
            return self.level
        self._recent.append(second)
        if bad:
            self._good_since = None
            if self.level is LinkLevel.LIGHT and not _together(self._recent).bad(HEAVY_LOSS):
                self._bad = 0  # neither good enough to try more, nor that bad
                return self.level
            self._bad += 1
            if self._bad >= BAD_SECONDS and self.level is not LinkLevel.KEYS:
                self._down(now, second)
            return self.level
        self._bad = 0
        self._good_since = now if self._good_since is None else self._good_since
        if self.level is not LinkLevel.FULL and now - self._good_since >= self._rest:
            self._up(now)
        return self.level

    def _down(self, now: float, second: LinkSecond) -> None:
        self._rest = min(REST_CAP, self._rest * 2) if now - self._raised_at < RELAPSE else REST
        self._step(now, +1)
        if self.level is LinkLevel.KEYS:
            self.rate = max(RATE_FLOOR, second.bytes * 8 * (1 - second.loss))

    def _up(self, now: float) -> None:
        self._step(now, -1)
        self._raised_at = now
        self.rate = None

    def _step(self, now: float, by: int) -> None:
        self.level = _LADDER[_LADDER.index(self.level) + by]
        self._bad, self._good_since, self._changed_at = 0, None, now
        self._recent.clear()


def _together(seconds: Iterable[LinkSecond]) -> LinkSecond:
    """One second of a sub stream has too few packets to tell heavy loss from chance."""
    total = LinkSecond()
    for second in seconds:
        total.reports += second.reports
        total.expected += second.expected
        total.lost += second.lost
        total.round_trip = max(total.round_trip, second.round_trip)
        total.overflows += second.overflows
    return total


def _factor(loss: float) -> float:
    """How the rate follows the loss, once a second (the loss-based control of draft-ietf-rmcat-gcc-02, section 6)."""
    if loss > LOSS:
        return 1 - 0.5 * loss
    return 1.05 if loss < 0.02 else 1.0
