"""What the hub and a relay say to each other over the pipe (see wire.py). The hub imports only this module of `relay`.

Hub → relay                                        reply / later messages
  configure   RelayConfig                          reply {udp_port, gso}; sent once, first
  port.open   {}                                   reply {udp_port}; once, to one configured as standby
  port.close  {}                                   reply {}: its viewers are ended, its ports are free
  feed.open   FeedSpec                             feed.state …            (a changed spec reopens it)
  feed.close  {feed}                               feed.state stopped
  feed.keys   {feed, every}                        key_frame … at most one each `every` s, until None;
                                                   0 = the next one besides, whatever else is tapped
  viewer.offer {viewer, sdp, audio}                reply ViewerAnswer; viewer.state …  (audio: answer its audio m-line)
  viewer.close {viewer}                            viewer.state closed
  track.show  {viewer, track, feed|None, serial,   track.state …           (a message, never a renegotiation)
               hold}                               hold: the picture before is of the same camera; it goes on until
                                                   the feed has its key frame, some seconds at most
  audio.listen {viewer, feed|None, serial}         audio.state …           (one feed's sound per viewer)
  viewer.figures {viewer, feeds: […]}              reply {at, viewer: {…, tracks: […]}, feeds: {feed: {…}}}: of its
                                                   tiles, and the feeds named
  login.may   LoginMay                             the answer to login.ask
  pulse       {}                                   reply {rss_bytes, loop_lag_p50, loop_lag_max}, at once
  figures     {}                                   reply {relay: {...}, feeds: {feed: {...}}, viewers: {viewer: {...}},
                                                   rtsp: {session: {...}}}
  rtsp.listen {listen}                             reply RtspState (the port is open while somebody may come)
  rtsp.end    {session, reason}                    rtsp.ended …

Relay → hub (unasked)
  feed.state FeedState · viewer.state ViewerState · viewer.link LinkState · track.state TrackState ·
  audio.state AudioState · key_frame KeyFrame + body (Annex B, with parameter sets) ·
  sync.wanted {feed} (no key frame is cached and someone waits: ask the camera over ONVIF) ·
  login.ask {feed, turn} and login.said LoginSaid (before and after each try of a login, where asks_logins is set) ·
  rtsp.ended RtspEnded
Relay → hub (a request)
  rtsp.ask    RtspAsk                              reply {feed} (opened before the reply), or the refusal

A feed's and a viewer's names are the hub's (feed = "s<stream id>"); a relay never makes one up.
A feed is one RTSP session. A player's session (RTSP out) is named by the relay, which meets it first.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.wire import Message


class FeedPhase(StrEnum):
    """Where a feed stands."""

    CONNECTING = "connecting"
    WAITING_KEY = "waiting_key"
    LIVE = "live"
    FAILED = "failed"  # being retried by the relay unless `final`
    STOPPED = "stopped"


class TrackPhase(StrEnum):
    """Where one tile's track stands."""

    EMPTY = "empty"
    WAITING = "waiting"
    LIVE = "live"
    REFUSED = "refused"


class LinkLevel(StrEnum):
    """What a browser's link is held to bear."""

    FULL = "full"
    LIGHT = "light"  # sub streams in place of main streams; that is the hub's to do
    KEYS = "keys"  # the relay sends key frames alone


class Audio(StrEnum):
    """What a stream's sound is to browsers."""

    NONE = "none"
    PLAYS = "plays"
    UNSUPPORTED = "unsupported"  # a codec that would have to be re-encoded
    REFUSED = "refused"  # offered by the camera, but it did not agree to send it


@dataclass(frozen=True, slots=True)
class RelayConfig(Message):
    """All a relay needs to know of the settings. Times in seconds, sizes in bytes, rates in bit/s."""

    udp_host: str = "::"
    udp_port: int = 0
    standby: bool = False  # begin without the port, which another process has still
    announced_addresses: tuple[str, ...] = ()  # empty: every address of the machine's interfaces
    payload_limit: int = 1200
    pacer_rate: int = 100_000_000
    gop_cache_bytes: int = 4 * 1024 * 1024
    gop_cache_seconds: float = 10.0
    history_packets: int = 2048
    max_viewers: int = 64
    connect_timeout: float = 15.0  # a viewer that is not connected by then is reaped
    open_timeout: float = 10.0  # whole RTSP open, to the answer to PLAY
    media_timeout: float = 8.0  # no packet for that long: stalled, reopened
    key_frame_timeout: float = 20.0
    late_seconds: float = 2.0  # frames that come later than that …
    late_for: float = 10.0  # … for that long: the feed says so, and is opened anew now and then
    opens_per_village: int = 4  # concurrent RTSP opens (FeedSpec.group) …
    opens_at_once: int = 32  # … and in all
    rtsp_host: str = "::"
    rtsp_port: int = 0  # of RTSP out; 0 = any
    rtsp_stall: float = 10.0  # a player that reads nothing for that long is ended
    asks_logins: bool = False  # ask the hub before each try of a login; without it every try is free


@dataclass(frozen=True, slots=True)
class RtspLiveSource:
    """What a camera sends now, over RTSP (RFC 2326). `url` holds no login; `address` is the pinned IP that is dialled,
    whatever the URL says.
    """

    url: str
    address: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: Literal["auto", "tcp", "udp"] = "auto"
    kind: Literal["rtsp_live"] = "rtsp_live"


@dataclass(frozen=True, slots=True)
class PlaybackSource:
    """What a recorder has kept, over RTSP. `position`: Unix time in seconds; `speed`: 1 = as it was recorded."""

    url: str
    address: str
    port: int
    position: float
    speed: float = 1.0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    kind: Literal["playback"] = "playback"


@dataclass(frozen=True, slots=True)
class Gb28181Source:
    """A channel of a platform (GB/T 28181); both ids have 20 digits. `position`: None = live, else as for playback."""

    device_id: str
    channel_id: str
    position: float | None = None
    speed: float = 1.0
    kind: Literal["gb28181"] = "gb28181"


FeedSource = RtspLiveSource | PlaybackSource | Gb28181Source
"""Where a feed's pictures come from; `kind` tells them apart on the wire. Relays pull rtsp_live so far."""

_SOURCES: dict[str, type[RtspLiveSource] | type[PlaybackSource] | type[Gb28181Source]] = {
    "rtsp_live": RtspLiveSource,
    "playback": PlaybackSource,
    "gb28181": Gb28181Source,
}


@dataclass(frozen=True, slots=True)
class FeedSpec(Message):
    """One feed to pull. `feed` is the id of the source on this relay: a string that the hub makes and nobody parses."""

    feed: str
    source: FeedSource
    group: str = ""  # village: opens are limited per group
    device: str = ""
    credentials_version: int = 0  # a changed login is another spec, and reopens the feed
    audio: bool = False  # set the camera's sound up too, if it has one that browsers play

    @property
    def username(self) -> str | None:
        """Whose login is tried when the feed is opened; None: none is."""
        return None if isinstance(self.source, Gb28181Source) else self.source.username

    @classmethod
    def of(cls, head: dict[str, Any]) -> Self:
        """Read a feed.open message. Raises HubError(UNSUPPORTED) for a kind of source that is not known here,
        TypeError, ValueError or KeyError where it cannot be read.
        """
        values = dict(head["source"])
        kind = _SOURCES.get(values.get("kind", ""))
        if kind is None:
            raise HubError(
                Kind.UNSUPPORTED,
                f"this relay does not know sources of kind {str(values.get('kind'))[:40]!r}; update it",
                reason=Reason.SOURCE_UNSUPPORTED,
            )
        names = cls.__dataclass_fields__.keys() - {"source"}
        return cls(source=kind(**values), **{name: head[name] for name in names if name in head})


@dataclass(frozen=True, slots=True)
class FeedState(Message):
    """What became of a feed. Delays in milliseconds, measured once per open (standards: the three delays).

    Live with reason b_frames: no track can show it, but its key frames are handed out. Live with reason late: it is
    shown, seconds late.
    """

    feed: str
    phase: FeedPhase
    reason: str | None = None  # errors.Reason
    detail: str = ""
    final: bool = False  # the relay will not retry by itself (wrong password, not found, codec …) until reopened
    retry_in: float | None = None
    codec: str | None = None  # "h264" | "h265" | "mjpeg" …, from SDP
    profile: str | None = None  # H.264: profile-level-id in hex
    width: int | None = None
    height: int | None = None
    signalling_ms: float | None = None  # connect … answer to PLAY
    stream_ms: float | None = None  # PLAY … first RTP packet
    key_frame_ms: float | None = None  # PLAY … first whole key frame
    audio: Audio | None = None  # None: not known, or not asked for
    audio_codec: str | None = None  # "pcma" | "pcmu" | "opus" | "aac" …, from SDP


@dataclass(frozen=True, slots=True)
class LoginMay(Message):
    """Whether a login may be tried now: `reason` None = yes, else why not and for how many seconds."""

    turn: int
    reason: str | None = None
    detail: str = ""
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class LoginSaid(Message):
    """What became of a try: accepted (early word, the try goes on) · refused · over."""

    turn: int
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFrame(Message):
    """Head of a key_frame message; the body is one Annex-B access unit with its parameter sets in front."""

    feed: str
    codec: str
    received_at: float  # Unix time, seconds


@dataclass(frozen=True, slots=True)
class ViewerAnswer(Message):
    """Reply to viewer.offer. `codecs`: what this browser takes, among "h264", "h265"."""

    sdp: str
    tracks: int
    codecs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViewerState(Message):
    """connected · closed (reason: reaped, gone, closed, replaced, dtls_failed, …)."""

    viewer: str
    state: Literal["connected", "closed"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrackState(Message):
    """What a track shows. `serial` is that of the track.show it answers: late words about the last camera show."""

    viewer: str
    track: int
    serial: int
    phase: TrackPhase
    feed: str | None = None
    reason: str | None = None
    first_rtp: int | None = None  # when live: RTP timestamp of the feed's first frame in this track


@dataclass(frozen=True, slots=True)
class LinkState(Message):
    """A viewer's link has become better or worse. Told at each change; a new viewer's is FULL."""

    viewer: str
    level: LinkLevel


@dataclass(frozen=True, slots=True)
class AudioState(Message):
    """What a viewer hears. `serial` is that of the audio.listen it answers. LIVE: the first sound was passed on."""

    viewer: str
    serial: int
    phase: TrackPhase
    feed: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RtspAsk(Message):
    """May this player have this camera? `token_hash`: SHA-256 of its token, in hex; the token itself stays here."""

    session: str
    token_hash: str = field(repr=False)
    camera: int
    quality: Literal["main", "sub"]
    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class RtspEnded(Message):
    """A session is over: closed · timeout · stalled · protocol · refused · stopped · codec_changed, what the hub said,
    or the feed's reason. `bytes` of video; `transport` None when nothing was set up."""

    session: str
    reason: str
    transport: str | None = None
    bytes: int = 0
    dropped_frames: int = 0


@dataclass(frozen=True, slots=True)
class RtspState(Message):
    """Where RTSP out listens; None with the reason when it does not."""

    port: int | None
    detail: str = ""
