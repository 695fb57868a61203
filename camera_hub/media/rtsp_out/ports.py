"""The RTSP ports of the relays: open while somebody may come, and opened again where that failed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.media.background import Background
from camera_hub.media.relays.link import relay_of
from camera_hub.message_decoder import MessageError
from camera_hub.relay.messages import RtspState

log = logging.getLogger(__name__)

_RETRY_EVERY = 30.0


class Relay(Protocol):
    """A relay that has a port (relays.link)."""

    number: int

    @property
    def up(self) -> bool: ...
    async def call(self, type_: str, values: dict[str, Any]) -> dict[str, Any]: ...


class RtspPorts:
    """`wanted` says whether they should be open now; `update` asks it."""

    def __init__(
        self, relays: Sequence[Relay], background: Background, clock: Clock, wanted: Callable[[], bool]
    ) -> None:
        self._relays = relays
        self._background = background
        self._clock = clock
        self._wanted = wanted
        self._states: dict[int, RtspState] = {}
        self._open = False
        self._opening = asyncio.Lock()  # who asks while ports open or shut learns how that ended
        self._retried_at = clock.monotonic()

    def states(self) -> list[RtspState]:
        """Where each relay listens, in the order of relays."""
        nowhere = RtspState(None)
        return [self._states.get(relay.number, nowhere) for relay in self._relays]

    def of_village(self, village_id: int) -> int | None:
        """The port at which the village's cameras are pulled already for browsers; None while none is open."""
        state = self._states.get(relay_of(village_id, len(self._relays)))
        return state.port if state is not None else None

    async def update(self) -> None:
        """Open or shut the ports, as is wanted now."""
        async with self._opening:
            wanted = self._wanted()
            if wanted != self._open:
                self._open = wanted
                for relay in self._relays:
                    await self._listen(relay)

    def on_relay_started(self, number: int) -> None:
        """A new process: its port is shut."""
        self._states.pop(number, None)
        if self._open:
            self._background.start(f"rtsp port of relay {number}", self._listen(self._relays[number]))

    async def sweep(self) -> None:
        """Shut ports that nobody may use any longer; now and then open, or shut, those that failed. Each second."""
        await self.update()
        now = self._clock.monotonic()
        if now - self._retried_at < _RETRY_EVERY:
            return
        self._retried_at = now
        async with self._opening:
            for relay in self._relays:
                state = self._states.get(relay.number)
                is_open = state is not None and state.port is not None
                if relay.up and is_open != self._open:
                    await self._listen(relay)

    async def _listen(self, relay: Relay) -> None:
        try:
            self._states[relay.number] = RtspState.of(await relay.call("rtsp.listen", {"listen": self._open}))
        except (HubError, MessageError) as error:  # a relay that is being restarted is asked when it is back
            log.warning("relay %d does not open its RTSP port: %s", relay.number, error)
