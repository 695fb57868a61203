"""Streams of cameras that play need not be chosen again: neither the database nor the device is asked for a tile that
shows what runs already.

What was chosen is forgotten as soon as the camera, its device or village changes, and asked for where its feed is not
live, so that a new address, login or codec is never missed.
"""

from collections import OrderedDict
from collections.abc import Callable

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.media.interface import PullableStream, Quality, Sources

_MOST = 8192
"""Choices that are kept: several of each camera, by quality and by what viewers decode."""

_Choice = tuple[int, Quality, frozenset[str]]


class KnownStreams:
    """Implements wall.stream_selection.StreamSource."""

    def __init__(self, sources: Sources, states: FeedStates, relay_of: Callable[[int], int]) -> None:
        """`relay_of`: village → the relay that pulls its streams."""
        self._sources = sources
        self._states = states
        self._relay_of = relay_of
        self._known: OrderedDict[_Choice, PullableStream] = OrderedDict()
        self._changes = 0

    def __len__(self) -> int:
        return len(self._known)

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> PullableStream:
        """The stream to pull for a viewer that can decode these codecs. Raises HubError as Sources.choose."""
        choice = (camera_id, quality, codecs)
        known = self._known.get(choice)
        if known is not None and self._states.is_live(FeedKey(self._relay_of(known.village_id), known.spec.feed)):
            self._known.move_to_end(choice)
            return known
        changes = self._changes
        chosen = await self._sources.choose(camera_id, quality, codecs)
        if changes == self._changes:  # else it may be older than what changed meanwhile
            self._known[choice] = chosen
            self._known.move_to_end(choice)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return chosen

    def on_camera_changed(self, camera_id: int) -> None:
        """The camera's stream is chosen again next time."""
        self._forget(lambda stream: stream.camera_id == camera_id)

    def on_device_changed(self, device_id: int) -> None:
        """As for each of the device's cameras."""
        self._forget(lambda stream: stream.device_id == device_id)

    def on_village_changed(self, village_id: int) -> None:
        """As for each of the village's cameras: other addresses may be allowed there now."""
        self._forget(lambda stream: stream.village_id == village_id)

    def on_events_lost(self) -> None:
        """Any camera may have changed."""
        self._forget(lambda _: True)

    def _forget(self, concerned: Callable[[PullableStream], bool]) -> None:
        self._changes += 1
        for choice in [choice for choice, stream in self._known.items() if concerned(stream)]:
            del self._known[choice]
