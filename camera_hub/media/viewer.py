"""A viewer as the hub knows it: one browser peer, and the tiles that it carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.ports import Present
from camera_hub.media.tiles import Track
from camera_hub.relay.messages import LinkLevel
from camera_hub.settings import Media as MediaSettings


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


def in_the_way(
    own: Sequence[Viewer], all_viewers: int, limits: MediaSettings, away: Callable[[str], bool]
) -> list[Viewer]:
    """Which of the user's viewers must end before another page of theirs may watch: those of a page gone away.

    Raises HubError(BUSY) when the user watches on too many pages, or the hub has as many viewers as it may.
    """
    ended: list[Viewer] = []
    if len(own) >= limits.viewers_per_user:
        ended = [viewer for viewer in own if viewer.page is not None and away(viewer.page)][:1]
        if not ended:
            raise HubError(
                Kind.BUSY,
                f"you already watch on {len(own)} pages; close one of them first",
                reason=Reason.BUSY,
                limit=limits.viewers_per_user,
            )
    if all_viewers - len(ended) >= limits.viewers:
        raise HubError(Kind.BUSY, "the hub has as many viewers as it may", reason=Reason.BUSY, limit=limits.viewers)
    return ended
