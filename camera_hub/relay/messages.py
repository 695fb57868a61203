"""The messages between the hub and a relay (framing: wire.py). The hub imports only this module of `relay`.

Both sides decode each head with `of` of its class, which checks names, types and ranges (message_decoder.py) and raises
MessageError; nothing else checks them again. Column two names the class, or the fields of the head.

Hub → relay                                        reply / later messages
  configure   RelayConfig                          reply Configured; sent once, first
  port.open   {}                                   reply PortOpened; once, to a relay configured as standby
  port.close  {}                                   reply {}: its viewers are closed, its ports are free
  feed.open   FeedSpec                             feed.state …            (a changed spec reopens it)
  feed.close  FeedName                             feed.state stopped
  feed.keys   KeyFrameTap                          key_frame …
  viewer.offer ViewerOffer                         reply ViewerAnswer; viewer.state …
  viewer.close ViewerName                          viewer.state closed
  track.show  TrackShow                            track.state …           (a message, never a renegotiation)
  audio.listen AudioListen                         audio.state …           (one feed's audio per viewer)
  viewer.figures ViewerFiguresRequest              reply {at, viewer: {…, tracks: […]}, feeds: {feed: {…}}}: of the
                                                   feeds that its tiles show, and of those named
  login.may   LoginMay                             the answer to login.ask
  pulse       {}                                   reply RelayPulse, at once
  figures     {}                                   reply {relay: {...}, feeds: {feed: {...}}, viewers: {viewer: {...}},
                                                   rtsp: {session: {...}}}
  rtsp.listen RtspListen                           reply RtspState
  rtsp.end    RtspEnd                              rtsp.ended …

Relay → hub (unasked)
  feed.state FeedState · feed.learnt FeedLearnt · viewer.state ViewerState · viewer.link LinkState ·
  track.state TrackState · audio.state AudioState · key_frame KeyFrame + body (Annex B, with parameter sets) ·
  sync.wanted SyncWanted · login.ask LoginAsk and login.said LoginSaid (before and after each attempt with a login,
  where asks_logins is set) · rtsp.ended RtspEnded
  While the hub does not read, a newer state replaces an unsent one of the same feed, viewer or track, and key frames
  are dropped: what arrives afterwards are the current states.
Relay → hub (a request)
  rtsp.ask    RtspAsk                              reply RtspGranted (the feed is opened first), or the refusal

A feed's and a viewer's names are the hub's (feed = "s<stream id>"); a relay never makes one up.
A feed is one RTSP session. A player's session (RTSP out) is named by the relay, which meets it first.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, get_args

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.message_decoder import Length, Range, decode
from camera_hub.peculiarity_kinds import MAX_VALUE, PeculiarityKind
from camera_hub.wire import Message

Name = Annotated[str, Length(1, 256)]
Port = Annotated[int, Range(0, 65_535)]
Count = Annotated[int, Range(0, 1 << 62)]
Seconds = Annotated[float, Range(0, 1e9)]
Share = Annotated[float, Range(0, 1e3)]
Rate = Annotated[float, Range(0, 1e15)]
Rtp32 = Annotated[int, Range(0, (1 << 32) - 1)]
Params = dict[str, Annotated[str, Length(0, 64)] | int | float]
TrackNumber = Annotated[int, Range(0, 255)]


class FeedPhase(StrEnum):
    """State of a feed."""

    CONNECTING = "connecting"
    WAITING_KEY = "waiting_key"
    LIVE = "live"
    FAILED = "failed"  # being retried by the relay unless `final`
    STOPPED = "stopped"


class TrackPhase(StrEnum):
    """State of one track (a tile's video, or a viewer's audio)."""

    EMPTY = "empty"
    WAITING = "waiting"
    LIVE = "live"
    REFUSED = "refused"


class LinkLevel(StrEnum):
    """What a browser's link is judged to carry."""

    FULL = "full"
    LIGHT = "light"  # sub streams instead of main streams; the hub switches them
    KEYS = "keys"  # the relay sends key frames only


class Audio(StrEnum):
    """Whether browsers can play a stream's audio."""

    NONE = "none"
    PLAYS = "plays"
    UNSUPPORTED = "unsupported"  # a codec that would have to be re-encoded
    REFUSED = "refused"  # the camera describes it, but refused SETUP for it


@dataclass(frozen=True, slots=True)
class RelayConfig(Message):
    """What a relay needs of the settings. Times in seconds, sizes in bytes, rates in bit/s."""

    udp_host: str = "::"
    udp_port: Port = 0
    standby: bool = False  # start without the UDP port, which another process still holds
    announced_addresses: tuple[str, ...] = ()  # empty: every address of the machine's interfaces
    payload_limit: Annotated[int, Range(100, 1400)] = 1200
    pacer_rate: Annotated[int, Range(1, 1e12)] = 100_000_000
    gop_cache_bytes: Count = 4 * 1024 * 1024
    gop_cache_seconds: Seconds = 10.0
    history_seconds: Seconds = 2.0  # packets are kept for resends that long …
    history_packets: Count = 2048  # … and at most so many, beside what is replayed
    max_viewers: Count = 64
    plain_sending: bool = False  # one packet, one call: no SRTP batches, no sendmmsg, no UDP GSO
    connect_timeout: Seconds = 15.0  # a viewer that is not connected by then is closed
    open_timeout: Seconds = 10.0  # of the RTSP handshake, up to the answer to PLAY
    media_timeout: Seconds = 8.0  # no packet for that long: the feed has stalled and is reopened
    key_frame_timeout: Seconds = 20.0
    late_seconds: Seconds = 2.0  # frames that arrive later than that …
    late_for: Seconds = 10.0  # … for that long: the feed is reported late, and reopened with growing intervals
    opens_per_village: Annotated[int, Range(1, 1e6)] = 4  # concurrent RTSP opens (FeedSpec.group) …
    opens_at_once: Annotated[int, Range(1, 1e6)] = 32  # … and in total
    rtsp_host: str = "::"
    rtsp_port: Port = 0  # of RTSP out; 0 = any free one
    rtsp_stall: Seconds = 10.0  # a player that reads nothing for that long is disconnected
    asks_logins: bool = False  # ask the hub before each attempt with a login; else every attempt is allowed


@dataclass(frozen=True, slots=True)
class Peculiarity:
    """What is known of a device (peculiarity_kinds)."""

    kind: Annotated[str, Length(1, 32)]
    value: Annotated[str, Length(1, MAX_VALUE)]


@dataclass(frozen=True, slots=True)
class RtspLiveSource:
    """What a camera sends now, over RTSP (RFC 2326). `url` holds no login; `address` is the pinned IP that is dialled,
    whatever the URL says.
    """

    url: str = field(repr=False)  # its path may be a login
    address: str
    port: Port
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: Literal["auto", "tcp", "udp"] = "auto"
    # Compared with nothing: what was learnt meanwhile is no reason to open the feed again.
    peculiarities: tuple[Peculiarity, ...] = field(default=(), compare=False)
    kind: Literal["rtsp_live"] = "rtsp_live"


@dataclass(frozen=True, slots=True)
class PlaybackSource:
    """What a recorder has kept, over RTSP. `position`: Unix time in seconds; `speed`: 1 = as it was recorded."""

    url: str = field(repr=False)  # its path may be a login
    address: str
    port: Port
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

_SOURCE_KINDS = frozenset(one.__dataclass_fields__["kind"].default for one in get_args(FeedSource))


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
        """Decode a feed.open message. Raises HubError(UNSUPPORTED) for a kind of source that is not known here, and
        MessageError."""
        source = head.get("source")
        kind = source.get("kind") if isinstance(source, dict) else None
        if isinstance(kind, str) and kind not in _SOURCE_KINDS:
            raise HubError(
                Kind.UNSUPPORTED,
                f"this relay does not know sources of kind {kind[:40]!r}; update it",
                reason=Reason.SOURCE_UNSUPPORTED,
            )
        return decode(cls, head)


@dataclass(frozen=True, slots=True)
class FeedState(Message):
    """State of a feed. Delays in milliseconds, measured once per open.

    Live with reason b_frames: no track can show it, but its key frames are published. Live with reason late: it is
    shown, seconds late. Live with reason lossy: it is shown, and loses more than a few per cent of its frames (params:
    cause, percent; see ingest.losses). Waiting for a key frame with reason intra_refresh: none may come for long.
    """

    feed: Name
    phase: FeedPhase
    reason: str | None = None  # errors.Reason
    detail: str = ""
    params: Params = field(default_factory=dict)  # what pages insert into their own words for the reason
    final: bool = False  # the relay will not retry by itself (wrong password, not found, codec …) until reopened
    retry_in: Seconds | None = None
    codec: str | None = None  # "h264" | "h265" | "mjpeg" …, from SDP
    profile: str | None = None  # H.264: profile-level-id in hex
    width: Count | None = None
    height: Count | None = None
    signalling_ms: Seconds | None = None  # connect … answer to PLAY
    stream_ms: Seconds | None = None  # PLAY … first RTP packet
    key_frame_ms: Seconds | None = None  # PLAY … first complete key frame
    audio: Audio | None = None  # None: unknown, or not requested
    audio_codec: str | None = None  # "pcma" | "pcmu" | "opus" | "aac" …, from SDP


@dataclass(frozen=True, slots=True)
class FeedLearnt(Message):
    """A session of the feed has found out something about its device, which is kept and sent back with later specs."""

    feed: Name
    kind: PeculiarityKind
    value: Annotated[str, Length(1, MAX_VALUE)]


@dataclass(frozen=True, slots=True)
class LoginMay(Message):
    """Whether a login may be used now: `reason` None = yes, else why not and for how many seconds."""

    turn: Count
    reason: str | None = None
    detail: str = ""
    retry_in: Seconds | None = None


@dataclass(frozen=True, slots=True)
class LoginSaid(Message):
    """Outcome of an attempt: accepted (early notice, the attempt goes on) · doubted (likewise: it may have been
    refused, `accepted` ends the doubt) · refused · over."""

    turn: Count
    outcome: Literal["accepted", "doubted", "refused", "over"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFrame(Message):
    """Head of a key_frame message; the body is one Annex-B access unit with its parameter sets in front.

    The counters are of the feed since it was opened at `opened_at` (by which one pull is told from the next): whole
    frames, key frames among them, bytes of video, packets that were missing.
    """

    feed: Name
    codec: str
    received_at: float  # Unix time, seconds
    opened_at: float = 0.0  # Unix time, seconds
    frames: Count = 0
    key_frames: Count = 0
    received_bytes: Count = 0
    gaps: Count = 0


@dataclass(frozen=True, slots=True)
class ViewerAnswer(Message):
    """Reply to viewer.offer. `codecs`: what this browser decodes, among "h264", "h265"; `audio`: it takes sound."""

    sdp: str
    tracks: Count
    codecs: tuple[str, ...]
    audio: bool = False


@dataclass(frozen=True, slots=True)
class ViewerState(Message):
    """connected · closed (reason: reaped, gone, closed, replaced, dtls_failed, …)."""

    viewer: Name
    state: Literal["connected", "closed"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrackState(Message):
    """What a track shows. `serial` is that of the track.show it answers, so that a late message about the camera before
    can be told from one about the present camera."""

    viewer: Name
    track: TrackNumber
    serial: int
    phase: TrackPhase
    feed: str | None = None
    reason: str | None = None
    first_rtp: Rtp32 | None = None  # when live: RTP timestamp of the feed's first frame in this track


@dataclass(frozen=True, slots=True)
class LinkState(Message):
    """A viewer's link has become better or worse. Sent at each change; a new viewer's is FULL."""

    viewer: Name
    level: LinkLevel


@dataclass(frozen=True, slots=True)
class AudioState(Message):
    """What a viewer hears. `serial` is that of the audio.listen it answers. LIVE: the first packet was sent."""

    viewer: Name
    serial: int
    phase: TrackPhase
    feed: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RtspAsk(Message):
    """May this player have this camera? `token_hash`: SHA-256 of its token, in hex; the token itself stays here."""

    session: Name
    token_hash: str = field(repr=False)
    camera: Count
    quality: Literal["main", "sub"]
    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class RtspEnded(Message):
    """A session is over: closed · timeout · stalled · protocol · refused · stopped · codec_changed, the hub's reason
    (RtspEnd), or the feed's. `bytes` of video; `transport` None when nothing was set up."""

    session: Name
    reason: str
    transport: str | None = None
    bytes: Count = 0
    dropped_frames: Count = 0


@dataclass(frozen=True, slots=True)
class RtspState(Message):
    """The port of RTSP out; None, with the reason, when it does not listen."""

    port: Port | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Configured(Message):
    """Reply to configure. `gso`: whether UDP generic segmentation offload is used."""

    udp_port: Port
    gso: bool


@dataclass(frozen=True, slots=True)
class PortOpened(Message):
    """Reply to port.open."""

    udp_port: Port


@dataclass(frozen=True, slots=True)
class RelayPulse(Message):
    """Reply to pulse: memory in bytes; how late the event loop ran during the last ten seconds, and during the last
    five (95th percentile), in seconds; shares of one core; what is carried, per second.
    """

    rss_bytes: Count
    loop_lag_p50: Seconds
    loop_lag_max: Seconds
    loop_late: Seconds = 0.0
    loop_busy: Share = 0.0  # of its time, in which the loop had something to do
    cpu_share: Share = 0.0
    frames_in: Rate = 0.0
    bits_in: Rate = 0.0
    frames_out: Rate = 0.0
    bits_out: Rate = 0.0


@dataclass(frozen=True, slots=True)
class FeedName(Message):
    """Names an open feed."""

    feed: Name


@dataclass(frozen=True, slots=True)
class KeyFrameTap(Message):
    """Publish the feed's key frames: at most one each `every` seconds, None = no more. 0 = the next one in addition."""

    feed: Name
    every: Seconds | None


@dataclass(frozen=True, slots=True)
class SyncWanted(Message):
    """No key frame of the feed is cached and someone waits for one: request one from the camera (ONVIF)."""

    feed: Name


@dataclass(frozen=True, slots=True)
class LoginAsk(Message):
    """May the feed's login be used now? Answered by LoginMay of the same `turn`."""

    feed: Name
    turn: Count


@dataclass(frozen=True, slots=True)
class ViewerOffer(Message):
    """A peer's SDP offer. `audio`: serve its audio m-line, too, in `audio_codec` alone where it is known.
    `tracks`: video m-lines that are served at most, None = all (a page's); a WHEP player has one."""

    viewer: Name
    sdp: str
    audio: bool = False
    audio_codec: str | None = None
    tracks: TrackNumber | None = None


@dataclass(frozen=True, slots=True)
class ViewerName(Message):
    """Names a viewer."""

    viewer: Name


@dataclass(frozen=True, slots=True)
class TrackShow(Message):
    """Switch a track to a feed, None = to nothing. `hold`: the previous picture is of the same camera and goes on until
    the feed has its key frame, a few seconds at most."""

    viewer: Name
    track: TrackNumber
    serial: int
    feed: Name | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class AudioListen(Message):
    """Send a feed's audio to the viewer, None = none."""

    viewer: Name
    serial: int
    feed: Name | None = None


@dataclass(frozen=True, slots=True)
class ViewerFiguresRequest(Message):
    """Asks for the counters of a viewer, of the feeds that its tiles show and of `feeds`."""

    viewer: Name
    feeds: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class RtspListen(Message):
    """Whether RTSP out listens (its port is open only while a player may connect)."""

    listen: bool


@dataclass(frozen=True, slots=True)
class RtspEnd(Message):
    """End a player's session."""

    session: Name
    reason: str


@dataclass(frozen=True, slots=True)
class RtspGranted(Message):
    """Reply to rtsp.ask: the feed that the player may have; it has been opened. `hurried`: its player looks at the
    present, else frames of the cached GOP keep their distances in time.
    """

    feed: Name
    hurried: bool = True
