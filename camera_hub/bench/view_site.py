"""A real site: virtual villages in one process, `camera-hub serve` in another, every camera registered and approved."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from camera_hub.bench.foreign import end_process
from camera_hub.bench.local_devices import local_devices
from camera_hub.clock import Clock
from camera_hub.demo import accounts, township
from camera_hub.demo.api import Api, browser
from camera_hub.demo.farm import Farm, farm, free_network
from camera_hub.errors import HubError, Kind
from camera_hub.running import running

START_SECONDS = 300.0
STOP_SECONDS = 12.0
PROOF_SECONDS = 300.0
VILLAGES = 4
NOTHING_MORE: Mapping[str, str] = {}
LINGER_SECONDS = 900.0
"""Feeds keep running after their last viewer during the whole bench, so that "warm" needs no other viewer."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running hub with cameras in service."""

    api: Api
    cameras: tuple[int, ...]
    pid: int

    @property
    def url(self) -> str:
        return self.api.url


@asynccontextmanager
async def site(folder: Path, clock: Clock, *, cameras: int, gop_seconds: int) -> AsyncIterator[Site]:
    """Virtual villages and a hub while the block runs, with its data in `folder`. Raises HubError."""
    async with villages(folder, cameras=cameras, gop_seconds=gop_seconds) as farmed, hub(folder, clock, farmed) as made:
        yield made


@asynccontextmanager
async def villages(folder: Path, *, cameras: int, gop_seconds: int) -> AsyncIterator[Farm]:
    """That many virtual cameras while the block runs. Raises HubError when they do not start."""
    words = ("--gop", str(gop_seconds))
    async with farm(VILLAGES, cameras, free_network(), folder / "pictures", words) as farmed:
        yield farmed


@asynccontextmanager
async def hub(
    folder: Path,
    clock: Clock,
    farmed: Farm,
    python: str | None = None,
    more: Mapping[str, str] = NOTHING_MORE,
    *,
    rounds: bool = False,
) -> AsyncIterator[Site]:
    """A hub in which all these cameras are in service. Raises HubError when a part does not start.

    `python`: the interpreter of another checkout's environment, whose hub is run. `more`: further environment.
    `rounds`: cameras are looked at all the time, so that the block does not begin with a hub that pulls nothing.
    """
    async with AsyncExitStack() as stack:
        url, token, pid = await stack.enter_async_context(_hub(folder / "data", python, more))
        api = await stack.enter_async_context(browser(url))
        ids = await township.found_township(api, farmed, token, accounts.fresh())
        known = {
            device.host: {"port": device.port, "endpoint": ""}
            for village in farmed.villages
            for device in village.devices
        }
        made, refused = await township.register(api, farmed, ids, known, lambda line: None)
        if refused:
            raise HubError(Kind.UNREACHABLE, "not every virtual camera could be registered: " + "; ".join(refused[:3]))
        await township.put_in_service(api, made)
        if not rounds:
            await _proved(api, clock)
        registered = await api("GET", "/api/cameras")
        yield Site(api, tuple(camera["id"] for camera in registered), pid)


async def sub_streams(farmed: Farm) -> dict[str, str]:
    """The RTSP URL of every camera's sub stream, with its login, by the name that a foreign server gives to it."""
    async with httpx.AsyncClient(base_url=farmed.control, timeout=10.0, trust_env=False) as client:
        described: dict[str, Any] = (await client.get("/farm")).json()
    found: dict[str, str] = {}
    for village in described["villages"]:
        for device in village["devices"]:
            login = f"{quote(device['username'], '')}:{quote(device['password'], '')}"
            for channel in device["channels"]:
                found[channel["key"]] = channel["sub_url"].replace("rtsp://", f"rtsp://{login}@", 1)
    return found


async def _proved(api: Api, clock: Clock) -> None:
    """Wait until no camera is being proved any more: proofs open feeds for a moment."""
    end = clock.monotonic() + PROOF_SECONDS
    while True:
        feeds = (await api("GET", "/api/system"))["feeds"]
        if feeds == 0 and not any(camera["proving"] for camera in await api("GET", "/api/cameras")):
            return
        if clock.monotonic() > end:
            raise HubError(Kind.TIMEOUT, f"not every camera was proved within {PROOF_SECONDS:g} s")
        await clock.sleep(0.5)


@asynccontextmanager
async def _hub(data: Path, python: str | None, more: Mapping[str, str]) -> AsyncIterator[tuple[str, str, int]]:
    """`camera-hub serve` on free ports; its URL, the token of its first start, its process."""
    environment = {
        **os.environ,
        "CAMERA_HUB_SERVER__PORT": "0",
        "CAMERA_HUB_SERVER__DATA_DIR": str(data),
        "CAMERA_HUB_SERVER__LOG_LEVEL": "ERROR",
        "CAMERA_HUB_MEDIA__UDP_PORT": "0",
        "CAMERA_HUB_MEDIA__RTSP_PORT": "0",  # the default one is that of simulated cameras, too
        "CAMERA_HUB_MEDIA__ANNOUNCED_ADDRESSES": '["127.0.0.1"]',
        "CAMERA_HUB_MEDIA__LINGER": str(LINGER_SECONDS),
        # Rounds would open feeds in between.
        "CAMERA_HUB_HEALTH__ROUND_SECONDS": "3600",
        "CAMERA_HUB_HEALTH__PICTURE_SECONDS": "3600",
        **more,
    }
    if python is not None:
        environment.pop("PYTHONPATH", None)
    folder = None if python is None else "/"
    environment |= await local_devices(python or sys.executable, environment, folder)
    process = await asyncio.create_subprocess_exec(
        python or sys.executable,
        "-m",
        "camera_hub",
        "serve",
        env=environment,
        # Python would prefer a package of that name in the working directory to the other checkout's.
        cwd=folder,
        stdin=DEVNULL,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        url, token = await _announced(process.stdout)
        async with running(_drained(process.stdout), "hub's output"):
            yield url, token, process.pid
    finally:
        await end_process(process, STOP_SECONDS)


async def _announced(words: asyncio.StreamReader) -> tuple[str, str]:
    reported = b""
    try:
        async with asyncio.timeout(START_SECONDS):
            while line := await words.readline():
                reported += line
                if found := re.search(rb"(http://[\w.:\[\]]+)/setup#token=([\w-]+)", reported):
                    return found[1].decode(), found[2].decode()
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, f"the hub was not ready within {START_SECONDS:g} s") from error
    raise HubError(Kind.UNAVAILABLE, "the hub exited while it started; its output is above")


async def _drained(words: asyncio.StreamReader) -> None:
    while await words.readline():
        pass
