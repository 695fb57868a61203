"""One relay process from its configuration to its end: requests, messages, and its answer to a pulse."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Helper, Launch
from camera_hub.media.relays.watchdog import Pulse
from camera_hub.relay.messages import RelayConfig
from camera_hub.running import running
from camera_hub.wire import PipeFrame

CONFIGURE_SECONDS = 15.0

_ids = itertools.count(1)


class RelayProcess:
    """`start`, then `stop`. `closed` is done when the process has closed its pipe.

    `on_message` gets every message that is no reply, in the loop; it must not raise.
    """

    def __init__(self, name: str, launch: Launch, on_message: Callable[["RelayProcess", PipeFrame], None]) -> None:
        self.id = next(_ids)
        self.port = 0
        self.readings: dict[str, Any] = {}
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._name = name
        self._launch = launch
        self._on_message = on_message
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
            self._helper = started = await stack.enter_async_context(self._launch())
            await stack.enter_async_context(running(self._receive(started), f"{self._name} messages"))
            self._set_port(await self.call("configure", config.head("configure"), deadline=CONFIGURE_SECONDS))
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        """End the process and wait for it; idempotent."""
        await self._stack.aclose()

    def kill(self) -> None:
        """End it at once, without waiting."""
        if self._helper is not None:
            self._helper.kill()

    async def open_port(self, *, deadline: float) -> None:
        """Bind the UDP port, which a standby was configured without. Raises HubError."""
        self._set_port(await self.call("port.open", {}, deadline=deadline))

    async def pulse(self, *, readings: bool, deadline: float) -> Pulse:
        """Ask how the process is, with `readings` for all that it measures, too. Raises HubError, INVALID when the
        answer cannot be read.
        """
        answer = await self.call("figures" if readings else "pulse", {}, deadline=deadline)
        try:
            if readings:
                answer, parts = answer["relay"], answer
                self.readings = {"relay": dict(answer)} | {
                    name: dict(parts.get(name, {})) for name in ("feeds", "viewers", "rtsp")
                }
            return Pulse(int(answer["rss_bytes"]), float(answer["loop_lag_p50"]), float(answer["loop_lag_max"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise HubError(Kind.INVALID, f"a pulse cannot be read: {type(error).__name__}: {error}") from error

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

    def _set_port(self, reply: dict[str, Any]) -> None:
        self.port = int(reply.get("udp_port") or 0)

    async def _receive(self, started: Helper) -> None:
        try:
            while (frame := await started.pipe.receive()) is not None:
                self._on_message(self, frame)
        finally:
            if not self.closed.done():
                self.closed.set_result(None)
