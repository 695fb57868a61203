"""The sound of one feed: set up beside the picture where the camera has it, and never at the picture's cost."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.audio import AudioIntake, AudioPacket
from camera_hub.relay.ingest.rtp import FloodGuard, parse_rtp
from camera_hub.relay.messages import Audio
from camera_hub.relay.rtsp.client import RtspSession

log = logging.getLogger(__name__)


class _Guard(FloodGuard):
    """Opus in its shortest frames has 400 packets a second, linear PCM 1.5 Mbit/s."""

    PACKETS = 2000
    BYTES = 1_000_000


class AudioTaker(Protocol):
    """Who listens to a feed."""

    def hear(self, sound: AudioPacket) -> None:
        """A sound has come; called at once, must not block or raise."""
        ...


class FeedAudio:
    """It is set up at each opening, whether anybody listens or not: switching it on must not reopen the picture.

    A session that asked for sound and brought no picture makes the next one go without; brings that one a picture, the
    sound is not asked for again until the hub says something new of the feed. Nor is it after a flood of sound.
    """

    def __init__(self, feed: str, limit: int, now: Callable[[], float]) -> None:
        self.audio: Audio | None = None
        self.codec: str | None = None
        self.takers: set[AudioTaker] = set()
        self._feed = feed
        self._limit = limit
        self._now = now
        self._guard = _Guard()
        self._intake: AudioIntake | None = None
        self._spell = 0
        self._asked = False  # in this session
        self._left_out = False  # in this session
        self._without = False  # in the next one
        self._packets = 0
        self._bytes = 0
        self._bad = 0
        self._dropped = 0

    def forget(self) -> None:
        """The hub says something new of the stream: what was found out about it no longer counts."""
        self.audio = self.codec = None
        self._asked = self._left_out = self._without = False

    async def set_up(self, session: RtspSession, *, allowed: bool) -> None:
        """Ask for the sound that the session's camera has described. Raises HubError only for a lost connection."""
        if not allowed:
            return
        stream = session.audio
        self.codec = stream.codec if stream is not None else None
        if stream is None or not stream.plays:
            self.audio = Audio.NONE if stream is None else Audio.UNSUPPORTED
            return
        self.audio = Audio.REFUSED
        self._asked, self._left_out = not self._without, self._without
        if self._without:
            return
        try:
            await session.set_up_audio(stream.control, self._media)
        except HubError as error:
            if error.kind is Kind.UNREACHABLE:
                raise
            log.info("feed %s goes on without sound: %s", self._feed, error)
            return
        self._intake = AudioIntake(stream, limit=self._limit, ordered=session.ordered, spell=self._spell + 1)
        self.audio = Audio.PLAYS

    def ended(self, *, pictured: bool) -> None:
        """The session has ended; `pictured`: it brought a key frame."""
        if self._intake is not None:
            self._spell = self._intake.spell
            self._dropped += self._intake.dropped
            self._intake = None
        if not pictured and (self._asked or self._left_out):
            self._without = self._asked
        self._asked = self._left_out = False

    def _media(self, data: bytes) -> None:
        """One RTP packet, in the socket's read callback. HubError ends the session; the next one has no sound."""
        now = self._now()
        self._packets += 1
        self._bytes += len(data)
        try:
            self._guard.count(now, len(data))
        except HubError:
            self._without = True
            raise
        packet = parse_rtp(data)
        if packet is None or self._intake is None:
            self._bad += 1
            return
        for sound in self._intake.push(packet, now):
            for taker in tuple(self.takers):
                taker.hear(sound)

    def figures(self) -> dict[str, Any]:
        """For the hub's figures."""
        return {
            "audio": self.audio,
            "audio_codec": self.codec,
            "audio_packets": self._packets,
            "audio_bytes": self._bytes,
            "audio_bad_packets": self._bad,
            "audio_dropped": self._dropped + (self._intake.dropped if self._intake is not None else 0),
            "listeners": len(self.takers),
        }
