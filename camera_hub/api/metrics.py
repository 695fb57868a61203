"""Metrics in Prometheus's text format. Labels are ids, never names or addresses. The only user of prometheus_client.

A scraper has no session: it sends the token from the settings (`metrics.token`) as a bearer token. If none is set, only
users who may read the state of the system have access.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import HTTPConnection

from camera_hub import __version__
from camera_hub.acceptor import ConnectionFigures
from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import Needs, part
from camera_hub.cameras.device_events.listening import DeviceEvents, EventFigures
from camera_hub.cameras.discovery.announcements import Announcements
from camera_hub.cameras.matches.trust import DeviceTrust
from camera_hub.cameras.matches.watch import MoveWatch
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.media.readings import MediaReadings, Readings
from camera_hub.settings import Settings

router = APIRouter(tags=["system"])


class NeedsOrToken(Needs):
    """As Needs; the scraper's token is accepted instead of a session. Returns the actor, None for the scraper."""

    async def __call__(self, connection: HTTPConnection) -> Actor | None:  # type: ignore[override]  # the one route knows
        settings: Settings = connection.app.state.parts[Settings]
        shown = connection.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if settings.metrics.token and hmac.compare_digest(shown, settings.metrics.token.get_secret_value().encode()):
            return None
        return await super().__call__(connection)


@router.get("/metrics", response_class=Response)
async def metrics(
    actor: Annotated[Actor | None, Depends(NeedsOrToken(Action.READ_SYSTEM))],
    media: Annotated[MediaReadings, part(MediaReadings)],
    rounds: Annotated[Rounds, part(Rounds)],
    connections: Annotated[ConnectionFigures, part(ConnectionFigures)],
    device_events: Annotated[DeviceEvents, part(DeviceEvents)],
    announcements: Annotated[Announcements, part(Announcements)],
    watch: Annotated[MoveWatch, part(MoveWatch)],
    trust: Annotated[DeviceTrust, part(DeviceTrust)],
) -> Response:
    """Feeds, relays and eyes, as of the relays' last pulses; how far the rounds are; what is heard of devices."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_ReadingCollector(media.read(), rounds, connections))
    registry.register(_DeviceEventCollector(device_events.figures))
    registry.register(_IdentityCollector(announcements, watch, trust))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


_RELAY_COUNTERS = {
    "cpu_seconds": "CPU time of the relay process.",
    "sent_packets": "RTP packets sent to browsers.",
    "sent_bytes": "Bytes of SRTP sent to browsers.",
    "sent_frames": "Frames sent to browsers.",
    "sent_rtx": "Packets sent again on a browser's NACK.",
    "sent_rtx_missed": "Packets that browsers asked for after they had left the history.",
    "sent_pli": "Key frames that browsers asked for.",
    "sent_replays": "Cached GOPs sent.",
    "sent_dropped_frames": "Frames that slow viewers were not sent.",
    "sent_pacer_waits": "Times that a peer's pacer had to wait.",
    "sent_blocked": "Times that the UDP socket was full.",
    "sent_failed": "Packets that could not be encrypted or sent.",
    "dropped_key_frames": "Key frames that the hub did not accept in time.",
    "dropped_messages": "Messages to the hub dropped because it did not read.",
    "coalesced_states": "States that a newer one replaced before the hub had read them.",
    "hub_stalls": "Times that the hub had not read for ten seconds.",
    "players_bytes": "Bytes of video sent to players (RTSP out).",
    "players_packets": "RTP packets sent to players.",
    "players_dropped_frames": "Frames that slow players were not sent.",
    "players_turned_away": "Connections of players beyond the limit.",
}
_RELAY_GAUGES = {
    "rss_bytes": "Resident memory of the relay process.",
    "loop_lag_p50": "Median delay of the relay's event loop in the last ten seconds, seconds.",
    "loop_lag_max": "Longest delay of the relay's event loop in the last ten seconds, seconds.",
    "loop_late": "95th percentile of the delay of the relay's event loop in the last five seconds, seconds.",
    "loop_busy": "Share of its time in which the relay had something to do, or waited for a core to do it.",
    "cpu_share": "CPU time of the relay process as a share of one core.",
    "bits_in": "Bits per second from cameras.",
    "bits_out": "Bits per second to browsers and players.",
    "uptime": "Seconds since the relay process started.",
    "players": "Sessions of players (RTSP out).",
}
_FEED_COUNTERS = {
    "packets": "RTP packets from the camera.",
    "bytes": "Bytes of RTP from the camera.",
    "frames": "Whole frames.",
    "key_frames": "Key frames.",
    "gaps": "Gaps in the sequence numbers of the stream.",
    "repeats": "Packets that came again or too late.",
    "dropped": "Frames that were not passed on, for whatever cause.",
    "lost_gap": "Frames lost because packets were missing.",
    "lost_broken": "Frames lost because their packets did not make whole pictures.",
    "lost_restart": "Frames lost because the stream began anew without a key frame.",
    "lost_no_parameter_sets": "Frames lost because key frames came without parameter sets.",
    "lost_no_key_frame": "Frames before the first key frame.",
    "bad_packets": "Packets that were not RTP.",
    "foreign_payload": "Packets of a payload type that is not the stream's.",
    "foreign_ssrc": "Packets of another stream on the same channel.",
    "stream_restarts": "Times that a new SSRC or numbering began.",
    "jumps": "Jumps of the camera's RTP timestamps.",
    "opens": "Times that the stream was opened.",
    "failures": "Times that opening failed or the stream ended.",
}
_FEED_GAUGES = {
    "gop_seconds": "Time between the last two key frames, seconds.",
    "gop_frames": "Frames between the last two key frames.",
    "jitter": "Smoothed change of the frames' delay, seconds (RFC 3550 A.8).",
    "lateness": "By how much the last frame came later than the earliest ones, seconds.",
    "loss_percent": "Share of frames lost in the last 30 seconds where that is more than a few, per cent; else 0.",
    "tracks": "Tiles that show the feed.",
}
_LOAD_HELP = "0 = normal, 1 = busy (sub streams only, one look at a time that opens a stream), 2 = full (nothing new)."
_LOADS = ("normal", "busy", "full")
_HUB_GAUGES = {
    "loop_busy": "Share of its time in which the hub had something to do, or waited for a core to do it.",
    "loop_late": "95th percentile of the delay of the hub's event loop in the last five seconds, seconds.",
}
_HUB_COUNTERS = {
    "refused": "Pictures refused because a relay had no room for them.",
    "postponed": "Looks and warmed streams put off because live pictures needed the time.",
}
_ROUND_COUNTERS = {
    "looks": "Looks that rounds made at cameras.",
    "skipped": "Looks of rounds that said nothing about the camera, for the hub's own sake; they are made again soon.",
    "postponed": "Looks of rounds put off by about a round because live pictures needed the time.",
    "write_failures": "Times that the database did not accept what rounds had found.",
}
_CONNECTION_COUNTERS = {
    "accepted": "Connections accepted by the HTTP side.",
    "evicted": "Connections without a request closed to make room for new ones.",
    "refused": "Connections refused because all were in use.",
    "timed_out": "Requests that did not arrive, or answers that were not read, in time.",
    "exhausted": "Connections turned away because no descriptor was left.",
}
_EYE_COUNTERS = {
    "looks": "Key frames decoded.",
    "killed": "Eyes killed because of a picture.",
    "refused": "Looks refused.",
}


_DEVICE_EVENT_GAUGES = {
    "listening": "Subscriptions to devices' events.",
    "resting": "Devices that are not listened to until something about them changes.",
    "waiting": "Devices that are not listened to for want of room.",
}
_DEVICE_EVENT_COUNTERS = {
    "failures": "Subscriptions that failed.",
    "messages": "Messages that devices delivered.",
    "reports": "Messages about motion, tampering, video or hardware.",
    "unread": "Messages about anything else, which are dropped unread.",
    "dropped": "Messages beyond the limit of one answer.",
    "write_failures": "Times that the database did not accept what devices reported.",
}


class _DeviceEventCollector(Collector):
    """What is heard of devices as metric families."""

    def __init__(self, figures: EventFigures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for name, help_ in _DEVICE_EVENT_GAUGES.items():
            yield GaugeMetricFamily(f"camera_hub_device_events_{name}", help_, value=getattr(self._figures, name))
        for name, help_ in _DEVICE_EVENT_COUNTERS.items():
            yield CounterMetricFamily(f"camera_hub_device_events_{name}", help_, value=getattr(self._figures, name))


_ANNOUNCEMENT_COUNTERS = {
    "hellos": "Devices' announcements that they are there (WS-Discovery Hello).",
    "byes": "Devices' announcements that they leave.",
    "repeated": "Announcements that said nothing new.",
    "ignored": "Datagrams that announce no device.",
    "limited": "Datagrams beyond the limit, which were not read.",
}
_WATCH_COUNTERS = {
    "unknown": "Devices seen that are none of the registered ones.",
    "rested": "Devices seen again too soon to be looked at.",
    "unconfirmed": "Devices seen that were not found at that address.",
    "elsewhere_too": "Devices seen that still answer at their registered place, too.",
    "asked": "Questions about moved devices that were raised.",
    "missed": "Registered devices that said that they leave.",
}
_TRUST_COUNTERS = {
    "asked": "Times that a device was asked who it is before it gets its login.",
    "unanswered": "Times that it did not tell.",
    "strangers": "Other devices found at the place of a registered one.",
}


class _IdentityCollector(Collector):
    """What is heard of devices that come, go and move, and how often they are asked who they are."""

    def __init__(self, announcements: Announcements, watch: MoveWatch, trust: DeviceTrust) -> None:
        self._sources: tuple[tuple[str, Mapping[str, str], object], ...] = (
            ("announcements", _ANNOUNCEMENT_COUNTERS, announcements.figures),
            ("moves", _WATCH_COUNTERS, watch.figures),
            ("identity", _TRUST_COUNTERS, trust),
        )

    def collect(self) -> Iterator[Metric]:
        for noun, counters, figures in self._sources:
            for name, help_ in counters.items():
                yield CounterMetricFamily(f"camera_hub_{noun}_{name}", help_, value=getattr(figures, name))


class _ReadingCollector(Collector):
    """One reading as metric families."""

    def __init__(self, readings: Readings, rounds: Rounds, connections: ConnectionFigures) -> None:
        self._readings = readings
        self._rounds = rounds
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        about = GaugeMetricFamily("camera_hub_version", "1; the running version is its label.", labels=["version"])
        about.add_metric([__version__], 1)
        yield about
        yield from self._relays()
        yield from self._feeds()
        hub = self._readings.hub
        for name, help_ in _HUB_GAUGES.items():
            yield GaugeMetricFamily(f"camera_hub_{name}", help_, value=hub.get(name, 0.0))
        for name, help_ in _HUB_COUNTERS.items():
            yield CounterMetricFamily(f"camera_hub_{name}", help_, value=hub.get(name, 0))
        yield GaugeMetricFamily("camera_hub_load", _LOAD_HELP, value=_LOADS.index(hub.get("load", "normal")))
        for name, help_ in _ROUND_COUNTERS.items():
            yield CounterMetricFamily(f"camera_hub_rounds_{name}", help_, value=getattr(self._rounds, name))
        for name, help_ in _CONNECTION_COUNTERS.items():
            yield CounterMetricFamily(f"camera_hub_connections_{name}", help_, value=getattr(self._connections, name))
        for name, help_ in _EYE_COUNTERS.items():
            yield CounterMetricFamily(f"camera_hub_eye_{name}", help_, value=self._readings.eyes.get(name, 0))
        yield GaugeMetricFamily(
            "camera_hub_eye_waiting", "Looks waiting for an eye.", value=self._readings.eyes.get("waiting", 0)
        )

    def _relays(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("camera_hub_relay_up", "Whether the relay process runs.", labels=["relay"])
        starts = CounterMetricFamily("camera_hub_relay_starts", "Processes that this relay has had.", labels=["relay"])
        viewers = GaugeMetricFamily("camera_hub_relay_viewers", "Browser peers.", labels=["relay"])
        load = GaugeMetricFamily("camera_hub_relay_load", _LOAD_HELP, labels=["relay"])
        dropped = CounterMetricFamily(
            "camera_hub_relay_datagrams_dropped", "Datagrams dropped at the UDP port.", labels=["relay", "kind"]
        )
        rows: list[tuple[list[str], Mapping[str, Any]]] = []
        for relay in self._readings.relays:
            label = [str(relay.number)]
            up.add_metric(label, relay.up)
            starts.add_metric(label, relay.epoch)
            viewers.add_metric(label, relay.viewers)
            load.add_metric(label, _LOADS.index(relay.load))
            for kind, count in relay.values.get("datagrams", {}).items():
                dropped.add_metric([*label, kind], count)
            rows.append((label, relay.values))
        yield from (up, starts, viewers, dropped, load)
        yield from _families("relay", ["relay"], rows, _RELAY_COUNTERS, _RELAY_GAUGES)

    def _feeds(self) -> Iterator[Metric]:
        labels = ["camera", "stream", "relay"]
        rows = [([str(feed.camera_id), feed.role, str(feed.relay)], feed.values) for feed in self._readings.feeds]
        live = GaugeMetricFamily("camera_hub_feed_live", "Whether pictures arrive.", labels=labels)
        for label, values in rows:
            live.add_metric(label, values["phase"] == "live")
        yield live
        yield from _families("feed", labels, rows, _FEED_COUNTERS, _FEED_GAUGES)


def _families(
    noun: str,
    labels: list[str],
    rows: list[tuple[list[str], Mapping[str, Any]]],
    counters: Mapping[str, str],
    gauges: Mapping[str, str],
) -> Iterator[Metric]:
    for kinds, family in ((counters, CounterMetricFamily), (gauges, GaugeMetricFamily)):
        for name, help_ in kinds.items():
            made = family(f"camera_hub_{noun}_{name}", help_, labels=labels)
            for label, values in rows:
                if (value := values.get(name)) is not None:
                    made.add_metric(label, value)
            yield made
