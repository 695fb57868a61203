"""What each process loads: a relay that never decodes has no FFmpeg, an eye no WebRTC, the hub neither.

Asked of real processes, by Python's own record of imports.
"""

import asyncio
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from camera_hub.relay.messages import RelayConfig
from camera_hub.running import running
from camera_hub.wire import Pipe
from tests.fakes.environment import unmeasured
from tests.relay.hub import Hub

WEBRTC = {"aiortc", "aioice", "pylibsrtp", "OpenSSL"}
PICTURES = {"av", "cv2", "numpy"}
DATABASE = {"sqlalchemy", "alembic", "aiosqlite", "psycopg"}
WEB = {"fastapi", "starlette", "uvicorn", "pydantic", "httpx", "requests", "prometheus_client"}
ONVIF = {"lxml", "zeep", "onvif", "pypinyin"}
SHELL = {"typer", "rich", "pygments", "click"}

_LINE = re.compile(rb"import time: +\d+ \| +\d+ \| +(\S+)")


def packages(record: bytes) -> set[str]:
    """Top-level packages that `python -X importtime` has reported as loaded."""
    return {name.decode().partition(".")[0] for name in _LINE.findall(record)}


async def helper_imports(module: str, first: dict[str, object]) -> tuple[set[str], set[str]]:
    """What a helper process loads until it has answered its first message: packages, and all modules."""
    ours, theirs = socket.socketpair()
    command: Sequence[str] = (sys.executable, "-X", "importtime", "-m", module, "--fd", str(theirs.fileno()))
    process = await asyncio.create_subprocess_exec(
        *command, pass_fds=[theirs.fileno()], stderr=asyncio.subprocess.PIPE, env=unmeasured()
    )
    theirs.close()
    pipe = Pipe(*await asyncio.open_connection(sock=ours))
    async with running(Hub(pipe).listen(), "test hub"):
        reading = asyncio.create_task(process.communicate())
        await pipe.call(first, deadline=300)
        await pipe.close()
        _, record = await asyncio.wait_for(reading, 300)
    return packages(record), {name.decode() for name in _LINE.findall(record)}


async def test_a_relay_loads_no_decoder_no_database_and_no_web_server() -> None:
    loaded, modules = await helper_imports("camera_hub.relay", RelayConfig(udp_host="127.0.0.1").head("configure"))
    assert {"pylibsrtp", "OpenSSL"} <= loaded
    assert "aiortc.rtcdtlstransport" in modules
    assert not loaded & (PICTURES | DATABASE | WEB | ONVIF | SHELL | {"dns", "multiprocessing"})
    assert not {
        name for name in modules if re.match(r"aiortc\.(rtcpeer|rtcsctp|codecs|contrib)|aioice\.(ice|mdns)", name)
    }


async def test_an_eye_loads_no_webrtc_no_database_and_no_web_server() -> None:
    loaded, _ = await helper_imports("camera_hub.eye", {"type": "ready"})
    assert loaded >= PICTURES
    assert not loaded & (WEBRTC | DATABASE | WEB | ONVIF | SHELL | {"cryptography"})


async def hub_imports(folder: Path) -> set[str]:
    """What `camera-hub serve` loads until it listens."""
    environment = {
        **unmeasured(),
        "CAMERA_HUB_SERVER__PORT": "0",
        "CAMERA_HUB_SERVER__DATA_DIR": str(folder),
        "CAMERA_HUB_MEDIA__UDP_PORT": "0",
        "CAMERA_HUB_MEDIA__RTSP_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "camera_hub", "serve"),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(300):
            assert b"http://" in await process.stdout.readline()
    finally:
        process.terminate()
        record = await reading
        await process.wait()
    return packages(record)


@pytest.mark.slow
async def test_a_hub_loads_neither_decoder_nor_webrtc_nor_what_only_its_first_start_needs(tmp_path: Path) -> None:
    assert "alembic" in await hub_imports(tmp_path)
    loaded = await hub_imports(tmp_path)
    assert {"fastapi", "sqlalchemy", "lxml"} <= loaded
    assert not loaded & (PICTURES | WEBRTC)
    assert not loaded & {"zeep", "onvif", "pypinyin", "requests", "httpx", "rich", "pygments", "playwright"}
    assert not loaded & {"alembic", "mako", "psycopg"}


@pytest.mark.parametrize("name", ["camera_hub.relay.lean_imports", "camera_hub.wire"])
async def test_what_is_loaded_before_anything_else_is_small(name: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-c", f"import {name}"), stderr=asyncio.subprocess.PIPE, env=unmeasured()
    )
    _, record = await process.communicate()
    assert not packages(record) & (WEBRTC | PICTURES | DATABASE | WEB | ONVIF | SHELL)
