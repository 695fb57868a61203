"""The hub as a process: first link, one instance per folder, orderly end, errors as one line."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from camera_hub.access.policy import Role
from camera_hub.api.routing import CSRF_HEADER
from camera_hub.cli_parts import accounts
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError
from camera_hub.instance import only_instance
from camera_hub.serving import public_url, serving, warn_if_open
from camera_hub.settings import MediaSettings, ServerSettings, Settings

DEADLINE = 300.0


def _environment(data_dir: Path, port: int = 0) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CAMERA_HUB_")},
        "CAMERA_HUB_SERVER__DATA_DIR": str(data_dir),
        "CAMERA_HUB_SERVER__PORT": str(port),
        "CAMERA_HUB_MEDIA__UDP_PORT": "0",
        "PYTHONWARNINGS": "error::DeprecationWarning:camera_hub",
    }


async def _start(data_dir: Path, *words: str, port: int = 0) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "camera_hub",
        *words,
        env=_environment(data_dir, port),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def _said(process: Process, text: str = "") -> tuple[str, str]:
    """Run to the end with `text` on standard input."""
    try:
        async with asyncio.timeout(DEADLINE):
            out, err = await process.communicate(text.encode())
    finally:
        if process.returncode is None:  # else its pipes would fail another test, whenever they are collected
            process.kill()
            await process.communicate()
    return out.decode(), err.decode()


@asynccontextmanager
async def _hub(data_dir: Path) -> AsyncIterator[tuple[Process, str]]:
    """A serving process and its URL."""
    process = await _start(data_dir, "serve")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE):
            line = (await process.stdout.readline()).decode()
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(DEADLINE):
            await process.communicate()


@pytest.mark.slow
async def test_the_first_start_shows_a_link_that_works_and_sigterm_ends_in_order(tmp_path: Path) -> None:
    async with _hub(tmp_path / "data") as (process, url):
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            await process.stdout.readline()
            link = (await process.stdout.readline()).decode().strip()
        assert link.startswith(f"{url}/setup#token=")
        token = link.partition("#token=")[2]
        async with httpx.AsyncClient(base_url=url, headers={CSRF_HEADER: "1"}, timeout=DEADLINE) as browser:
            body = {"token": token, "username": "zhang", "display_name": "张", "password": "tK7-riverside"}
            assert (await browser.post("/api/setup", json=body)).status_code == 201
            assert (await browser.get("/readyz")).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, err = await _said(process)
        assert process.returncode == 0
        assert "stopping" in out
        assert err == ""
    async with _hub(tmp_path / "data") as (process, url):
        process.send_signal(signal.SIGINT)
        out, _ = await _said(process)
        assert "token" not in out
        assert process.returncode == 0


@pytest.mark.slow
async def test_a_second_hub_on_the_same_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with only_instance(tmp_path / "data"):
        process = await _start(tmp_path / "data", "serve")
        out, err = await _said(process)
    assert process.returncode == 1
    assert out == ""
    assert re.fullmatch(rf"camera-hub: another camera hub \(process {os.getpid()}\) uses .*; stop it first\n", err)


async def test_the_lock_goes_with_its_holder(tmp_path: Path) -> None:
    with only_instance(tmp_path):
        pass
    with only_instance(tmp_path), pytest.raises(HubError) as caught, only_instance(tmp_path):
        pass
    assert caught.value.reason == "second_instance"


@pytest.mark.slow
async def test_an_account_is_made_from_the_shell_with_the_password_on_standard_input(tmp_path: Path) -> None:
    process = await _start(tmp_path / "data", "user", "add", "wang", "operator", "--name", "王")
    assert await _said(process, "tK7-riverside\n") == ("wang (operator) created\n", "")
    async with accounts(Settings(server=ServerSettings(data_dir=tmp_path / "data"))) as found:
        account = await found.check("wang", "tK7-riverside")
    assert account is not None
    assert (account.display_name, account.role) == ("王", Role.OPERATOR)


@pytest.mark.slow
async def test_a_socket_that_nobody_serves_is_refused_and_the_server_ends_in_order(tmp_path: Path) -> None:
    settings = Settings(server=ServerSettings(port=0, data_dir=tmp_path), media=MediaSettings(udp_port=0))
    async with serving(settings, SystemClock()) as hub:
        with pytest.raises(InvalidStatus):
            await connect(hub.url.replace("http", "ws") + "/api/nothing", open_timeout=DEADLINE)
        async with httpx.AsyncClient(base_url=hub.url, timeout=DEADLINE) as browser:
            assert (await browser.get("/healthz")).headers.get("server") is None


@pytest.mark.slow
async def test_a_port_in_use_is_one_clear_error(tmp_path: Path) -> None:
    settings = Settings(server=ServerSettings(port=0, data_dir=tmp_path / "one"), media=MediaSettings(udp_port=0))
    async with serving(settings, SystemClock()) as hub:
        port = int(hub.url.rpartition(":")[2])
        second = Settings(server=ServerSettings(port=port, data_dir=tmp_path / "two"))
        with pytest.raises(HubError, match="cannot listen on") as caught:
            async with serving(second, SystemClock()):
                pytest.fail("two servers on one port")
    assert caught.value.reason == "listen"


@pytest.mark.slow
async def test_a_server_that_ends_by_itself_ends_the_hub_with_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def serve(server: object, sockets: object) -> None:
        await ending.wait()
        raise OSError("no more file descriptors")

    monkeypatch.setattr(uvicorn.Server, "serve", serve)
    settings = Settings(server=ServerSettings(port=0, data_dir=tmp_path), media=MediaSettings(udp_port=0))

    async def serve_for_ever() -> None:
        async with asyncio.timeout(DEADLINE), serving(settings, SystemClock()):
            ending.set()
            await asyncio.Event().wait()

    with pytest.raises(HubError, match=r"the HTTP server ended by itself \(no more file descriptors\)") as caught:
        await serve_for_ever()
    assert caught.value.reason == "server_ended"


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (ServerSettings(), "http://127.0.0.1:8000"),
        (ServerSettings(host="0.0.0.0"), "http://127.0.0.1:8000"),
        (ServerSettings(host="::1"), "http://[::1]:8000"),
        (ServerSettings(public_origins=("https://hub.example",)), "https://hub.example"),
    ],
)
def test_the_link_leads_where_a_browser_finds_the_hub(server: ServerSettings, url: str) -> None:
    assert public_url(Settings(server=server), 8000) == url


def test_listening_to_the_network_without_https_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_if_open(Settings())
    warn_if_open(Settings(server=ServerSettings(host="0.0.0.0", secure_cookies=True)))
    assert caplog.text == ""
    warn_if_open(Settings(server=ServerSettings(host="0.0.0.0")))
    assert "passwords cross the network unencrypted" in caplog.text
