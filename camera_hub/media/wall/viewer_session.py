"""A viewer as the hub knows it: one browser peer, and the tiles that it carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.interface import Present
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.relay.messages import LinkLevel
from camera_hub.settings import MediaSettings as MediaSettings


@dataclass(slots=True)
class ViewerSession:
    """One peer connection. WHEP has no page, whose WebSocket would end with the session: it has `present` instead.

    Its tracks carry the page's tiles from `first` on: a large wall has a second connection for those that the first
    one has no tracks for.
    """

    id: str
    page: str | None
    relay: int
    actor: Actor
    present: Present | None = None
    first: int = 0
    codecs: frozenset[str] = frozenset()
    tracks: int = 0
    link: LinkLevel = LinkLevel.FULL
    shown: dict[int, TileSlot] = field(default_factory=dict)

    def holder(self, track: TileSlot) -> str:
        """How the track's hold of a feed is called."""
        return f"{self.id}/{track.number}"

    def carries(self, number: int) -> bool:
        """Whether the viewer has a track for that tile of the page."""
        return self.first <= number < self.first + self.tracks


def in_the_way(
    page: str | None, own: Sequence[ViewerSession], all_viewers: int, limits: MediaSettings, away: Callable[[str], bool]
) -> list[ViewerSession]:
    """Which of the user's viewers must end before `page` may have one more: those of another page that is gone away.

    Raises HubError(BUSY) when the user watches on too many other pages, or the hub has as many viewers as it may.
    """
    others = {viewer.page or viewer.id for viewer in own} - {page}
    ended: list[ViewerSession] = []
    if len(others) >= limits.viewers_per_user:
        gone = next((viewer.page for viewer in own if viewer.page in others and away(viewer.page or "")), None)
        ended = [viewer for viewer in own if gone is not None and viewer.page == gone]
        if not ended:
            raise HubError(
                Kind.BUSY,
                f"you already watch on {len(others)} pages; close one of them first",
                reason=Reason.BUSY,
                limit=limits.viewers_per_user,
            )
    if all_viewers - len(ended) >= limits.viewers:
        raise HubError(Kind.BUSY, "the hub has as many viewers as it may", reason=Reason.BUSY, limit=limits.viewers)
    return ended
