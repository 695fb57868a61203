"""The simulator as a process, and the farm that it describes."""

import asyncio
import contextlib
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from camera_hub.errors import HubError, Kind

READY_SECONDS = 90.0
RTSP_PORT = 8554
STOP_SECONDS = 5.0
_LINE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FarmDevice:
    """One virtual device; `channels` are the keys of its cameras."""

    key: str
    name: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FarmVillage:
    """One virtual village."""

    name: str
    devices: tuple[FarmDevice, ...]

    @property
    def cameras(self) -> int:
        return sum(len(device.channels) for device in self.devices)


@dataclass(frozen=True, slots=True)
class Farm:
    """A running farm."""

    villages: tuple[FarmVillage, ...]
    control: str
    demo_faults: tuple[tuple[str, str], ...] = ()  # (key of a device or camera, fault), as the simulator proposes

    def faults(self) -> Iterator[tuple[FarmVillage, str, str]]:
        """The demo's faults as (village, target, fault)."""
        devices = [(village, device) for village in self.villages for device in village.devices]
        homes = {key: village for village, device in devices for key in (device.key, *device.channels)}
        for target, fault in self.demo_faults:
            yield homes[target], target, fault

    async def break_some(self) -> list[str]:
        """Switch the demo's faults on; returns a line of text for each."""
        reported = []
        async with httpx.AsyncClient(base_url=self.control, timeout=10.0, trust_env=False) as client:
            for village, target, fault in self.faults():
                answer = await client.post("/faults", json={"target": target, "fault": fault, "on": True})
                answer.raise_for_status()
                reported.append(f"{village.name} {target}: {fault}")
        return reported


def free_network() -> str:
    """The first two octets of loopback addresses that no other farm on this machine uses. Raises HubError(BUSY)."""
    for second in range(20, 40):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((f"127.{second}.0.1", RTSP_PORT))
                return f"127.{second}"
    raise HubError(Kind.BUSY, "too many farms are running on this machine; end one of them")


@asynccontextmanager
async def farm(
    villages: int, cameras: int, network: str, cache: Path | None = None, more: Sequence[str] = ()
) -> AsyncIterator[Farm]:
    """Run the simulator while the block runs. Raises HubError with the simulator's message when it does not start.

    `cache` keeps its encoded pictures: encoding them takes half a minute of a core. `more`: further arguments.
    """
    words = ["--villages", str(villages), "--cameras", str(cameras), "--faults", "0", "--network", network, *more]
    if cache is not None:
        words += ["--cache", str(cache)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "camera_hub.simulator", *words, stdout=PIPE, stderr=PIPE, limit=_LINE_LIMIT
    )
    assert process.stdout is not None
    assert process.stderr is not None
    noise = asyncio.create_task(_tail(process.stderr), name="simulator stderr")
    try:
        yield read(await _first_line(process, noise))
    finally:
        await _stopped(process)
        await noise


def read(line: bytes) -> Farm:
    """The farm that the simulator describes on its one line of output."""
    reported: dict[str, Any] = json.loads(line)
    control = str(reported["control"])
    url = control if "://" in control else f"http://{control}"
    faults = tuple((str(target), str(fault)) for target, fault in reported["demo_faults"])
    return Farm(tuple(_village(village) for village in reported["villages"]), url, faults)


def _village(reported: dict[str, Any]) -> FarmVillage:
    return FarmVillage(
        reported["name"],
        tuple(
            FarmDevice(
                key=device["key"],
                name=device["name"],
                host=device["host"],
                port=device["onvif_port"],
                username=device["username"],
                password=device["password"],
                channels=tuple(channel["key"] for channel in device["channels"]),
            )
            for device in reported["devices"]
        ),
    )


async def _first_line(process: Process, noise: asyncio.Task[Sequence[str]]) -> bytes:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise HubError(Kind.TIMEOUT, f"the simulator was not ready within {READY_SECONDS:g} s") from error
    if not line:
        await process.wait()
        raise HubError(Kind.UNAVAILABLE, "the simulator did not start: " + (" ".join(await noise) or "no reason given"))
    return line


async def _tail(stream: asyncio.StreamReader) -> Sequence[str]:
    """Read its standard error, so that the pipe never fills up, and return the last lines."""
    lines: list[str] = []
    with contextlib.suppress(ValueError):
        while line := await stream.readline():
            lines = [*lines[-4:], line.decode(errors="replace").strip()]
    return lines


async def _stopped(process: Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
