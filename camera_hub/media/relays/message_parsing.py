"""Heads of a relay's messages as values, with their words checked. Raise TypeError, ValueError or KeyError."""

from dataclasses import replace
from typing import Any

from camera_hub.relay.messages import (
    Audio,
    AudioState,
    FeedPhase,
    FeedState,
    LinkLevel,
    LinkState,
    TrackPhase,
    TrackState,
)


def feed_state(head: dict[str, Any]) -> FeedState:
    """A feed.state message."""
    state = FeedState.of(head)
    return replace(state, phase=FeedPhase(state.phase), audio=Audio(state.audio) if state.audio is not None else None)


def track_state(head: dict[str, Any]) -> TrackState:
    """A track.state message."""
    return replace(TrackState.of(head), phase=TrackPhase(head["phase"]))


def audio_state(head: dict[str, Any]) -> AudioState:
    """An audio.state message."""
    return replace(AudioState.of(head), phase=TrackPhase(head["phase"]))


def link_state(head: dict[str, Any]) -> LinkState:
    """A viewer.link message."""
    return replace(LinkState.of(head), level=LinkLevel(head["level"]))
