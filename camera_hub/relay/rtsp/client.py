"""One RTSP session with a camera: describe, sign, set up, play, keep alive. Never follows a redirect.

Two days of FFmpeg taught why it is ours: no 80 ms of added delay, no password sent to where a 302 points, no length
believed, and every wait ends.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.http_auth import Authenticator, Outcome
from camera_hub.relay.ingest.rtp import ReceiverStats
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.audio_sdp import AudioStream, read_audio
from camera_hub.relay.rtsp.connection import CameraConnection, dial
from camera_hub.relay.rtsp.message import Response
from camera_hub.relay.rtsp.sdp import VideoStream, read_sdp
from camera_hub.relay.rtsp.udp import UdpPair, open_pair
from camera_hub.running import to_beat

AGENT = "camera-hub"
REPORT_EVERY = 5.0
SESSION_TIMEOUT = 60.0
AUDIO_DEADLINE = 3.0
"""Seconds for the SETUP of the audio, which a picture waits for."""
UNWANTED = 5000
"""Packets on other channels that are borne before the first of ours: RTCP, sound and metadata that some cameras add."""
_STATUS = {
    403: (Kind.FORBIDDEN, Reason.WRONG_PASSWORD, "the camera forbids this login to watch"),
    404: (Kind.NOT_FOUND, Reason.STREAM_NOT_FOUND, "the camera knows no such stream"),
    453: (Kind.BUSY, Reason.DEVICE_FULL, "the camera serves as many viewers as it can"),
    454: (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera has lost the session"),
    503: (Kind.BUSY, Reason.DEVICE_FULL, "the camera is busy"),
}


class RtspSession:
    """An async context manager: entering dials, leaving tears down. `describe`, `set_up`,
    `play`, then `run` until it fails.

    RTP packets of the video go to `on_media`, in the read callback. `ordered` tells whether the way keeps their order.
    `audio` is what the camera offers besides; it comes only after `set_up_audio`.
    """

    def __init__(
        self, source: RtspLiveSource, clock: Clock, on_media: Callable[[bytes], None], *, digest_seen: bool = False
    ) -> None:
        self._source = source
        self._clock = clock
        self._on_media = on_media
        self._url = _without_login(source.url)
        self._login: Authenticator | None = None
        if source.username:
            self._login = Authenticator(source.username, source.password or "", basic=True, digest_seen=digest_seen)
        self._signed_ok = False
        self._connection: CameraConnection | None = None
        self._udp: UdpPair | None = None
        self._channel = 0
        self._audio_udp: UdpPair | None = None
        self._audio_channel: int | None = None
        self._on_audio: Callable[[bytes], None] | None = None
        self._wanted = self._unwanted = 0  # interleaved packets
        self._session = ""
        self._timeout = SESSION_TIMEOUT
        self._keep_alive = "OPTIONS"
        self._aggregate = self._url
        self.audio: AudioStream | None = None
        self.stats = ReceiverStats()

    @property
    def ordered(self) -> bool:
        return self._udp is None

    @property
    def proved(self) -> bool:
        """Whether the camera has taken our login."""
        return self._signed_ok

    @property
    def digest_seen(self) -> bool:
        """Whether the camera has ever offered Digest: then it is not given the password by Basic."""
        return self._login is not None and self._login.digest_seen

    async def __aenter__(self) -> Self:
        self._connection = await dial(
            self._source.address, self._source.port, tls=self._url.startswith("rtsps:"), on_packet=self._interleaved
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pair in (self._udp, self._audio_udp):
            if pair is not None:
                pair.close()
        if self._connection is not None:
            if self._session:
                # The session's name is the camera's own word, and may be one that no request can hold.
                with suppress(HubError):
                    self._connection.tell("TEARDOWN", self._aggregate, self._headers("TEARDOWN", self._aggregate))
            self._connection.close()

    async def describe(self) -> VideoStream:
        """DESCRIBE: what the camera sends. Raises HubError."""
        answer = await self._ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
        said = answer.header("content-base") or answer.header("content-location")
        base = said if said and _same_host(said, self._url) else self._url
        self._aggregate = base
        text = answer.body.decode("utf-8", "replace")
        stream = read_sdp(text, base)
        self.audio = read_audio(text, base)
        return stream

    async def play(self) -> None:
        """PLAY: packets flow from now on. Raises HubError."""
        await self._ask("PLAY", self._aggregate, {"Range": "npt=0.000-"})

    async def run(self) -> None:
        """Keep the session alive and report reception until the connection ends; raises HubError."""
        assert self._connection is not None
        due = self._clock.monotonic()
        rest = min(REPORT_EVERY, max(1.0, self._timeout / 3))
        while True:
            await asyncio.wait([self._connection.lost], timeout=to_beat(self._clock.monotonic(), rest))
            if self._connection.lost.done():
                self._connection.lost.result()
            self._report()
            if self._clock.monotonic() - due >= max(rest, min(self._timeout / 2, 30.0)) - rest / 2:
                due = self._clock.monotonic()
                await self._stay()

    async def set_up(self, control: str) -> None:
        """SETUP of one stream: over TCP, else (461) over UDP; then `ordered` is known. Raises HubError."""
        if self._source.transport != "udp":
            answer = await self._exchange("SETUP", control, {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
            if answer.status != 461 or self._source.transport == "tcp":
                self._begun(_checked("SETUP", answer))
                found = re.search(r"interleaved=(\d{1,3})", answer.header("transport"))
                self._channel = min(int(found[1]), 254) if found else 0
                return
        assert self._connection is not None
        self._udp = await open_pair(self._source.address, partial(self._datagram, self._on_media))
        answer = await self._ask("SETUP", control, {"Transport": _over_udp(self._udp)})
        self._begun(answer)
        self._reach(self._udp, answer)

    async def set_up_audio(self, control: str, on_audio: Callable[[bytes], None]) -> None:
        """SETUP of the audio, the same way as the video before it; its RTP packets go to `on_audio`.

        Raises HubError. The picture goes on without the sound then, unless the connection itself was lost.
        """
        if self._udp is None:
            transport = "RTP/AVP/TCP;unicast;interleaved=2-3"
            answer = _checked("SETUP", await self._exchange("SETUP", control, {"Transport": transport}, AUDIO_DEADLINE))
            found = re.search(r"interleaved=(\d{1,3})", answer.header("transport"))
            channel = int(found[1]) if found else 2
            if channel in (self._channel, self._channel + 1):
                raise HubError(
                    Kind.UNSUPPORTED, "the camera puts sound and picture on one channel", reason=Reason.BAD_REPLY
                )
            self._audio_channel = channel
        else:
            self._audio_udp = pair = await open_pair(self._source.address, partial(self._datagram, on_audio))
            transport = _over_udp(pair)
            answer = _checked("SETUP", await self._exchange("SETUP", control, {"Transport": transport}, AUDIO_DEADLINE))
            self._reach(pair, answer)
        self._on_audio = on_audio

    def _reach(self, pair: UdpPair, answer: Response) -> None:
        found = re.search(r"server_port=(\d{1,5})(?:-(\d{1,5}))?", answer.header("transport"))
        if found and 0 < int(found[1]) < 65535:
            pair.reach(self._source.address, int(found[1]), min(65535, int(found[2] or int(found[1]) + 1)))

    def _begun(self, answer: Response) -> None:
        name, _, rest = answer.header("session").partition(";")
        self._session = name.strip()
        found = re.search(r"timeout\s*=\s*(\d{1,5})", rest)
        self._timeout = float(found[1]) if found and int(found[1]) > 0 else SESSION_TIMEOUT

    async def _stay(self) -> None:
        """One keep-alive. What it is answered does not matter while packets flow; the feed watches those."""
        try:
            answer = await self._exchange(self._keep_alive, self._aggregate, {}, deadline=REPORT_EVERY)
        except HubError as error:
            if error.kind is Kind.TIMEOUT:
                return
            raise
        if self._keep_alive == "OPTIONS" and "GET_PARAMETER" in answer.header("public"):
            self._keep_alive = "GET_PARAMETER"
        elif self._keep_alive == "GET_PARAMETER" and answer.status in (405, 501, 551):
            self._keep_alive = "OPTIONS"

    def _report(self) -> None:
        packet = self.stats.receiver_report()
        if packet is None or self._connection is None:
            return
        if self._udp is not None:
            self._udp.report(packet)
        else:
            self._connection.write(b"$" + bytes((self._channel + 1,)) + len(packet).to_bytes(2, "big") + packet)

    def _interleaved(self, channel: int, data: bytes) -> None:
        if channel == self._channel and self._udp is None:
            self._wanted += 1
            self._on_media(data)
            return
        if channel == self._audio_channel and self._on_audio is not None:
            self._on_audio(data)
            return
        self._unwanted += 1
        if self._unwanted > UNWANTED + 4 * self._wanted:
            raise HubError(Kind.INVALID, "the camera floods channels that nobody asked for", reason=Reason.BAD_REPLY)

    def _datagram(self, taker: Callable[[bytes], None], data: bytes) -> None:
        try:
            taker(data)
        except HubError as error:
            assert self._connection is not None
            self._connection.fail(error)

    async def _ask(self, method: str, url: str, headers: dict[str, str]) -> Response:
        return _checked(method, await self._exchange(method, url, headers))

    async def _exchange(self, method: str, url: str, headers: dict[str, str], deadline: float = 10.0) -> Response:
        """Ask, and sign when the camera demands it. Raises HubError for what a login decides."""
        assert self._connection is not None
        for _ in range(3):
            signed = self._login is not None and self._login.challenged
            answer = await self._connection.ask(
                method, url, {**headers, **self._headers(method, url)}, deadline=deadline
            )
            if self._login is None and answer.status == 401:
                raise HubError(Kind.UNAUTHENTICATED, "the camera demands a login", reason=Reason.LOGIN_NEEDED)
            if self._login is None or answer.status != 401:
                if self._login is not None and signed:
                    self._login.accepted()
                    self._signed_ok = self._signed_ok or answer.status < 400
                return answer
            match self._login.unauthorized(answer.headers.get("www-authenticate", ())):
                case Outcome.UNANSWERABLE:
                    raise HubError(
                        Kind.UNAUTHENTICATED,
                        "the camera demands a login in a way that the hub does not know (neither Digest with SHA-256 or"
                        " MD5, nor Basic)",
                        reason=Reason.BAD_REPLY,
                    )
                case Outcome.DOWNGRADED:
                    raise HubError(
                        Kind.UNAUTHENTICATED,
                        "the camera asked for the password in the clear after it had asked for a digest; "
                        "it was not given: is this still the same device?",
                        reason=Reason.BAD_REPLY,
                    )
                case Outcome.REFUSED:
                    break
        raise HubError(Kind.UNAUTHENTICATED, "the camera refuses user name or password", reason=Reason.WRONG_PASSWORD)

    def _headers(self, method: str, url: str) -> dict[str, str]:
        headers = {"User-Agent": AGENT}
        if self._session:
            headers["Session"] = self._session
        if self._login is not None and (value := self._login.authorization(method, url, secrets.token_hex(8))):
            headers["Authorization"] = value
        return headers


def _checked(method: str, answer: Response) -> Response:
    status = answer.status
    if 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        raise HubError(
            Kind.UNSUPPORTED, "the camera points elsewhere; register the address it means", reason=Reason.REDIRECTED
        )
    kind, reason, words = _STATUS.get(status, (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera refuses"))
    raise HubError(kind, f"{words} ({method}: {status})", reason=reason, status=status)


def _over_udp(pair: UdpPair) -> str:
    return f"RTP/AVP;unicast;client_port={pair.port}-{pair.port + 1}"


def _same_host(one: str, other: str) -> bool:
    try:
        return urlsplit(one).netloc == urlsplit(other).netloc
    except ValueError:
        return False


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
