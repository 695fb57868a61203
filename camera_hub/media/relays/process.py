"""One relay process from its configuration to its end: calls, what it says, and a pulse that finds it hanging."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Helper, Spawn, helper, spawn_process
from camera_hub.relay.messages import RelayConfig
from camera_hub.running import running
from camera_hub.wire import PipeFrame

log = logging.getLogger(__name__)

CONFIGURE_SECONDS = 15.0
PULSE_SECONDS = 1.0
PULSE_DEADLINE = 3.0
SECOND_CHANCE = 1.0
"""A hub that stood still itself finds all its deadlines passed at once; an answer to a second question tells."""
ANSWER_SECONDS = PULSE_DEADLINE + SECOND_CHANCE
FIGURES_EVERY = 5
"""Pulses."""

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a relay says of itself each second."""

    rss_bytes: int
    loop_lag_p50: float  # seconds
    loop_lag_max: float


class RelayProcess:
    """`start`, then `stop`. `gone` is done when the process has closed its pipe.

    `on_message` gets every unasked message, `on_pulse` every answered pulse; both in the loop, and they must not raise.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        clock: Clock,
        *,
        on_message: Callable[["RelayProcess", PipeFrame], None],
        on_pulse: Callable[["RelayProcess", Pulse], None],
        spawn: Spawn = spawn_process,
    ) -> None:
        self.id = next(_ids)
        self.port = 0
        self.figures: dict[str, Any] = {}
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._command = command
        self._clock = clock
        self._on_message = on_message
        self._on_pulse = on_pulse
        self._spawn = spawn
        self._helper: Helper | None = None
        self._stack = AsyncExitStack()

    @property
    def pid(self) -> int | None:
        return self._helper.process.pid if self._helper is not None else None

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._helper.process.returncode if self._helper is not None else None

    async def start(self, config: RelayConfig) -> None:
        """Start and configure the process. Raises HubError; nothing is left behind then."""
        async with AsyncExitStack() as stack:
            self._helper = started = await stack.enter_async_context(helper(self._command, self._spawn))
            await stack.enter_async_context(running(self._listen(started), f"{self._name} listener"))
            self._heard_port(await self.call("configure", config.head("configure"), deadline=CONFIGURE_SECONDS))
            await stack.enter_async_context(running(self._beat(started), f"{self._name} pulse"))
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        """End the process and wait for it; idempotent."""
        await self._stack.aclose()

    def kill(self) -> None:
        """End it at once, without waiting."""
        if self._helper is not None:
            self._helper.kill()

    async def open_port(self, *, deadline: float) -> None:
        """Take the UDP port, which a standby was configured without. Raises HubError."""
        self._heard_port(await self.call("port.open", {}, deadline=deadline))

    async def call(self, type_: str, values: dict[str, Any], *, deadline: float) -> dict[str, Any]:
        """A request; its reply's values. Raises HubError."""
        assert self._helper is not None
        return (await self._helper.pipe.call({**values, "type": type_}, deadline=deadline)).head

    def post(self, type_: str, values: dict[str, Any]) -> None:
        """A message that nobody answers."""
        assert self._helper is not None
        self._helper.pipe.post({**values, "type": type_})

    async def reply(self, request: PipeFrame, answer: dict[str, Any] | HubError) -> None:
        """Answer a request of the process. Raises HubError when it is gone."""
        assert self._helper is not None
        if isinstance(answer, HubError):
            await self._helper.pipe.refuse(request, answer)
        else:
            await self._helper.pipe.reply(request, answer)

    def _heard_port(self, reply: dict[str, Any]) -> None:
        self.port = int(reply.get("udp_port") or 0)

    async def _listen(self, started: Helper) -> None:
        try:
            while (frame := await started.pipe.receive()) is not None:
                self._on_message(self, frame)
        finally:
            if not self.gone.done():
                self.gone.set_result(None)

    async def _beat(self, started: Helper) -> None:
        """Ask once a second. A process that does not answer in time hangs, and is killed."""
        for beat in itertools.count():
            try:
                told = await self._ask("pulse" if beat % FIGURES_EVERY else "figures")
            except HubError as error:
                if error.kind is Kind.TIMEOUT:
                    log.error("%s does not answer within %g s; replacing it", self._name, ANSWER_SECONDS)
                    started.kill()
                    return
                log.warning("%s: %s", self._name, error)
            else:
                if "relay" in told:
                    self.figures = {key: told.get(key, {}) for key in ("relay", "feeds", "viewers", "rtsp")}
                    told = told["relay"]
                pulse = Pulse(int(told["rss_bytes"]), float(told["loop_lag_p50"]), float(told["loop_lag_max"]))
                self._on_pulse(self, pulse)
            await self._clock.sleep(PULSE_SECONDS)

    async def _ask(self, type_: str) -> dict[str, Any]:
        try:
            return await self.call(type_, {}, deadline=PULSE_DEADLINE)
        except HubError as error:
            if error.kind is not Kind.TIMEOUT:
                raise
        return await self.call("pulse", {}, deadline=SECOND_CHANCE)
