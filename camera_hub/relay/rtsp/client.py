"""RTSP client: one session with a camera. DESCRIBE, SETUP, PLAY, keep-alive, TEARDOWN (RFC 2326).

It is our own because FFmpeg's adds 80 ms of delay, follows redirects (and sends the password there) and believes any
Content-Length. This one never follows a redirect, and each of its waits has a deadline.
"""

import asyncio
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit, urlunsplit

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.http_auth import Authenticator, AuthOutcome
from camera_hub.relay.ingest.rtp import interleaved_end
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.audio_sdp import AudioStream, parse_audio
from camera_hub.relay.rtsp.connection import CameraConnection, dial
from camera_hub.relay.rtsp.keep_alive import REPORT_INTERVAL, KeepAlive
from camera_hub.relay.rtsp.message import INTERLEAVED, Response, write_interleaved
from camera_hub.relay.rtsp.udp import UdpPair, open_udp_pair
from camera_hub.relay.rtsp.video_sdp import VideoStream, parse_video
from camera_hub.running import to_beat

USER_AGENT = "camera-hub"
ANSWER_DEADLINE = 10.0
AUDIO_DEADLINE = 3.0
"""Seconds for SETUP of the audio, which the picture waits for."""
UNWANTED_PACKETS = 5000
"""Packets on other channels that are tolerated beyond four per packet of ours: some cameras add RTCP and metadata."""
_STATUS = {
    403: (
        Kind.FORBIDDEN,
        Reason.WRONG_PASSWORD,
        "the camera does not allow this user to watch; give the user the right to live video in the camera",
    ),
    404: (
        Kind.NOT_FOUND,
        Reason.STREAM_NOT_FOUND,
        "the camera knows no such stream; check the stream's URL, or read the camera's profiles again",
    ),
    453: (
        Kind.BUSY,
        Reason.DEVICE_FULL,
        "the camera serves as many viewers as it can; disconnect others that watch it directly",
    ),
    454: (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera has lost the session; it is opened again"),
    503: (Kind.BUSY, Reason.DEVICE_FULL, "the camera is busy; disconnect others that watch it directly"),
}


class VideoReader(Protocol):
    """What reads the video's RTP packets. A HubError that it raises ends the session."""

    @property
    def packets(self) -> int:
        """How many there were."""
        ...

    def read_interleaved(self, data: bytes, at: int, channel: int) -> int:
        """Read the packets of `channel` that `data` has from offset `at` on, as far as they are complete and of that
        channel. Returns the offset behind the last one."""
        ...

    def on_packet(self, data: bytes) -> None:
        """One packet that came by itself (UDP)."""
        ...

    def receiver_report(self) -> bytes | None:
        """An RTCP receiver report about them; None before the first one."""
        ...


class RtspSession:
    """An async context manager: entering connects, leaving sends TEARDOWN. `describe`, `set_up`, perhaps
    `set_up_audio`, `play`, then `run` until it fails.

    The packets of the video go to `video`, in the socket's read callback. `digest_seen`: this camera has offered Digest
    before.
    """

    def __init__(self, source: RtspLiveSource, clock: Clock, video: VideoReader, *, digest_seen: bool = False) -> None:
        self._source = source
        self._clock = clock
        self._video = video
        self._url = _without_login(source.url)
        self._login: Authenticator | None = None
        if source.username:
            self._login = Authenticator(source.username, source.password or "", basic=True, digest_seen=digest_seen)
        self._login_accepted = False
        self._connection: CameraConnection | None = None
        self._video_udp: UdpPair | None = None
        self._video_channel = 0
        self._audio_udp: UdpPair | None = None
        self._audio_channel: int | None = None
        self._on_audio: Callable[[bytes], None] | None = None
        self._unwanted_packets = 0  # interleaved
        self._session = ""
        self._aggregate_url = self._url
        self._keep_alive = KeepAlive()
        self.audio: AudioStream | None = None  # as described; it is sent only after `set_up_audio`

    @property
    def ordered(self) -> bool:
        """Whether the transport keeps the packets' order (TCP). Known after `set_up`."""
        return self._video_udp is None

    @property
    def login_accepted(self) -> bool:
        """Whether the camera has accepted our login."""
        return self._login_accepted

    @property
    def digest_seen(self) -> bool:
        """Whether the camera has ever offered Digest: then it is not given the password by Basic."""
        return self._login is not None and self._login.digest_seen

    async def __aenter__(self) -> Self:
        self._connection = await dial(
            self._source.address,
            self._source.port,
            tls=self._url.startswith("rtsps:"),
            reader=self,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pair in (self._video_udp, self._audio_udp):
            if pair is not None:
                pair.close()
        if self._connection is not None:
            if self._session:
                # The session id is the camera's choice, and may be one that no request can carry.
                with suppress(HubError):
                    headers = self._common_headers("TEARDOWN", self._aggregate_url)
                    self._connection.post("TEARDOWN", self._aggregate_url, headers)
            self._connection.close()

    async def describe(self) -> VideoStream:
        """DESCRIBE: the video stream to set up; the audio is in `audio`. Raises HubError (see `parse_video`)."""
        answer = _checked("DESCRIBE", await self._request("DESCRIBE", self._url, {"Accept": "application/sdp"}))
        stated = answer.header("content-base") or answer.header("content-location")
        self._aggregate_url = base = stated if stated and _same_host(stated, self._url) else self._url
        sdp = answer.body.decode("utf-8", "replace")
        stream = parse_video(sdp, base)
        self.audio = parse_audio(sdp, base)
        return stream

    async def set_up(self, control: str) -> None:
        """SETUP of the video: interleaved in TCP, or UDP where the camera refuses that (461). Raises HubError."""
        if self._source.transport != "udp":
            answer = await self._request("SETUP", control, {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
            if answer.status != 461 or self._source.transport == "tcp":
                self._start_session(_checked("SETUP", answer))
                self._video_channel = min(_interleaved_channel(answer, 0), 254)
                return
        self._video_udp = await open_udp_pair(self._source.address, partial(self._on_datagram, self._video.on_packet))
        answer = _checked("SETUP", await self._request("SETUP", control, {"Transport": _udp_header(self._video_udp)}))
        self._start_session(answer)
        self._connect_udp(self._video_udp, answer)

    async def set_up_audio(self, control: str, on_audio: Callable[[bytes], None]) -> None:
        """SETUP of the audio, over the transport of the video; its RTP packets go to `on_audio`.

        Raises HubError. The video continues without audio then, unless the connection is lost (UNREACHABLE).
        """
        if self._video_udp is None:
            headers = {"Transport": "RTP/AVP/TCP;unicast;interleaved=2-3"}
            answer = _checked("SETUP", await self._request("SETUP", control, headers, AUDIO_DEADLINE))
            channel = _interleaved_channel(answer, 2)
            if channel in (self._video_channel, self._video_channel + 1):
                raise HubError(
                    Kind.UNSUPPORTED,
                    f"the camera puts audio and video on the same interleaved channel ({channel}); update its firmware",
                    reason=Reason.BAD_REPLY,
                )
            self._audio_channel = channel
        else:
            self._audio_udp = pair = await open_udp_pair(self._source.address, partial(self._on_datagram, on_audio))
            headers = {"Transport": _udp_header(pair)}
            answer = _checked("SETUP", await self._request("SETUP", control, headers, AUDIO_DEADLINE))
            self._connect_udp(pair, answer)
        self._on_audio = on_audio

    async def play(self) -> None:
        """PLAY: packets arrive from now on. Raises HubError."""
        _checked("PLAY", await self._request("PLAY", self._aggregate_url, {"Range": "npt=0.000-"}))

    async def run(self) -> None:
        """Send keep-alives and receiver reports until the connection ends. Raises HubError."""
        assert self._connection is not None
        sent_at = self._clock.monotonic()
        interval = self._keep_alive.report_interval
        while True:
            await asyncio.wait([self._connection.lost], timeout=to_beat(self._clock.monotonic(), interval))
            if self._connection.lost.done():
                self._connection.lost.result()
            self._send_receiver_report()
            if self._keep_alive.due(self._clock.monotonic() - sent_at):
                sent_at = self._clock.monotonic()
                await self._send_keep_alive()

    async def _send_keep_alive(self) -> None:
        """What is answered, and that it is, does not matter while packets arrive; the feed watches those."""
        try:
            method = self._keep_alive.method
            answer = await self._request(method, self._aggregate_url, {}, deadline=REPORT_INTERVAL)
        except HubError as error:
            if error.kind is Kind.TIMEOUT:
                return
            raise
        self._keep_alive.on_answer(answer)

    def _send_receiver_report(self) -> None:
        packet = self._video.receiver_report()
        if packet is None or self._connection is None:
            return
        if self._video_udp is not None:
            self._video_udp.send_rtcp(packet)
        else:
            self._connection.write(write_interleaved(self._video_channel + 1, packet))

    def _start_session(self, answer: Response) -> None:
        name, _, parameters = answer.header("session").partition(";")
        self._session = name.strip()
        found = re.search(r"timeout\s*=\s*(\d{1,5})", parameters)
        self._keep_alive.set_timeout(int(found[1]) if found else None)

    def _connect_udp(self, pair: UdpPair, answer: Response) -> None:
        found = re.search(r"server_port=(\d{1,5})(?:-(\d{1,5}))?", answer.header("transport"))
        if found and 0 < int(found[1]) < 65535:
            rtp_port = int(found[1])
            pair.receive_from(self._source.address, rtp_port, min(65535, int(found[2] or rtp_port + 1)))

    def read_interleaved(self, data: bytes, at: int) -> int:
        """See InterleavedReader."""
        total = len(data)
        while at < total and data[at] == INTERLEAVED:
            if self._video_udp is None:
                at = self._video.read_interleaved(data, at, self._video_channel)
            end = interleaved_end(data, at)
            if end < 0 or data[at] != INTERLEAVED:
                break
            if data[at + 1] == self._video_channel and self._video_udp is None:
                self._video.on_packet(data[at + 4 : end])  # too short for RTP, or too early
            else:
                self._on_other(data[at + 1], data[at + 4 : end])
            at = end
        return at

    def _on_other(self, channel: int, packet: bytes) -> None:
        """An interleaved packet on another channel than the video's."""
        if channel == self._audio_channel and self._on_audio is not None:
            self._on_audio(packet)
            return
        self._unwanted_packets += 1
        if self._unwanted_packets > UNWANTED_PACKETS + 4 * self._video.packets:
            raise HubError(
                Kind.INVALID,
                "the camera floods the connection with streams that were not set up; update its firmware, or switch "
                "off its metadata stream",
                reason=Reason.BAD_REPLY,
            )

    def _on_datagram(self, on_rtp: Callable[[bytes], None], data: bytes) -> None:
        try:
            on_rtp(data)
        except HubError as error:
            assert self._connection is not None
            self._connection.fail(error)

    async def _request(
        self, method: str, url: str, headers: dict[str, str], deadline: float = ANSWER_DEADLINE
    ) -> Response:
        """Send a request, again with credentials when the camera demands them (401). Raises HubError.

        Returns the answer with any other status, errors included.
        """
        assert self._connection is not None
        for _ in range(3):
            signed = self._login is not None and self._login.challenged
            answer = await self._connection.request(
                method, url, {**headers, **self._common_headers(method, url)}, deadline=deadline
            )
            if self._login is None and answer.status == 401:
                raise HubError(
                    Kind.UNAUTHENTICATED,
                    "the camera demands a login, and none is stored; enter user name and password of the device",
                    reason=Reason.LOGIN_NEEDED,
                )
            if self._login is None or answer.status != 401:
                if self._login is not None and signed:
                    self._login.accepted()
                    self._login_accepted = self._login_accepted or answer.status < 400
                return answer
            match self._login.unauthorized(answer.headers.get("www-authenticate", ())):
                case AuthOutcome.UNANSWERABLE:
                    raise HubError(
                        Kind.UNAUTHENTICATED,
                        "the camera demands a login in a way that the hub does not know (neither Digest with SHA-256 or"
                        " MD5, nor Basic); change the authentication of RTSP in the camera",
                        reason=Reason.BAD_REPLY,
                    )
                case AuthOutcome.DOWNGRADED:
                    raise HubError(
                        Kind.UNAUTHENTICATED,
                        "the camera asked for the password in the clear (Basic) after it had offered Digest; the "
                        "password was not sent: check whether this is still the same device",
                        reason=Reason.BAD_REPLY,
                    )
                case AuthOutcome.REFUSED:
                    break
        raise HubError(
            Kind.UNAUTHENTICATED,
            "the camera refuses user name or password; correct the device's login",
            reason=Reason.WRONG_PASSWORD,
        )

    def _common_headers(self, method: str, url: str) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT}
        if self._session:
            headers["Session"] = self._session
        if self._login is not None and (value := self._login.authorization(method, url, secrets.token_hex(8))):
            headers["Authorization"] = value
        return headers


def _checked(method: str, answer: Response) -> Response:
    """The answer if it is a success (2xx). Raises HubError."""
    status = answer.status
    if 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        raise HubError(
            Kind.UNSUPPORTED,
            f"the camera redirects to another address ({method}: {status}), which the hub does not follow; register "
            "the stream's real address",
            reason=Reason.REDIRECTED,
        )
    other = (Kind.UNAVAILABLE, Reason.BAD_REPLY, "the camera refuses the request; restart it, or update its firmware")
    kind, reason, sentence = _STATUS.get(status, other)
    raise HubError(kind, f"{sentence} ({method}: {status})", reason=reason, status=status)


def _interleaved_channel(answer: Response, default: int) -> int:
    found = re.search(r"interleaved=(\d{1,3})", answer.header("transport"))
    return int(found[1]) if found else default


def _udp_header(pair: UdpPair) -> str:
    return f"RTP/AVP;unicast;client_port={pair.port}-{pair.port + 1}"


def _same_host(one: str, other: str) -> bool:
    try:
        return urlsplit(one).netloc == urlsplit(other).netloc
    except ValueError:
        return False


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
