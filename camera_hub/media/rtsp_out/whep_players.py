"""WHEP players that come with a stream token: the viewers of single cameras, counted and registered as RTSP players."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from camera_hub.access.stream_tokens import TokenHolder
from camera_hub.errors import HubError
from camera_hub.media.interface import Quality
from camera_hub.media.rtsp_out.admission import PlayerRequest
from camera_hub.media.rtsp_out.player_sessions import PlayerSession, PlayerSessions
from camera_hub.media.wall.viewer_session import PlayerTerms
from camera_hub.media.wall.viewers import Viewers
from camera_hub.media.wall.watchers import Watcher
from camera_hub.media.wall.whep import WhepAnswer
from camera_hub.relay.messages import RtspEnded

log = logging.getLogger(__name__)


class Relay(Protocol):
    """Where figures of viewers are read (relays.link)."""

    @property
    def readings(self) -> dict[str, Any]: ...


class WhepOffers(Protocol):
    """Who opens viewers for players (wall.whep)."""

    async def offer(self, watcher: Watcher, camera_id: int, sdp: str, terms: PlayerTerms) -> WhepAnswer: ...


class WhepPlayers:
    """Of all tokens."""

    def __init__(self, sessions: PlayerSessions, whep: WhepOffers, viewers: Viewers, relays: Sequence[Relay]) -> None:
        self._sessions = sessions
        self._whep = whep
        self._viewers = viewers
        self._relays = relays

    async def offer(self, request: PlayerRequest, quality: Quality, sdp: str) -> WhepAnswer:
        """Answer the offer of a player by its token. Raises HubError as admission and wall.whep do."""
        player = _WhepPlayer(request.camera, self._viewers, self._relays)
        token = await self._sessions.admit(player.session, request, rtsp=False)
        holder = TokenHolder(token)

        def on_end(reason: str) -> None:
            self._sessions.ended(player.session, player.ended(reason))

        try:
            answered = await self._whep.offer(holder, request.camera, sdp, PlayerTerms(_stays, on_end, quality))
            player.opened(answered, holder)
            await self._sessions.begun(player.session, request, answered.role)
        except HubError as error:
            log.info("WHEP: %s was refused camera %d: %s", request.address, request.camera, error)
            await self._give_up(player, error.reason)
            raise
        except BaseException:
            await self._give_up(player, "internal")
            raise
        return answered

    async def _give_up(self, player: "_WhepPlayer", reason: str) -> None:
        await self._sessions.refused(player.session, reason)
        player.close(reason)


async def _stays() -> bool:
    """It ends with its token, which the sessions of players watch."""
    return True


class _WhepPlayer:
    """One player's session, and its viewer once it is open."""

    def __init__(self, camera_id: int, viewers: Viewers, relays: Sequence[Relay]) -> None:
        self.session = PlayerSession(camera_id, self.close, self._progress)
        self._viewers = viewers
        self._relays = relays
        self._answered: WhepAnswer | None = None
        self._read = RtspEnded("-", "", "webrtc")

    def opened(self, answered: WhepAnswer, holder: TokenHolder) -> None:
        """The viewer is open. One that was to be ended meanwhile is closed."""
        self._answered = answered
        if self.session.end_reason is not None:
            self.close(self.session.end_reason)

    def close(self, reason: str) -> None:
        """End the viewer, if it is open."""
        if self._answered is not None:
            self._viewers.close_by_id(self._answered.viewer, reason)

    def ended(self, reason: str) -> RtspEnded:
        """What the register is told of its end: the counters are those of the last reading."""
        return replace(self._progress() or RtspEnded("-", "", "webrtc"), reason=reason)

    def _progress(self) -> RtspEnded | None:
        """As of the relay's last reading of it, which a relay that has gone has taken along."""
        if self._answered is None:
            return None
        viewer = self._answered.viewer
        read = self._relays[self._answered.relay].readings.get("viewers", {}).get(viewer)
        if read is not None:
            streams = [*read["tracks"], *([read["audio"]] if read.get("audio") is not None else [])]
            dropped = sum(int(track["dropped_frames"]) for track in read["tracks"])
            self._read = RtspEnded(viewer, "", "webrtc", sum(int(one["bytes"]) for one in streams), dropped)
        return self._read
