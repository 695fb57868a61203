"""What is known of each feed: whose stream it is, and what its relay last reported of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from camera_hub.clock import Clock
from camera_hub.errors import Explanation, HubError, Kind, Param, Reason
from camera_hub.events import EventBus, FeedChanged
from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.interface import PullableStream, Role
from camera_hub.relay.messages import FeedPhase, FeedState

CODEC_REASONS = frozenset({Reason.NO_H264, Reason.B_FRAMES, Reason.CODEC_UNSUPPORTED})
"""Reasons that another stream of the same camera may cure."""

WEAK = frozenset({Reason.LATE, Reason.LOSSY})
"""Reasons of a feed whose pictures arrive all the same."""


@dataclass(frozen=True, slots=True)
class FeedOwner:
    """Whose stream a feed is."""

    stream_id: int
    camera_id: int
    device_id: int
    village_id: int
    role: Role

    @classmethod
    def of(cls, stream: PullableStream) -> "FeedOwner":
        return cls(stream.stream_id, stream.camera_id, stream.device_id, stream.village_id, stream.role)


@dataclass(frozen=True, slots=True)
class FeedReport:
    """A feed's last state, and since when it has been failing (until it is live again)."""

    state: FeedState
    failing_since: datetime | None = None
    reason: str | None = None
    detail: str = ""
    params: Mapping[str, Param] = field(default_factory=dict)
    failures: int = 0
    retry_at: datetime | None = None  # when a refused login is tried again
    was_live: bool = False

    @property
    def live(self) -> bool:
        return self.state.phase is FeedPhase.LIVE

    def error(self) -> HubError:
        """The failure as an error."""
        detail = self.detail or "the camera's stream does not arrive"
        return HubError(Kind.UNREACHABLE, detail, reason=self.reason or Reason.UNREACHABLE, **self.params)

    @property
    def weakness(self) -> Explanation | None:
        """What is wrong with pictures that arrive: they come late, or many are lost."""
        if not self.live or self.reason not in WEAK:
            return None
        return Explanation(self.reason, self.detail, self.params)


def next_report(before: FeedReport | None, state: FeedState, now: datetime) -> FeedReport:
    """The report after `state`. A retry that only connects does not make a failing feed a fresh one. Pure."""
    state = _with_known(before.state if before else None, state)
    if state.phase is FeedPhase.LIVE:
        if state.reason not in WEAK:
            return FeedReport(state, was_live=True)
        return FeedReport(state, reason=state.reason, detail=state.detail, params=state.params, was_live=True)
    if state.phase is FeedPhase.STOPPED:
        return FeedReport(state)
    earlier = before or FeedReport(state)
    if state.phase is not FeedPhase.FAILED:
        if state.reason is None:
            return replace(earlier, state=state)
        return replace(earlier, state=state, reason=state.reason, detail=state.detail, params=state.params)
    return FeedReport(
        state,
        failing_since=earlier.failing_since or now,
        reason=state.reason or Reason.UNREACHABLE,
        detail=state.detail,
        params=state.params,
        failures=earlier.failures + 1,
        retry_at=now + timedelta(seconds=state.retry_in) if state.retry_in is not None else None,
        was_live=earlier.was_live,
    )


def _with_known(before: FeedState | None, state: FeedState) -> FeedState:
    """What a stream is (codec, size, delays) is reported once per open and stays true in between."""
    if before is None:
        return state
    names = (
        "codec",
        "profile",
        "width",
        "height",
        "signalling_ms",
        "stream_ms",
        "key_frame_ms",
        "audio",
        "audio_codec",
    )
    kept = {name: getattr(before, name) for name in names if getattr(state, name) is None}
    return replace(state, **kept)


def _told(report: FeedReport) -> tuple[object, ...]:
    return report.state.phase, report.reason, report.params.get("cause")


class FeedStates:
    """Of all relays. Every change of a phase or reason is published as FeedChanged."""

    def __init__(self, bus: EventBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._owners: dict[FeedKey, FeedOwner] = {}
        self._by_camera: dict[int, dict[FeedKey, None]] = {}  # patrols ask of hundreds of cameras at once
        self._reports: dict[FeedKey, FeedReport] = {}
        self._waiters: dict[FeedKey, list[asyncio.Future[FeedReport]]] = {}

    def add(self, key: FeedKey, owner: FeedOwner) -> None:
        """The feed is wanted from now on."""
        before = self._owners.get(key)
        if before is not None and before.camera_id != owner.camera_id:
            self._leave(key, before)
        self._owners[key] = owner
        self._by_camera.setdefault(owner.camera_id, {})[key] = None

    def forget(self, key: FeedKey) -> None:
        """The feed is closed."""
        owner, report = self._owners.pop(key, None), self._reports.pop(key, None)
        if owner is not None:
            self._leave(key, owner)
        if owner is not None and report is not None:
            self._bus.publish(FeedChanged(owner.camera_id, owner.stream_id, FeedPhase.STOPPED, None))

    def restart(self, key: FeedKey) -> None:
        """The feed is opened by a process that knows nothing of it: what was reported is over."""
        self._reports.pop(key, None)

    def record(self, key: FeedKey, state: FeedState) -> FeedReport:
        """Keep what was reported of a feed that was added."""
        before = self._reports.get(key)
        report = self._reports[key] = next_report(before, state, self._clock.now())
        for waiter in self._waiters.pop(key, ()):
            if not waiter.done():
                waiter.set_result(report)
        if before is None or _told(before) != _told(report):
            owner = self._owners[key]
            self._bus.publish(FeedChanged(owner.camera_id, owner.stream_id, state.phase, report.reason))
        return report

    def report(self, key: FeedKey) -> FeedReport | None:
        """What was last reported of the feed."""
        return self._reports.get(key)

    async def next_report(self, key: FeedKey) -> FeedReport:
        """What is reported next of the feed. Whoever waits has a deadline of its own: a feed may be closed before."""
        waiter: asyncio.Future[FeedReport] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(key, []).append(waiter)
        try:
            return await waiter
        finally:
            if waiter in (left := self._waiters.get(key, [])):
                left.remove(waiter)
            if not left:
                self._waiters.pop(key, None)

    def owner(self, key: FeedKey) -> FeedOwner | None:
        """Whose stream it is; None when the feed is not wanted."""
        return self._owners.get(key)

    def is_live(self, key: FeedKey) -> bool:
        """Whether pictures arrive."""
        report = self._reports.get(key)
        return report is not None and report.live

    def live(self) -> list[FeedKey]:
        """All feeds whose pictures arrive."""
        return [key for key, report in self._reports.items() if report.live]

    def of_camera(self, camera_id: int, role: Role | None = None) -> list[FeedKey]:
        """Feeds of the camera that run or should, those that are live first."""
        keys = [key for key in self._by_camera.get(camera_id, ()) if role in (None, self._owners[key].role)]
        return sorted(keys, key=lambda key: not self.is_live(key))

    def of_device(self, device_id: int) -> list[FeedKey]:
        """Feeds of the device that run or should."""
        return [key for key, owner in self._owners.items() if owner.device_id == device_id]

    def _leave(self, key: FeedKey, owner: FeedOwner) -> None:
        keys = self._by_camera[owner.camera_id]
        keys.pop(key, None)
        if not keys:
            del self._by_camera[owner.camera_id]
