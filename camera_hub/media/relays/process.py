"""One relay process from its configuration to its end: requests, messages, and its answer to a pulse."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import Helper, Launch
from camera_hub.message_decoder import MessageError
from camera_hub.relay.messages import Configured, PortOpened, RelayConfig, RelayPulse
from camera_hub.running import running
from camera_hub.wire import Message, PipeFrame

CONFIGURE_SECONDS = 30.0
"""Its imports alone take many seconds where the machine is busy, as after a power cut, when everything starts."""

Reply = TypeVar("Reply", bound=Message)

_ids = itertools.count(1)


class RelayProcess:
    """`start`, then `stop`. `closed` is done when the process has closed its pipe.

    `on_message` gets every message that is no reply, in the loop; it must not raise.
    """

    def __init__(self, name: str, launch: Launch, on_message: Callable[["RelayProcess", PipeFrame], None]) -> None:
        self.id = next(_ids)
        self.port = 0
        self.readings: dict[str, Any] = {}
        self.last_pulse: RelayPulse | None = None
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
            reply = await self.call("configure", config.head("configure"), deadline=CONFIGURE_SECONDS)
            self.port = _decoded(Configured, reply).udp_port
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
        self.port = _decoded(PortOpened, await self.call("port.open", {}, deadline=deadline)).udp_port

    async def pulse(self, *, readings: bool, deadline: float) -> RelayPulse:
        """Ask how the process is, with `readings` for all that it measures, too. Raises HubError, INVALID when the
        answer cannot be read.
        """
        answer = await self.call("figures" if readings else "pulse", {}, deadline=deadline)
        try:
            if not readings:
                self.last_pulse = pulse = RelayPulse.of(answer)
                return pulse
            parts = {name: _part(answer, name) for name in ("relay", "feeds", "viewers", "rtsp")}
            pulse = RelayPulse.of(parts["relay"])
        except MessageError as error:
            raise HubError(Kind.INVALID, f"a pulse cannot be read: {error}") from error
        self.readings, self.last_pulse = parts, pulse
        return pulse

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

    async def _receive(self, started: Helper) -> None:
        try:
            while (frame := await started.pipe.receive()) is not None:
                self._on_message(self, frame)
        finally:
            if not self.closed.done():
                self.closed.set_result(None)


def _decoded(kind: type[Reply], head: dict[str, Any]) -> Reply:
    """A reply without which the process is of no use. Raises HubError(INVALID)."""
    try:
        return kind.of(head)
    except MessageError as error:
        raise HubError(Kind.INVALID, f"a relay's reply cannot be read: {error}") from error


def _part(readings: dict[str, Any], name: str) -> dict[str, Any]:
    part = readings.get(name, {})
    if not isinstance(part, dict):
        raise MessageError(f"{name} is not an object")
    return part
