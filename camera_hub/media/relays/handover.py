"""When a relay process is replaced by a fresh one, and which of its feeds the fresh one opens beforehand. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from camera_hub.errors import Reason
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState

HARD_SHARE = 1.5
"""From this multiple of the limit on there is no time for an orderly replacement."""
REPLACE_EVERY = 300.0
"""Seconds between two replacements for memory's sake: a limit that is too small must not cost a picture a minute."""

Verdict = Literal["fine", "replace", "kill"]


def memory_verdict(rss_bytes: int, limit: int, since_replaced: float) -> Verdict:
    """What to do with a process of that size; `since_replaced` seconds ago the last one made way for it."""
    if rss_bytes > limit * HARD_SHARE:
        return "kill"
    return "replace" if rss_bytes > limit and since_replaced >= REPLACE_EVERY else "fine"


@dataclass(slots=True)
class StandbyWarmUp:
    """The feeds that a standby opens while its predecessor still shows them."""

    specs: dict[str, FeedSpec]
    phases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, specs: Iterable[FeedSpec]) -> "StandbyWarmUp":
        return cls({spec.feed: spec for spec in specs})

    def heard(self, state: FeedState) -> list[str]:
        """A word of the standby; answers the feeds to be closed there again: those of a device that is full."""
        if state.feed not in self.specs:
            return []
        self.phases[state.feed] = state.phase
        if state.phase != FeedPhase.FAILED or state.reason != Reason.DEVICE_FULL:
            return []
        device = self.specs[state.feed].device
        left = [n for n, s in self.specs.items() if s.device == device and self.phases.get(n) != FeedPhase.LIVE]
        for name in left:
            del self.specs[name]
        return left

    @property
    def settled(self) -> bool:
        """Whether every feed runs, or has failed."""
        return all(self.phases.get(name) in (FeedPhase.LIVE, FeedPhase.FAILED) for name in self.specs)
