"""RTSP out, the hub's side: players are admitted to the feeds that browsers share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.feeds import FeedLease
from camera_hub.media.interface import PullableStream, Quality
from camera_hub.media.rtsp_out.admission import PlayerAdmission, PlayerRequest
from camera_hub.media.rtsp_out.player_sessions import PlayerSession, PlayerSessions
from camera_hub.relay.messages import RtspAsk, RtspEnded, RtspGranted
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)

CODECS = frozenset({"h264", "h265"})
"""What players decode, and the relay can pass on."""

_Name = tuple[int, str]
"""Relay number and the relay's name of a session."""


class Relay(Protocol):
    """A relay that serves players (relays.link)."""

    number: int
    epoch: int

    @property
    def readings(self) -> dict[str, Any]: ...
    def post(self, type_: str, values: dict[str, Any]) -> bool: ...
    async def reply(self, epoch: int, request: PipeFrame, answer: dict[str, Any] | HubError) -> None: ...


class StreamSource(Protocol):
    """Where streams are asked for (interface.Sources)."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream: ...


class FeedLeases(Protocol):
    """Who keeps feeds running (feeds.feeds)."""

    def acquire(self, relay: int, stream: PullableStream, holder: str) -> FeedLease: ...


@dataclass(slots=True)
class _RtspPlayer:
    """A player's session, and the feed that it holds once it has been admitted."""

    session: PlayerSession
    lease: FeedLease | None = None


class RtspOutService:
    """Between relays and the sessions of players."""

    def __init__(
        self,
        admission: PlayerAdmission,
        sessions: PlayerSessions,
        sources: StreamSource,
        feeds: FeedLeases,
        relays: Sequence[Relay],
        background: Background,
    ) -> None:
        self._admission = admission
        self._sessions = sessions
        self._sources = sources
        self._feeds = feeds
        self._relays = relays
        self._background = background
        self._players: dict[_Name, _RtspPlayer] = {}

    # What relays say

    def on_relay_started(self, number: int) -> None:
        """A new process: the sessions of the one before are over."""
        for name in [name for name in self._players if name[0] == number]:
            self._finish(name, RtspEnded(name[1], Reason.RELAY_RESTARTED))

    def on_player_request(self, number: int, frame: PipeFrame) -> None:
        """An rtsp.ask request."""
        ask = RtspAsk.of(frame.head)
        name, epoch = (number, ask.session), self._relays[number].epoch
        if name in self._players:
            error = HubError(Kind.CONFLICT, "this session is being judged")
            answer = self._relays[number].reply(epoch, frame, error)
        else:
            session = PlayerSession(ask.camera, partial(self._end, name), partial(self._progress, name))
            self._players[name] = player = _RtspPlayer(session)
            answer = self._answer(name, epoch, frame, ask, player)
        self._background.start(f"rtsp ask {frame.head['id']} of relay {number}", answer)

    def on_player_ended(self, number: int, ended: RtspEnded) -> None:
        """An rtsp.ended message."""
        self._finish((number, ended.session), ended)

    def _finish(self, name: _Name, ended: RtspEnded) -> None:
        player = self._players.pop(name, None)
        if player is None:
            return
        if player.lease is not None:
            player.lease.release()
        self._sessions.ended(player.session, ended)

    # Admission

    async def _answer(self, name: _Name, epoch: int, frame: PipeFrame, ask: RtspAsk, player: _RtspPlayer) -> None:
        relay = self._relays[name[0]]
        try:
            granted = await self._admit(name, ask, player)
        except HubError as error:
            await self._give_up(name, player, error.reason)
            # Who tries tokens must not fill the log; who has one is helped by the reason.
            level = logging.DEBUG if error.kind is Kind.UNAUTHENTICATED else logging.INFO
            log.log(level, "RTSP out: %s was refused camera %d: %s", ask.address, ask.camera, error)
            await relay.reply(epoch, frame, error)
        except BaseException:
            await self._give_up(name, player, "internal")
            raise
        else:
            await relay.reply(epoch, frame, {"feed": granted.feed, "hurried": granted.hurried})

    async def _give_up(self, name: _Name, player: _RtspPlayer, reason: str) -> None:
        if self._players.get(name) is player:
            del self._players[name]
        await self._sessions.refused(player.session, reason)

    async def _admit(self, name: _Name, ask: RtspAsk, player: _RtspPlayer) -> RtspGranted:
        """Judge, write the line, acquire the feed. Raises HubError."""
        request = PlayerRequest(ask.token_hash, ask.camera, ask.address, ask.agent)
        token = await self._sessions.admit(player.session, request, rtsp=True)
        stream = await self._sources.choose(ask.camera, ask.quality, CODECS)
        holder = f"rtsp {name[0]}/{name[1]}"
        self._admission.require_room(name[0], stream, holder)
        await self._sessions.begun(player.session, request, stream.role)
        lease = self._feeds.acquire(name[0], stream, holder)
        if lease.waiting:
            lease.release()
            raise HubError(Kind.BUSY, "the camera's device allows no more sessions", reason=Reason.DEVICE_FULL)
        player.lease = lease
        return RtspGranted(lease.key.source_id, hurried=token.purpose == "watch")

    # What sessions ask

    def _end(self, name: _Name, reason: str) -> None:
        self._relays[name[0]].post("rtsp.end", {"session": name[1], "reason": reason})

    def _progress(self, name: _Name) -> RtspEnded | None:
        found = self._relays[name[0]].readings.get("rtsp", {}).get(name[1])
        if found is None:
            return None
        return RtspEnded(name[1], "", found["transport"], int(found["bytes"]), int(found["dropped_frames"]))
