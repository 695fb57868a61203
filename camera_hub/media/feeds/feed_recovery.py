"""Feeds that fail or whose device has changed: where they are pulled from is asked again, and they are reopened."""

from collections.abc import Iterable
from dataclasses import replace

from camera_hub.cameras.credentials.login_budget import PAUSES
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Reason
from camera_hub.media.background import Background
from camera_hub.media.feeds.desired_state import DesiredFeeds, FeedKey
from camera_hub.media.feeds.feed_logins import FeedLogins
from camera_hub.media.feeds.feed_states import CODEC_REASONS, FeedReport, FeedStates
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.source_feedback import NOT_THE_ADDRESS
from camera_hub.media.interface import ALL_CODECS, Sources
from camera_hub.relay.messages import FeedSpec, RtspLiveSource

ASK_AGAIN_SECONDS = 30.0
"""After that long the source of a feed that fails is asked for its address again: it may have changed."""

_FINAL = CODEC_REASONS | PAUSES | {Reason.LOGIN_NEEDED, Reason.SOURCE_UNSUPPORTED}
"""Asking again cures none of these; a new login does, and comes as DeviceChanged. A login that rests is tried
again by the rules of its account (cameras.credentials.retry_rules)."""


class FeedRecovery:
    """Of all feeds that are held."""

    def __init__(
        self,
        feeds: Feeds,
        desired: DesiredFeeds,
        states: FeedStates,
        logins: FeedLogins,
        sources: Sources,
        background: Background,
        clock: Clock,
    ) -> None:
        self._feeds = feeds
        self._desired = desired
        self._states = states
        self._logins = logins
        self._sources = sources
        self._background = background
        self._clock = clock
        self._asked_at: dict[FeedKey, float] = {}  # of feeds that fail

    def sweep(self) -> None:
        """Ask again for what has failed for a while. Each second."""
        now, failing = self._clock.monotonic(), {}
        for key in self._desired.all():
            report = self._states.report(key)
            if report is None or report.failing_since is None:
                continue
            failing[key] = self._asked_at.get(key, now)
            if not self._desired.held(key) or self._desired.waits(key):
                continue
            if report.state.final and report.reason in PAUSES:
                spec = self._desired.spec(key)
                if spec is not None and self._logins.may_retry(key):
                    self._feeds.respecify(key, spec, reopen=True)
            elif self._worth_asking(report) and now - failing[key] >= ASK_AGAIN_SECONDS:
                failing[key] = now
                self._ask_again([key])
        self._asked_at = failing

    def on_device_changed(self, device_id: int) -> None:
        """A new address or login: the device's feeds follow it at once."""
        keys = self._states.of_device(device_id)
        for key in keys:
            if (owner := self._states.owner(key)) is not None:
                self._sources.doubt(owner.stream_id)
        self._ask_again(keys)

    def _worth_asking(self, report: FeedReport) -> bool:
        hopeless = _FINAL if report.state.final else _FINAL | NOT_THE_ADDRESS
        return report.reason not in hopeless

    def _ask_again(self, keys: Iterable[FeedKey]) -> None:
        for key in keys:
            self._background.start(f"ask again for {key.source_id} on relay {key.relay}", self._ask(key))

    async def _ask(self, key: FeedKey) -> None:
        """Where the stream is pulled from now; reopen the feed where that has changed or it was given up."""
        owner = self._states.owner(key)
        if owner is None:
            return
        try:
            chosen = await self._sources.choose(owner.camera_id, owner.role, ALL_CODECS)
        except HubError as error:
            if error.reason == Reason.IDENTITY_CHANGED:
                self._feeds.drop_camera(owner.camera_id)  # else another device is asked for this camera's picture
            raise
        before = self._desired.spec(key)
        if chosen.stream_id != owner.stream_id or before is None:
            return
        spec = replace(chosen.spec, feed=key.source_id, audio=before.audio)
        if not chosen.in_service and not _same_address(spec, before):
            self._feeds.drop_camera(owner.camera_id)  # it has moved and waits for approval: nobody may see it there
            return
        if self._states.is_live(key) and _same_but_for_the_path(spec, before):
            return  # platforms hand out another path at every question, and this one plays
        report = self._states.report(key)
        self._feeds.respecify(key, spec, reopen=report is not None and report.state.final)


def _same_address(spec: FeedSpec, before: FeedSpec) -> bool:
    one, other = spec.source, before.source
    if not isinstance(one, RtspLiveSource) or not isinstance(other, RtspLiveSource):
        return True
    return one.address == other.address


def _same_but_for_the_path(spec: FeedSpec, before: FeedSpec) -> bool:
    one, other = spec.source, before.source
    if not isinstance(one, RtspLiveSource) or not isinstance(other, RtspLiveSource):
        return spec == before
    return replace(spec, source=replace(one, url=other.url)) == before
