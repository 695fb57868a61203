"""Which stream of a camera a tile is shown, and how: as video, or as key-frame pictures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from camera_hub.errors import HubError, Kind, Reason
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
    """Chooses streams for tiles, as far as links and late cameras allow."""

    def __init__(self, sources: StreamSource, late: RestingCameras) -> None:
        self._sources = sources
        self._late = late

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
