"""Feeds by camera, for the rooms above: what the running ones report, and tours' feeds kept running in time."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.feed_states import CODEC_REASONS, FeedStates
from camera_hub.media.feeds.feeds import FeedLease, Feeds
from camera_hub.media.feeds.sub_stream_fallback import LateCameras
from camera_hub.media.interface import RELAYED_CODECS, PullableStream, Sources

log = logging.getLogger(__name__)

BROWSER_CODECS = frozenset({"h264"})
"""What every browser plays; warming must open the stream that a tile will ask for."""

ASK_AGAIN_SECONDS = 60.0
"""A camera whose stream could not be chosen is asked for again after that long, or once it has changed."""

OnRelay = Callable[[int], int]
"""Village → the relay that pulls its streams."""


class WarmCapacity(Protocol):
    """What the machine bears (capacity.capacity)."""

    def may_open(self, relay: int, purpose: Literal["warm", "ahead"]) -> bool: ...


@dataclass(slots=True)
class _WarmCamera:
    """The stream that was chosen for a camera, or nothing until `ask_at`; and who keeps it running."""

    stream: PullableStream | None
    ask_at: float
    leases: dict[str, tuple[FeedLease, float]] = field(default_factory=dict)  # holder → lease, until when
    until: float = 0.0


class CameraFeeds:
    """Streams are chosen once and kept while a camera is warm: renewing a lease reads nothing.

    Those of cameras that change meanwhile are chosen again, all that one call needs in one batch.
    """

    def __init__(
        self,
        feeds: Feeds,
        states: FeedStates,
        late: LateCameras,
        sources: Sources,
        clock: Clock,
        relay_of: OnRelay,
        capacity: WarmCapacity,
    ) -> None:
        self._feeds = feeds
        self._states = states
        self._late = late
        self._sources = sources
        self._clock = clock
        self._relay_of = relay_of
        self._capacity = capacity
        self._warm: dict[int, _WarmCamera] = {}

    async def warm(self, camera_ids: Sequence[int], holder: str, seconds: float, *, ahead: bool = False) -> None:
        """Keep the tile streams of these cameras running for `seconds`. Those that cannot run are left out.

        `ahead`: they are shown only if somebody asks; none is opened unless the machine has time to spare.
        """
        now, holder = self._clock.monotonic(), f"warm {holder}"
        wanted = list(dict.fromkeys(camera_ids))
        unknown = [camera for camera in wanted if not self._is_known(camera, now)]
        if unknown:
            await self._choose(unknown, holder)
        until = self._clock.monotonic() + seconds
        for camera_id in wanted:
            if (warm := self._warm.get(camera_id)) is not None:
                self._keep(camera_id, warm, holder, until, "ahead" if ahead else "warm")

    def feed_reason(self, camera_id: int) -> tuple[str, str | None] | None:
        """(phase, reason) of the camera's running feed, the best one if there are two; None when none runs."""
        for key in self._states.of_camera(camera_id):
            if (report := self._states.report(key)) is not None:
                rests = report.live and self._late.rests(camera_id)
                return report.state.phase.value, Reason.LATE if rests else report.reason
        return None

    def is_late(self, camera_id: int) -> bool:
        """Whether the camera's pictures come too late: one of its feeds' do, or its main stream rests for it."""
        reports = (self._states.report(key) for key in self._states.of_camera(camera_id))
        return self._late.rests(camera_id) or any(one is not None and one.reason == Reason.LATE for one in reports)

    def on_camera_changed(self, camera_id: int) -> None:
        """The next call chooses the camera's stream again."""
        if (warm := self._warm.get(camera_id)) is not None:
            warm.ask_at = 0.0

    def on_device_changed(self, device_id: int) -> None:
        """As for each of the device's cameras, and for those whose device is not known since they cannot run."""
        for warm in self._warm.values():
            if warm.stream is None or warm.stream.device_id == device_id:
                warm.ask_at = 0.0

    def on_events_lost(self) -> None:
        """Any camera may have changed."""
        for warm in self._warm.values():
            warm.ask_at = 0.0

    def sweep(self) -> None:
        """Forget what nobody keeps running any longer. Each second."""
        now = self._clock.monotonic()
        self._warm = {camera: warm for camera, warm in self._warm.items() if warm.until > now}
        for warm in self._warm.values():
            warm.leases = {holder: held for holder, held in warm.leases.items() if held[1] > now}

    def _is_known(self, camera_id: int, now: float) -> bool:
        """Whether nothing need be read for the camera: its feed runs, or it was found just now that it cannot."""
        warm = self._warm.get(camera_id)
        if warm is None or now >= warm.ask_at:
            return False
        return warm.stream is None or self._states.owner(self._key(warm.stream)) is not None

    def _key(self, stream: PullableStream) -> FeedKey:
        return FeedKey(self._relay_of(stream.village_id), stream.spec.feed)

    async def _choose(self, camera_ids: Sequence[int], holder: str) -> None:
        """Choose the streams that tiles will be shown, in one batch: H.264, else what is shown as pictures."""
        chosen = dict(await self._sources.choose_all(camera_ids, "auto", BROWSER_CODECS))
        pictured = [c for c, one in chosen.items() if isinstance(one, HubError) and one.reason in CODEC_REASONS]
        if pictured:
            chosen |= await self._sources.choose_all(pictured, "auto", RELAYED_CODECS)
        now = self._clock.monotonic()
        for camera_id, found in chosen.items():
            warm = self._warm.setdefault(camera_id, _WarmCamera(None, 0.0))
            if isinstance(found, HubError):
                log.info("camera %d is not kept running for %s: %s", camera_id, holder, found)
                warm.stream, warm.ask_at = None, now + ASK_AGAIN_SECONDS
                continue
            if warm.stream is not None and warm.stream.spec.feed != found.spec.feed:
                warm.leases.clear()  # of another stream; they run out by themselves
            warm.stream, warm.ask_at = found, float("inf")

    def _keep(
        self, camera_id: int, warm: _WarmCamera, holder: str, until: float, purpose: Literal["warm", "ahead"]
    ) -> None:
        warm.until = max(warm.until, until)
        if warm.stream is None:
            return
        lease = warm.leases[holder][0] if holder in warm.leases else None
        if lease is None or not lease.renew(until):
            key = self._key(warm.stream)
            if self._states.owner(key) is None and not self._capacity.may_open(key.relay, purpose):
                return  # live pictures go first; it is asked for again with the next renewal
            lease = self._feeds.acquire(key.relay, warm.stream, holder, until)
        warm.leases[holder] = (lease, until)
