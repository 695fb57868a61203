"""The audio of one feed: set up beside the video where the camera offers it, and never at the video's expense."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.audio import AudioDepacketizer, AudioPacket
from camera_hub.relay.ingest.flood_guard import AUDIO_BYTES, AUDIO_PACKETS, FloodGuard
from camera_hub.relay.ingest.rtp import parse_rtp
from camera_hub.relay.messages import Audio
from camera_hub.relay.rtsp.client import RtspSession

log = logging.getLogger(__name__)


class AudioSubscriber(Protocol):
    """Who listens to a feed."""

    def on_audio(self, packet: AudioPacket) -> None:
        """A packet has arrived. Called in the socket's read callback; must not block or raise."""
        ...


class FeedAudio:
    """Audio is set up at each opening, whether anybody listens or not: switching it on must not interrupt the video.

    After a session with audio that brought no picture, the next session goes without audio. If that one brings a
    picture, audio is not set up again until the feed's spec changes. The same holds after a flood of audio packets.
    """

    def __init__(self, feed: str, limit: int, now: Callable[[], float]) -> None:
        self.state: Audio | None = None
        self.codec: str | None = None
        self.subscribers: set[AudioSubscriber] = set()
        self._feed = feed
        self._limit = limit
        self._now = now
        self._flood_guard = FloodGuard(AUDIO_PACKETS, AUDIO_BYTES)
        self._depacketizer: AudioDepacketizer | None = None
        self._spell = 0
        self._requested = False  # in this session
        self._skipped = False  # in this session
        self._skip_next = False
        self._packets = 0
        self._bytes = 0
        self._bad = 0
        self._dropped = 0

    def forget(self) -> None:
        """The feed's spec has changed: what was found out about its audio no longer counts."""
        self.state = self.codec = None
        self._requested = self._skipped = self._skip_next = False

    async def set_up(self, session: RtspSession, *, allowed: bool) -> None:
        """SETUP of the audio stream that the camera has described. Raises HubError only when the connection is lost."""
        if not allowed:
            return
        stream = session.audio
        self.codec = stream.codec if stream is not None else None
        if stream is None or not stream.plays:
            self.state = Audio.NONE if stream is None else Audio.UNSUPPORTED
            return
        self._requested, self._skipped = not self._skip_next, self._skip_next
        if self._skip_next:
            self.state = Audio.REFUSED
            return
        try:
            await session.set_up_audio(stream.control, self._on_rtp)
        except HubError as error:
            if error.kind is Kind.UNREACHABLE:
                raise
            self.state = Audio.REFUSED  # only now: while SETUP is answered, who listens must not be told that it failed
            log.info("feed %s continues without audio: %s", self._feed, error)
            return
        self._depacketizer = AudioDepacketizer(
            stream, limit=self._limit, ordered=session.ordered, spell=self._spell + 1
        )
        self.state = Audio.PLAYS

    def session_ended(self, *, had_picture: bool) -> None:
        """The RTSP session has ended; `had_picture`: it brought a key frame."""
        if self._depacketizer is not None:
            self._spell = self._depacketizer.spell
            self._dropped += self._depacketizer.dropped
            self._depacketizer = None
        if not had_picture and (self._requested or self._skipped):
            self._skip_next = self._requested
        self._requested = self._skipped = False

    def _on_rtp(self, data: bytes) -> None:
        """One RTP packet, in the socket's read callback. HubError ends the session; the next one has no audio."""
        now = self._now()
        self._packets += 1
        self._bytes += len(data)
        try:
            self._flood_guard.count(now, len(data))
        except HubError:
            self._skip_next = True
            raise
        packet = parse_rtp(data)
        if packet is None or self._depacketizer is None:
            self._bad += 1
            return
        for audio in self._depacketizer.push(packet, now):
            for subscriber in tuple(self.subscribers):
                subscriber.on_audio(audio)

    def read_figures(self) -> dict[str, Any]:
        """Counters over all sessions, as part of the feed's figures."""
        return {
            "audio": self.state,
            "audio_codec": self.codec,
            "audio_packets": self._packets,
            "audio_bytes": self._bytes,
            "audio_bad_packets": self._bad,
            "audio_dropped": self._dropped + (self._depacketizer.dropped if self._depacketizer is not None else 0),
            "listeners": len(self.subscribers),
        }
