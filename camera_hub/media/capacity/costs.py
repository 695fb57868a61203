"""What a picture costs: the share of a relay's time that a feed and its tracks take, learned from what is measured.

What a frame takes to come in or to go out once, and what its bits take, is a rough split of what a relay was seen to
take (`camera-hub bench wall`): 0.4 of a core for 100 cameras with 160 tiles of 1 Mbit/s. How fast this machine is at
that is learned while it works.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from camera_hub.media.interface import Role
from camera_hub.relay.messages import RelayPulse

FRAME_IN, BIT_IN = 75e-6, 0.6e-9
FRAME_OUT, BIT_OUT = 30e-6, 0.2e-9
"""Seconds of one core on the machine that was measured."""

ENOUGH = 0.025
"""Least share of a core, by the proportions alone, from which on a measurement teaches something."""
WEIGHT = 0.2
"""Of a new measurement against what was known."""
LESSONS = 8
"""Measurements until what is known weighs more than the guess by far (1 - 0.8 ** 8 = 0.83)."""
SLOWEST, FASTEST = 10.0, 0.1

REMEMBERED = 4096
"""Streams whose rates are remembered."""


@dataclass(frozen=True, slots=True)
class StreamRate:
    """What a stream brings: frames and bits per second."""

    frames: float
    bits: float


USUAL: Mapping[Role, StreamRate] = {"main": StreamRate(25.0, 4e6), "sub": StreamRate(15.0, 0.6e6)}
"""For a stream that never ran here, as long as no other one of its role has."""


class CostModel:
    """Of one relay, over all its processes. Costs are shares of its time, 1 = all of it."""

    def __init__(self) -> None:
        self.factor = 1.0
        self._lessons = 0

    @property
    def is_guess(self) -> bool:
        """Whether this machine was hardly seen at work yet."""
        return self._lessons < LESSONS

    def learn(self, pulse: RelayPulse) -> None:
        """Compare what the relay carries with how busy it is. A loop that has no time left teaches nothing more."""
        reckoned = (
            pulse.frames_in * FRAME_IN
            + pulse.bits_in * BIT_IN
            + pulse.frames_out * FRAME_OUT
            + pulse.bits_out * BIT_OUT
        )
        if reckoned < ENOUGH or pulse.loop_busy >= 0.98:
            return
        measured = min(SLOWEST, max(FASTEST, pulse.loop_busy / reckoned))
        self.factor += WEIGHT * (measured - self.factor)
        self._lessons += 1

    def feed(self, rate: StreamRate) -> float:
        """To pull a stream."""
        return self.factor * (rate.frames * FRAME_IN + rate.bits * BIT_IN)

    def track(self, rate: StreamRate) -> float:
        """To send it once."""
        return self.factor * (rate.frames * FRAME_OUT + rate.bits * BIT_OUT)


class StreamRates:
    """What each stream brought when it last ran, by the name of its feed."""

    def __init__(self) -> None:
        self._rates: dict[str, StreamRate] = {}
        self._roles: dict[str, Role] = {}

    def learn(self, feeds: Mapping[str, Mapping[str, Any]]) -> None:
        """The relay's readings of its feeds. Only one that runs teaches something."""
        for name, reading in feeds.items():
            frames, bits = float(reading.get("frame_rate") or 0.0), float(reading.get("bit_rate") or 0.0)
            if frames and reading.get("phase") == "live":
                self._rates.pop(name, None)
                self._rates[name] = StreamRate(frames, bits)
        while len(self._rates) > REMEMBERED:
            self._roles.pop(oldest := next(iter(self._rates)), None)
            del self._rates[oldest]

    def of(self, feed: str, role: Role) -> StreamRate:
        """What the stream will bring: as last time, else as streams of its role do on average, else as is usual."""
        if len(self._roles) < 2 * REMEMBERED:
            self._roles[feed] = role
        if (known := self._rates.get(feed)) is not None:
            return known
        alike = [rate for name, rate in self._rates.items() if self._roles.get(name) == role]
        if not alike:
            return USUAL[role]
        return StreamRate(sum(one.frames for one in alike) / len(alike), sum(one.bits for one in alike) / len(alike))
