"""WHEP on the hub's side: a viewer of one camera for any standard player, without a page."""

from collections.abc import Sequence
from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.capacity.capacity import RETRY_SECONDS, busy
from camera_hub.media.interface import OfferAnswer, Present, PullableStream, Quality, TileWish
from camera_hub.media.relays.link import relay_of
from camera_hub.media.wall.tile_requests import Authorization
from camera_hub.media.wall.viewers import Viewers


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


class Queue(Protocol):
    """Tiles that wait for room (wall.viewer_session)."""

    def queue(self, relay: int) -> Sequence[object]: ...


class WhepViewers:
    """Viewers that end with the session in which they were opened."""

    def __init__(
        self,
        authorization: Authorization,
        viewers: Viewers,
        sources: StreamSource,
        tiles: Tiles,
        capacity: PlayerCapacity,
        queue: Queue,
        relays: int,
    ) -> None:
        self._capacity = capacity
        self._queue = queue
        self._authorization = authorization
        self._viewers = viewers
        self._sources = sources
        self._tiles = tiles
        self._relays = relays

    async def offer(self, actor: Actor, camera_id: int, sdp: str, present: Present) -> OfferAnswer:
        """Answer a player's offer with the camera in its first track; `present` is asked each second.

        Raises HubError when the camera cannot be watched or shown, UNAVAILABLE while there is no room for it.
        """
        facts = await self._authorization.require(actor, camera_id)
        relay = relay_of(facts.village_id, self._relays)
        if self._queue.queue(relay) or not self._capacity.has_room(relay):  # who waits comes first
            raise _full()
        answered = await self._viewers.offer(actor, None, relay, sdp, present)
        try:  # the refusal belongs into the answer
            stream = await self._sources.choose(camera_id, "auto", frozenset(answered.codecs))
            try:
                self._capacity.require(relay, stream, f"{answered.viewer}/0")
            except HubError as error:
                raise _full() from error
        except HubError:
            await self._viewers.close(answered.viewer, actor)
            raise
        self._tiles.show(None, TileWish(answered.viewer, 0, 1, camera_id))
        return answered


def _full() -> HubError:
    """A player is told when to come back (HTTP 503 with Retry-After): it has no place in the queue of tiles."""
    return HubError(Kind.UNAVAILABLE, busy().detail, reason=Reason.BUSY, retry_in=RETRY_SECONDS)
