"""The hub's commands that read the relay's counters: the short pulse and all figures."""

import asyncio
import os
import resource
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from camera_hub.clock import Clock
from camera_hub.compiled import compiled
from camera_hub.event_loop import LoopMeter
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import RelayPulse
from camera_hub.relay.process.dispatcher import Command, Empty, Reply, command
from camera_hub.relay.process.health import rss_bytes
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.relay.process.port_commands import PortCommands
from camera_hub.relay.process.traffic import TrafficMeter
from camera_hub.relay.process.viewers import ViewerTasks
from camera_hub.relay.rtsp_server.server import RtspServer


class RelayFigures:
    """Reads what the other parts count; changes nothing."""

    def __init__(
        self,
        clock: Clock,
        meter: LoopMeter,
        outbox: HubOutbox,
        feeds: Mapping[str, Feed],
        viewers: ViewerTasks,
        ports: PortCommands,
        rtsp: RtspServer,
    ) -> None:
        self._clock = clock
        self._meter = meter
        self._outbox = outbox
        self._feeds = feeds
        self._viewers = viewers
        self._ports = ports
        self._rtsp = rtsp
        self._traffic = TrafficMeter(feeds)
        self._began = clock.monotonic()

    def commands(self) -> Mapping[str, Command]:
        """By type of message."""
        return {"pulse": command(Empty.of, self.pulse), "figures": command(Empty.of, self.figures)}

    async def pulse(self, _: Empty) -> Reply:
        """Whether the relay is well; the hub replaces one that does not answer."""
        return self._pulse().head("pulse")

    async def figures(self, _: Empty) -> Reply:
        """Everything that is counted."""
        viewers = self._viewers.read_figures()
        return {
            "relay": {
                **self._process(),
                **self._sending(),
                **self._outbox.read_figures(),
                **self._viewers.read_totals(viewers),
                **self._rtsp.read_totals(),
            },
            "feeds": {
                name: feed.read_figures() | asdict(self._traffic.rate(name)) for name, feed in self._feeds.items()
            },
            "viewers": viewers,
            "rtsp": self._rtsp.read_figures(),
        }

    def _pulse(self) -> RelayPulse:
        meter, traffic = self._meter, self._traffic.measure(self._clock.monotonic())
        return RelayPulse(
            rss_bytes(), meter.median, meter.longest, meter.late, meter.busy, meter.cpu, **asdict(traffic)
        )

    def _process(self) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "pid": os.getpid(),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            **asdict(self._pulse()),
            "rss_max_bytes": usage.ru_maxrss * 1024,
            "uptime": self._clock.monotonic() - self._began,
            "tasks": len(asyncio.all_tasks()),
            "code": "compiled" if compiled() else "plain",
        }

    def _sending(self) -> dict[str, Any]:
        opened = self._ports.opened
        if opened is None:
            return {"gso": False, "sending": None, "udp_port": None, "datagrams": {}}
        port, fanout = opened.port, opened.fanout
        return {
            "gso": fanout.gso,
            "sending": fanout.name,
            "udp_port": port.number,
            "datagrams": dict(port.counts),
        }
