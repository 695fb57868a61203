"""The relay: serves the hub's commands until the pipe closes. `_build` shows what it is made of."""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import replace

from camera_hub.clock import Clock
from camera_hub.compiled import compiled
from camera_hub.errors import HubError, Kind
from camera_hub.event_loop import LoopMeter
from camera_hub.relay.fanout.plain import MAX_PAYLOAD
from camera_hub.relay.fanout.sender_choice import plain_reason
from camera_hub.relay.ingest.admission import AdmissionControl
from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.ingest.login_permits import LoginPermitRequests
from camera_hub.relay.messages import Configured, RelayConfig
from camera_hub.relay.process.dispatcher import Command, Dispatcher, Reply, command
from camera_hub.relay.process.feed_commands import FeedCommands
from camera_hub.relay.process.figures import RelayFigures
from camera_hub.relay.process.gc_control import GcControl
from camera_hub.relay.process.hub_notifier import HubNotifier
from camera_hub.relay.process.outbox import HubOutbox
from camera_hub.relay.process.port_commands import PortCommands
from camera_hub.relay.process.rtsp_commands import RtspCommands
from camera_hub.relay.process.viewer_commands import ViewerCommands
from camera_hub.relay.process.viewers import ViewerTasks
from camera_hub.relay.rtsp_server.player_authorization import PlayerAuthorization
from camera_hub.relay.rtsp_server.server import RtspServer
from camera_hub.running import ended, running
from camera_hub.wire import Pipe

log = logging.getLogger(__name__)

OVERLOAD_SECONDS = 0.25
"""Lateness of the loop from which cameras are opened one by one, whatever the hub asks for."""


class Relay:
    """`run` serves one pipe until it closes. Until the hub has configured it, it knows that one command alone."""

    def __init__(self, pipe: Pipe, clock: Clock, meter: LoopMeter | None = None) -> None:
        self._pipe = pipe
        self._clock = clock
        self._outbox = HubOutbox(pipe, clock)
        self._meter = meter or LoopMeter(clock)
        self._garbage = GcControl(clock)
        self._stack = AsyncExitStack()
        self._configured = False
        self._dispatcher = Dispatcher(pipe)
        self._dispatcher.add({"configure": command(RelayConfig.of, self.configure)})

    async def run(self) -> None:
        """Serve until the hub closes the pipe; then close every viewer and feed."""
        sending = asyncio.create_task(self._outbox.run(), name="outbox")
        async with running(self._meter.run(), "loop meter"), running(self._garbage.run(), "garbage"), self._stack:
            try:
                while not sending.done():
                    frame = await self._pipe.receive()
                    if frame is None:
                        return
                    await self._dispatcher.handle(frame)
            finally:
                await ended(sending)

    async def configure(self, config: RelayConfig) -> Reply:
        """Build the relay, and accept all commands from now on."""
        if self._configured:
            raise HubError(Kind.CONFLICT, "the relay is configured already")
        async with AsyncExitStack() as stack:
            log.debug("the modules for each packet are %s", "compiled" if compiled() else "plain Python")
            if (reason := plain_reason(config.plain_sending)) is not None:
                log.warning("packets are sent one by one, which costs several times the CPU: %s", reason)
                limit = min(config.payload_limit, MAX_PAYLOAD)
                config = replace(config, plain_sending=True, payload_limit=limit)
            ports, commands = await self._build(config, stack)
            opened = await ports.open() if not config.standby else None
            self._stack.push_async_exit(stack.pop_all())
        self._configured = True
        self._dispatcher.add(commands)
        if opened is None:
            return Configured(config.udp_port, False).head("configure.reply")
        return Configured(opened.port.number, opened.fanout.gso).head("configure.reply")

    def _is_overloaded(self) -> bool:
        return self._meter.late >= OVERLOAD_SECONDS

    async def _build(self, config: RelayConfig, stack: AsyncExitStack) -> tuple[PortCommands, dict[str, Command]]:
        """From the cameras to the browsers. What is started first ends last."""
        clock, outbox = self._clock, self._outbox
        hub = HubNotifier(outbox, clock)
        permits = LoginPermitRequests(outbox.post, asks=config.asks_logins)
        admission = AdmissionControl(
            config.opens_per_village, config.opens_at_once, permits, clock, overloaded=self._is_overloaded
        )
        open_feeds: dict[str, Feed] = {}
        authorization = PlayerAuthorization(self._pipe, outbox, open_feeds, admission, hub)
        rtsp = RtspServer(authorization, config, clock)
        viewers = ViewerTasks(hub, self._garbage)
        feeds = FeedCommands(open_feeds, config, clock, admission, permits, hub, (viewers, rtsp))
        ports = PortCommands(config, viewers, rtsp)
        viewer_commands = ViewerCommands(viewers, open_feeds, ports, config, clock, hub, admission)
        figures = RelayFigures(clock, self._meter, outbox, open_feeds, viewers, ports, rtsp)
        await stack.enter_async_context(rtsp)
        await stack.enter_async_context(ports)
        stack.push_async_callback(feeds.close_all)
        stack.push_async_callback(viewers.close_all)
        parts = (feeds, ports, viewer_commands, RtspCommands(rtsp), figures)
        return ports, {name: one for part in parts for name, one in part.commands().items()}
