"""Which stream a tile is shown when the link to the browser or from the camera does not carry the one wished. Pure."""

from camera_hub.errors import Reason
from camera_hub.media.interface import Note, Quality
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.relay.messages import LinkLevel


def adapted(quality: Quality, link: LinkLevel, *, rests: bool) -> Quality:
    """The quality to ask for instead of the wished one.

    No main stream on a link that does not carry everything, nor one that `rests` because it came too late.
    """
    return "sub" if quality == "main" and (rests or link is not LinkLevel.FULL) else quality


def out_of_step(tile: TileSlot, link: LinkLevel, *, rests: bool) -> bool:
    """Whether the tile must be given another stream, now that things are like this.

    Where a stream could not be shown for its codec, there is no other to choose.
    """
    return tile.camera_id is not None and not tile.tried and adapted(tile.quality, link, rests=rests) != tile.asked


def note(tile: TileSlot, link: LinkLevel, *, weakness: str | None) -> Note | None:
    """What a live tile adds to its state. `weakness`: what is wrong with the feed that it shows."""
    if link is LinkLevel.KEYS:
        return "link_keys"
    if weakness == Reason.LOSSY:
        return "lossy"
    if weakness == Reason.LATE:
        return "late"
    poor = link is not LinkLevel.FULL
    if tile.quality != tile.asked and not tile.tried and tile.chosen is not None and tile.chosen.role == "sub":
        if tile.crowded:
            return "busy_sub"
        return "link_sub" if poor else "late_sub"
    return "link_poor" if poor else None
