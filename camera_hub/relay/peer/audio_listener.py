"""A viewer's ear: the one feed that this browser listens to, beside whatever its tiles show."""

from collections.abc import Callable

from camera_hub.relay.ingest.audio import AudioPacket, AudioTrack, OnePacketOutlet
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import AudioState, TrackPhase


class _NextAudioFeed:
    """The feed whose first sound is waited for while the one before goes on."""

    def __init__(self, ear: "AudioListener", feed: Feed) -> None:
        self._ear = ear
        self._feed = feed
        feed.audio.subscribers.add(self)

    def leave(self) -> None:
        self._feed.audio.subscribers.discard(self)

    def on_audio(self, sound: AudioPacket) -> None:
        self._ear.turn_to(self._feed)
        self._ear.on_audio(sound)


class AudioListener:
    """An audio track and what it is wanted to carry."""

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
        self._next: _NextAudioFeed | None = None
        self._holds = False
        self._serial = -1
        self._said: AudioState | None = None

    def listen(self, name: str | None, feed: Feed | None, serial: int) -> None:
        """Pass this feed's sound on from now on; `feed` None with a name: it is not open yet. No name: silence.

        The same `serial` again is another stream of the same camera: what sounds goes on until that one does.
        """
        self._holds = name is not None and serial == self._serial and self._feed is not None
        self.wanted, self._serial = name, serial
        if not self._holds:
            self.turn_to(feed if name is not None else None)
        elif feed is not None:
            self.join(feed)
        self._say(TrackPhase.EMPTY if name is None else TrackPhase.WAITING)

    def join(self, feed: Feed) -> None:
        """The wanted feed is there."""
        if not self._holds:
            self.turn_to(feed)
            return
        self._forget_next()
        self._next = _NextAudioFeed(self, feed)

    def turn_to(self, feed: Feed | None) -> None:
        """Hear this feed from its next sound on."""
        self._forget_next()
        self._holds = False
        if self._feed is not None:
            self._feed.audio.subscribers.discard(self)
        self._feed = feed
        self.track.restart()
        if feed is not None:
            feed.audio.subscribers.add(self)

    def leave(self) -> None:
        """Listen to no feed any more."""
        self.turn_to(None)

    def on_audio(self, sound: AudioPacket) -> None:
        if sound.codec not in self.track.types:
            self._say(TrackPhase.REFUSED, "audio_unsupported")
            return
        size = self.track.take(sound)
        if size:
            self._sent(size)
            self._say(TrackPhase.LIVE)

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next.leave()
            self._next = None

    def _say(self, phase: TrackPhase, reason: str | None = None) -> None:
        said = AudioState(self._viewer, self._serial, phase, self.wanted, reason)
        if said != self._said:
            self._said = said
            self._tell(said)
