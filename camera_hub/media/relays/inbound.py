"""What relays say, passed on to whom it concerns; and what a fresh relay process must be told (relays.RelayOwner)."""

import logging

from camera_hub.events import EventBus, RelayRestarted
from camera_hub.media.feeds.feeds import Feeds
from camera_hub.media.feeds.login_permits import LoginPermits
from camera_hub.media.relays.message_parsing import audio_state, feed_state, link_state, track_state
from camera_hub.media.relays.process import RelayProcess
from camera_hub.media.relays.supervisor import RelaySupervisor
from camera_hub.media.rtsp_out.service import RtspOutService
from camera_hub.media.wall.audio import PageAudio
from camera_hub.media.wall.viewers import Viewers
from camera_hub.relay.messages import FeedSpec, KeyFrame, LoginSaid, RtspEnded, ViewerState
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)


class InboundMessages:
    """Of all relays. A message that cannot be read is counted and logged; the relay goes on."""

    def __init__(
        self,
        bus: EventBus,
        feeds: Feeds,
        viewers: Viewers,
        listening: PageAudio,
        rtsp_out: RtspOutService,
        permits: LoginPermits,
    ) -> None:
        self._bus = bus
        self._feeds = feeds
        self._viewers = viewers
        self._listening = listening
        self._rtsp_out = rtsp_out
        self._permits = permits
        self.odd_messages = 0

    def relay_started(self, relay: RelaySupervisor) -> None:
        self._feeds.relay_started(relay)
        self._rtsp_out.relay_started(relay)
        if relay.epoch > 1:
            self._viewers.relay_started(relay.number, relay.epoch)
            self._bus.publish(RelayRestarted(relay.number, relay.epoch))

    def relay_said(self, relay: RelaySupervisor, frame: PipeFrame) -> None:
        try:
            self._take(relay, frame)
        except (TypeError, ValueError, KeyError) as error:
            self.odd_messages += 1
            log.error("relay %d sent a %s that cannot be read: %s", relay.number, frame.type, error)

    def _take(self, relay: RelaySupervisor, frame: PipeFrame) -> None:
        match frame.type:
            case "feed.state":
                self._feeds.heard_state(relay, feed_state(frame.head))
            case "track.state":
                self._viewers.heard_track(track_state(frame.head))
            case "audio.state":
                self._listening.heard_audio(audio_state(frame.head))
            case "viewer.link":
                self._viewers.heard_link(link_state(frame.head))
            case "key_frame":
                self._feeds.heard_key_frame(relay, KeyFrame.of(frame.head), frame.body)
            case "sync.wanted":
                self._feeds.heard_sync_wanted(relay, str(frame.head["feed"]))
            case "viewer.state":
                state = ViewerState.of(frame.head)
                if state.state == "closed":
                    self._viewers.heard_closed(state.viewer, state.reason or "closed")
            case "rtsp.ask":
                self._rtsp_out.heard_ask(relay, frame)
            case "rtsp.ended":
                self._rtsp_out.heard_ended(relay, RtspEnded.of(frame.head))
            case _:
                raise ValueError("unknown message")

    def login_said(self, relay: RelaySupervisor, process: RelayProcess, frame: PipeFrame) -> None:
        try:
            if frame.type == "login.said":
                self._permits.said(process.id, LoginSaid.of(frame.head))
                return
            account = self._feeds.account(relay, str(frame.head["feed"]))
            turn = int(frame.head["turn"])
        except (TypeError, ValueError, KeyError) as error:
            self.odd_messages += 1
            log.error("relay %d sent a %s that cannot be read: %s", relay.number, frame.type, error)
            return
        self._permits.ask(process.id, turn, account, lambda may: process.post("login.may", may.head("login.may")))

    def relay_gone(self, process: RelayProcess) -> None:
        self._permits.gone(process.id)

    def playing_of(self, relay: RelaySupervisor) -> list[FeedSpec]:
        return self._feeds.playing_of(relay)

    def wanted_of(self, relay: RelaySupervisor) -> list[FeedSpec]:
        return self._feeds.wanted_of(relay)
