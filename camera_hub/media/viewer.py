"""A viewer as the hub knows it: one browser peer, and the tiles that it carries."""

from dataclasses import dataclass, field

from camera_hub.access.policy import Actor
from camera_hub.media.ports import Present
from camera_hub.media.tiles import Track
from camera_hub.relay.messages import LinkLevel


@dataclass(slots=True)
class Viewer:
    """One peer connection. WHEP has no page, whose WebSocket would end with the session: it has `present` instead."""

    id: str
    page: str | None
    relay: int
    actor: Actor
    present: Present | None = None
    codecs: frozenset[str] = frozenset()
    tracks: int = 0
    link: LinkLevel = LinkLevel.FULL
    shown: dict[int, Track] = field(default_factory=dict)

    def holder(self, track: Track) -> str:
        """How the track's hold of a feed is called."""
        return f"{self.id}/{track.number}"
