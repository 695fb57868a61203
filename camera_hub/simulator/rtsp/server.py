"""The RTSP server of one device: authentication, streams and sessions (RFC 2326)."""

import asyncio
import re
import secrets
from dataclasses import dataclass

from camera_hub.simulator.admission import Admission
from camera_hub.simulator.auth import Doorkeeper, Login
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.giant import pour
from camera_hub.simulator.listener import Line
from camera_hub.simulator.model import RtspAuth, StreamSpec
from camera_hub.simulator.rtsp import messages, sdp
from camera_hub.simulator.rtsp.messages import BadMessage, Interleaved, Request
from camera_hub.simulator.rtsp.quirks import Quirks
from camera_hub.simulator.rtsp.receiver import Receiver, TcpOutlet, UdpOutlet
from camera_hub.simulator.rtsp.sound import SoundStream
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.paths import stream_of
from camera_hub.simulator.vendors.refusals import rtsp_refusal

_SWEEP_EVERY = 1.0
_PATH_WITH_LOGIN = re.compile(r"/user=(\w+)_password=(.+)_channel=(\d+)_stream=([01])\.sdp(?:/|$|\?)")
_SILENCE, _CUT = 0, -1
Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass(slots=True)
class Session:
    """One client's session with a stream."""

    name: str
    stream: Stream
    spec: StreamSpec
    receiver: Receiver
    line: Line | None  # the connection with which it ends; None over UDP
    alive_at: float
    playing: bool = False
    sound: Receiver | None = None


class RtspServer:
    """Answers requests; sessions that are silent for a minute are ended."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        plan = state.plan
        self._quirks = Quirks(state)
        self._admission = Admission(
            state,
            Doorkeeper(
                f"IP Camera({plan.serial[-5:]})",
                basic=plan.rtsp_auth is not RtspAuth.DIGEST,
                digest=plan.rtsp_auth is not RtspAuth.BASIC,
                algorithm=plan.digest_algorithm,
            ),
        )
        self.streams = {
            (channel.number, number): Stream(state, channel, number) for channel in plan.channels for number in (1, 2)
        }
        self.sounds = {channel.number: SoundStream(state, channel) for channel in plan.channels if channel.sound}
        self._sessions: dict[str, Session] = {}
        state.settings.listen(self._encoded_otherwise)

    async def serve(self, line: Line) -> None:
        """Serve one client until it disconnects."""
        self._state.stats.rtsp_connections += 1
        if not await self._quirks.not_rtsp(line):
            await self.converse(line)

    async def converse(self, line: Line) -> None:
        """Speak RTSP with one client until it disconnects."""
        quirks, greeted = self._quirks, False
        now, openings = self._state.clock.monotonic, self._state.stats.openings
        described_at: float | None = None
        try:
            while True:
                message = await messages.read(line.reader)
                if isinstance(message, Interleaved):
                    self._heard(line)
                    continue
                self._state.stats.requests[message.method] += 1
                if message.method == "DESCRIBE" and described_at is None:
                    described_at = now()
                greeted = greeted or message.method == "OPTIONS"
                refused = None if greeted else quirks.before_options(message.method)
                if refused == _SILENCE:
                    continue
                if refused == _CUT or (quirks.cut_by(message.method) and self._plays(line)):
                    return
                faults = self._state.faults()
                if Fault.GIANT_REPLY in faults and message.method == "DESCRIBE":
                    number = message.headers.get("cseq", "0")
                    await pour(line, f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nContent-Type: application/sdp\r\n")
                    return
                status, headers, body = (refused, [], b"") if refused else await self._answer(message, line)
                await line.send(quirks.written(status, message, headers, body), drips=Fault.SLOW_DRIP in faults)
                if message.method == "PLAY" and status == 200 and message.session in self._sessions:
                    if described_at is not None:
                        openings.append((described_at, now()))
                        described_at = float("inf")  # nothing more is opened on this connection
                    self._start(self._sessions[message.session])
        except BadMessage:
            await line.send(b"RTSP/1.0 400 Bad Request\r\n\r\n")
        finally:
            if described_at is not None and described_at != float("inf"):
                openings.append((described_at, now()))
            for session in [one for one in self._sessions.values() if one.line is line]:
                self._end(session)

    async def sweep(self) -> None:
        """End silent sessions, for ever."""
        while True:
            await self._state.clock.sleep(_SWEEP_EVERY)
            now = self._state.clock.monotonic()
            for session in [one for one in self._sessions.values() if now - one.alive_at > self._quirks.timeout]:
                self._end(session)
                if session.line is not None:
                    session.line.writer.close()

    def _encoded_otherwise(self) -> None:
        """End the sessions of streams whose encoder was changed, as cameras do; new ones are described anew."""
        for session in [one for one in self._sessions.values() if one.spec != one.stream.spec]:
            self._end(session)
            if session.line is not None:
                session.line.writer.close()

    async def stop(self) -> None:
        """End all sessions and streams."""
        for session in list(self._sessions.values()):
            self._end(session)
        await asyncio.gather(*(stream.stop() for stream in self.streams.values()))
        await asyncio.gather(*(sound.stop() for sound in self.sounds.values()))

    async def _answer(self, request: Request, line: Line) -> Answer:
        faults = self._state.faults()
        if request.method == "OPTIONS" and not (request.session and Fault.NEW_NONCE in faults):
            self._touch(request)
            return 200, [("Public", self._quirks.public)], b""
        if Fault.REDIRECT in faults:
            return 302, [("Location", f"rtsp://{self._state.canary}/stolen")], b""
        signed = "authorization" in request.headers
        if (refused := rtsp_refusal(self._state, signed=signed)) is not None:
            self._state.stats.logins += signed
            self._state.stats.logins_failed += signed
            return refused, self._admission.challenges() if refused == 401 else [], b""
        if not self._admitted(request):
            return 401, self._admission.challenges(signed=signed), b""
        if (status := self._quirks.wrong_url(request)) is not None:
            return status, [], b""
        match request.method:
            case "OPTIONS":
                self._touch(request)
                return 200, [("Public", self._quirks.public)], b""
            case "DESCRIBE":
                return await self._describe(request)
            case "SETUP":
                return await self._setup(request, line)
            case "PLAY" | "PAUSE" | "TEARDOWN" | "GET_PARAMETER" | "SET_PARAMETER":
                return self._in_session(request)
        return 405, [("Allow", self._quirks.public)], b""

    def _admitted(self, request: Request) -> bool:
        if Fault.LOGIN_IN_PATH in self._state.faults() and (found := _PATH_WITH_LOGIN.search(request.url)):
            return Login(found[1], found[2]) in self._state.device_logins
        given = request.headers.get("authorization")
        return given is not None and self._admission.admits(request.method, given, self._state.device_logins)

    def _stream(self, request: Request) -> Stream | None:
        key = stream_of(self._state.plan.vendor, request.url) or (0, 0)
        if Fault.LOGIN_IN_PATH in self._state.faults() and (found := _PATH_WITH_LOGIN.search(request.url)):
            key = (int(found[3]), int(found[4]) + 1)
        stream = self.streams.get(key)
        if stream is None or Fault.DEAD in self._state.faults(stream.channel):
            return None
        return stream

    async def _describe(self, request: Request) -> Answer:
        if (stream := self._stream(request)) is None:
            return 404, [], b""
        parameters = await stream.parameters()
        base = request.url if request.url.endswith("/") else request.url + "/"
        if Fault.NAT_XADDR in self._state.faults():
            base = self._state.stream_url(stream.channel, 1 if stream.main else 2) + "/"
        body = sdp.describe(stream.spec, parameters, self._state.shown_address, stream.channel.sound)
        headers = [("Content-Base", self._quirks.content_base(base)), ("Content-Type", "application/sdp")]
        return 200, headers, self._quirks.description(body, base)

    async def _setup(self, request: Request, line: Line) -> Answer:
        if (stream := self._stream(request)) is None:
            return 404, [], b""
        if request.url.rstrip("/").endswith(sdp.SOUND_TRACK):
            return await self._setup_sound(request, line, stream)
        if Fault.DEVICE_FULL in self._state.faults() or len(self._sessions) >= self._state.plan.max_sessions:
            return 453, [], b""
        if self._quirks.refuses_unicast:
            return 461, [], b""
        name = secrets.token_hex(8)
        for offer in request.headers.get("transport", "").split(","):
            if (chosen := await self._transport(offer, line, name)) is not None:
                transport, receiver, over_tcp = chosen
                break
        else:
            return 461, [], b""
        self._sessions[name] = Session(
            name, stream, stream.spec, receiver, line if over_tcp else None, self._state.clock.monotonic()
        )
        return 200, [("Transport", transport), ("Session", f"{name};timeout={self._quirks.timeout:.0f}")], b""

    async def _setup_sound(self, request: Request, line: Line, stream: Stream) -> Answer:
        """The second SETUP of a session, for the sound."""
        if not stream.channel.sound:
            return 404, [], b""
        if (session := self._touch(request)) is None or session.playing or session.sound is not None:
            return 455, [], b""
        for offer in request.headers.get("transport", "").split(","):
            if (chosen := await self._transport(offer, line, session.name, beside=session)) is not None:
                transport, session.sound, _ = chosen
                return 200, [("Transport", transport), ("Session", session.name)], b""
        return 461, [], b""

    async def _transport(
        self, offer: str, line: Line, name: str, beside: Session | None = None
    ) -> tuple[str, Receiver, bool] | None:
        """Set up one offered transport for that session: the Transport header, the receiver, whether it is over TCP.

        `beside`: the session whose sound it is for.
        """
        payload_type = sdp.PAYLOAD_TYPE if beside is None else sdp.SOUND_TYPES[beside.stream.channel.sound]
        profile, *parts = [part.strip() for part in offer.split(";")]
        values = dict(part.partition("=")[::2] for part in parts)
        if profile == "RTP/AVP/TCP":
            if Fault.TCP_REFUSED in self._state.faults():
                return None
            channel = _number(values.get("interleaved", "0-1"), 254)
            if channel is None:
                return None
            picture = beside.receiver.outlet if beside is not None else None
            picture = picture if isinstance(picture, TcpOutlet) else None
            receiver = Receiver(TcpOutlet(line.writer, channel, self._state.clock.monotonic, picture), payload_type)
            shown = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={receiver.ssrc:08X}"
            return shown, receiver, True
        if profile in ("RTP/AVP", "RTP/AVP/UDP") and "multicast" not in values and "client_port" in values:
            port = _number(values["client_port"], 65534)
            if not port:
                return None
            outlet = UdpOutlet(self._state.plan.address, (line.peer, port), lambda: self._heard_over_udp(name))
            await outlet.open()
            receiver = Receiver(outlet, payload_type)
            shown = (
                f"RTP/AVP;unicast;client_port={port}-{port + 1};"
                f"server_port={outlet.ports[0]}-{outlet.ports[1]};ssrc={receiver.ssrc:08X}"
            )
            return shown, receiver, False
        return None

    def _in_session(self, request: Request) -> Answer:
        session = self._touch(request)
        if session is None:
            if request.method in ("GET_PARAMETER", "SET_PARAMETER") and not request.session:
                return 200, [], b""
            return 454, [], b""
        headers = [("Session", f"{session.name};timeout={self._quirks.timeout:.0f}")]
        match request.method:
            case "PLAY":
                headers += [
                    ("Range", "npt=0.000-"),
                    (
                        "RTP-Info",
                        f"url={request.url.rstrip('/')}/{sdp.TRACK};seq={session.receiver.sequence};"
                        f"rtptime={session.stream.rtp_time()}",
                    ),
                ]
            case "PAUSE":
                self._pause(session)
            case "TEARDOWN":
                self._end(session)
        return 200, headers, b""

    def _start(self, session: Session) -> None:
        if not session.playing:
            session.playing = True
            session.stream.add(session.receiver)
            if session.sound is not None:
                self.sounds[session.stream.channel.number].add(session.sound)

    def _pause(self, session: Session) -> None:
        session.playing = False
        session.stream.remove(session.receiver)
        if session.sound is not None:
            self.sounds[session.stream.channel.number].remove(session.sound)

    def _end(self, session: Session) -> None:
        self._sessions.pop(session.name, None)
        self._pause(session)
        session.receiver.outlet.close()
        if session.sound is not None:
            session.sound.outlet.close()

    def _touch(self, request: Request) -> Session | None:
        session = self._sessions.get(request.session)
        if session is not None and (not session.playing or self._quirks.renewed_by(request.method)):
            session.alive_at = self._state.clock.monotonic()
        return session

    def _plays(self, line: Line) -> bool:
        return any(session.playing for session in self._sessions.values() if session.line is line)

    def _heard(self, line: Line) -> None:
        if not self._quirks.renewed_by("RTCP"):
            return
        for session in self._sessions.values():
            if session.line is line:
                session.alive_at = self._state.clock.monotonic()

    def _heard_over_udp(self, name: str) -> None:
        if (session := self._sessions.get(name)) is not None and self._quirks.renewed_by("RTCP"):
            session.alive_at = self._state.clock.monotonic()


def _number(text: str, highest: int) -> int | None:
    """The first of a pair of numbers."""
    first = text.partition("-")[0]
    return int(first) if first.isdigit() and int(first) <= highest else None
