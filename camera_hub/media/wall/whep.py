"""WHEP on the hub's side: a viewer of one camera for any standard player, without a page."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.capacity.capacity import RETRY_SECONDS, busy
from camera_hub.media.interface import PullableStream, Quality, Role, TileWish
from camera_hub.media.relays.link import relay_of
from camera_hub.media.wall.ice_fragment import Refusal, judge_fragment, user_fragments
from camera_hub.media.wall.tile_requests import Authorization
from camera_hub.media.wall.viewer_session import PlayerTerms, ViewerSession
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.watchers import Watcher


class StreamSource(Protocol):
    """Where streams are asked for (interface.Sources)."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream: ...


class Tiles(Protocol):
    """Who shows cameras in tiles (wall.tile_requests)."""

    def show(self, page: str | None, wish: TileWish) -> None: ...


class PlayerCapacity(Protocol):
    """What the machine bears (capacity.capacity)."""

    def has_room(self, relay: int) -> bool: ...
    def require(self, relay: int, stream: PullableStream, holder: str) -> None: ...


class PlayerViewers(Protocol):
    """Viewers, and tiles that wait for room (wall.viewer_session)."""

    def queue(self, relay: int) -> Sequence[object]: ...
    def owned(self, viewer_id: str, watcher: Watcher) -> ViewerSession: ...


@dataclass(frozen=True, slots=True)
class WhepAnswer:
    """A player's session: the answer, the entity tag of its ICE session (RFC 9725, 4.3.1), and which stream it gets."""

    viewer: str
    relay: int
    sdp: str
    tag: str
    role: Role


@dataclass(frozen=True, slots=True)
class _IceSession:
    tag: str
    ufrags: frozenset[str]


class WhepViewers:
    """Viewers that end by the terms that they were opened on."""

    def __init__(
        self,
        authorization: Authorization,
        viewers: Viewers,
        sources: StreamSource,
        tiles: Tiles,
        capacity: PlayerCapacity,
        sessions: PlayerViewers,
        relays: int,
    ) -> None:
        self._capacity = capacity
        self._sessions = sessions
        self._authorization = authorization
        self._viewers = viewers
        self._sources = sources
        self._tiles = tiles
        self._relays = relays
        self._ice: dict[str, _IceSession] = {}

    async def offer(self, watcher: Watcher, camera_id: int, sdp: str, terms: PlayerTerms) -> WhepAnswer:
        """Answer a player's offer with the camera in its first track.

        Raises HubError when the camera cannot be watched or shown, UNAVAILABLE while there is no room for it.
        """
        facts = await self._authorization.require(watcher, camera_id)
        relay = relay_of(facts.village_id, self._relays)
        if self._sessions.queue(relay) or not self._capacity.has_room(relay):  # who waits comes first
            raise _full()
        opened: list[str] = []

        def on_end(reason: str) -> None:
            for viewer in opened:
                self._ice.pop(viewer, None)
            terms.on_end(reason)

        answered = await self._viewers.offer(watcher, None, relay, sdp, replace(terms, on_end=on_end))
        opened.append(answered.viewer)
        self._ice[answered.viewer] = ice = _IceSession(secrets.token_hex(8), user_fragments(sdp))
        try:  # the refusal belongs into the answer
            stream = await self._sources.choose(camera_id, terms.quality, frozenset(answered.codecs))
            try:
                self._capacity.require(relay, stream, f"{answered.viewer}/0")
            except HubError as error:
                raise _full() from error
        except HubError:
            await self._viewers.close(answered.viewer, watcher)
            raise
        self._tiles.show(None, TileWish(answered.viewer, 0, 1, camera_id, terms.quality))
        return WhepAnswer(answered.viewer, answered.relay, answered.sdp, ice.tag, stream.role)

    def patch(self, viewer: str, watcher: Watcher, if_match: str, fragment: str) -> Refusal | None:
        """Judge candidates, or an ICE restart, of the watcher's player; None: accepted, there is nothing to change.

        Raises HubError(NOT_FOUND).
        """
        self._sessions.owned(viewer, watcher)
        if (ice := self._ice.get(viewer)) is None:  # a page's
            raise HubError(Kind.NOT_FOUND, "there is no such viewer")
        return judge_fragment(fragment, if_match, tag=ice.tag, offered=ice.ufrags)


def _full() -> HubError:
    """A player is told when to come back (HTTP 503 with Retry-After): it has no place in the queue of tiles."""
    return HubError(Kind.UNAVAILABLE, busy().detail, reason=Reason.BUSY, retry_in=RETRY_SECONDS)
