"""A foreign server's process: found in PATH, run in its own temporary folder on loopback, always ended."""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from camera_hub.bench.servers import MissingError
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Kind
from camera_hub.media.child_process import environment

_READY_SECONDS = 60.0
_TERMINATE_SECONDS = 5.0
_TAIL = 400


@dataclass(frozen=True, slots=True)
class Foreign:
    """A running server that answers HTTP."""

    program: str
    pid: int
    http: httpx.AsyncClient

    async def request(self, method: str, path: str, **values: Any) -> httpx.Response:
        """One HTTP exchange, whatever the status. Raises HubError(UNAVAILABLE) when there is no answer."""
        try:
            return await self.http.request(method, path, **values)
        except httpx.HTTPError as error:
            raise HubError(Kind.UNAVAILABLE, f"{self.program} does not answer: {type(error).__name__}") from error


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port that is free at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def foreign(
    program: str,
    files: Mapping[str, str],
    arguments: Callable[[Path], Sequence[str]],
    port: int,
    ready: str,
) -> AsyncIterator[Foreign]:
    """Write `files` into a temporary folder, run the program, wait until `ready` (a path) answers on the port.

    Raises MissingError when the program is not installed, HubError(UNAVAILABLE) with the end of its output when it
    exits or never answers.
    """
    path = shutil.which(program)
    if path is None:
        raise MissingError(f"{program} is not in PATH")
    with tempfile.TemporaryDirectory(prefix=f"bench-{program}-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, "utf-8")
        with (folder / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                path,
                *arguments(folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment(os.environ),
            )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:
                if not await answers(http, ready, process):
                    reported = (folder / "output.log").read_text("utf-8", "replace")[-_TAIL:]
                    raise HubError(Kind.UNAVAILABLE, f"{program} does not answer; its output: {reported.strip()}")
                yield Foreign(program, process.pid, http)
        finally:
            await end_process(process, _TERMINATE_SECONDS)


async def answers(http: httpx.AsyncClient, path: str, process: asyncio.subprocess.Process) -> bool:
    """Whether the process answers HTTP, whatever it says, before it exits and within some seconds."""
    clock = SystemClock()
    end = clock.monotonic() + _READY_SECONDS
    while process.returncode is None and clock.monotonic() < end:
        try:
            await http.get(path)
        except httpx.HTTPError:
            await clock.sleep(0.1)
        else:
            return True
    return False


async def end_process(process: asyncio.subprocess.Process, seconds: float) -> None:
    """Terminate the process; kill it if it has not exited within that many seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
