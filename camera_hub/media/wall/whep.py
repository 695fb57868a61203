"""WHEP on the hub's side: a viewer of one camera for any standard player, without a page."""

import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.capacity.capacity import RETRY_SECONDS, busy
from camera_hub.media.interface import RELAYED_CODECS, PullableStream, Role, TileWish
from camera_hub.media.relays.link import relay_of
from camera_hub.media.wall.ice_fragment import Refusal, judge_fragment, user_fragments
from camera_hub.media.wall.stream_selection import FittingStream, StreamWish, TilePlace
from camera_hub.media.wall.tile_requests import Authorization
from camera_hub.media.wall.viewer_session import PlayerTerms, ViewerSession
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.watchers import Watcher

_AUDIO_SECTION = re.compile(r"^m=audio ", re.MULTILINE)


class PlayerStreams(Protocol):
    """Which stream of a camera is shown, as far as the machine has room (wall.stream_selection)."""

    def has_room(self, relay: int) -> bool: ...
    async def choose(
        self, wish: StreamWish, codecs: frozenset[str], *, pictures: bool = True
    ) -> tuple[PullableStream, str | None]: ...
    async def fit(
        self, wish: StreamWish, codecs: frozenset[str], place: TilePlace, *, pictures: bool = True
    ) -> FittingStream | None: ...


class PlayerSound(Protocol):
    """What a camera's sound is (wall.player_audio)."""

    async def codec(self, watcher: Watcher, village_id: int, relay: int, stream: PullableStream) -> str | None: ...


class Tiles(Protocol):
    """Who shows cameras in tiles (wall.tile_requests)."""

    def show(self, page: str | None, wish: TileWish) -> None: ...


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
        selection: PlayerStreams,
        sound: PlayerSound,
        tiles: Tiles,
        sessions: PlayerViewers,
        relays: int,
    ) -> None:
        self._sessions = sessions
        self._authorization = authorization
        self._viewers = viewers
        self._selection = selection
        self._sound = sound
        self._tiles = tiles
        self._relays = relays
        self._ice: dict[str, _IceSession] = {}

    async def offer(self, watcher: Watcher, camera_id: int, sdp: str, terms: PlayerTerms) -> WhepAnswer:
        """Answer a player's offer with the camera in its first track.

        Raises HubError when the camera cannot be watched or shown, UNAVAILABLE while there is no room for it.
        """
        facts = await self._authorization.require(watcher, camera_id)
        relay = relay_of(facts.village_id, self._relays)
        if self._sessions.queue(relay) or not self._selection.has_room(relay):  # who waits comes first
            raise _full()
        wish = StreamWish(camera_id, terms.quality, terms.quality)
        if _AUDIO_SECTION.search(sdp):  # so that the answer names the camera's codec alone
            stream, _ = await self._selection.choose(wish, _codecs(sdp), pictures=False)
            codec = await self._sound.codec(watcher, facts.village_id, relay, stream)
            terms = replace(terms, audio=codec)
        opened: list[str] = []

        def on_end(reason: str) -> None:
            for viewer in opened:
                self._ice.pop(viewer, None)
            terms.on_end(reason)

        answered = await self._viewers.offer(watcher, None, relay, sdp, replace(terms, on_end=on_end))
        opened.append(answered.viewer)
        self._ice[answered.viewer] = ice = _IceSession(secrets.token_hex(8), user_fragments(sdp))
        try:  # the refusal belongs into the answer
            place = TilePlace(relay, f"{answered.viewer}/0")
            fitting = await self._fit(wish, frozenset(answered.codecs), place)
        except BaseException:  # a player that has hung up among them
            with suppress(HubError):  # it has ended meanwhile
                await self._viewers.close(answered.viewer, watcher)
            raise
        self._tiles.show(None, TileWish(answered.viewer, 0, 1, camera_id, terms.quality))
        return WhepAnswer(answered.viewer, answered.relay, answered.sdp, ice.tag, fitting.stream.role)

    async def _fit(self, wish: StreamWish, codecs: frozenset[str], place: TilePlace) -> FittingStream:
        fitting = await self._selection.fit(wish, codecs, place, pictures=False)
        if fitting is None:
            raise _full()
        return fitting

    def patch(self, viewer: str, watcher: Watcher, if_match: str, fragment: str) -> Refusal | None:
        """Judge candidates, or an ICE restart, of the watcher's player; None: accepted, there is nothing to change.

        Raises HubError(NOT_FOUND).
        """
        self._sessions.owned(viewer, watcher)
        if (ice := self._ice.get(viewer)) is None:  # a page's
            raise HubError(Kind.NOT_FOUND, "there is no such viewer")
        return judge_fragment(fragment, if_match, tag=ice.tag, offered=ice.ufrags)


def _codecs(sdp: str) -> frozenset[str]:
    """What an offer may take, before a relay has read it; RELAYED_CODECS where it names neither: it only listens."""
    named = {name for name in RELAYED_CODECS if f"{name}/90000" in sdp.lower()}
    return frozenset(named) or RELAYED_CODECS


def _full() -> HubError:
    """A player is told when to come back (HTTP 503 with Retry-After): it has no place in the queue of tiles."""
    return HubError(Kind.UNAVAILABLE, busy().detail, reason=Reason.BUSY, retry_in=RETRY_SECONDS)
