"""`python -m camera_hub.bench.load --fd N`: a process with many light viewers, controlled over a pipe (see wire.py).

prepare {viewers, tracks, cipher, address, first,   reply {offers}: one SDP each; `first` numbers the first
         checked, timed}                            viewer, sockets are bound to `address`
connect {viewer, answer, deadline}                  reply when its DTLS is done
counts  {}                                          reply {…Counts}
checked {}                                          reply {viewers: [Checked]}; once, at the end
record  {on}                                        the timed viewers note from now on when frames arrive, or no more
arrivals {viewer}                                   reply {…Arrivals} of a timed viewer; once after each recording
close   {}                                          reply when all are closed

Sockets are polled every few milliseconds instead of at each packet: a sleeping receiver would be woken up by the
server's own system call, which is not a cost of a server whose viewers are on other machines.
"""

import argparse
import asyncio
import select
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from aiortc import RTCCertificate

from camera_hub.bench.counting import counts
from camera_hub.bench.plan import Cipher
from camera_hub.bench.timed_viewer import TimedViewer
from camera_hub.bench.viewer import TAGS, Viewer
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.running import ended, running
from camera_hub.wire import Pipe, PipeFrame

_SWEEP = 0.004
_CONSENT = 2.5
_REPORT = 1.0


class Load:
    """All viewers of this process."""

    def __init__(self, pipe: Pipe, clock: Clock) -> None:
        self._pipe = pipe
        self._clock = clock
        self._cipher: Cipher = "gcm"
        self._viewers: dict[int, Viewer] = {}
        self._connected: list[Viewer] = []
        self._ready = select.epoll()
        self._by_fd: dict[int, Viewer] = {}
        self._buffer = bytearray(2048)
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "prepare": self._prepare,
            "connect": self._connect,
            "counts": self._counts,
            "checked": self._checked,
            "record": self._record,
            "arrivals": self._arrivals,
            "close": self._close,
        }

    async def run(self) -> None:
        """Serve until the pipe closes."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(self._sweep_loop(), "sweep"))
            await stack.enter_async_context(running(self._every(_CONSENT, self._consent), "consent"))
            await stack.enter_async_context(running(self._every(_REPORT, self._report), "reports"))
            try:
                while (frame := await self._pipe.receive()) is not None:
                    task = asyncio.create_task(self._handle(frame))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
            finally:
                for task in list(self._tasks):
                    await ended(task)
                await self._close({})

    async def _handle(self, frame: PipeFrame) -> None:
        try:
            answer = await self._handlers[frame.type](frame.head)
        except HubError as error:
            await self._pipe.refuse(frame, error)
        except Exception as error:
            await self._pipe.refuse(frame, HubError(Kind.INTERNAL, f"{frame.type}: {type(error).__name__}: {error}"))
        else:
            await self._pipe.reply(frame, answer)

    async def _prepare(self, head: dict[str, Any]) -> dict[str, Any]:
        self._cipher = head["cipher"]
        certificate = RTCCertificate.generateCertificate()
        first, offers = int(head["first"]), []
        timed = frozenset(head["timed"])
        for number in range(first, first + int(head["viewers"])):
            checked = number - first < int(head["checked"])
            viewer = (TimedViewer if number in timed else Viewer)(
                number, self._cipher, certificate, self._clock, checked=checked, address=str(head["address"])
            )
            self._viewers[number] = viewer
            offers.append(viewer.offer(int(head["tracks"])))
        return {"offers": offers}

    async def _connect(self, head: dict[str, Any]) -> dict[str, Any]:
        viewer = self._viewers[int(head["viewer"])]
        self._by_fd[viewer.socket.fileno()] = viewer
        self._ready.register(viewer.socket.fileno(), select.EPOLLIN)
        deadline = float(head["deadline"])
        try:
            async with asyncio.timeout(deadline):
                await viewer.connect(str(head["answer"]), deadline)
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, f"the DTLS handshake took over {deadline:g} s") from error
        self._connected.append(viewer)
        return {}

    async def _counts(self, head: dict[str, Any]) -> dict[str, Any]:
        self._sweep()
        viewers = self._viewers.values()
        return asdict(
            counts(
                (named for viewer in viewers for named in viewer.named_streams()),
                TAGS[self._cipher],
                sum(viewer.foreign for viewer in viewers),
                sum(viewer.kernel_drops() for viewer in viewers),
            )
        )

    async def _checked(self, head: dict[str, Any]) -> dict[str, Any]:
        found = [viewer.checked() for viewer in self._viewers.values()]
        return {"viewers": [asdict(one) for one in found if one is not None]}

    async def _record(self, head: dict[str, Any]) -> dict[str, Any]:
        self._sweep()  # what waits in the sockets came before
        for viewer in self._viewers.values():
            if isinstance(viewer, TimedViewer):
                viewer.record(bool(head["on"]))
        return {}

    async def _arrivals(self, head: dict[str, Any]) -> dict[str, Any]:
        viewer = self._viewers[int(head["viewer"])]
        if not isinstance(viewer, TimedViewer):
            raise HubError(Kind.INVALID, f"viewer {viewer.number} is not timed")
        return viewer.arrivals().head()

    async def _close(self, head: dict[str, Any]) -> dict[str, Any]:
        viewers, self._viewers, self._connected = list(self._viewers.values()), {}, []
        for viewer in viewers:
            if self._by_fd.pop(viewer.socket.fileno(), None) is not None:
                self._ready.unregister(viewer.socket.fileno())
            await viewer.close()
        return {}

    async def _sweep_loop(self) -> None:
        while True:
            self._sweep()
            await self._clock.sleep(_SWEEP)

    def _sweep(self) -> None:
        by_fd, buffer = self._by_fd, self._buffer
        if by_fd:
            for fd, _ in self._ready.poll(0, len(by_fd)):
                by_fd[fd].drain(buffer)

    async def _every(self, seconds: float, work: Callable[[Viewer], Awaitable[None]]) -> None:
        """Do something for each viewer once in `seconds`, one after the other, so that the client causes no bursts."""
        while True:
            viewers = list(self._connected)
            for viewer in viewers:
                await work(viewer)
                await self._clock.sleep(seconds / len(viewers))
            if not viewers:
                await self._clock.sleep(seconds)

    async def _consent(self, viewer: Viewer) -> None:
        viewer.ice.check()

    async def _report(self, viewer: Viewer) -> None:
        await viewer.report()


async def serve(fd: int) -> None:
    """Serve the inherited socket until the bench closes it."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=fd)))
    try:
        await Load(pipe, SystemClock()).run()
    finally:
        await pipe.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="camera_hub.bench.load", description="Light viewers; started by the bench.")
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the bench")
    asyncio.run(serve(parser.parse_args().fd))


if __name__ == "__main__":
    main()
