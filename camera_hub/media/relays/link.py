"""One relay as the rest of media sees it: where commands go, while its processes come and go behind it."""

from typing import Any, Protocol

from camera_hub.errors import HubError, Kind
from camera_hub.relay.messages import RelayPulse
from camera_hub.wire import PipeFrame

CALL_SECONDS = 10.0


class ProcessPipe(Protocol):
    """The running process behind a link (relays.process.RelayProcess)."""

    @property
    def pid(self) -> int | None: ...
    @property
    def port(self) -> int: ...
    @property
    def readings(self) -> dict[str, Any]: ...
    @property
    def last_pulse(self) -> RelayPulse | None: ...
    async def call(self, type_: str, values: dict[str, Any], *, deadline: float) -> dict[str, Any]: ...
    def post(self, type_: str, values: dict[str, Any]) -> None: ...
    async def reply(self, request: PipeFrame, answer: dict[str, Any] | HubError) -> None: ...


class RelayLink:
    """Built before anything that sends commands. Its supervisor alone attaches and detaches processes.

    `epoch` grows with every process that took over; `port` is the UDP port of the last one.
    """

    def __init__(self, number: int, port: int = 0) -> None:
        self.number = number
        self.epoch = 0
        self.port = port
        self._process: ProcessPipe | None = None

    @property
    def up(self) -> bool:
        """Whether a configured process is there."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process is not None else None

    @property
    def readings(self) -> dict[str, Any]:
        """What the running process last reported of itself; empty while there is none."""
        return self._process.readings if self._process is not None else {}

    @property
    def pulse(self) -> RelayPulse | None:
        """The running process's last answer to a pulse; None before the first one."""
        return self._process.last_pulse if self._process is not None else None

    def attach(self, process: ProcessPipe) -> None:
        """This process takes over."""
        self.epoch += 1
        self.port = process.port
        self._process = process

    def detach(self) -> None:
        """No process is in charge until the next `attach`."""
        self._process = None

    async def call(self, type_: str, values: dict[str, Any], *, deadline: float = CALL_SECONDS) -> dict[str, Any]:
        """A request to the relay; its reply's values. Raises HubError, UNAVAILABLE while it is being restarted."""
        if self._process is None:
            raise HubError(Kind.UNAVAILABLE, "the relay is being restarted; try again in a second")
        return await self._process.call(type_, values, deadline=deadline)

    def post(self, type_: str, values: dict[str, Any]) -> bool:
        """A message to the relay. False when none is up: the desired state is sent to the next process anyway."""
        if self._process is None:
            return False
        self._process.post(type_, values)
        return True

    async def reply(self, epoch: int, request: PipeFrame, answer: dict[str, Any] | HubError) -> None:
        """Answer a request of the process of that epoch; one that took over has not asked. Raises HubError."""
        if self._process is not None and self.epoch == epoch:
            await self._process.reply(request, answer)


def relay_of(village_id: int, relays: int) -> int:
    """The number of the relay that pulls a village's streams."""
    return village_id % relays
