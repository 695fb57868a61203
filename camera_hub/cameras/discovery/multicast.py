"""Probing by multicast on every interface at once. It does not cross routers: villages behind one need ranges."""

import logging
from collections.abc import Iterable
from contextlib import AsyncExitStack

from camera_hub.cameras.discovery.interfaces import Interface
from camera_hub.cameras.discovery.udp import AnnouncementReceiver, OnAnnouncement, listening
from camera_hub.cameras.discovery.ws_discovery import GROUP, PORT
from camera_hub.clock import Clock

log = logging.getLogger(__name__)

REPEAT_SECONDS = 0.3


async def multicast(
    interfaces: Iterable[Interface],
    on_announcement: OnAnnouncement,
    clock: Clock,
    *,
    probes: int,
    listen_seconds: float,
    port: int = PORT,
) -> None:
    """Send Probes `probes` times on each interface, then listen for the rest of `listen_seconds`."""
    async with AsyncExitStack() as stack:
        receivers: list[AnnouncementReceiver] = []
        for interface in interfaces:
            try:
                receivers.append(await stack.enter_async_context(listening(on_announcement, interface.address)))
            except OSError as error:
                log.warning("interface %s cannot be searched: %s", interface.name, error)
        for number in range(probes):
            if number:
                await clock.sleep(REPEAT_SECONDS)
            for one in receivers:
                one.ask((GROUP, port))
        await clock.sleep(max(0.0, listen_seconds - REPEAT_SECONDS * (probes - 1)))
