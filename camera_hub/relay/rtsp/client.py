"""RTSP client: one session with a camera. DESCRIBE, SETUP, PLAY, keep-alive, TEARDOWN (RFC 2326).

It is our own because FFmpeg's adds 80 ms of delay, follows redirects (and sends the password there) and believes any
Content-Length. This one never follows a redirect, and each of its waits has a deadline. Where cameras depart from the
standard it tries what they take, and notes what that was (`Learnt`).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.audio_sdp import AudioStream, parse_audio
from camera_hub.relay.rtsp.describing import Describing
from camera_hub.relay.rtsp.headers import control_urls, read_session, read_transport, rebased
from camera_hub.relay.rtsp.interleaved import InterleavedStreams, VideoReader
from camera_hub.relay.rtsp.keep_alive import REPORT_INTERVAL, RTCP, KeepAlive
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.relay.rtsp.message import Response, write_interleaved
from camera_hub.relay.rtsp.requests import Permit, Permits, SessionRequests, checked
from camera_hub.relay.rtsp.udp import UdpPair, open_udp_pair
from camera_hub.relay.rtsp.video_sdp import VideoStream, parse_video, resolve_control, session_control
from camera_hub.running import to_beat

AUDIO_DEADLINE = 3.0
"""Seconds for SETUP of the audio, which the picture waits for."""
_NEXT_URL: Final = frozenset({400, 404, 405, 454, 455, 459, 460})
"""Answers to SETUP and PLAY of a camera that may want another URL."""


class RtspSession:
    """An async context manager: entering connects, leaving sends TEARDOWN. `describe`, `set_up`, perhaps
    `set_up_audio`, `play`, then `run` until it fails.

    The packets of the video go to `video`, in the socket's read callback. `permit`: the hub's, to open the session
    with its login; `permits`: asked while it plays, before it answers another challenge.
    """

    def __init__(
        self,
        source: RtspLiveSource,
        clock: Clock,
        video: VideoReader,
        learnt: Learnt,
        permit: Permit | None = None,
        permits: Permits | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._video = video
        self._learnt = learnt
        self._permits = permits
        self._url = _without_login(source.url)
        self._interleaved = InterleavedStreams(video, learnt)
        self._requests = SessionRequests(source, self._url, self._interleaved, learnt)
        self._requests.permit = permit
        self._stream: VideoStream | None = None  # as described
        self._urls: list[tuple[str, str]] = [("request", self._url)]
        self._aggregate_url = self._url
        self._video_udp: UdpPair | None = None
        self._audio_udp: UdpPair | None = None
        self._audio_set_up = False
        self._keep_alive = KeepAlive(learnt.get(PeculiarityKind.RTSP_KEEP_ALIVE))
        self._played_at: float | None = None
        self._disliked = False  # the camera hung up at a keep-alive
        self.audio: AudioStream | None = None  # as described; it is sent only after `set_up_audio`

    @property
    def ordered(self) -> bool:
        """Whether the transport keeps the packets' order (TCP). Known after `set_up`."""
        return self._video_udp is None

    @property
    def login_accepted(self) -> bool:
        """Whether the camera has accepted our login."""
        return self._requests.login_accepted

    @property
    def stray_bytes(self) -> int:
        """Bytes between packets that belonged to nothing."""
        return self._requests.connection.stray_bytes

    async def __aenter__(self) -> Self:
        await self._requests.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pair in (self._video_udp, self._audio_udp):
            if pair is not None:
                pair.close()
        if self._requests.session:
            # The session id is the camera's choice, and may be one that no request can carry.
            with suppress(HubError):
                self._requests.post("TEARDOWN", self._aggregate_url)
        await self._requests.__aexit__(kind, error, trace)

    async def describe(self) -> VideoStream:
        """DESCRIBE: the video stream to set up; the audio is in `audio`. Raises HubError (see `parse_video`)."""
        describing = Describing(self._requests, self._source, self._url, self._learnt, self._keep_alive.on_public)
        answer = self._checked("DESCRIBE", await describing.answer())
        stated = answer.header("content-base") or answer.header("content-location")
        base = (rebased(stated, self._url) if stated else None) or self._url
        sdp = answer.body.decode("utf-8", "replace")
        self._stream = stream = parse_video(sdp, base)
        self.audio = parse_audio(sdp, base)
        remembered = self._learnt.get(PeculiarityKind.RTSP_CONTROL_URL)
        self._urls = control_urls(session_control(sdp, base), base, self._url, remembered)
        self._aggregate_url = self._urls[0][1]
        return stream

    async def set_up(self, control: str) -> None:
        """SETUP of the video: interleaved in TCP, or UDP where the camera refuses that (461). Raises HubError."""
        wish = self._source.transport
        learnt = self._learnt.get(PeculiarityKind.RTSP_TRANSPORT)
        ways = [wish] if wish != "auto" else ["udp", "tcp"] if learnt == "udp" else ["tcp", "udp"]
        for way in ways:
            taken = await (self._set_up_tcp(control) if way == "tcp" else self._set_up_udp(control))
            if taken:
                if wish == "auto" and way != (learnt or "tcp"):
                    self._learnt.note(PeculiarityKind.RTSP_TRANSPORT, way)
                return
        raise await self._transport_refused(control)

    async def set_up_audio(self, control: str, on_audio: Callable[[bytes], None]) -> None:
        """SETUP of the audio, over the transport of the video; its RTP packets go to `on_audio`.

        Raises HubError. The video continues without audio then, unless the connection is lost (UNREACHABLE).
        """
        pair = None
        if self._video_udp is not None:
            self._audio_udp = pair = await open_udp_pair(self._source.address, partial(self._on_datagram, on_audio))
        headers = {"Transport": _udp_header(pair) if pair is not None else "RTP/AVP/TCP;unicast;interleaved=2-3"}
        answer = self._checked("SETUP", await self._requests.send("SETUP", control, headers, AUDIO_DEADLINE))
        if pair is not None:
            self._connect_udp(pair, answer)
        else:
            channel = read_transport(answer.header("transport")).channel
            channel = 2 if channel is None else channel
            video = self._interleaved.video_channel or 0
            if channel in (video, video + 1):
                raise HubError(
                    Kind.UNSUPPORTED,
                    f"the camera puts audio and video on the same interleaved channel ({channel}); update its firmware",
                    reason=Reason.BAD_REPLY,
                )
            self._interleaved.set_up_audio(channel, on_audio)
        self._audio_set_up = True

    async def play(self) -> None:
        """PLAY: packets arrive from now on. Raises HubError."""
        urls = list(self._urls)
        if self._stream is not None and not self._audio_set_up:
            urls += [("track", self._stream.control)] if self._stream.control not in dict(urls).values() else []
        first: Response | None = None
        for name, url in urls:
            answer = await self._requests.send("PLAY", url, {"Range": "npt=0.000-"})
            if answer.status in (456, 457):  # a header field, or a range, that live streams do not have
                answer = await self._requests.send("PLAY", url)
            if answer.status not in _NEXT_URL:
                self._aggregate_url = url
                self._checked("PLAY", answer)
                if first is not None:
                    self._learnt.note(PeculiarityKind.RTSP_CONTROL_URL, name)
                self._played_at = self._clock.monotonic()
                if self._stream is not None:
                    self._interleaved.playing(self._stream.payload_type)
                return
            first = first or answer
        assert first is not None
        self._checked("PLAY", first)

    async def run(self) -> None:
        """Send keep-alives and receiver reports until the connection ends. Raises HubError."""
        self._requests.permits = self._permits
        connection = self._requests.connection
        sent_at = began = self._clock.monotonic()
        interval = self._keep_alive.report_interval
        if self._keep_alive.first_at_once:
            await self._send_keep_alive()
        lasts = False
        while True:
            await asyncio.wait([connection.lost], timeout=to_beat(self._clock.monotonic(), interval))
            if connection.lost.done():
                connection.lost.result()
            self._send_receiver_report()
            now = self._clock.monotonic()
            if not lasts and now - began > 2 * self._keep_alive.timeout:
                lasts = True
                self._learnt.cuts.lasts(self._keep_alive.method)
            if self._keep_alive.due(now - sent_at):
                sent_at = now
                await self._send_keep_alive()

    def learns_from_cut(self, packet_at: float | None) -> bool:
        """The camera has hung up or fallen silent after PLAY; the last packet came at `packet_at` (monotonic seconds),
        or none. Whether that taught another way to keep its sessions alive, to be tried at once.
        """
        if self._played_at is None:
            return False
        method = self._keep_alive.method
        lesson = self._learnt.cuts.lesson(
            method,
            played=packet_at - self._played_at if packet_at is not None else 0.0,
            timeout=self._keep_alive.timeout,
            disliked=self._disliked,
        )
        if lesson is None:
            return False
        self._learnt.note(PeculiarityKind.RTSP_KEEP_ALIVE, lesson.method)
        return lesson.new

    async def _send_keep_alive(self) -> None:
        """What is answered, and that it is, does not matter while packets arrive; the feed watches those."""
        method = self._keep_alive.method
        if method == RTCP:
            return
        try:
            answer = await self._requests.send(method, self._aggregate_url, deadline=REPORT_INTERVAL)
        except HubError as error:
            if error.kind is Kind.TIMEOUT or error.reason == Reason.BUSY:
                return
            self._disliked = error.reason == Reason.UNREACHABLE
            raise
        self._keep_alive.on_answer(answer)

    # Transports

    async def _set_up_tcp(self, control: str) -> bool:
        """Whether the camera sends the video interleaved."""
        answer = await self._set_up_at(control, "RTP/AVP/TCP;unicast;interleaved=0-1")
        if answer.status == 461:
            return False
        self._start_session(self._checked("SETUP", answer))
        transport = read_transport(answer.header("transport"))
        if not transport.interleaved:
            return False
        self._interleaved.set_up_video(transport.channel or 0)
        return True

    async def _set_up_udp(self, control: str) -> bool:
        """Whether the camera sends the video by UDP."""
        pair = await open_udp_pair(self._source.address, partial(self._on_datagram, self._video.on_packet))
        try:
            answer = await self._set_up_at(control, _udp_header(pair))
            if answer.status != 461:
                self._start_session(self._checked("SETUP", answer))
                if not read_transport(answer.header("transport")).multicast:
                    self._video_udp = pair
                    self._connect_udp(pair, answer)
                    return True
            return False
        finally:
            if self._video_udp is not pair:
                pair.close()

    async def _set_up_at(self, control: str, transport: str) -> Response:
        """The answer to SETUP at the stream's URL, or at the first of its other possible ones that is not refused."""
        bases = [url for _, url in self._urls]
        relative = self._stream.relative if self._stream is not None else ""
        others = [resolve_control(base, relative) for base in bases] if relative else bases
        first: Response | None = None
        for url in dict.fromkeys([control, *others]):
            answer = await self._requests.send("SETUP", url, {"Transport": transport})
            if answer.status not in _NEXT_URL:
                return answer
            first = first or answer
        assert first is not None
        return first

    async def _transport_refused(self, control: str) -> HubError:
        """Why: only multicast is left, or nothing."""
        multicast = self._stream is not None and self._stream.multicast
        if not multicast:
            answer = await self._set_up_at(control, "RTP/AVP;multicast")
            multicast = 200 <= answer.status < 300
            if multicast:
                self._start_session(answer)  # so that it is torn down
        if multicast:
            return HubError(
                Kind.UNSUPPORTED,
                "the camera offers this stream by multicast alone, which the hub does not take; switch unicast (RTP "
                "over TCP or UDP) on in the camera",
                reason=Reason.MULTICAST_ONLY,
            )
        asked = {"tcp": "TCP", "udp": "UDP"}.get(self._source.transport, "TCP and UDP")
        return HubError(
            Kind.UNAVAILABLE,
            f"the camera refuses to send this stream over {asked} (SETUP: 461); allow RTP over TCP in the camera",
            reason=Reason.BAD_REPLY,
        )

    def _checked(self, method: str, answer: Response) -> Response:
        return checked(method, answer, login_at_stake=self._requests.login_at_stake)

    def _start_session(self, answer: Response) -> None:
        self._requests.session, timeout = read_session(answer.header("session"))
        self._keep_alive.set_timeout(timeout)

    def _connect_udp(self, pair: UdpPair, answer: Response) -> None:
        ports = read_transport(answer.header("transport")).ports
        if ports is not None:
            pair.receive_from(self._source.address, *ports)

    # Packets

    def _send_receiver_report(self) -> None:
        packet = self._video.receiver_report()
        if packet is None:
            return
        if self._video_udp is not None:
            self._video_udp.send_rtcp(packet)
        elif (channel := self._interleaved.video_channel) is not None:
            self._requests.connection.write(write_interleaved(channel + 1, packet))

    def _on_datagram(self, on_rtp: Callable[[bytes], None], data: bytes) -> None:
        try:
            on_rtp(data)
        except HubError as error:
            self._requests.connection.fail(error)


def _udp_header(pair: UdpPair) -> str:
    return f"RTP/AVP;unicast;client_port={pair.port}-{pair.port + 1}"


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
