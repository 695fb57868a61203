"""What a bad road does to datagrams: loss, delay, jitter, a thin link with a queue, silence. Pure: the time is given.

One direction is one `Lane`. The same seed and the same datagrams at the same times have the same fate, so a test counts
what it may count on.
"""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Impairment:
    """How one direction is impaired. Times in seconds.

    `loss` is the share of datagrams lost; with `burst` > 1 they are lost in runs of that mean length (Gilbert's model).
    Each datagram is late by `delay` plus something even in [0, `jitter`]; `reorder` lets later ones overtake, as
    routes do, else the road keeps their order. `rate` is the link's bit/s; `queue` bytes may wait for it.
    """

    loss: float = 0.0
    burst: float = 1.0
    delay: float = 0.0
    jitter: float = 0.0
    reorder: bool = False
    rate: float | None = None
    queue: int = 64_000

    def __post_init__(self) -> None:
        if not 0 <= self.loss < 1 or self.burst < 1 or min(self.delay, self.jitter) < 0:
            raise ValueError("loss is in [0, 1), a burst at least 1, delay and jitter at least 0")
        if self.rate is not None and self.rate <= 0:
            raise ValueError("a link carries something, or it is dropped for a span")


CLEAR = Impairment()


@dataclass(slots=True)
class LaneFigures:
    """What became of the datagrams of one direction."""

    passed: int = 0
    lost: int = 0  # by chance
    overflowed: int = 0  # the queue before the thin link was full
    silenced: int = 0  # in a span of total loss


@dataclass(slots=True)
class Lane:
    """One direction of a road."""

    seed: int = 0
    impairment: Impairment = CLEAR
    figures: LaneFigures = field(default_factory=LaneFigures)
    _random: random.Random = field(init=False)
    _in_burst: bool = False
    _silent_until: float = float("-inf")
    _link_free: float = float("-inf")
    _last_out: float = float("-inf")

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def silence(self, until: float) -> None:
        """Lose everything before `until`."""
        self._silent_until = until

    def out(self, size: int, now: float) -> float | None:
        """When a datagram of `size` bytes that comes now goes out; None: never."""
        figures, how = self.figures, self.impairment
        if now < self._silent_until:
            figures.silenced += 1
            return None
        if self._loses(how):
            figures.lost += 1
            return None
        at = now
        if how.rate is not None:
            free = max(now, self._link_free)
            if (free - now) * how.rate / 8 + size > how.queue:
                figures.overflowed += 1
                return None
            at = self._link_free = free + size * 8 / how.rate
        at += how.delay + (self._random.random() * how.jitter if how.jitter else 0.0)
        if not how.reorder:
            at = self._last_out = max(at, self._last_out)
        figures.passed += 1
        return at

    def _loses(self, how: Impairment) -> bool:
        if how.loss == 0:
            return False
        if how.burst == 1:
            return self._random.random() < how.loss
        # Two states; the time spent in the bad one is the loss, its mean stay the burst.
        leave = 1 / how.burst
        enter = leave * how.loss / (1 - how.loss)
        self._in_burst = self._random.random() < (1 - leave if self._in_burst else enter)
        return self._in_burst
