"""Which stream a tile is shown when the way to the browser does not bear the one that was wished. Pure."""

from camera_hub.media.ports import Note, Quality
from camera_hub.media.tiles import Track
from camera_hub.relay.messages import LinkLevel


def adapted(quality: Quality, link: LinkLevel) -> Quality:
    """The quality to ask for in place of the wished one: no main stream on a link that does not bear everything."""
    return "sub" if quality == "main" and link is not LinkLevel.FULL else quality


def out_of_step(track: Track, link: LinkLevel) -> bool:
    """Whether the track must be given another stream, now that its link is like this.

    Where a stream could not be shown for its codec, there is no other to choose.
    """
    return track.camera_id is not None and not track.tried and adapted(track.quality, link) != track.asked


def note(track: Track, link: LinkLevel) -> Note | None:
    """What a tile with a picture adds to its state."""
    if link is LinkLevel.FULL:
        return None
    if link is LinkLevel.KEYS:
        return "link_keys"
    lowered = track.quality != track.asked and not track.tried
    return "link_sub" if lowered and track.chosen is not None and track.chosen.role == "sub" else "link_poor"
