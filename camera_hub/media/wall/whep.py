"""WHEP on the hub's side: a viewer of one camera for any standard player, without a page."""

from typing import Protocol

from camera_hub.access.policy import Actor
from camera_hub.errors import HubError
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


class WhepViewers:
    """Viewers that end with the session in which they were opened."""

    def __init__(
        self, authorization: Authorization, viewers: Viewers, sources: StreamSource, tiles: Tiles, relays: int
    ) -> None:
        self._authorization = authorization
        self._viewers = viewers
        self._sources = sources
        self._tiles = tiles
        self._relays = relays

    async def offer(self, actor: Actor, camera_id: int, sdp: str, present: Present) -> OfferAnswer:
        """Answer a player's offer with the camera in its first track; `present` is asked each second.

        Raises HubError when the camera cannot be watched or shown.
        """
        facts = await self._authorization.require(actor, camera_id)
        answered = await self._viewers.offer(actor, None, relay_of(facts.village_id, self._relays), sdp, present)
        try:  # the refusal belongs into the answer
            await self._sources.choose(camera_id, "auto", frozenset(answered.codecs))
        except HubError:
            await self._viewers.close(answered.viewer, actor)
            raise
        self._tiles.show(None, TileWish(answered.viewer, 0, 1, camera_id))
        return answered
