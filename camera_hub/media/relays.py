"""One relay process, kept alive: started, configured, watched, replaced at once when it ends or hangs.

No spare process waits to take over. After kill -9 a new one is configured within 0.6 s (1.0 s beside five busy
processes on two cores), 0.4 s of which are interpreter and imports; four tiles move again after 0.9 s (1.2 s). A spare
would save half a second now and then, and cost 31 MB all the time.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Self

from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.media.processes import Helper, helper
from camera_hub.relay.messages import RelayConfig
from camera_hub.running import Backoff, ended, keep_running, running
from camera_hub.settings import Settings
from camera_hub.wire import Frame

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "camera_hub.relay")

_BACKOFF = Backoff(first=0.1, cap=5.0, floor=0.0, reset_after=5.0)
"""At once after a death; slower only when it dies again within seconds."""

_CONFIGURE_SECONDS = 15.0
_PULSE_SECONDS = 5.0
_PULSE_DEADLINE = 10.0


def config_of(settings: Settings, number: int) -> RelayConfig:
    """What relay `number` is told of the settings. Several relays take ports one after the other."""
    media, ingest = settings.media, settings.ingest
    return RelayConfig(
        udp_host=media.udp_host,
        udp_port=media.udp_port + number if media.udp_port else 0,
        announced_addresses=media.announced_addresses,
        payload_limit=media.payload_limit,
        pacer_rate=media.pacer_rate,
        gop_cache_bytes=media.gop_cache_bytes,
        gop_cache_seconds=media.gop_cache_seconds,
        max_viewers=media.viewers,
        connect_timeout=media.connect_timeout,
        open_timeout=ingest.open_timeout,
        media_timeout=ingest.media_timeout,
        key_frame_timeout=ingest.key_frame_timeout,
        opens_at_once=ingest.opens_per_village,
        rtsp_host=media.rtsp_host,
        rtsp_port=media.rtsp_port + number if media.rtsp_port else 0,
        asks_logins=True,
    )


class Relay:
    """An async context manager: entering returns when the relay is configured (or raises HubError UNAVAILABLE).
    `begin` starts it earlier, so that several start side by side; who began must enter or leave.

    `on_start` is called with the relay after each configuration, before anything else is sent; it sends the wanted
    state. `on_message` gets every unasked message. Both are called in the loop and must not raise.
    """

    def __init__(
        self,
        number: int,
        config: RelayConfig,
        clock: Clock,
        *,
        on_start: Callable[["Relay"], None],
        on_message: Callable[["Relay", Frame], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.number = number
        self.epoch = 0  # grows with every process that took over
        self.port = config.udp_port
        self.figures: dict[str, Any] = {}
        self._config = config
        self._clock = clock
        self._on_start = on_start
        self._on_message = on_message
        self._command = command
        self._helper: Helper | None = None
        self._first: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether a configured process is there."""
        return self._helper is not None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._helper.process.pid if self._helper is not None else None

    def begin(self) -> None:
        """Start the process without waiting for it."""
        self._first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            keep_running(
                f"relay {self.number}",
                self._run_once,
                clock=self._clock,
                backoff=_BACKOFF,
                on_failure=self._failed,
            ),
            name=f"relay {self.number}",
        )

    async def __aenter__(self) -> Self:
        if self._task is None:
            self.begin()
        assert self._first is not None
        try:
            await asyncio.shield(self._first)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            await ended(task)

    async def call(self, type_: str, values: dict[str, Any], *, deadline: float = 10.0) -> dict[str, Any]:
        """A request to the relay; its reply's values. Raises HubError, UNAVAILABLE while it is being restarted."""
        if self._helper is None:
            raise HubError(Kind.UNAVAILABLE, "the relay is being restarted; try again in a second")
        return (await self._helper.pipe.call({"type": type_, **values}, deadline=deadline)).head

    def post(self, type_: str, values: dict[str, Any]) -> bool:
        """A message to the relay. False when none is up: the wanted state is sent to the next one anyway."""
        if self._helper is None:
            return False
        self._helper.pipe.post({"type": type_, **values})
        return True

    async def reply(self, epoch: int, request: Frame, answer: dict[str, Any] | HubError) -> None:
        """Answer a request of the process of that epoch; one that took over has not asked. Raises HubError."""
        if self._helper is None or self.epoch != epoch:
            return
        if isinstance(answer, HubError):
            await self._helper.pipe.refuse(request, answer)
        else:
            await self._helper.pipe.reply(request, answer)

    def _failed(self, error: Exception) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_exception(error)

    async def _run_once(self) -> None:
        async with helper(self._command) as started:
            listening = asyncio.create_task(self._listen(started), name=f"relay {self.number} listener")
            try:
                reply = await started.pipe.call(self._config.head("configure"), deadline=_CONFIGURE_SECONDS)
                self.port = int(reply.head.get("udp_port") or self._config.udp_port)
                # The same port again after a restart, also where the first one was chosen by the system.
                self._config = replace(self._config, udp_port=self.port)
                self.epoch += 1
                self._helper = started
                self._on_start(self)
                if self._first is not None and not self._first.done():
                    self._first.set_result(None)
                async with running(self._pulse(started), f"relay {self.number} pulse"):
                    await listening
            finally:
                self._helper = None
                await ended(listening)
        raise HubError(
            Kind.UNAVAILABLE, f"the relay process ended (status {started.process.returncode}); restarting it"
        )

    async def _listen(self, started: Helper) -> None:
        while (frame := await started.pipe.receive()) is not None:
            self._on_message(self, frame)

    async def _pulse(self, started: Helper) -> None:
        """Ask for figures now and then. A relay that does not answer in time hangs, and is killed."""
        while True:
            await self._clock.sleep(_PULSE_SECONDS)
            try:
                reply = await started.pipe.call({"type": "figures"}, deadline=_PULSE_DEADLINE)
            except HubError as error:
                if error.kind is Kind.TIMEOUT:
                    log.error("relay %d does not answer within %g s; replacing it", self.number, _PULSE_DEADLINE)
                    started.kill()
                    return
                log.warning("relay %d: %s", self.number, error)
                continue
            self.figures = {key: reply.head.get(key, {}) for key in ("relay", "feeds", "viewers", "rtsp")}
