"""The hub's end of a relay's pipe, for tests: calls, and waiting for what the relay says."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from camera_hub.clock import SystemClock
from camera_hub.relay.messages import FeedSpec, RelayConfig, RtspLiveSource
from camera_hub.relay.process.relay import Relay
from camera_hub.running import running
from camera_hub.wire import Pipe, PipeFrame
from tests.relay.camera import Camera


class Hub:
    """Keeps all that was said; `until` waits for a word that fits, looking at what was said before too."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.said: list[PipeFrame] = []
        self._more = asyncio.Condition()
        self.reads = asyncio.Event()
        """Cleared: a hub that hangs, and reads nothing more (but what its stream has buffered)."""
        self.reads.set()

    async def listen(self) -> None:
        while (frame := await self.pipe.receive()) is not None:
            await self.reads.wait()
            async with self._more:
                self.said.append(frame)
                self._more.notify_all()

    async def port(self) -> int:
        """The relay's UDP port."""
        return int((await self.call("figures"))["relay"]["udp_port"])

    async def until(
        self, type_: str, fits: Callable[[dict[str, Any]], bool] = lambda head: True, *, since: int = 0
    ) -> PipeFrame:
        """The first fitting word after the first `since` words."""
        async with asyncio.timeout(60), self._more:
            while True:
                for frame in self.said[since:]:
                    if frame.type == type_ and fits(frame.head):
                        return frame
                await self._more.wait()

    async def call(self, type_: str, **values: Any) -> dict[str, Any]:
        return (await self.pipe.call({"type": type_, **values})).head

    async def open(self, feed: str, camera: Camera, **values: Any) -> FeedSpec:
        """Open a feed of the camera; `values` are of its source, or of the feed itself."""
        of_source = {name: values.pop(name) for name in ("username", "password", "transport") if name in values}
        spec = FeedSpec(feed, RtspLiveSource(camera.url, "127.0.0.1", camera.port, **of_source), **values)
        await self.pipe.call(spec.head("feed.open"))
        return spec

    async def state(self, feed: str, phase: str) -> dict[str, Any]:
        """Wait for a phase of a feed."""
        return (await self.until("feed.state", lambda head: head["feed"] == feed and head["phase"] == phase)).head


@asynccontextmanager
async def relay(**config: Any) -> AsyncIterator[Hub]:
    """A relay in this process on a real socket pair, configured."""
    ours, theirs = socket.socketpair()
    near, far = [Pipe(*await asyncio.open_connection(sock=end)) for end in (ours, theirs)]
    hub = Hub(near)
    try:
        async with running(hub.listen(), "test hub"):
            serving = asyncio.create_task(Relay(far, SystemClock()).run(), name="relay under test")
            try:
                await near.call(configured(config).head("configure"))
                yield hub
            finally:
                await near.close()
                await asyncio.wait_for(serving, 60)
    finally:
        await near.close()
        await far.close()


@asynccontextmanager
async def relay_process(**config: Any) -> AsyncIterator[tuple[Hub, int]]:
    """A relay in a process of its own, as the hub starts it, and its process id."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "camera_hub.relay", "--fd", str(theirs.fileno())), pass_fds=[theirs.fileno()]
    )
    theirs.close()
    pipe = Pipe(*await asyncio.open_connection(sock=ours))
    hub = Hub(pipe)
    async with running(hub.listen(), "test hub"):
        try:
            await pipe.call(configured(config).head("configure"), deadline=300)
            yield hub, process.pid
        finally:
            await pipe.close()
            await asyncio.wait_for(process.wait(), 60)


def configured(config: dict[str, Any]) -> RelayConfig:
    """On loopback alone, unless the test says otherwise."""
    return RelayConfig(**{"udp_host": "127.0.0.1", "announced_addresses": ("127.0.0.1",), **config})
