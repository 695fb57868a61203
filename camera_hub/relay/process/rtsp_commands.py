"""The hub's commands about RTSP out: listen or not, end a player's session."""

from collections.abc import Mapping

from camera_hub.relay.messages import RtspEnd, RtspListen
from camera_hub.relay.process.dispatcher import Command, Reply, command
from camera_hub.relay.rtsp_server.server import RtspServer


class RtspCommands:
    """For one RTSP server."""

    def __init__(self, server: RtspServer) -> None:
        self._server = server

    def commands(self) -> Mapping[str, Command]:
        """By type of message."""
        return {"rtsp.listen": command(RtspListen.of, self.listen), "rtsp.end": command(RtspEnd.of, self.end)}

    async def listen(self, wanted: RtspListen) -> Reply:
        """Open or close the port."""
        return (await self._server.listen(wanted.listen)).head("rtsp.listen.reply")

    async def end(self, which: RtspEnd) -> Reply:
        """End a player's session; an unknown one has ended already."""
        self._server.end(which.session, which.reason)
        return None
