"""The servers under test: their interface, and the two that are always available, the hub and stock aiortc."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from camera_hub.bench.clip import PAYLOAD_LIMIT
from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Helper, helper
from camera_hub.media.relays.supervisor import COMMAND as RELAY
from camera_hub.relay.messages import FeedPhase, FeedSpec, RelayConfig, RtspLiveSource
from camera_hub.running import running

BASELINE = (sys.executable, "-m", "camera_hub.bench.baseline")
LOOPBACK = "127.0.0.1"
VILLAGES = 16
"""Feeds are distributed over this many villages, since a relay opens only a few of one village at a time."""
_OPEN_SECONDS = 60.0


class MissingError(Exception):
    """The server is not installed here; the text names what is missing."""


class Server(Protocol):
    """A running server that pulls the source's stream.

    `pids`: its processes; their descendants count too. `address`: where viewers bind their sockets.
    """

    name: str
    pids: tuple[int, ...]
    gso: bool | None
    address: str

    async def answer(self, viewer: int, offer: str) -> str:
        """The SDP answer for one more viewer of the stream. Raises HubError."""
        ...


class Hub:
    """One or several of the hub's relay processes; viewers are distributed among them."""

    name = "hub"
    address = LOOPBACK

    def __init__(self, helpers: list[Helper]) -> None:
        self.pids = tuple(one.process.pid for one in helpers)
        self.gso: bool | None = None
        self._helpers = helpers
        self._live: set[tuple[int, str]] = set()
        self._failed = ""
        self._more = asyncio.Event()

    async def listen(self, number: int) -> None:
        """Receive the messages that one relay sends by itself; runs alongside everything else."""
        while (frame := await self._helpers[number].pipe.receive()) is not None:
            head = frame.head
            if frame.type == "feed.state" and head["phase"] == FeedPhase.LIVE:
                self._live.add((number, head["feed"]))
            elif frame.type == "feed.state" and head["phase"] == FeedPhase.FAILED:
                self._failed = f"{head['feed']}: {head['reason']} {head['detail']}"
            self._more.set()

    async def configure(self, viewers: int) -> None:
        """The first message to each relay."""
        config = RelayConfig(
            udp_host=LOOPBACK,
            announced_addresses=(LOOPBACK,),
            payload_limit=PAYLOAD_LIMIT,
            max_viewers=viewers,
            rtsp_host=LOOPBACK,
        )
        for one in self._helpers:
            reply = await one.pipe.call(config.head("configure"), deadline=15.0)
            self.gso = bool(reply.head["gso"])

    async def open(self, port: int, feeds: range, *, everywhere: bool = True) -> None:
        """Pull these lanes of the source, each at one relay or at all, until all are live. Raises HubError."""
        count = len(self._helpers)
        wanted = {
            (number, f"s{feed}") for feed in feeds for number in (range(count) if everywhere else (feed % count,))
        }
        for number, feed in sorted(wanted):
            url = f"rtsp://{LOOPBACK}:{port}/{feed.removeprefix('s')}"
            village = f"v{int(feed.removeprefix('s')) % VILLAGES}"
            spec = FeedSpec(feed, RtspLiveSource(url, LOOPBACK, port, transport="tcp"), group=village)
            await self._helpers[number].pipe.call(spec.head("feed.open"))
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                while not wanted <= self._live:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError as error:
            missing = len(wanted - self._live)
            raise HubError(
                Kind.TIMEOUT, f"{missing} feeds did not go live in time; last failure: {self._failed}"
            ) from error

    async def answer(self, viewer: int, offer: str) -> str:
        pipe = self._helpers[viewer % len(self._helpers)].pipe
        return str((await pipe.call({"type": "viewer.offer", "viewer": f"v{viewer}", "sdp": offer})).head["sdp"])

    async def show(self, viewer: int, track: int, feed: int) -> None:
        """Point a track at a feed."""
        pipe = self._helpers[viewer % len(self._helpers)].pipe
        head = {"viewer": f"v{viewer}", "track": track, "feed": f"s{feed}", "serial": 1, "hold": False}
        await pipe.call({"type": "track.show", **head})

    async def figures(self) -> list[dict[str, Any]]:
        """What each relay reports about itself, its feeds and viewers."""
        return [(await one.pipe.call({"type": "figures"}, deadline=10.0)).head for one in self._helpers]


class OneFeedHub(Hub):
    """A hub whose viewers all watch the same feed."""

    async def answer(self, viewer: int, offer: str) -> str:
        sdp = await super().answer(viewer, offer)
        await self.show(viewer, 0, 0)
        return sdp


@asynccontextmanager
async def relays(count: int, viewers: int, kind: type[Hub], command: Sequence[str] = RELAY) -> AsyncIterator[Hub]:
    """That many relay processes, configured, while the block runs."""
    async with AsyncExitStack() as stack:
        made = kind([await stack.enter_async_context(helper(command)) for _ in range(count)])
        for number in range(count):
            await stack.enter_async_context(running(made.listen(number), f"relay {number}"))
        await made.configure(viewers)
        yield made


@asynccontextmanager
async def hub(port: int, viewers: int, count: int) -> AsyncIterator[Server]:
    """The hub's relays, pulling the source's first lane."""
    async with relays(count, viewers, OneFeedHub) as made:
        await made.open(port, range(1))
        yield made


class Aiortc:
    """Stock aiortc as a pass-through, in a separate process (baseline.py)."""

    name = "aiortc"
    address = LOOPBACK
    gso: bool | None = None

    def __init__(self, started: Helper) -> None:
        self.pids: tuple[int, ...] = (started.process.pid,)
        self._pipe = started.pipe

    async def answer(self, viewer: int, offer: str) -> str:
        return str((await self._pipe.call({"type": "offer", "sdp": offer}, deadline=20.0)).head["sdp"])


@asynccontextmanager
async def aiortc(port: int) -> AsyncIterator[Server]:
    """The baseline server, pulling the source's first lane."""
    async with helper(BASELINE) as started:

        async def listen() -> None:
            while await started.pipe.receive() is not None:
                pass

        async with running(listen(), "aiortc baseline"):
            await started.pipe.call({"type": "open", "url": f"rtsp://127.0.0.1:{port}/0"}, deadline=_OPEN_SECONDS)
            yield Aiortc(started)
