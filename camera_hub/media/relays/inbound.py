"""What relays report, passed on to whom it concerns; and what a fresh process must be sent first.

Messages are checked where they are decoded (relay.messages, message_decoder), and nowhere else.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.feeds.login_permits import LoginProcess
from camera_hub.media.relays.link import RelayLink
from camera_hub.message_decoder import MessageError
from camera_hub.relay.messages import (
    AudioState,
    FeedLearnt,
    FeedState,
    KeyFrame,
    LinkState,
    LoginAsk,
    LoginSaid,
    RtspEnded,
    SyncWanted,
    TrackState,
    ViewerState,
)
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)


class FeedObserver(Protocol):
    """feeds.feed_reports"""

    def on_feed_state(self, relay: int, state: FeedState) -> None: ...
    def on_key_frame(self, relay: int, frame: KeyFrame, data: bytes) -> None: ...
    def on_sync_wanted(self, relay: int, feed: str) -> None: ...
    def on_feed_learnt(self, relay: int, learnt: FeedLearnt) -> None: ...


class TileObserver(Protocol):
    """wall.tile_reports"""

    def on_track_state(self, state: TrackState) -> None: ...
    def on_link_state(self, state: LinkState) -> None: ...


class AudioObserver(Protocol):
    """wall.audio"""

    def on_audio_state(self, state: AudioState) -> None: ...


class ViewerObserver(Protocol):
    """wall.viewers"""

    def on_viewer_closed(self, viewer_id: str, reason: str) -> None: ...
    def on_relay_replaced(self, relay: int, epoch: int) -> None: ...


class PlayerObserver(Protocol):
    """rtsp_out.service"""

    def on_player_request(self, number: int, frame: PipeFrame) -> None: ...
    def on_player_ended(self, number: int, ended: RtspEnded) -> None: ...


class LoginObserver(Protocol):
    """feeds.login_permits"""

    def on_login_request(self, process: LoginProcess, key: FeedKey, turn: int) -> None: ...
    def on_outcome(self, process: int, said: LoginSaid) -> None: ...
    def on_process_ended(self, process: int) -> None: ...


class InboundMessages:
    """Of all relays (supervisor.RelayObserver). A message that cannot be read is counted and logged; the relay goes on.

    `started` are called first when a process has taken over: it must be sent the desired state before anything else.
    """

    def __init__(
        self,
        started: Sequence[Callable[[int], None]],
        feeds: FeedObserver,
        tiles: TileObserver,
        audio: AudioObserver,
        viewers: ViewerObserver,
        players: PlayerObserver,
        logins: LoginObserver,
    ) -> None:
        self._started = started
        self._feeds = feeds
        self._tiles = tiles
        self._audio = audio
        self._viewers = viewers
        self._players = players
        self._logins = logins
        self.unreadable = 0

    def on_relay_started(self, relay: RelayLink) -> None:
        for call in self._started:
            call(relay.number)
        if relay.epoch > 1:
            self._viewers.on_relay_replaced(relay.number, relay.epoch)

    def on_relay_message(self, relay: RelayLink, frame: PipeFrame) -> None:
        with self._counting(relay, frame):
            self._dispatch(relay, frame)

    def on_login_message(self, relay: RelayLink, process: LoginProcess, frame: PipeFrame) -> None:
        with self._counting(relay, frame):
            if frame.type == "login.said":
                self._logins.on_outcome(process.id, LoginSaid.of(frame.head))
            else:
                ask = LoginAsk.of(frame.head)
                self._logins.on_login_request(process, FeedKey(relay.number, ask.feed), ask.turn)

    def on_process_ended(self, process: LoginProcess) -> None:
        self._logins.on_process_ended(process.id)

    @contextmanager
    def _counting(self, relay: RelayLink, frame: PipeFrame) -> Iterator[None]:
        try:
            yield
        except MessageError as error:
            self.unreadable += 1
            log.error("relay %d sent a %s that cannot be read: %s", relay.number, frame.type, error)

    def _dispatch(self, relay: RelayLink, frame: PipeFrame) -> None:
        match frame.type:
            case "feed.state":
                self._feeds.on_feed_state(relay.number, FeedState.of(frame.head))
            case "track.state":
                self._tiles.on_track_state(TrackState.of(frame.head))
            case "audio.state":
                self._audio.on_audio_state(AudioState.of(frame.head))
            case "viewer.link":
                self._tiles.on_link_state(LinkState.of(frame.head))
            case "key_frame":
                self._feeds.on_key_frame(relay.number, KeyFrame.of(frame.head), frame.body)
            case "sync.wanted":
                self._feeds.on_sync_wanted(relay.number, SyncWanted.of(frame.head).feed)
            case "feed.learnt":
                self._feeds.on_feed_learnt(relay.number, FeedLearnt.of(frame.head))
            case "viewer.state":
                state = ViewerState.of(frame.head)
                if state.state == "closed":
                    self._viewers.on_viewer_closed(state.viewer, state.reason or "closed")
            case "rtsp.ask":
                self._players.on_player_request(relay.number, frame)
            case "rtsp.ended":
                self._players.on_player_ended(relay.number, RtspEnded.of(frame.head))
            case _:
                raise MessageError("there is no such message")
