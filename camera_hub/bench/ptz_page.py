"""A page that steers one camera: its WebSocket, without a browser."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from camera_hub.clock import Clock
from camera_hub.demo.api import Api
from camera_hub.errors import HubError, Kind
from camera_hub.running import running


class PtzPage:
    """`error`: what the hub told last of why the camera does not obey, "" if nothing."""

    def __init__(self, socket: ClientConnection, camera: int) -> None:
        self.error = ""
        self._socket = socket
        self._camera = camera
        self._serial = 0

    async def move(self, clock: Clock, pan: float) -> float:
        """Press, or go on pressing. Returns the moment before it was sent (monotonic seconds)."""
        return await self._send(clock, {"do": "move", "pan": pan, "tilt": 0.0, "zoom": 0.0})

    async def stop(self, clock: Clock) -> float:
        """Let go. Returns the moment before it was sent."""
        return await self._send(clock, {"do": "stop"})

    def cut(self, clock: Clock) -> float:
        """End the connection without a word, as a browser that is killed does. Returns the moment of it."""
        at = clock.monotonic()
        self._socket.transport.abort()
        return at

    async def listen(self) -> None:
        """Read what the hub sends, until the connection ends."""
        with suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                if message["type"] == "ptz" and message["camera"] == self._camera:
                    error = message["state"]["last_error"]
                    self.error = error["detail"] if error is not None else ""

    async def _send(self, clock: Clock, wish: dict[str, object]) -> float:
        self._serial += 1
        text = json.dumps({"type": "ptz", "serial": self._serial, "camera": self._camera, **wish})
        at = clock.monotonic()
        await self._socket.send(text)
        return at


@asynccontextmanager
async def ptz_page(api: Api, camera: int) -> AsyncIterator[PtzPage]:
    """A page of the signed-in user whose pad for this camera is open. Raises HubError."""
    url = f"{api.url.replace('http', 'ws', 1)}/api/live"
    offered = [Subprotocol("camera-hub"), Subprotocol(f"page.{uuid.uuid4()}")]
    try:
        socket = await connect(
            url, additional_headers={"Cookie": api.cookie}, subprotocols=offered, proxy=None, open_timeout=10.0
        )
    except (OSError, WebSocketException) as error:
        raise HubError(Kind.UNAVAILABLE, f"the page's WebSocket cannot be opened: {error}") from error
    async with socket:
        page = PtzPage(socket, camera)
        async with running(page.listen(), "bench page"):
            await api("GET", f"/api/cameras/{camera}/ptz")
            yield page
