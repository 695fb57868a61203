"""What a viewer reports, declared where it is reported from; the relay forwards it to the hub."""

from typing import Protocol

from camera_hub.relay.messages import AudioState, LinkState, TrackState, ViewerState


class ViewerEvents(Protocol):
    """Called from a viewer's own tasks and from feeds; must not block or raise."""

    def on_viewer_state(self, state: ViewerState) -> None:
        """The viewer is connected."""
        ...

    def on_link_state(self, state: LinkState) -> None:
        """The level of the viewer's link has changed."""
        ...

    def on_track_state(self, state: TrackState) -> None:
        """What one of its tracks shows has changed."""
        ...

    def on_audio_state(self, state: AudioState) -> None:
        """What it hears has changed."""
        ...

    def on_key_frame_wanted(self, feed: str) -> None:
        """One of its tracks waits for this feed's key frame."""
        ...
