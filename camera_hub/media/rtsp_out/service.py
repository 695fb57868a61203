"""RTSP out, the hub's side: who may have which camera, on the feeds that browsers share; sessions are registered."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from camera_hub.access.stream_tokens import StreamTokens, Token, refusal, unusable
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import FeedKey, relay_of
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.interface import Sources
from camera_hub.media.relays.supervisor import RelaySupervisor
from camera_hub.media.rtsp_out.session_register import SessionView, StreamRegister
from camera_hub.media.wall.authorization import facts_of
from camera_hub.relay.messages import RtspAsk, RtspEnded, RtspState
from camera_hub.settings import MediaSettings as MediaSettings
from camera_hub.store.database import Database
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)

CODECS = frozenset({"h264", "h265"})
"""What decoders take, and the relay can pass on."""
_WRITE_EVERY = 30.0
_FORGET_EVERY = 24 * 3600.0

_Name = tuple[int, str]
"""Relay number and the relay's name of a session."""


@dataclass(eq=False, slots=True)
class _Session:
    """One player. `line` and `key` are there once it has been let in."""

    camera_id: int
    token: Token | None = None
    line: int | None = None
    key: FeedKey | None = None
    told: str | None = None  # the reason that the relay was told to end it for
    over: RtspEnded | None = None  # it ended while it was being let in


class RtspOutService:
    """An async context manager; between relays and register. Enter it before the relays, so that it leaves after."""

    def __init__(
        self,
        settings: MediaSettings,
        clock: Clock,
        database: Database,
        sources: Sources,
        feeds: Feeds,
        background: Background,
        tokens: StreamTokens,
    ) -> None:
        self.register = StreamRegister(database, clock)
        self.tokens = tokens
        self._settings = settings
        self._clock = clock
        self._database = database
        self._sources = sources
        self._feeds = feeds
        self._background = background
        self._sessions: dict[_Name, _Session] = {}
        self._tokens: dict[int, Token] = {}
        self._states: dict[int, RtspState] = {}
        self._open = False
        self._opening = asyncio.Lock()  # who asks while ports open or shut hears how that ended
        self._written_at = self._forgotten_at = clock.monotonic()

    async def __aenter__(self) -> Self:
        await self.register.close_left_over()
        await self._forget()
        await self._read_tokens()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._write_seen()
        await self.register.close_left_over()

    # For pages

    def running(self) -> Counter[int]:
        """Token → how many sessions it has now."""
        return Counter(one.token.id for one in self._sessions.values() if one.token is not None)

    async def lines(self, *, limit: int, before: int | None = None, token_id: int | None = None) -> list[SessionView]:
        """The register, the newest first, older than line `before`; what runs as of the relays' last pulses."""
        words = self._words()
        return [
            line
            if (word := words.get(line.id)) is None
            else replace(line, transport=word.transport, bytes=word.bytes, dropped_frames=word.dropped_frames)
            for line in await self.register.page(limit=limit, before=before, token_id=token_id)
        ]

    async def states(self) -> list[RtspState]:
        """Where each relay listens, in the order of relays."""
        await self._read_tokens()
        await self._open_ports()
        nowhere = RtspState(None)
        return [self._states.get(relay.number, nowhere) for relay in self._feeds.relays]

    def port_of(self, village_id: int) -> int | None:
        """The port at which the village's cameras are pulled already for browsers; None while none is open."""
        state = self._states.get(relay_of(village_id, len(self._feeds.relays)))
        return state.port if state is not None else None

    # What relays say

    def relay_started(self, relay: RelaySupervisor) -> None:
        """A new process: the sessions of the one before are over, and its port is shut."""
        for name in [name for name in self._sessions if name[0] == relay.number]:
            self._over(name, RtspEnded(name[1], Reason.RELAY_RESTARTED))
        self._states.pop(relay.number, None)
        if self._open:
            self._background.start(f"rtsp port of relay {relay.number}", self._listen(relay))

    def heard_ask(self, relay: RelaySupervisor, frame: PipeFrame) -> None:
        """An rtsp.ask request."""
        ask = RtspAsk.of(frame.head)
        name = (relay.number, ask.session)
        if name in self._sessions:
            answer = self._answer(relay, relay.epoch, frame, HubError(Kind.CONFLICT, "this session is being judged"))
        else:
            self._sessions[name] = session = _Session(ask.camera)
            answer = self._judge(relay, relay.epoch, frame, ask, session)
        self._background.start(f"rtsp ask {frame.head['id']} of relay {relay.number}", answer)

    def heard_ended(self, relay: RelaySupervisor, word: RtspEnded) -> None:
        """An rtsp.ended message."""
        self._over((relay.number, word.session), word)

    def _over(self, name: _Name, word: RtspEnded) -> None:
        session = self._sessions.pop(name, None)
        if session is None:
            return
        session.over = word = replace(word, reason=session.told or word.reason)
        if session.key is not None:
            self._feeds.release(session.key, _holder(name))
        if session.line is not None:
            self._background.start(f"rtsp end of line {session.line}", self.register.ended(session.line, word))

    # Letting in

    async def _judge(
        self, relay: RelaySupervisor, epoch: int, frame: PipeFrame, ask: RtspAsk, session: _Session
    ) -> None:
        name = (relay.number, ask.session)
        try:
            feed = await self._let_in(name, ask, session)
        except HubError as error:
            if self._sessions.get(name) is session:
                del self._sessions[name]
            # Who tries tokens must not fill the log; who has one is helped by the reason.
            level = logging.DEBUG if error.kind is Kind.UNAUTHENTICATED else logging.INFO
            log.log(level, "RTSP out: %s was refused camera %d: %s", ask.address, ask.camera, error)
            await self._answer(relay, epoch, frame, error)
        except BaseException:
            if self._sessions.get(name) is session:
                del self._sessions[name]
            raise
        else:
            await self._answer(relay, epoch, frame, {"feed": feed})

    async def _answer(
        self, relay: RelaySupervisor, epoch: int, frame: PipeFrame, answer: dict[str, Any] | HubError
    ) -> None:
        await relay.reply(epoch, frame, answer)

    async def _let_in(self, name: _Name, ask: RtspAsk, session: _Session) -> str:
        """Judge, write the line, hold the feed; its name. Raises HubError."""
        token = await self.tokens.of_hash(ask.token_hash)
        if token is None or not self._settings.rtsp_out:
            raise HubError(Kind.UNAUTHENTICATED, "there is no such token")
        facts = await facts_of(self._database, ask.camera)
        if (refused := refusal(token, self._clock.now(), facts.camera_id, facts.village_id)) is not None:
            raise refused
        if facts.state != "approved":
            raise HubError(Kind.NOT_FOUND, "this camera is not in service", reason=Reason.NOT_APPROVED)
        counts = self.running()
        if counts[token.id] >= token.max_sessions:
            raise HubError(Kind.BUSY, f"this token has {token.max_sessions} sessions already", reason=Reason.BUSY)
        if counts.total() >= self._settings.rtsp_sessions:
            raise HubError(
                Kind.BUSY, f"the hub serves {self._settings.rtsp_sessions} players already", reason=Reason.BUSY
            )
        session.token = token  # counted before anything is awaited, so that many asks at once cannot slip through
        chosen = await self._sources.choose(ask.camera, ask.quality, CODECS)
        session.line = line = await self.register.begun(token.id, ask, chosen.role)
        if session.over is not None:
            await self.register.ended(line, session.over)
            raise HubError(Kind.UNAVAILABLE, "the player has left")
        key = self._feeds.hold(name[0], chosen, _holder(name))
        if (news := self._feeds.news(key)) is not None and news.reason == Reason.DEVICE_FULL:
            self._feeds.release(key, _holder(name))
            await self.register.ended(line, RtspEnded(name[1], Reason.DEVICE_FULL))
            raise HubError(Kind.BUSY, "the camera's device bears no more sessions", reason=Reason.DEVICE_FULL)
        session.key = key
        return key.name

    # Ending

    async def camera_changed(self, camera_id: int) -> None:
        """End the sessions of a camera that is no longer approved, or has left a token's village."""
        if any(session.camera_id == camera_id for session in self._sessions.values()):
            await self._judge_again(camera_id)

    async def tokens_changed(self) -> None:
        """End the sessions of tokens that are no longer good; shut the port when there is none left."""
        await self._read_tokens()
        self._end_of_bad_tokens()
        await self._open_ports()

    async def judge_all(self) -> None:
        """Events were lost."""
        await self.tokens_changed()
        for camera_id in {session.camera_id for session in self._sessions.values()}:
            await self._judge_again(camera_id)

    async def sweep(self) -> None:
        """Expired tokens, progress in the register, old lines. Each second."""
        self._end_of_bad_tokens()
        await self._open_ports()
        now = self._clock.monotonic()
        if now - self._written_at >= _WRITE_EVERY:
            self._written_at = now
            await self._write_seen()
            await self._open_again()
        if now - self._forgotten_at >= _FORGET_EVERY:
            self._forgotten_at = now
            await self._forget()

    async def _forget(self) -> None:
        before = self._clock.now() - timedelta(days=self._settings.rtsp_keep_days)
        await self.register.forget(before)
        await self.tokens.forget(before)

    async def _judge_again(self, camera_id: int) -> None:
        try:
            facts = await facts_of(self._database, camera_id)
        except HubError:
            facts = None
        for name, session in list(self._sessions.items()):
            if session.camera_id != camera_id:
                continue
            if facts is None or facts.state != "approved":
                self._end(name, Reason.RETIRED if facts is None or facts.state == "retired" else Reason.NOT_APPROVED)
            elif session.token is not None and not session.token.scope.covers(camera_id, facts.village_id):
                self._end(name, "out_of_scope")

    def _end_of_bad_tokens(self) -> None:
        for name, session in list(self._sessions.items()):
            if session.token is not None:
                token = self._tokens.get(session.token.id, session.token)
                if (bad := unusable(token, self._clock.now())) is not None:
                    self._end(name, bad.reason)

    def _end(self, name: _Name, reason: str) -> None:
        """Tell the relay; its last word closes the line."""
        session = self._sessions[name]
        if session.told is None:
            session.told = reason
            self._feeds.relays[name[0]].post("rtsp.end", {"session": name[1], "reason": reason})

    # Ports

    async def _read_tokens(self) -> None:
        self._tokens = {token.id: token for token in await self.tokens.all()}

    async def _open_ports(self) -> None:
        """A port that nobody may use is not open: relays listen while there is a good token."""
        async with self._opening:
            now = self._clock.now()
            wanted = self._settings.rtsp_out and any(unusable(token, now) is None for token in self._tokens.values())
            if wanted != self._open:
                self._open = wanted
                for relay in self._feeds.relays:
                    await self._listen(relay)

    async def _open_again(self) -> None:
        """A port that was taken, or a relay that was too busy to open it: try once more."""
        async with self._opening:
            for relay in self._feeds.relays:
                state = self._states.get(relay.number)
                if self._open and relay.up and (state is None or state.port is None):
                    await self._listen(relay)

    async def _listen(self, relay: RelaySupervisor) -> None:
        try:
            self._states[relay.number] = RtspState.of(await relay.call("rtsp.listen", {"listen": self._open}))
        except HubError as error:  # a relay that is being restarted is told when it is back
            log.warning("relay %d does not open its RTSP port: %s", relay.number, error)

    async def _write_seen(self) -> None:
        if words := self._words():
            await self.register.seen(words)

    def _words(self) -> dict[int, RtspEnded]:
        """Line → how far its session has come."""
        words: dict[int, RtspEnded] = {}
        for (number, name), session in self._sessions.items():
            found = self._feeds.relays[number].figures.get("rtsp", {}).get(name)
            if session.line is not None and found is not None:
                words[session.line] = RtspEnded(
                    name, "", found["transport"], int(found["bytes"]), int(found["dropped_frames"])
                )
        return words


def _holder(name: _Name) -> str:
    return f"rtsp {name[0]}/{name[1]}"
