"""A viewer as the hub knows it: one browser peer and the tiles that it carries; and the table of all of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import Present, Quality
from camera_hub.media.relays.link import relay_of
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.media.wall.watchers import Watcher, owner_of
from camera_hub.relay.messages import LinkLevel
from camera_hub.settings import MediaSettings as MediaSettings


@dataclass(frozen=True, slots=True)
class PlayerTerms:
    """What a viewer without a page (WHEP) stays for. It has no WebSocket that would end with its session: `present` is
    asked each second instead, and `on_end` is told why it has ended. `quality`: the stream that is asked for; `audio`:
    the codec in which the camera's sound comes, "" = in none, None = not known.
    """

    present: Present
    on_end: Callable[[str], None] = lambda _: None
    quality: Quality = "auto"
    audio: str | None = None


@dataclass(slots=True)
class ViewerSession:
    """One peer connection. `terms`: of one without a page. `takes_video`, `takes_audio`: whether it has a section
    for it; `heard`: the feed that a player hears.

    Its tracks carry the page's tiles from `first` on: a large wall has a second connection for those that the first
    one has no tracks for.
    """

    id: str
    page: str | None
    relay: int
    watcher: Watcher
    terms: PlayerTerms | None = None
    first: int = 0
    codecs: frozenset[str] = frozenset()
    tracks: int = 0
    takes_video: bool = True
    takes_audio: bool = False
    heard: FeedKey | None = None
    link: LinkLevel = LinkLevel.FULL
    shown: dict[int, TileSlot] = field(default_factory=dict)

    def holder(self, tile: TileSlot) -> str:
        """What the tile's leases are called."""
        return f"{self.id}/{tile.number}"

    def carries(self, number: int) -> bool:
        """Whether the viewer has a track for that tile of the page."""
        return self.first <= number < self.first + self.tracks


class ViewerSessions:
    """The table of all viewers, to look them up in. Whoever opens and closes them is wall.viewers."""

    def __init__(self, relays: int = 1) -> None:
        self._relays = relays
        self._sessions: dict[str, ViewerSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[ViewerSession]:
        """Over those that there are now: they may be closed meanwhile."""
        return iter(list(self._sessions.values()))

    def __contains__(self, viewer: ViewerSession) -> bool:
        return self._sessions.get(viewer.id) is viewer

    def add(self, viewer: ViewerSession) -> None:
        """A viewer has come."""
        self._sessions[viewer.id] = viewer

    def remove(self, viewer: ViewerSession) -> bool:
        """A viewer has gone. False when it had gone before."""
        return self._sessions.pop(viewer.id, None) is not None

    def get(self, viewer_id: str) -> ViewerSession | None:
        """The viewer of that id."""
        return self._sessions.get(viewer_id)

    def owned(self, viewer_id: str, watcher: Watcher) -> ViewerSession:
        """The user's or token's viewer of that id. Raises HubError(NOT_FOUND)."""
        viewer = self._sessions.get(viewer_id)
        if viewer is None or owner_of(viewer.watcher) != owner_of(watcher):
            raise HubError(Kind.NOT_FOUND, "there is no such viewer")
        return viewer

    def of_page(self, page: str) -> list[ViewerSession]:
        """The page's viewers."""
        return [viewer for viewer in self if viewer.page == page]

    def of_user(self, user_id: int) -> list[ViewerSession]:
        """The user's viewers."""
        return [viewer for viewer in self if owner_of(viewer.watcher) == ("user", user_id)]

    def carrying(self, viewer: ViewerSession, number: int) -> ViewerSession:
        """The viewer of the same page that carries the tile just now; this one where none does."""
        others = self.of_page(viewer.page) if viewer.page is not None else []
        return next((other for other in others if number in other.shown), viewer)

    def carrier(self, viewer: ViewerSession, village_id: int, number: int) -> ViewerSession:
        """The page's viewer on the relay that has the village; this one where the page has no such viewer."""
        relay = relay_of(village_id, self._relays)
        if viewer.page is None or viewer.relay == relay:
            return viewer
        others = (other for other in self.of_page(viewer.page) if other.relay == relay and other.carries(number))
        return next(others, viewer)

    def carrier_besides(self, gone: ViewerSession, number: int) -> ViewerSession | None:
        """A viewer of the same page that can carry the tile of one that has ended."""
        others = self.of_page(gone.page) if gone.page is not None else []
        return next((other for other in others if other.carries(number)), None)

    def showing(self, key: FeedKey) -> list[tuple[ViewerSession, TileSlot]]:
        """Tiles that show the feed."""
        return [(viewer, tile) for viewer in self for tile in list(viewer.shown.values()) if tile.key == key]

    def queue(self, relay: int) -> list[tuple[ViewerSession, TileSlot]]:
        """Tiles that wait for room on that relay, the longest waiting first."""
        waiting = [
            (tile.queued.since, viewer, tile)
            for viewer in self
            for tile in viewer.shown.values()
            if tile.queued is not None and tile.queued.relay == relay
        ]
        return [(viewer, tile) for _, viewer, tile in sorted(waiting, key=lambda one: one[0])]

    def watching(self, camera_id: int) -> list[tuple[ViewerSession, TileSlot]]:
        """Tiles that the camera is wished in."""
        return [
            (viewer, tile) for viewer in self for tile in list(viewer.shown.values()) if tile.camera_id == camera_id
        ]


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
        detail = "the hub has as many viewers as it may; close one, or raise media.viewers"
        raise HubError(Kind.BUSY, detail, reason=Reason.BUSY, limit=limits.viewers)
    return ended
