"""Messages that the relay sends to the hub unasked: in order, bounded, and current after a hub that did not read.

The queue is always a subsequence of what was posted. As long as the hub keeps up it is all of it. Once the hub lags, a
newer state replaces the unsent one of the same feed, viewer or track. Beyond the bounds key frames are dropped first,
oldest first, then other messages, oldest first. Every message that is left out is counted.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.running import ended
from camera_hub.wire import Pipe, PipeFrame, encode

log = logging.getLogger(__name__)

MAX_MESSAGES = 20_000
MAX_BYTES = 24 * 1024 * 1024
MAX_KEY_FRAMES = 32
LAG_MESSAGES = 500
"""From so many unsent messages on, states are coalesced."""
AT_ONCE = 16
"""Messages after which the event loop gets its turn, should the kernel accept them all."""
STALL_SECONDS = 10.0
"""A hub that has read nothing for so long is reported as stalled, and again after each further such time."""

_KEYS = {
    "feed.state": ("feed",),
    "sync.wanted": ("feed",),
    "viewer.state": ("viewer",),
    "viewer.link": ("viewer",),
    "audio.state": ("viewer",),
    "track.state": ("viewer", "track"),
}
"""Messages of which only the newest matters, and the fields that tell what it is about."""


@dataclass(slots=True)
class OutboxFigures:
    """Counters since the relay began. Key frames and messages that were dropped, states that a newer one replaced
    unsent, and how often the hub was found stalled."""

    dropped_key_frames: int = 0
    dropped_messages: int = 0
    coalesced_states: int = 0
    hub_stalls: int = 0


@dataclass(frozen=True, slots=True)
class _Unsent:
    frame: bytes
    key: Hashable | None
    key_frame: bool


class HubOutbox:
    """`post` from anywhere, never blocks; `run` sends."""

    def __init__(self, pipe: Pipe, clock: Clock) -> None:
        self._pipe = pipe
        self._clock = clock
        self._unsent: OrderedDict[int, _Unsent] = OrderedDict()
        self._key_frames: OrderedDict[int, None] = OrderedDict()  # numbers of those among them
        self._newest: dict[Hashable, int] = {}  # while the hub lags: number of the newest state
        self._lagging = False
        self._bytes = 0
        self._number = 0
        self._awake = asyncio.Event()
        self.figures = OutboxFigures()

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages and bytes that are not sent yet."""
        return len(self._unsent), self._bytes

    def post(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Queue one message; a message with a body is a key frame."""
        try:
            frame = encode(PipeFrame(head, body))
        except HubError as error:
            log.warning("not sent to the hub: %s", error)
            self._count_drop(bool(body))
            return
        fields = _KEYS.get(str(head.get("type")))
        key = (head["type"], *(head[name] for name in fields)) if fields is not None else None
        self._number += 1
        self._unsent[self._number] = _Unsent(frame, key, bool(body))
        self._bytes += len(frame)
        if body:
            self._key_frames[self._number] = None
        if self._lagging:
            self._coalesce(self._number, key)
        elif len(self._unsent) >= LAG_MESSAGES:
            self._lagging = True
            for number, one in tuple(self._unsent.items()):
                self._coalesce(number, one.key)
        self._keep_bounds()
        self._awake.set()

    async def run(self) -> None:
        """Send until the hub is gone."""
        while True:
            await self._awake.wait()
            sent = 0
            while self._unsent:
                try:
                    self._pipe.write(self._remove(next(iter(self._unsent))).frame)
                    await self._drain()
                except HubError as error:
                    if error.kind is not Kind.UNAVAILABLE:
                        raise
                    return
                sent += 1
                if sent % AT_ONCE == 0:
                    await asyncio.sleep(0)
            self._lagging = False
            self._newest.clear()
            self._awake.clear()

    def read_figures(self) -> dict[str, int]:
        """The counters, and what waits now."""
        return {**asdict(self.figures), "unsent_messages": len(self._unsent), "unsent_bytes": self._bytes}

    async def _drain(self) -> None:
        """Wait until the kernel takes more. A stalled hub is reported each STALL_SECONDS, and waited for: only the end
        of the pipe means that it is gone."""
        if not self._pipe.backlog:
            await self._pipe.drain()  # returns at once, or raises because the hub is gone
            return
        draining = asyncio.ensure_future(self._pipe.drain())
        stalls = 0
        try:
            while not draining.done():
                timer = asyncio.ensure_future(self._clock.sleep(STALL_SECONDS))
                try:
                    await asyncio.wait([draining, timer], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await ended(timer)
                if not draining.done():
                    stalls += 1
                    self._report_stall(stalls)
        finally:
            if not draining.done():
                await ended(draining)
        await draining
        if stalls:
            log.warning("the hub reads again; %d messages waited", len(self._unsent))

    def _report_stall(self, stalls: int) -> None:
        self.figures.hub_stalls += 1
        log.warning(
            "the hub has not read for %g s: %d messages (%d bytes) wait, and newer states replace older ones; if this "
            "lasts, the hub hangs and must be restarted",
            stalls * STALL_SECONDS,
            len(self._unsent),
            self._bytes,
        )

    def _coalesce(self, number: int, key: Hashable | None) -> None:
        if key is None:
            return
        older = self._newest.get(key)
        if older is not None:
            self._remove(older)
            self.figures.coalesced_states += 1
        self._newest[key] = number

    def _keep_bounds(self) -> None:
        while len(self._key_frames) > MAX_KEY_FRAMES or (self._key_frames and self._over()):
            self._remove(next(iter(self._key_frames)))
            self._count_drop(key_frame=True)
        while self._over():
            self._remove(next(iter(self._unsent)))
            self._count_drop(key_frame=False)

    def _over(self) -> bool:
        return len(self._unsent) > MAX_MESSAGES or self._bytes > MAX_BYTES

    def _remove(self, number: int) -> _Unsent:
        one = self._unsent.pop(number)
        self._key_frames.pop(number, None)
        self._bytes -= len(one.frame)
        if one.key is not None and self._newest.get(one.key) == number:
            del self._newest[one.key]
        return one

    def _count_drop(self, key_frame: bool) -> None:
        if key_frame:
            self.figures.dropped_key_frames += 1
        else:
            self.figures.dropped_messages += 1
