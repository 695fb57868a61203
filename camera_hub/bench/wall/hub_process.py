"""`camera-hub serve` as a process of its own, of this checkout or of another one, on free ports."""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from camera_hub.bench.foreign import answers, end_process
from camera_hub.bench.local_devices import local_devices
from camera_hub.bench.wall.plain import plain_folder
from camera_hub.bench.wall.plan import HubVariant
from camera_hub.errors import HubError, Kind
from camera_hub.running import running

START_SECONDS = 300.0
STOP_SECONDS = 15.0
_TAIL = 600
_URL = re.compile(rb"(http://[\w.:\[\]]+)")
_LINK = re.compile(_URL.pattern + rb"/setup#token=([\w-]+)")


@dataclass(frozen=True, slots=True)
class HubProcess:
    """A running hub. `token`: of the setup link, empty unless its data is new."""

    url: str
    token: str
    pid: int


@asynccontextmanager
async def hub_process(hub: HubVariant, data: Path, viewers: int = 0) -> AsyncIterator[HubProcess]:
    """The hub while the block runs, with its data in a folder, and its log there in hub.log.

    All settings have their defaults except for addresses and ports, and the number of viewers where there are more.
    Raises HubError with the end of the log when it does not start.
    """
    new = _make(data)
    log = data / "hub.log"
    variables = environment(os.environ, hub, data, viewers)
    variables |= await local_devices(hub.python, variables, str(data))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            hub.python, "-m", "camera_hub", "serve",
            env=variables, cwd=data, stdin=DEVNULL, stdout=PIPE, stderr=output,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        url, token = await _announced(process.stdout, log, new=new)
        async with running(_drained(process.stdout), "hub's output"):
            async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
                if not await answers(http, "/readyz", process):
                    raise HubError(Kind.UNAVAILABLE, f"the hub does not answer; the end of its log: {_end(log)}")
            yield HubProcess(url, token, process.pid)
    finally:
        await end_process(process, STOP_SECONDS)


def _make(folder: Path) -> bool:
    """Make the folder, if there is none yet; whether it was made."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    return new


def environment(ours: Mapping[str, str], hub: HubVariant, data: Path, viewers: int) -> dict[str, str]:
    """The process's environment: ours without settings, and those of the bench."""
    kept = {name: value for name, value in ours.items() if not (name.startswith("CAMERA_HUB_") and "__" in name)}
    settings = {
        "CAMERA_HUB_SERVER__PORT": "0",
        "CAMERA_HUB_SERVER__DATA_DIR": str(data),
        "CAMERA_HUB_MEDIA__UDP_PORT": "0",
        "CAMERA_HUB_MEDIA__RTSP_PORT": "0",
        "CAMERA_HUB_MEDIA__ANNOUNCED_ADDRESSES": '["127.0.0.1"]',
    }
    if viewers > 64:
        settings["CAMERA_HUB_MEDIA__VIEWERS"] = str(viewers)
    if hub.plain:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(plain_folder(data)), kept.get("PYTHONPATH", ""))))
    return kept | settings


async def _announced(words: asyncio.StreamReader, log: Path, *, new: bool) -> tuple[str, str]:
    """The URL, and the setup token that new data has."""
    pattern, reported = _LINK if new else _URL, b""
    try:
        async with asyncio.timeout(START_SECONDS):
            while line := await words.readline():
                reported += line
                if (found := pattern.search(reported)) is not None:
                    return found[1].decode(), found[2].decode() if new else ""
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, f"the hub was not ready within {START_SECONDS:g} s") from error
    raise HubError(Kind.UNAVAILABLE, f"the hub exited while it started; the end of its log: {_end(log)}")


def _end(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-_TAIL:].strip()


async def _drained(words: asyncio.StreamReader) -> None:
    while await words.readline():
        pass
