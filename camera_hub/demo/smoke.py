"""Opens pictures as the wall does: WebSocket, one offer, a message per tile; and measures the time to each picture."""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from camera_hub.demo.api import Api
from camera_hub.demo.webrtc import WallPeer
from camera_hub.errors import HubError, Kind
from camera_hub.running import running

PICTURE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Opened:
    """One tile's outcome: milliseconds from the click to the picture, or why there is none."""

    camera: str
    village: str
    ms: int | None
    reason: str = ""


async def open_pictures(api: Api, cameras: Sequence[dict[str, Any]], villages: dict[int, str]) -> list[Opened]:
    """Show each camera in a tile of one wall. At most as many cameras as a wall has tiles."""
    page = str(uuid.uuid4())
    media = await api("GET", "/api/media")
    async with AsyncExitStack() as stack:
        try:
            socket = await stack.enter_async_context(
                connect(
                    f"{api.url.replace('http', 'ws', 1)}/api/live",
                    subprotocols=[Subprotocol("camera-hub"), Subprotocol(f"page.{page}")],
                    additional_headers={"Cookie": api.cookie},
                    proxy=None,
                    open_timeout=10.0,
                )
            )
        except (OSError, WebSocketException) as error:
            raise HubError(Kind.UNAVAILABLE, f"the page's WebSocket cannot be opened: {error}") from error
        states: dict[int, str] = {}
        await stack.enter_async_context(running(_listen(socket, states), "smoke messages"))
        peers = [await _peer(stack, api, page, relay, len(cameras)) for relay in media["relays"]]
        tasks = [
            _open(socket, peers, tile, camera, villages.get(camera["village_id"], ""), states)
            for tile, camera in enumerate(cameras)
        ]
        return list(await asyncio.gather(*tasks))


async def _peer(stack: AsyncExitStack, api: Api, page: str, relay: int, tracks: int) -> tuple[str, WallPeer]:
    peer = await stack.enter_async_context(WallPeer(tracks))
    answer = await api("POST", "/api/viewers", {"page": page, "relay": relay, "sdp": await peer.offer()})
    await peer.accept(answer["sdp"])
    return str(answer["viewer"]), peer


async def _open(
    socket: ClientConnection,
    peers: Sequence[tuple[str, WallPeer]],
    tile: int,
    camera: dict[str, Any],
    village: str,
    states: dict[int, str],
) -> Opened:
    """Ask every relay's peer for the camera; the one whose relay has its village shows it."""
    began = time.monotonic()
    for viewer, _ in peers:
        request = {
            "type": "show",
            "viewer": viewer,
            "track": tile,
            "serial": 1,
            "camera": camera["id"],
            "quality": "auto",
        }
        await socket.send(json.dumps(request))
    waiting = [asyncio.create_task(peer.picture(tile), name=f"picture {tile}") for _, peer in peers]
    done, pending = await asyncio.wait(waiting, timeout=PICTURE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    took = int((time.monotonic() - began) * 1000)
    for task in pending:
        task.cancel()
    failures = [task.exception() for task in done if task.exception() is not None]
    if not done or failures:
        return Opened(
            camera["name"], village, None, states.get(tile) or (str(failures[0]) if failures else "no picture")
        )
    return Opened(camera["name"], village, took)


async def _listen(socket: ClientConnection, states: dict[int, str]) -> None:
    """Remember the last state of each tile."""
    async for text in socket:
        message = json.loads(text)
        if message.get("type") == "tile":
            states[message["track"]] = " ".join(filter(None, (message["state"], message["reason"], message["detail"])))
