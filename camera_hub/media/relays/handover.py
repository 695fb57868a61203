"""Which feeds a fresh relay process opens before it takes over from the one that shows them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from camera_hub.errors import Reason
from camera_hub.relay.messages import FeedPhase, FeedSpec, FeedState


@dataclass(slots=True)
class StandbyWarmUp:
    """The feeds that a standby opens while its predecessor still shows them."""

    specs: dict[str, FeedSpec]
    phases: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, specs: Iterable[FeedSpec]) -> "StandbyWarmUp":
        return cls({spec.feed: spec for spec in specs})

    def on_feed_state(self, state: FeedState) -> list[str]:
        """The standby reports a state; answers the feeds to be closed there again: those of a device that is full."""
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
        """Whether every feed is live, or has failed."""
        return all(self.phases.get(name) in (FeedPhase.LIVE, FeedPhase.FAILED) for name in self.specs)
