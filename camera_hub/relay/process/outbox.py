"""What the relay tells the hub unasked, in order and bounded: a hub that does not read must not fill our memory."""

import asyncio
from collections import deque
from typing import Any

from camera_hub.errors import HubError, Kind
from camera_hub.wire import Pipe

MAX_WORDS = 20_000
MAX_BODIES = 32


class HubOutbox:
    """`post` from anywhere, `run` sends. Key frames beyond MAX_BODIES are dropped, counted; states never are."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._waiting: deque[tuple[dict[str, Any], bytes]] = deque()
        self._bodies = 0
        self._awake = asyncio.Event()
        self.dropped = 0

    def post(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Queue one message. With over MAX_WORDS waiting the hub is dead; `run` then raises."""
        if body:
            if self._bodies >= MAX_BODIES:
                self.dropped += 1
                return
            self._bodies += 1
        self._waiting.append((head, body))
        self._awake.set()

    async def run(self) -> None:
        """Send until the hub is gone. Raises HubError when it no longer reads."""
        while True:
            await self._awake.wait()
            while self._waiting:
                if len(self._waiting) > MAX_WORDS:
                    raise HubError(Kind.UNAVAILABLE, "the hub does not read what the relay tells it")
                head, body = self._waiting.popleft()
                self._bodies -= bool(body)
                try:
                    await self._pipe.send(head, body)
                except HubError as error:
                    if error.kind is not Kind.TOO_LARGE:
                        return
                    self.dropped += 1
            self._awake.clear()
