"""Live pictures: viewers, tiles, and what goes over the page's WebSocket."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from camera_hub.api.schemas.base import Answer, Count, Id, Key, Moment, RequestBody, Serial
from camera_hub.api.schemas.ptz import PtzMessage, PtzStateMessage

TileState = Literal["empty", "connecting", "waiting", "live", "pictures", "failed", "refused"]
Note = Literal["link_poor", "link_sub", "link_keys", "late", "lossy", "late_sub", "busy_sub"]
Topic = Literal[
    "village",
    "device",
    "device_settings",
    "camera",
    "camera_position",
    "map",
    "alarm",
    "match",
    "tour",
    "run",
    "result",
    "finding",
    "plan",
    "occurrence",
    "screen",
    "sweep",
    "job",
    "inbox",
    "notice",
]


class MediaAnswer(Answer):
    """What a page must know to build its peer connection."""

    ice_servers: list[dict[str, Any]]
    relays: list[int]
    tracks: int  # video m-lines to offer at once
    audio: bool  # whether to offer an audio m-line, too, and show a sound switch


class NewViewer(RequestBody):
    """A page's offer: recvonly video m-lines, and an audio one if its user may listen; sent without ICE candidates."""

    page: str = Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")  # of the page's WebSocket
    relay: int = Field(0, ge=0, le=255)
    first: int = Field(0, ge=0, lt=40)  # the tile that its first track carries
    sdp: str = Field(max_length=256 * 1024)


class ViewerOfferAnswer(Answer):
    viewer: str
    relay: int
    epoch: int
    sdp: str
    tracks: int
    codecs: list[str]


class FeedFiguresAnswer(Answer):
    """A feed; counters since it was first opened. Delays in seconds, sizes in bytes."""

    codec: str | None
    width: int | None
    height: int | None
    packets: int
    bytes: int
    frames: int
    key_frames: int
    gop_seconds: float | None
    gop_frames: int | None
    gaps: int
    dropped: int
    bad_packets: int
    repeats: int
    foreign_payload: int
    foreign_ssrc: int
    stream_restarts: int
    lost_gap: int
    lost_broken: int
    lost_restart: int
    lost_no_parameter_sets: int
    lost_no_key_frame: int
    loss_percent: int
    camera_clock: Literal["well", "standing", "wrong_rate"]
    jitter: float
    lateness: float
    opens: int
    failures: int


class TrackFiguresAnswer(Answer):
    """What was sent on a tile's track; counters since the connection began. Fractions 0–1, round trip in seconds."""

    packets: int
    bytes: int
    frames: int
    rtx: int
    rtx_missed: int
    pli: int
    replays: int
    dropped_frames: int
    lost: int
    fraction_lost: float
    round_trip: float | None


class TileFiguresAnswer(Answer):
    """Two answers give rates: `at` is the relay's clock in seconds. `feed` is null where none runs, `sent` is null for
    key-frame pictures."""

    track: int
    at: float
    feed: FeedFiguresAnswer | None
    sent: TrackFiguresAnswer | None


class ShowMessage(RequestBody):
    """Page → hub: put a camera into a tile, or empty it (camera null). `serial` grows per tile.

    `position`: null for live, else the time at which to start the recording (not supported yet: playback_unsupported).
    """

    type: Literal["show"]
    viewer: Key
    track: int = Field(ge=0, lt=40)
    serial: Serial
    camera: Id | None
    quality: Literal["auto", "main", "sub"] = "auto"
    position: Moment | None = None


class ListenMessage(RequestBody):
    """Page → hub: listen to a camera that a tile shows, or to none (null). `serial` grows per page."""

    type: Literal["listen"]
    serial: Serial
    camera: Id | None


class WarmMessage(RequestBody):
    """Page → hub: these cameras will be shown within seconds: keep their tile streams running until then."""

    type: Literal["warm"]
    cameras: list[Id] = Field(min_length=1, max_length=4)


class SeenCamera(RequestBody):
    """Seconds that the page really showed the camera since the step began: tile on screen, page visible, new frames.

    `gap`: why it was not shown, or not longer: the page was in the background, something lay over the tile or the
    window, the tile was scrolled away, no frame came, the picture stood still, or was black.
    """

    camera: Id
    seconds: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    gap: Literal["page_hidden", "covered", "off_screen", "no_picture", "frozen", "black"] | None = None


class SeenMessage(RequestBody):
    """Page → hub: what was seen of step `step` of a run. Sums since the step began, so a lost message does no harm."""

    type: Literal["seen"]
    run: Id
    step: Count
    cameras: list[SeenCamera] = Field(max_length=36)


class HelloMessage(Answer):
    """Hub → page, first message of every connection. A changed `epoch`: the hub was restarted, offer again."""

    type: Literal["hello"] = "hello"
    epoch: str
    now: datetime
    relays: dict[int, int]  # relay → epoch; a changed one: offer again
    viewers: list[str]  # viewers of this page that still exist


class TileMessage(Answer):
    """Hub → page: what a tile shows. `since` is when the camera's fault began, if it has one.

    `pictures`: no stream can be played here (`reason`), so GET /api/cameras/{camera}/still?stream={stream} gives one
    picture per key frame; each has a new number in `picture`, and about `interval` seconds lie between two.
    `retry_at`: the device refused the login, and it is not tried again before then.
    """

    type: Literal["tile"] = "tile"
    viewer: str
    track: int
    serial: int
    camera: int | None
    state: TileState
    reason: str | None = None
    detail: str = ""
    params: dict[str, str | int | float] = Field(default_factory=dict)  # for the page's own sentence for the reason
    since: datetime | None = None
    retry_at: datetime | None = None
    stream: Literal["main", "sub"] | None = None
    codec: str | None = None
    picture: int | None = None
    interval: float | None = None
    note: Note | None = None  # live, but not as requested
    first_rtp: int | None = None  # live: frames of the track with an earlier RTP timestamp show what was there before
    audio: Literal["none", "plays", "unsupported", "refused"] | None = None  # of the stream, if the site allows sound
    audio_codec: str | None = None


class HeardMessage(Answer):
    """Hub → page: what plays on the audio track of `viewer`. `reason`: why the last request was refused."""

    type: Literal["heard"] = "heard"
    serial: int
    camera: int | None
    state: Literal["off", "waiting", "live"]
    viewer: str | None = None
    reason: str | None = None


class ViewerGoneMessage(Answer):
    """Hub → page: this peer connection has ended; offer again."""

    type: Literal["viewer_gone"] = "viewer_gone"
    viewer: str
    reason: str


class RelayNewMessage(Answer):
    """Hub → page: the relay was restarted; offer again at once."""

    type: Literal["relay"] = "relay"
    relay: int
    epoch: int


class ChangedMessage(Answer):
    """Hub → page: a row changed. `data` is the topic's answer, null when it is gone or the user may not see it."""

    type: Literal["changed"] = "changed"
    topic: Topic
    id: int | str
    data: dict[str, Any] | None


class TimeMessage(Answer):
    """Hub → page, every 5 s: a page that misses several reconnects."""

    type: Literal["time"] = "time"
    now: datetime


class ReloadMessage(Answer):
    """Hub → page: changes were lost or too many; fetch every list again."""

    type: Literal["reload"] = "reload"


class LiveMessages(Answer):
    """All messages of the WebSocket, here so that their types are generated too."""

    hello: HelloMessage
    tile: TileMessage
    heard: HeardMessage
    viewer_gone: ViewerGoneMessage
    relay: RelayNewMessage
    changed: ChangedMessage
    time: TimeMessage
    reload: ReloadMessage
    show: ShowMessage
    listen: ListenMessage
    warm: WarmMessage
    seen: SeenMessage
    ptz: PtzMessage
    ptz_state: PtzStateMessage
