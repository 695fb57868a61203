"""What media needs of the rooms below it, and the values that leave it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from camera_hub.errors import Explanation, HubError, Param
from camera_hub.eye.messages import Seen
from camera_hub.relay.messages import Audio, FeedSpec

Quality = Literal["auto", "main", "sub"]
Role = Literal["main", "sub"]
TileState = Literal["empty", "connecting", "waiting", "live", "pictures", "failed", "refused"]
Note = Literal["link_poor", "link_sub", "link_keys", "late", "lossy", "late_sub", "busy_sub"]
"""What a live tile adds: the browser's link is poor; so the sub stream is shown; so only key frames are; the picture
comes too late from the camera; many of its frames are lost; so the sub stream is shown; the machine has no room for the
main stream."""

Present = Callable[[], Awaitable[bool]]
"""Whether the session that a viewer without a page was opened in is still valid."""

ALL_CODECS = frozenset({"h264", "h265", "mjpeg"})
"""What an eye decodes."""

RELAYED_CODECS = frozenset({"h264", "h265"})
"""What a relay pulls; where a browser plays neither as video, key frames are shown as pictures."""


class PullableStream(Protocol):
    """A stream of a camera, ready to be pulled (cameras.streams.sources.ChosenStream)."""

    @property
    def stream_id(self) -> int: ...
    @property
    def camera_id(self) -> int: ...
    @property
    def village_id(self) -> int: ...
    @property
    def device_id(self) -> int: ...
    @property
    def role(self) -> Role: ...
    @property
    def codec(self) -> str | None: ...
    @property
    def spec(self) -> FeedSpec: ...
    @property
    def in_service(self) -> bool: ...


class Sources(Protocol):
    """Where streams are asked for (cameras.streams.sources.StreamSources)."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        """The stream to pull. Raises HubError with the reason why there is none."""
        ...

    async def choose_all(
        self, camera_ids: Sequence[int], quality: Quality, codecs: frozenset[str]
    ) -> Mapping[int, PullableStream | HubError]:
        """As `choose`, for several cameras with one read of the database; an error instead of a stream where there is
        none.
        """
        ...

    def plays(self, stream_id: int) -> None:
        """The stream runs at the address that was answered last."""
        ...

    def doubt(self, stream_id: int) -> None:
        """It does not run there (any longer)."""
        ...

    def rest(self, stream_id: int) -> None:
        """Nobody pulls the stream any longer."""
        ...

    async def learned(self, stream_id: int, codec: str, width: int | None, height: int | None) -> None:
        """Keep what the stream reports of itself."""
        ...

    async def peculiar(self, device_id: int, kind: str, value: str) -> None:
        """Keep what a session found out about its device; later specs of its streams hold it."""
        ...

    async def sync_point(self, stream_id: int) -> None:
        """Ask the camera for a key frame, as well as it can be asked."""
        ...


@dataclass(frozen=True, slots=True)
class TileWish:
    """A page's wish: put a camera into a tile, or empty it. `serial` grows per tile; `position` None: live, else from
    that time of the recording on.
    """

    viewer: str
    track: int
    serial: int
    camera: int | None
    quality: Quality = "auto"
    position: datetime | None = None


@dataclass(frozen=True, slots=True)
class AudioWish:
    """A page's wish: hear this camera, which it shows, or nothing. `serial` grows per page."""

    serial: int
    camera: int | None


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """The answer to an offer."""

    viewer: str
    relay: int
    epoch: int
    sdp: str
    tracks: int
    codecs: list[str]


@dataclass(frozen=True, slots=True)
class TileStatus:
    """What a tile shows, in full. Key-frame pictures: the `reason` for them, the number of the last one, and how many
    seconds lie between two, once there were two.
    """

    viewer: str
    track: int
    serial: int
    camera: int | None
    state: TileState
    reason: str | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    since: datetime | None = None
    retry_at: datetime | None = None  # a refused login is tried again then, and what was busy
    stream: Role | None = None
    codec: str | None = None
    picture: int | None = None
    interval: float | None = None
    first_rtp: int | None = None
    note: Note | None = None
    audio: Audio | None = None  # None: not known, or the site has no sound
    audio_codec: str | None = None


@dataclass(frozen=True, slots=True)
class PageAudioState:
    """What a page hears. `reason`: why a wish was refused; `viewer`: the one whose audio track carries it."""

    serial: int
    camera: int | None
    state: Literal["off", "waiting", "live"]
    viewer: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Still:
    """The last key-frame picture of a feed, if there was one. `number` grows with each, over all feeds."""

    number: int = 0
    jpeg: bytes = field(default=b"", repr=False)
    at: float = 0.0  # monotonic, when its key frame came
    interval: float | None = None  # seconds from one picture to the next
    trouble: str | None = None  # why the last key frame gave none


@dataclass(frozen=True, slots=True)
class ViewerEnded:
    """A peer connection has ended."""

    viewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class RelayReplaced:
    """A relay was restarted; every peer connection with it is gone."""

    relay: int
    epoch: int


PageMessage = TileStatus | PageAudioState | ViewerEnded | RelayReplaced


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """Since the look before, or since the feed was opened. None where it could not be measured."""

    fps: float | None = None
    bitrate_kbit: float | None = None
    gop_seconds: float | None = None
    gaps: int | None = None
    received_bytes: int | None = None


NO_FIGURES = StreamFigures()


@dataclass(frozen=True, slots=True)
class LookOutcome:
    """What one look saw. `reason` is None when it is a picture, or the stream plays and merely makes no key frame just
    now (`seen` is None then); delays in ms, where the stream reported them.

    `weakness`: what is wrong with a stream whose pictures arrive. `late`: the camera's pictures come too late: the one
    that was seen did, or its main stream rests for it.
    """

    at: datetime
    reason: str | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    signalling_ms: float | None = None
    stream_ms: float | None = None
    key_frame_ms: float | None = None
    codec: str | None = None
    role: Role | None = None
    seen: Seen | None = None
    jpeg: bytes | None = None
    weakness: Explanation | None = None
    late: bool = False
    figures: StreamFigures = NO_FIGURES
    hub_fault: bool = False  # the hub itself could not look, and nothing is known of the camera


def is_codec(codec: str | None, codecs: Set[str]) -> bool:
    """Whether a viewer plays the codec; one that is not known yet is tried."""
    return codec is None or codec in codecs
