"""Which stream of a camera a tile is shown, and how: as video, or as key-frame pictures."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.capacity.budget import Grant
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import CODEC_REASONS
from camera_hub.media.interface import RELAYED_CODECS, PullableStream, Quality
from camera_hub.media.wall.quality_adaptation import adapted, out_of_step
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.media.wall.viewer_session import ViewerSession


class StreamSource(Protocol):
    """Where streams are asked for (interface.Sources)."""

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream: ...


class RestingCameras(Protocol):
    """Whose main streams came too late (feeds.sub_stream_fallback)."""

    def rests(self, camera_id: int) -> bool: ...


class RelayCapacity(Protocol):
    """What the machine bears (capacity.capacity)."""

    def ask(
        self,
        relay: int,
        stream: PullableStream,
        holder: str,
        *,
        sent: bool = True,
        replaces: bool = False,
        only: bool = False,
    ) -> Grant: ...
    def has_room(self, relay: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a stream is to be shown: by which relay, by whom; and the feed that is shown there so far."""

    relay: int
    holder: str
    held: FeedKey | None = None


@dataclass(frozen=True, slots=True)
class FittingStream:
    """What may be shown. `stills_reason`: why as key-frame pictures, if so. `crowded`: there was no room for the stream
    that was asked for."""

    stream: PullableStream
    stills_reason: str | None
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class StreamWish:
    """What is asked for. `tried`: streams that this viewer cannot be shown, the last one for the reason `lost`."""

    camera_id: int
    quality: Quality  # that was wished
    asked: Quality  # that is asked for first
    position: datetime | None = None  # None: live
    tried: frozenset[int] = frozenset()
    lost: str | None = None


class StreamSelection:
    """Chooses streams for tiles, as far as links, late cameras and the machine allow."""

    def __init__(self, sources: StreamSource, late: RestingCameras, capacity: RelayCapacity) -> None:
        self._sources = sources
        self._late = late
        self._capacity = capacity

    def wish(self, viewer: ViewerSession, tile: TileSlot, lost: str | None = None) -> StreamWish:
        """What to ask for now. `lost`: why the stream that was chosen last cannot be shown to this viewer."""
        assert tile.camera_id is not None
        if lost is not None and tile.chosen is not None:
            asked: Quality = "sub" if tile.chosen.role == "main" else "main"
        else:
            asked = adapted(tile.quality, viewer.link, rests=self._rests(tile))
        return StreamWish(tile.camera_id, tile.quality, asked, tile.position, frozenset(tile.tried), lost)

    def is_out_of_step(self, viewer: ViewerSession, tile: TileSlot) -> bool:
        """Whether the link to the browser or from the camera now carries more or less than what is shown."""
        return out_of_step(tile, viewer.link, rests=self._rests(tile))

    def has_room(self, relay: int) -> bool:
        """Whether that relay may take one more picture."""
        return self._capacity.has_room(relay)

    async def fit(
        self, wish: StreamWish, codecs: frozenset[str], place: TilePlace, *, pictures: bool = True
    ) -> FittingStream | None:
        """As `choose`, as far as the relay has room: else the sub stream, None where there is no room for that either.

        A place that shows a picture of that relay never goes without: at worst it is given the sub stream of another
        camera.
        """
        stream, reason = await self.choose(wish, codecs, pictures=pictures)
        grant = self._ask(place, stream, reason)
        if grant is not Grant.SUB_STREAM:
            return FittingStream(stream, reason) if grant is Grant.GRANTED else None
        stream, reason = await self.choose(replace(wish, asked="sub"), codecs, pictures=pictures)
        grant = self._ask(place, stream, reason, only=True)
        return FittingStream(stream, reason, crowded=True) if grant is Grant.GRANTED else None

    def _ask(self, place: TilePlace, stream: PullableStream, stills: str | None, *, only: bool = False) -> Grant:
        if place.held == FeedKey(place.relay, stream.spec.feed):
            return Grant.GRANTED  # it is shown already
        replaces = place.held is not None and place.held.relay == place.relay
        return self._capacity.ask(place.relay, stream, place.holder, sent=stills is None, replaces=replaces, only=only)

    async def choose(
        self, wish: StreamWish, codecs: frozenset[str], *, pictures: bool = True
    ) -> tuple[PullableStream, str | None]:
        """The stream, and None: it can be played; or the reason why it can only be shown as key-frame pictures.

        Without `pictures` (a standard player has no place for them) and where there are none, HubError says what is
        wrong.
        """
        if wish.position is not None:
            raise HubError(
                Kind.UNSUPPORTED,
                "this camera can only be shown live; playback is not supported yet",
                reason=Reason.PLAYBACK_UNSUPPORTED,
            )
        try:
            chosen = await self._sources.choose(wish.camera_id, wish.asked, codecs)
            if chosen.stream_id not in wish.tried:
                return chosen, None
            detail = "no stream of this camera can be played by this viewer"
            raise HubError(Kind.UNSUPPORTED, detail, reason=wish.lost or Reason.NO_H264)
        except HubError as error:
            if not pictures or error.reason not in CODEC_REASONS:
                raise
            return await self._sources.choose(wish.camera_id, wish.quality, RELAYED_CODECS), error.reason

    def _rests(self, tile: TileSlot) -> bool:
        return tile.camera_id is not None and self._late.rests(tile.camera_id)
