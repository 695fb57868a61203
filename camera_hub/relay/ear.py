"""A viewer's ear: the one feed that this browser listens to, beside whatever its tiles show."""

from collections.abc import Callable

from camera_hub.relay.audio import AudioTrack, OnePacketOutlet, Sound
from camera_hub.relay.feed import Feed
from camera_hub.relay.messages import AudioState, TrackPhase
from camera_hub.relay.webrtc import rtcp


class Ear:
    """An audio track and what it is wanted to carry; also what aiortc hands the browser's reports about it to."""

    def __init__(
        self,
        viewer: str,
        types: dict[str, int],
        outlet: OnePacketOutlet,
        ssrc: int,
        *,
        sent: Callable[[int], None],
        tell: Callable[[AudioState], None],
    ) -> None:
        self.track = AudioTrack(types, outlet, ssrc)
        self.wanted: str | None = None
        self._viewer = viewer
        self._sent = sent
        self._tell = tell
        self._feed: Feed | None = None
        self._serial = -1
        self._said: AudioState | None = None
        self._ssrc = self.track.ssrc

    def listen(self, name: str | None, feed: Feed | None, serial: int) -> None:
        """Pass this feed's sound on from now on; `feed` None with a name: it is not open yet. No name: silence."""
        self.wanted, self._serial = name, serial
        self._turn_to(feed if name is not None else None)
        self._say(TrackPhase.EMPTY if name is None else TrackPhase.WAITING)

    def join(self, feed: Feed) -> None:
        """The wanted feed is there."""
        self._turn_to(feed)

    def leave(self) -> None:
        """Listen to no feed any more."""
        self._turn_to(None)

    def hear(self, sound: Sound) -> None:
        if sound.codec not in self.track.types:
            self._say(TrackPhase.REFUSED, "audio_unsupported")
            return
        size = self.track.take(sound)
        if size:
            self._sent(size)
            self._say(TrackPhase.LIVE)

    def _turn_to(self, feed: Feed | None) -> None:
        if self._feed is not None:
            self._feed.sound.takers.discard(self)
        self._feed = feed
        self.track.restart()
        if feed is not None:
            feed.sound.takers.add(self)

    def _say(self, phase: TrackPhase, reason: str | None = None) -> None:
        said = AudioState(self._viewer, self._serial, phase, self.wanted, reason)
        if said != self._said:
            self._said = said
            self._tell(said)

    async def _handle_rtcp_packet(self, packet: object) -> None:
        if isinstance(word := rtcp.read(packet, self._ssrc, 0.0), rtcp.Reception):
            self.track.figures.lost = word.lost
