"""Heads of a relay's messages as values, with their words checked. Raise TypeError, ValueError or KeyError."""

from dataclasses import replace
from typing import Any

from camera_hub.relay.messages import FeedPhase, FeedState, LinkLevel, LinkState, TrackPhase, TrackState


def feed_state(head: dict[str, Any]) -> FeedState:
    """A feed.state message."""
    return replace(FeedState.of(head), phase=FeedPhase(head["phase"]))


def track_state(head: dict[str, Any]) -> TrackState:
    """A track.state message."""
    return replace(TrackState.of(head), phase=TrackPhase(head["phase"]))


def link_state(head: dict[str, Any]) -> LinkState:
    """A viewer.link message."""
    return replace(LinkState.of(head), level=LinkLevel(head["level"]))
