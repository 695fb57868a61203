"""RTSP out, the hub's side: players are admitted to the feeds that browsers share, and their sessions registered."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from camera_hub.access.stream_tokens import Token
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.feeds import FeedLease
from camera_hub.media.interface import PullableStream, Quality
from camera_hub.media.rtsp_out.admission import PlayerAdmission
from camera_hub.media.rtsp_out.session_register import SessionView, StreamRegister
from camera_hub.relay.messages import RtspAsk, RtspEnded
from camera_hub.store.retention import SETTLE
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)

CODECS = frozenset({"h264", "h265"})
"""What players decode, and the relay can pass on."""
_WRITE_EVERY = 30.0
_FORGET_EVERY = 24 * 3600.0

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


@dataclass(eq=False, slots=True)
class _Session:
    """One player. `line` and `lease` are there once it has been admitted."""

    camera_id: int
    token: Token | None = None
    line: int | None = None
    lease: FeedLease | None = None
    end_reason: str | None = None  # that the relay was asked to end it for
    over: RtspEnded | None = None  # it ended while it was being admitted


class RtspOutService:
    """An async context manager; between relays and register. Enter it before the relays, so that it leaves after."""

    def __init__(
        self,
        admission: PlayerAdmission,
        register: StreamRegister,
        sources: StreamSource,
        feeds: FeedLeases,
        relays: Sequence[Relay],
        background: Background,
        clock: Clock,
    ) -> None:
        self._admission = admission
        self._register = register
        self._sources = sources
        self._feeds = feeds
        self._relays = relays
        self._background = background
        self._clock = clock
        self._sessions: dict[_Name, _Session] = {}
        self._written_at = clock.monotonic()
        self._forget_at = self._written_at + SETTLE

    async def __aenter__(self) -> Self:
        await self._register.close_left_over()
        await self._admission.refresh()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._write_progress()
        await self._register.close_left_over()

    # For pages

    def running(self) -> Counter[int]:
        """Token → how many sessions it has now."""
        return Counter(one.token.id for one in self._sessions.values() if one.token is not None)

    async def lines(self, *, limit: int, before: int | None = None, token_id: int | None = None) -> list[SessionView]:
        """The register, the newest first, older than line `before`; what runs as of the relays' last pulses."""
        progress = self._progress()
        return [
            line
            if (now := progress.get(line.id)) is None
            else replace(line, transport=now.transport, bytes=now.bytes, dropped_frames=now.dropped_frames)
            for line in await self._register.page(limit=limit, before=before, token_id=token_id)
        ]

    # What relays say

    def on_relay_started(self, number: int) -> None:
        """A new process: the sessions of the one before are over."""
        for name in [name for name in self._sessions if name[0] == number]:
            self._finish(name, RtspEnded(name[1], Reason.RELAY_RESTARTED))

    def on_player_request(self, number: int, frame: PipeFrame) -> None:
        """An rtsp.ask request."""
        ask = RtspAsk.of(frame.head)
        name, epoch = (number, ask.session), self._relays[number].epoch
        if name in self._sessions:
            error = HubError(Kind.CONFLICT, "this session is being judged")
            answer = self._relays[number].reply(epoch, frame, error)
        else:
            self._sessions[name] = session = _Session(ask.camera)
            answer = self._answer(name, epoch, frame, ask, session)
        self._background.start(f"rtsp ask {frame.head['id']} of relay {number}", answer)

    def on_player_ended(self, number: int, ended: RtspEnded) -> None:
        """An rtsp.ended message."""
        self._finish((number, ended.session), ended)

    def _finish(self, name: _Name, ended: RtspEnded) -> None:
        session = self._sessions.pop(name, None)
        if session is None:
            return
        session.over = ended = replace(ended, reason=session.end_reason or ended.reason)
        if session.lease is not None:
            session.lease.release()
        if session.line is not None:
            self._background.start(f"rtsp end of line {session.line}", self._register.ended(session.line, ended))

    # Admission

    async def _answer(self, name: _Name, epoch: int, frame: PipeFrame, ask: RtspAsk, session: _Session) -> None:
        relay = self._relays[name[0]]
        try:
            feed = await self._admit(name, ask, session)
        except HubError as error:
            if self._sessions.get(name) is session:
                del self._sessions[name]
            # Who tries tokens must not fill the log; who has one is helped by the reason.
            level = logging.DEBUG if error.kind is Kind.UNAUTHENTICATED else logging.INFO
            log.log(level, "RTSP out: %s was refused camera %d: %s", ask.address, ask.camera, error)
            await relay.reply(epoch, frame, error)
        except BaseException:
            if self._sessions.get(name) is session:
                del self._sessions[name]
            raise
        else:
            await relay.reply(epoch, frame, {"feed": feed})

    async def _admit(self, name: _Name, ask: RtspAsk, session: _Session) -> str:
        """Judge, write the line, acquire the feed; its name. Raises HubError."""
        # Counted before anything more is awaited, so that many requests at once cannot slip through.
        session.token = token = await self._admission.admit(ask, self.running)
        stream = await self._sources.choose(ask.camera, ask.quality, CODECS)
        holder = f"rtsp {name[0]}/{name[1]}"
        self._admission.require_room(name[0], stream, holder)
        session.line = line = await self._register.begun(token.id, ask, stream.role)
        if session.over is not None:
            await self._register.ended(line, session.over)
            raise HubError(Kind.UNAVAILABLE, "the player has left")
        lease = self._feeds.acquire(name[0], stream, holder)
        if lease.waiting:
            lease.release()
            await self._register.ended(line, RtspEnded(name[1], Reason.DEVICE_FULL))
            raise HubError(Kind.BUSY, "the camera's device allows no more sessions", reason=Reason.DEVICE_FULL)
        session.lease = lease
        return lease.key.source_id

    # Ending

    async def on_camera_changed(self, camera_id: int) -> None:
        """End the sessions of a camera that is no longer approved, or has left a token's village."""
        if any(session.camera_id == camera_id for session in self._sessions.values()):
            await self._check_camera(camera_id)

    async def on_tokens_changed(self) -> None:
        """End the sessions of tokens that are no longer good."""
        await self._admission.refresh()
        self._end_of_bad_tokens()

    async def on_events_lost(self) -> None:
        """Check all sessions."""
        await self.on_tokens_changed()
        for camera_id in {session.camera_id for session in self._sessions.values()}:
            await self._check_camera(camera_id)

    async def sweep(self) -> None:
        """Expired tokens, progress in the register, old lines. Each second."""
        self._end_of_bad_tokens()
        now = self._clock.monotonic()
        if now - self._written_at >= _WRITE_EVERY:
            self._written_at = now
            await self._write_progress()
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            await self._forget()

    async def _forget(self) -> None:
        before = self._admission.kept_since()
        await self._register.forget(before)
        await self._admission.forget(before)

    async def _check_camera(self, camera_id: int) -> None:
        facts = await self._admission.facts(camera_id)
        for name, session in list(self._sessions.items()):
            if session.camera_id != camera_id:
                continue
            if facts is None or facts.state != "approved":
                self._end(name, Reason.RETIRED if facts is None or facts.state == "retired" else Reason.NOT_APPROVED)
            elif session.token is not None and not session.token.scope.covers(camera_id, facts.village_id):
                self._end(name, "out_of_scope")

    def _end_of_bad_tokens(self) -> None:
        for name, session in list(self._sessions.items()):
            if session.token is not None and (reason := self._admission.token_ended(session.token)) is not None:
                self._end(name, reason)

    def _end(self, name: _Name, reason: str) -> None:
        """Ask the relay to end it; its last report closes the line."""
        session = self._sessions[name]
        if session.end_reason is None:
            session.end_reason = reason
            self._relays[name[0]].post("rtsp.end", {"session": name[1], "reason": reason})

    async def _write_progress(self) -> None:
        if progress := self._progress():
            await self._register.seen(progress)

    def _progress(self) -> dict[int, RtspEnded]:
        """Line → how far its session has come."""
        progress: dict[int, RtspEnded] = {}
        for (number, name), session in self._sessions.items():
            found = self._relays[number].readings.get("rtsp", {}).get(name)
            if session.line is not None and found is not None:
                progress[session.line] = RtspEnded(
                    name, "", found["transport"], int(found["bytes"]), int(found["dropped_frames"])
                )
        return progress
