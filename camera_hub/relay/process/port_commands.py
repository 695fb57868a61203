"""The hub's commands about the relay's UDP port: a standby opens it when the process before it has closed its own."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind
from camera_hub.relay.fanout.interface import Fanout
from camera_hub.relay.fanout.sender_choice import make_fanout
from camera_hub.relay.messages import PortOpened, RelayConfig
from camera_hub.relay.process.dispatcher import Command, Empty, Reply, command
from camera_hub.relay.process.viewers import ViewerTasks
from camera_hub.relay.rtsp_server.server import RtspServer
from camera_hub.relay.webrtc.udp_port import UdpPort


@dataclass(frozen=True, slots=True)
class OpenPort:
    """The UDP port, and what sends packets through it."""

    port: UdpPort
    fanout: Fanout


class PortCommands:
    """An async context manager: the port is closed on leaving. `opened` is None while it is not open."""

    def __init__(self, config: RelayConfig, viewers: ViewerTasks, rtsp: RtspServer) -> None:
        self.opened: OpenPort | None = None
        self._config = config
        self._viewers = viewers
        self._rtsp = rtsp
        self._life = AsyncExitStack()

    async def __aenter__(self) -> "PortCommands":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.opened = None
        await self._life.aclose()

    def commands(self) -> Mapping[str, Command]:
        """By type of message."""
        return {"port.open": command(Empty.of, self._open), "port.close": command(Empty.of, self._close)}

    async def open(self) -> OpenPort:
        """Bind the UDP port. Raises HubError(UNAVAILABLE) when it is in use."""
        if self.opened is not None:
            raise HubError(Kind.CONFLICT, "the relay's UDP port is open already")
        config = self._config
        port = await self._life.enter_async_context(UdpPort(config.udp_host, config.udp_port))
        self.opened = OpenPort(port, make_fanout(port, plain=config.plain_sending))
        return self.opened

    async def _open(self, _: Empty) -> Reply:
        return PortOpened((await self.open()).port.number).head("port.open.reply")

    async def _close(self, _: Empty) -> Reply:
        """Close the viewers and every port, for the process that replaces this one."""
        self.opened = None
        await self._viewers.close_all("replaced")
        await self._life.aclose()
        await self._rtsp.listen(False)
        return None
