"""What a bad network does to datagrams: loss, delay, jitter, a thin link with a queue, silence. Pure.

One direction is one `Lane`. The same seed and the same datagrams at the same times give the same result, so that tests
are reproducible.
"""

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Impairment:
    """How one direction is impaired. Times in seconds.

    `loss` is the share of datagrams lost; with `burst` > 1 they are lost in runs of that mean length (Gilbert model).
    Each datagram is delayed by `delay` plus a uniform value in [0, `jitter`]; with `reorder` later ones may overtake,
    otherwise their order is kept. `rate` is the link's bit/s; `queue` bytes may wait for it.
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
            raise ValueError("the rate must be positive; use `silence` for a total loss")


CLEAR = Impairment()


@dataclass(slots=True)
class LaneFigures:
    """What happened to the datagrams of one direction."""

    passed: int = 0
    lost: int = 0  # at random
    overflowed: int = 0  # the queue of the thin link was full
    silenced: int = 0  # during a total loss


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
        """When a datagram of `size` bytes that arrives now leaves; None: never."""
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
        # Two states; the share of time in the bad one is the loss, its mean duration the burst.
        leave = 1 / how.burst
        enter = leave * how.loss / (1 - how.loss)
        self._in_burst = self._random.random() < (1 - leave if self._in_burst else enter)
        return self._in_burst
