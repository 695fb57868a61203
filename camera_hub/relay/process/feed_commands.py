"""The hub's commands about feeds: open, close, tap key frames, answer a login request."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import FeedName, FeedPhase, FeedSpec, FeedState, KeyFrameTap, LoginMay, RelayConfig
from camera_hub.relay.process.dispatcher import Command, Head, Reply, command
from camera_hub.relay.process.hub_notifier import HubNotifier

MAX_FEEDS = 4096


class FeedSubscribers(Protocol):
    """Viewers or players that may wait for a feed."""

    def feed_opened(self, feed: Feed) -> None:
        """A feed has been opened; those that wait for it subscribe."""
        ...


class FeedCommands:
    """`feeds` is read by other parts, which look feeds up by name; only this class changes it."""

    def __init__(
        self,
        feeds: MutableMapping[str, Feed],
        config: RelayConfig,
        clock: Clock,
        admission: AdmissionControl,
        permits: LoginPermitRequests,
        hub: HubNotifier,
        subscribers: Sequence[FeedSubscribers],
    ) -> None:
        self._feeds = feeds
        self._config = config
        self._clock = clock
        self._admission = admission
        self._permits = permits
        self._hub = hub
        self._subscribers = subscribers

    def commands(self) -> Mapping[str, Command]:
        """By type of message."""
        return {
            "feed.open": command(self._spec, self.open),
            "feed.close": command(FeedName.of, self.close),
            "feed.keys": command(KeyFrameTap.of, self.tap),
            "login.may": command(LoginMay.of, self.answer_login),
        }

    async def open(self, spec: FeedSpec) -> Reply:
        """Start pulling the feed, reopen it when its spec has changed, or report its state once more."""
        feed = self._feeds.get(spec.feed)
        if feed is not None:
            if feed.spec != spec or feed.state.final:
                await feed.reopen(spec)
            else:
                self._hub.on_feed_state(feed.state)
            return None
        if len(self._feeds) >= MAX_FEEDS:
            raise HubError(Kind.BUSY, f"the relay pulls {MAX_FEEDS} feeds already; close some, or run more relays")
        feed = Feed(spec, self._config, self._clock, self._admission, self._hub)
        self._feeds[spec.feed] = feed
        for one in self._subscribers:
            one.feed_opened(feed)
        feed.start()
        return None

    async def close(self, which: FeedName) -> Reply:
        """Stop pulling the feed; one that is not open is closed already."""
        feed = self._feeds.pop(which.feed, None)
        if feed is not None:
            self._hub.forget(feed.name)
            await feed.stop()
        return None

    async def close_all(self) -> None:
        """Stop pulling every feed."""
        for feed in list(self._feeds.values()):
            await feed.stop()

    async def tap(self, tap: KeyFrameTap) -> Reply:
        """Publish the feed's key frames, or no more."""
        feed = self._feeds.get(tap.feed)
        if feed is None:
            raise HubError(Kind.NOT_FOUND, "no such feed")
        feed.tap(tap.every)
        return None

    async def answer_login(self, answer: LoginMay) -> Reply:
        """The hub has answered a login request."""
        self._permits.on_answer(answer)
        return None

    def _spec(self, head: Head) -> FeedSpec:
        try:
            return FeedSpec.of(head)
        except HubError as error:  # the hub does not wait for the reply of this command; the feed's state reports it
            name = FeedName.of(head).feed
            self._hub.on_feed_state(
                FeedState(name, FeedPhase.FAILED, reason=error.reason, detail=error.detail, final=True)
            )
            raise
