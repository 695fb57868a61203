"""The hub's commands about viewers: offer, close, switch a track, listen, read counters."""

from collections.abc import Mapping
from typing import Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import (
    AudioListen,
    FeedSpec,
    RelayConfig,
    TrackShow,
    ViewerFiguresRequest,
    ViewerName,
    ViewerOffer,
)
from camera_hub.relay.peer.events import ViewerEvents
from camera_hub.relay.peer.viewer import PeerEnvironment, Viewer
from camera_hub.relay.process.dispatcher import Command, Reply, command
from camera_hub.relay.process.port_commands import OpenPort
from camera_hub.relay.process.viewers import ViewerTasks
from camera_hub.relay.webrtc.answer import machine_addresses, usable_addresses
from camera_hub.relay.webrtc.dtls import CertificateStore
from camera_hub.relay.webrtc.offer import read_offer


class Ports(Protocol):
    """The UDP port, once it is open."""

    @property
    def opened(self) -> OpenPort | None: ...


class Watching(Protocol):
    """Learns of feeds that a person watches: they are opened first."""

    def watched(self, spec: FeedSpec) -> None: ...


class ViewerCommands:
    """`feeds` is changed by FeedCommands alone."""

    def __init__(
        self,
        viewers: ViewerTasks,
        feeds: Mapping[str, Feed],
        ports: Ports,
        config: RelayConfig,
        clock: Clock,
        events: ViewerEvents,
        admission: Watching,
    ) -> None:
        self._viewers = viewers
        self._feeds = feeds
        self._ports = ports
        self._config = config
        self._clock = clock
        self._events = events
        self._admission = admission
        self._certificates = CertificateStore(clock)

    def commands(self) -> Mapping[str, Command]:
        """By type of message."""
        return {
            "viewer.offer": command(ViewerOffer.of, self.offer),
            "viewer.close": command(ViewerName.of, self.close),
            "viewer.figures": command(ViewerFiguresRequest.of, self.read_figures),
            "track.show": command(TrackShow.of, self.show),
            "audio.listen": command(AudioListen.of, self.listen),
        }

    async def offer(self, asked: ViewerOffer) -> Reply:
        """Answer a browser's offer. A viewer of the same name is replaced. Raises HubError."""
        opened = self._ports.opened
        if opened is None:
            raise HubError(Kind.UNAVAILABLE, "another relay process has the port; try again in a second")
        offer = read_offer(asked.sdp, audio=asked.audio, audio_codec=asked.audio_codec, tracks=asked.tracks)
        if asked.tracks is None and all(section.types is None for section in offer.sections):
            raise HubError(Kind.UNSUPPORTED, "this browser offers no H.264", reason=Reason.NO_H264)
        if not any(section.served for section in offer.sections):
            raise HubError(
                Kind.UNSUPPORTED,
                "the offer has no video section that takes H.264 or H.265 (packetization mode 1, with rtcp-mux, "
                "recvonly or sendrecv); cameras send nothing else, and nothing is re-encoded",
                reason=Reason.NO_H264,
            )
        await self._viewers.close(asked.viewer, "replaced")
        most = self._config.max_viewers
        if len(self._viewers) >= most:
            raise HubError(Kind.BUSY, f"{most} viewers are connected already; close one", reason="busy")
        environment = PeerEnvironment(
            opened.port, opened.fanout, self._certificates.current(), self._config, self._clock
        )
        viewer = Viewer(asked.viewer, offer, environment, self._events)
        await self._viewers.start(viewer)
        addresses = usable_addresses(self._config.announced_addresses, machine_addresses(), ipv6=opened.port.ipv6)
        return viewer.answer(addresses).head("viewer.offer.reply")

    async def close(self, which: ViewerName) -> Reply:
        """Close a viewer; one that is not there is closed already."""
        await self._viewers.close(which.viewer)
        return None

    async def show(self, show: TrackShow) -> Reply:
        """Switch a track to a feed."""
        viewer = self._viewers.get(show.viewer)
        if viewer is None or show.track >= len(viewer.tiles):
            raise HubError(Kind.NOT_FOUND, "no such viewer or track")
        feed = self._feeds.get(show.feed) if show.feed is not None else None
        viewer.tiles[show.track].show(show.feed, feed, show.serial, hold=show.hold)
        if feed is not None:
            self._admission.watched(feed.spec)
        return None

    async def listen(self, listen: AudioListen) -> Reply:
        """Send a feed's audio to a viewer."""
        viewer = self._viewers.get(listen.viewer)
        if viewer is None or viewer.listener is None:
            raise HubError(Kind.NOT_FOUND, "no such viewer, or one without audio")
        feed = self._feeds.get(listen.feed) if listen.feed is not None else None
        viewer.listener.listen(listen.feed, feed, listen.serial)
        return None

    async def read_figures(self, asked: ViewerFiguresRequest) -> Reply:
        """Counters of a viewer, of the feeds that its tiles show and of those named."""
        viewer = self._viewers.get(asked.viewer)
        if viewer is None:
            raise HubError(Kind.NOT_FOUND, "no such viewer")
        shown = {tile.wanted for tile in viewer.tiles}.union(asked.feeds)
        feeds = {name: feed.read_figures() for name, feed in self._feeds.items() if name in shown}
        return {"at": self._clock.monotonic(), "viewer": viewer.read_figures(), "feeds": feeds}
