"""Janus as a peer: its streaming plugin pulls the source over RTSP; viewers are signalled over its HTTP API.

Janus offers and the viewer answers: the viewer's offer is sent as its answer, since Janus uses the same payload type,
and the viewer reads Janus's offer as the answer. Janus gathers no loopback candidate, so the machine needs another
address; packets to it stay on loopback nevertheless. One session has a handle per viewer; the plugin's events arrive
by long polling and are matched by handle.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from camera_hub.bench.foreign import Foreign, foreign, free_port
from camera_hub.bench.sdp import MEDIA
from camera_hub.bench.servers import Server
from camera_hub.errors import HubError, Kind
from camera_hub.relay.webrtc.answer import machine_addresses, usable_addresses
from camera_hub.running import running

_ANSWER_SECONDS = 60.0

_CORE = """
general: {{ configs_folder = "{folder}" debug_level = 3 }}
nat: {{ ice_lite = false full_trickle = false ignore_mdns = true }}
media: {{ ipv6 = false }}
transports: {{ disable = "{transports}" }}
plugins: {{ disable = "{plugins}" }}
"""
_HTTP = """
general: {{ json = "compact" base_path = "/janus" http = true port = {port} ip = "127.0.0.1" https = false }}
admin: {{ admin_http = false admin_https = false }}
"""
_STREAMING = """
camera{feed}: {{
    type = "rtsp" id = {mountpoint} description = "bench" audio = false video = true
    url = "rtsp://127.0.0.1:{source}/{feed}" rtspiface = "127.0.0.1"
    videopt = {payload_type} videocodec = "h264" videofmtp = "profile-level-id=42e01f;packetization-mode=1"
}}
"""
_TRANSPORTS = ("mqtt", "nanomsg", "pfunix", "rabbitmq", "websockets")
_PLUGINS = (
    "audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "textroom", "videocall", "videoroom",
    "voicemail",
)  # fmt: skip


class Janus:
    """Janus as installed, with its own defaults for threads and buffers."""

    name = "janus"
    gso: bool | None = None

    def __init__(self, started: Foreign, feeds: int) -> None:
        self._feeds = feeds
        self.pids: tuple[int, ...] = (started.pid,)
        self.address = _own_address()
        self._server = started
        self._session = 0
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def open(self) -> None:
        """Create the session."""
        self._session = (await self._post("/janus", {"janus": "create"}))["data"]["id"]

    async def listen(self) -> None:
        """Receive events for ever; each answer resolves the future that waits for it."""
        while True:
            reply = await self._server.request("GET", f"/janus/{self._session}", params={"maxev": 20}, timeout=60)
            events = reply.json()
            for event in events if isinstance(events, list) else [events]:
                self._handle(event)

    def _handle(self, event: dict[str, Any]) -> None:
        waiting = self._waiting.get(event.get("sender", 0))
        if waiting is None or waiting.done():
            return
        reported = event.get("plugindata", {}).get("data", {})
        if "error" in reported:
            waiting.set_exception(HubError(Kind.UNAVAILABLE, f"janus refused the offer: {reported['error']}"))
        elif "jsep" in event:
            waiting.set_result(event["jsep"]["sdp"])

    async def answer(self, viewer: int, offer: str) -> str:
        attach = {"janus": "attach", "plugin": "janus.plugin.streaming"}
        path = f"/janus/{self._session}"
        handle = (await self._post(path, attach))["data"]["id"]
        waiting = self._waiting[handle] = asyncio.get_running_loop().create_future()
        try:
            watch = {"request": "watch", "id": 1 + viewer % self._feeds}
            await self._post(f"{path}/{handle}", {"janus": "message", "body": watch})
            async with asyncio.timeout(_ANSWER_SECONDS):
                theirs: str = await waiting
        except TimeoutError as error:
            raise HubError(Kind.TIMEOUT, f"janus made no offer within {_ANSWER_SECONDS:g} s") from error
        finally:
            del self._waiting[handle]
        ours = {"type": "answer", "sdp": _with_mid(offer, theirs)}
        await self._post(f"{path}/{handle}", {"janus": "message", "body": {"request": "start"}, "jsep": ours})
        return theirs

    async def _post(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        reply = await self._server.request("POST", path, json={**message, "transaction": str(next(self._numbers))})
        reported: dict[str, Any] = reply.json()
        if reported.get("janus") not in ("success", "ack"):
            raise HubError(Kind.UNAVAILABLE, f"janus refused {message['janus']}: {reported.get('error')}")
        return reported


def _own_address() -> str:
    """The address that Janus will gather. Raises HubError if the machine has loopback only."""
    found = usable_addresses((), machine_addresses(), ipv6=False)
    if found[0] == "127.0.0.1":
        raise HubError(Kind.UNAVAILABLE, "janus gathers no loopback address, and this machine has no other")
    return found[0]


def _with_mid(ours: str, theirs: str) -> str:
    """Our SDP with the mid that Janus gave to its one section."""
    found = re.search(r"^a=mid:(\S+)", theirs, re.M)
    mid = found[1] if found is not None else "0"
    return ours.replace("a=mid:0\r\n", f"a=mid:{mid}\r\n").replace("a=group:BUNDLE 0\r\n", f"a=group:BUNDLE {mid}\r\n")


def mountpoints(source: int, feeds: int) -> str:
    """The streaming plugin's configuration. Pure."""
    return "".join(
        _STREAMING.format(mountpoint=1 + feed, feed=feed, source=source, payload_type=MEDIA) for feed in range(feeds)
    )


@asynccontextmanager
async def janus(port: int, feeds: int = 1) -> AsyncIterator[Server]:
    """Run Janus, which pulls that many feeds of the source; viewers watch them in turn."""
    api = free_port()

    files = {
        "janus.transport.http.jcfg": _HTTP.format(port=api),
        "janus.plugin.streaming.jcfg": mountpoints(port, feeds),
    }
    core = _CORE.format(
        folder=".",
        transports=",".join(f"libjanus_{name}.so" for name in _TRANSPORTS),
        plugins=",".join(f"libjanus_{name}.so" for name in _PLUGINS),
    )
    async with foreign(
        "janus",
        files | {"janus.jcfg": core},
        lambda folder: ["--configs-folder", str(folder), "--config", str(folder / "janus.jcfg")],
        api,
        "/janus/info",
    ) as started:
        made = Janus(started, feeds)
        await made.open()
        async with running(made.listen(), "janus events"):
            yield made
