"""Sessions of players, over RTSP and WHEP alike: each has a token and a line in the register, and ends with its token,
with its camera's service, or by itself.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from camera_hub.access.stream_tokens import Token
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.interface import Role
from camera_hub.media.rtsp_out.admission import PlayerAdmission, PlayerRequest
from camera_hub.media.rtsp_out.session_register import SessionView, StreamRegister
from camera_hub.relay.messages import RtspEnded
from camera_hub.store.retention import SETTLE

_WRITE_EVERY = 30.0
_FORGET_EVERY = 24 * 3600.0


@dataclass(eq=False, slots=True)
class PlayerSession:
    """One player and its camera. `end` asks whoever serves it to end it, for a reason; `progress` is how far it has
    come. `token` and `line` are there once it has been admitted.
    """

    camera_id: int
    end: Callable[[str], None]
    progress: Callable[[], RtspEnded | None]
    token: Token | None = None
    line: int | None = None
    end_reason: str | None = None  # that it was asked to end for
    over: RtspEnded | None = None  # it has ended


class PlayerSessions:
    """An async context manager. Enter it before the relays, so that it leaves after."""

    def __init__(
        self, admission: PlayerAdmission, register: StreamRegister, background: Background, clock: Clock
    ) -> None:
        self._admission = admission
        self._background = background
        self._register = register
        self._clock = clock
        self._sessions: dict[PlayerSession, None] = {}
        self._written_at = clock.monotonic()
        self._forget_at = self._written_at + SETTLE

    async def __aenter__(self) -> Self:
        await self._register.close_left_over()
        await self._admission.refresh()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._write_progress()
        await self._register.close_left_over()

    def running(self) -> Counter[int]:
        """Token → how many sessions it has now."""
        return Counter(one.token.id for one in self._sessions if one.token is not None)

    async def lines(self, *, limit: int, before: int | None = None, token_id: int | None = None) -> list[SessionView]:
        """The register, the newest first, older than line `before`; what runs as of the relays' last pulses."""
        progress = self._progress()
        return [
            line
            if (now := progress.get(line.id)) is None
            else replace(line, transport=now.transport, bytes=now.bytes, dropped_frames=now.dropped_frames)
            for line in await self._register.page(limit=limit, before=before, token_id=token_id)
        ]

    async def admit(self, session: PlayerSession, request: PlayerRequest, *, rtsp: bool) -> Token:
        """The player's token; the session is one of those that run from now on. Raises HubError."""
        self._sessions[session] = None
        try:
            # Counted before anything more is awaited, so that many requests at once cannot slip through.
            session.token = token = await self._admission.admit(request, self.running, rtsp=rtsp)
        except BaseException:
            self._sessions.pop(session, None)
            raise
        return token

    async def begun(self, session: PlayerSession, request: PlayerRequest, role: Role) -> None:
        """Write the admitted session's line. Raises HubError when it has ended meanwhile."""
        assert session.token is not None
        session.line = line = await self._register.begun(session.token.id, request, role)
        if session.over is not None:
            await self._register.ended(line, session.over)
            raise HubError(Kind.UNAVAILABLE, "the player has left")

    async def refused(self, session: PlayerSession, reason: str) -> None:
        """It was admitted, but cannot be served after all."""
        self._sessions.pop(session, None)
        if session.line is not None and session.over is None:
            await self._register.ended(session.line, RtspEnded("-", reason))

    def ended(self, session: PlayerSession, ended: RtspEnded) -> None:
        """It has ended, perhaps while it was being admitted; a reason that it was asked to end for comes first."""
        self._sessions.pop(session, None)
        session.over = ended = replace(ended, reason=session.end_reason or ended.reason)
        if session.line is not None:
            self._background.start(f"end of line {session.line}", self._register.ended(session.line, ended))

    # Ending

    async def on_camera_changed(self, camera_id: int) -> None:
        """End the sessions of a camera that is no longer approved, or has left a token's village."""
        if any(session.camera_id == camera_id for session in self._sessions):
            await self._check_camera(camera_id)

    async def on_tokens_changed(self) -> None:
        """End the sessions of tokens that are no longer good."""
        await self._admission.refresh()
        self._end_of_bad_tokens()

    async def on_events_lost(self) -> None:
        """Check all sessions."""
        await self.on_tokens_changed()
        for camera_id in {session.camera_id for session in self._sessions}:
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
            before = self._admission.kept_since()
            await self._register.forget(before)
            await self._admission.forget(before)

    async def _check_camera(self, camera_id: int) -> None:
        facts = await self._admission.facts(camera_id)
        for session in list(self._sessions):
            if session.camera_id != camera_id:
                continue
            if facts is None or facts.state != "approved":
                _end(session, Reason.RETIRED if facts is None or facts.state == "retired" else Reason.NOT_APPROVED)
            elif session.token is not None and not session.token.scope.covers(camera_id, facts.village_id):
                _end(session, "out_of_scope")

    def _end_of_bad_tokens(self) -> None:
        for session in list(self._sessions):
            if session.token is not None and (reason := self._admission.token_ended(session.token)) is not None:
                _end(session, reason)

    async def _write_progress(self) -> None:
        if progress := self._progress():
            await self._register.seen(progress)

    def _progress(self) -> dict[int, RtspEnded]:
        """Line → how far its session has come."""
        found = ((session.line, session.progress()) for session in self._sessions if session.line is not None)
        return {line: progress for line, progress in found if progress is not None}


def _end(session: PlayerSession, reason: str) -> None:
    """Its last report closes the line."""
    if session.end_reason is None:
        session.end_reason = reason
        session.end(reason)
