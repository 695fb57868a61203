"""The one feed whose audio a viewer hears, independent of what its tiles show."""

from collections.abc import Callable

from camera_hub.relay.ingest.audio import AudioPacket
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import AudioState, TrackPhase
from camera_hub.relay.peer.audio_track import AudioSender, AudioTrack


class _NextAudioFeed:
    """The feed whose first packet is waited for while the previous one plays on."""

    def __init__(self, listener: "AudioListener", feed: Feed) -> None:
        self._listener = listener
        self._feed = feed
        feed.audio.subscribers.add(self)

    def leave(self) -> None:
        self._feed.audio.subscribers.discard(self)

    def on_audio(self, sound: AudioPacket) -> None:
        self._listener.switch_to(self._feed)
        self._listener.on_audio(sound)


class AudioListener:
    """An audio track and the feed that it is to carry. `on_sent` gets the bytes of each packet."""

    def __init__(
        self,
        viewer: str,
        types: dict[str, int],
        sender: AudioSender,
        ssrc: int,
        *,
        on_sent: Callable[[int], None],
        on_state: Callable[[AudioState], None],
    ) -> None:
        self.track = AudioTrack(types, sender, ssrc)
        self.wanted: str | None = None
        self._viewer = viewer
        self._on_sent = on_sent
        self._on_state = on_state
        self._feed: Feed | None = None
        self._next: _NextAudioFeed | None = None
        self._holding = False
        self._serial = -1
        self._reported: AudioState | None = None

    def listen(self, name: str | None, feed: Feed | None, serial: int) -> None:
        """Send this feed's audio from now on; `feed` None with a name: it is not open yet. No name: silence.

        The same `serial` again is another stream of the same camera: the previous one plays on until it starts.
        """
        self._holding = name is not None and serial == self._serial and self._feed is not None
        self.wanted, self._serial = name, serial
        if not self._holding:
            self.switch_to(feed if name is not None else None)
        elif feed is not None:
            self.join(feed)
        self._report(TrackPhase.EMPTY if name is None else TrackPhase.WAITING)

    def join(self, feed: Feed) -> None:
        """The wanted feed is there."""
        if not self._holding:
            self.switch_to(feed)
            return
        self._forget_next()
        self._next = _NextAudioFeed(self, feed)

    def switch_to(self, feed: Feed | None) -> None:
        """Send this feed from its next packet on."""
        self._forget_next()
        self._holding = False
        if self._feed is not None:
            self._feed.audio.subscribers.discard(self)
        self._feed = feed
        self.track.restart()
        if feed is not None:
            feed.audio.subscribers.add(self)

    def leave(self) -> None:
        """Unsubscribe from the feed."""
        self.switch_to(None)

    def on_audio(self, sound: AudioPacket) -> None:
        if sound.codec not in self.track.types:
            self._report(TrackPhase.REFUSED, "audio_unsupported")
            return
        size = self.track.send(sound)
        if size:
            self._on_sent(size)
            self._report(TrackPhase.LIVE)

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next.leave()
            self._next = None

    def _report(self, phase: TrackPhase, reason: str | None = None) -> None:
        state = AudioState(self._viewer, self._serial, phase, self.wanted, reason)
        if state != self._reported:
            self._reported = state
            self._on_state(state)
