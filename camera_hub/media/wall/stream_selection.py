"""Which stream of a camera a viewer is shown, and how: as video, or as key-frame pictures."""

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.media.interface import RELAYED_CODECS, PullableStream, Quality, Sources
from camera_hub.media.wall.tile_state import CODEC_REASONS, TileSlot


async def choose_stream(
    sources: Sources,
    track: TileSlot,
    codecs: frozenset[str],
    *,
    instead: Quality | None = None,
    lost: str | None = None,
    pictures: bool = True,
) -> tuple[PullableStream, str | None]:
    """The stream, and None: it can be played; or the reason why it can only be shown as key-frame pictures.

    `lost` is why the stream that was tried last turned out not to be playable; `instead` is then asked for, before
    pictures of the one that is wanted. Without `pictures` (a standard player has no place for them) and where there are
    none, HubError says what is wrong.
    """
    assert track.camera_id is not None
    try:
        chosen = await sources.choose(track.camera_id, instead or track.quality, codecs)
        if chosen.stream_id not in track.tried:
            return chosen, None
        detail = "no stream of this camera can be played by this viewer"
        raise HubError(Kind.UNSUPPORTED, detail, reason=lost or Reason.NO_H264)
    except HubError as error:
        if not pictures or error.reason not in CODEC_REASONS:
            raise
        return await sources.choose(track.camera_id, track.quality, RELAYED_CODECS), error.reason
