"""The demo from start to end: farm, hub, township; then it waits for its users, or runs the smoke test."""

import asyncio
import contextlib
import json
import logging
import socket
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from camera_hub.access.setup import FirstSetup
from camera_hub.clock import SystemClock
from camera_hub.demo import accounts as demo_accounts
from camera_hub.demo import township
from camera_hub.demo.accounts import DemoAccount, Kept
from camera_hub.demo.api import browser
from camera_hub.demo.farm import Farm, farm, free_network
from camera_hub.demo.plans import plan_tours
from camera_hub.demo.smoke import open_pictures
from camera_hub.errors import HubError, Kind
from camera_hub.running import running
from camera_hub.serving import Serving, StopSignal, serving
from camera_hub.settings import (
    DiscoverySettings,
    HealthSettings,
    MediaSettings,
    PictureSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
)

T = TypeVar("T")

PICTURES = 8
"""The smoke test requires pictures from this many villages (or from all healthy ones, if there are fewer)."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    data: Path | None = None
    port: int | None = None
    villages: int = 16
    cameras: int = 64
    faults: bool = True
    key_frames: str = "first_only"


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds per phase."""

    milliseconds: dict[str, int] = field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.milliseconds[name] = int((time.monotonic() - began) * 1000)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo with its township."""

    farm: Farm
    hub: Serving
    accounts: Sequence[DemoAccount]
    found: int
    refused: Sequence[str]
    broken: Sequence[str]


async def show(options: Options) -> None:
    """Start, print the accounts, run until cancelled."""
    async with AsyncExitStack() as stack:
        demo = await _started(stack, options, Stopwatch())
        _say("")
        _say(f"Open {demo.hub.url} in a browser. 用浏览器打开上面的地址，账号如下：")
        for account in demo.accounts:
            _say(f"  {account.username:<11} {account.password:<26} {account.role:<15} {account.display_name}")
        for broken in demo.broken:
            _say(f"  broken on purpose: {broken}")
        _say(f"Break more: GET {demo.farm.control}/faults lists faults, POST there switches one; 故障的开关地址如上。")
        _say("Ctrl-C ends the demo.")
        try:
            await asyncio.Event().wait()
        finally:
            _say("the demo is stopping …")


async def smoke(options: Options) -> dict[str, Any]:
    """Start, open pictures, end; returns the figures, with a `reason` if they are not good enough. Raises HubError."""
    watch = Stopwatch()
    with watch.phase("total"):
        async with AsyncExitStack() as stack:
            demo = await _started(stack, options, watch)
            operator = next(account for account in demo.accounts if account.role == "operator")
            api = await stack.enter_async_context(browser(demo.hub.url))
            await api("POST", "/api/session", {"username": operator.username, "password": operator.password})
            villages = {row["id"]: row["name"] for row in await api("GET", "/api/villages")}
            registered = await api("GET", "/api/cameras")
            broken = {village.name for village, _, _ in demo.farm.faults()} if options.faults else set()
            healthy = [village for village in demo.farm.villages if village.name not in broken]
            chosen = _one_per_village(registered, villages, {village.name for village in healthy})
            with watch.phase("pictures"):
                opened = await open_pictures(api, chosen, villages)
    expected = sum(village.cameras for village in healthy)
    healthy_registered = sum(villages.get(camera["village_id"]) not in broken for camera in registered)
    pictures = [asdict(one) for one in opened if one.ms is not None]
    for picture in pictures:
        picture.pop("reason")
    figures = {
        "cameras_found": demo.found,
        "registered": len(registered),
        "healthy_expected": expected,
        "pictures": pictures,
        "milliseconds": watch.milliseconds,
    }
    wanted = min(PICTURES, len(healthy))
    reasons = [f"{one.village} {one.camera}: {one.reason}" for one in opened if one.ms is None]
    if healthy_registered < expected:
        figures["reason"] = f"{healthy_registered} of {expected} healthy cameras registered: " + "; ".join(demo.refused)
    elif len(pictures) < wanted:
        figures["reason"] = f"{len(pictures)} of {wanted} pictures: " + "; ".join(reasons)
    return figures


async def _started(stack: AsyncExitStack, options: Options, watch: Stopwatch) -> Demo:
    """Enter farm and hub on the stack; set the township up if the folder is new."""
    data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camera-hub-demo-")))
    before = demo_accounts.kept(data)
    kept = before or Kept(demo_accounts.fresh(), free_network())
    with watch.phase("farm"):
        _say(f"starting {options.villages} virtual villages with {options.cameras} cameras …")
        cache = data / "farm" if options.data else None
        running_farm = await stack.enter_async_context(
            farm(
                options.villages,
                options.cameras,
                kept.network,
                cache,
                ["--sound", "--key-frames", options.key_frames, "--onvif-off", "--domes"],
            )
        )
    with watch.phase("hub"):
        hub = await stack.enter_async_context(serving(_settings(options, data), SystemClock()))
    api = await stack.enter_async_context(browser(hub.url))
    if before is None:
        demo_accounts.keep(data, kept)
        ids = await township.found_township(api, running_farm, await _token(hub), kept.accounts)
    else:
        admin = kept.accounts[0]
        await api("POST", "/api/session", {"username": admin.username, "password": admin.password})
        ids = {row["name"]: row["id"] for row in await api("GET", "/api/villages")}
    with watch.phase("search"):
        answered = await township.search(api, running_farm, ids, _say)
    refused: list[str] = []
    if before is None:
        with watch.phase("register"):
            cameras, refused = await township.register(api, running_farm, ids, answered, _say)
            if not cameras:
                raise HubError(Kind.UNREACHABLE, "no camera could be registered: " + "; ".join(refused[:3]))
            await township.put_in_service(api, cameras)
            await township.draw_map(api, ids)
            await township.plan_patrols(api)
            await plan_tours(api, SystemClock().now())
        for line in refused:
            _say(f"  refused: {line}")
    devices = [device for village in running_farm.villages for device in village.devices]
    found = sum(len(device.channels) for device in devices if device.host in answered)
    broken = await running_farm.break_some() if options.faults else []
    return Demo(running_farm, hub, kept.accounts, found, refused, broken)


async def _token(hub: Serving) -> str:
    setup: FirstSetup = hub.parts[FirstSetup]
    token = await setup.new_token()
    if token is None:
        raise HubError(
            Kind.CONFLICT, "the demo's folder has users but no list of them; give an empty folder with --data"
        )
    return token


def _one_per_village(
    cameras: Sequence[dict[str, Any]], villages: dict[int, str], healthy: set[str]
) -> list[dict[str, Any]]:
    chosen: dict[int, dict[str, Any]] = {}
    for camera in cameras:
        if camera["state"] == "approved" and villages.get(camera["village_id"]) in healthy:
            chosen.setdefault(camera["village_id"], camera)
    return list(chosen.values())[:16]


def _settings(options: Options, data: Path) -> Settings:
    """Shorter rounds than in production, so that faults appear soon; the virtual cameras have sound."""
    port = 8000 if options.port is None else options.port
    # The virtual cameras use port 8554 at their own addresses: the hub's is at 127.0.0.1.
    udp_port = free_or_any(8189, socket.SOCK_DGRAM, "0.0.0.0") if port else 0
    rtsp_port = free_or_any(8554, socket.SOCK_STREAM, "127.0.0.1") if port else 0
    return Settings(
        server=ServerSettings(port=port, data_dir=data),
        media=MediaSettings(udp_port=udp_port, audio=True, rtsp_host="127.0.0.1", rtsp_port=rtsp_port),
        discovery=DiscoverySettings(local_devices=True),  # the villages are on loopback addresses
        health=HealthSettings(round_seconds=20.0, picture_seconds=40.0),
        pictures=PictureSettings(learn_hours=0.1, ask_hours=0.2),
        recordings=RecordingSettings(check_hours=0.5, confirm_minutes=1.0),
    )


def free_or_any(port: int, kind: socket.SocketKind, host: str) -> int:
    """The port, or 0 (the system chooses) where another program has it: a second demo runs beside the first."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was closed a moment ago is free
        try:
            probe.bind((host, port))
        except OSError:
            return 0
    return port


def run_show(options: Options) -> None:
    """Run the demo until Ctrl-C. Raises HubError when it cannot start."""
    asyncio.run(_until_stopped(show(options)))


def run_smoke(options: Options) -> int:
    """Run the smoke test: writes one line of JSON to standard output and returns the exit code."""
    logging.getLogger("aiortc").setLevel(logging.ERROR)  # it warns of each frame that it cannot decode yet
    try:
        figures = asyncio.run(_until_stopped(smoke(options))) or {"reason": "stopped by a signal"}
    except HubError as error:
        figures = {"reason": error.detail}
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    return 1 if "reason" in figures else 0


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """The work's result; None when a signal ended it, after it has shut down."""
    with StopSignal() as stop:
        working = asyncio.create_task(work, name="demo")
        async with running(stop.wait(), "stop") as ending:
            await asyncio.wait([working, ending], return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        await asyncio.wait([working])
    return None if working.cancelled() else working.result()


def _say(line: str) -> None:
    """Progress goes to standard error: standard output is the smoke test's one line."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
