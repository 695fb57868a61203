"""`camera-hub bench ptz`: from a press in a page to the call at the dome; from a lost page to a dome that stands.

Page, hub and simulator are separate processes. The simulator stamps commands by CLOCK_MONOTONIC, which all share.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camera_hub.bench.lines import Lines
from camera_hub.bench.ptz_page import PtzPage, ptz_page
from camera_hub.bench.view_report import Report
from camera_hub.bench.view_site import Site, hub
from camera_hub.clock import Clock
from camera_hub.demo.api import Api, browser
from camera_hub.demo.farm import Farm, farm, free_network
from camera_hub.errors import HubError, Kind

PRESS_MS = 50.0
"""Bar of the p95 from a press to the ONVIF call."""
CUT_SECONDS = 2.0
"""Bar of the longest time from the end of a page to a dome that stands."""
STUBBORN = ("", "ptz_ignores_timeout", "ptz_faults_on_timeout", "ptz_faults_on_stop")
"""Faults of the dome whose page ends; "": none. The hub learns that Timeout is refused before it meets the last one,
which then stops by nothing but a move of velocity zero."""
DEADLINE = 60.0
_UNSEEN = ("--cold",)
"""Pictures that nobody asks for would be encoded while presses are measured."""
_KEEP_ALIVE = 0.4
_LOOK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class PtzPlan:
    """How many presses, idle and busy each, and how many pages end while they move a dome of each kind. Eight cameras
    are one recorder, three are devices of their own; a dome is among both."""

    presses: int = 100
    cuts: int = 5
    cameras: int = 8


@dataclass(frozen=True, slots=True)
class _Dome:
    """A dome in the hub (camera and device) and in the simulator (device and channel)."""

    camera: int
    device: int
    farm_device: str
    key: str


class _Simulated:
    """The dome as the simulator knows it, over its control port."""

    def __init__(self, api: Api, dome: _Dome, clock: Clock) -> None:
        self._api = api
        self._dome = dome
        self._clock = clock

    async def arrived(self, operation: str, since: float) -> float | None:
        """When that command arrived first after `since` (monotonic seconds)."""
        for command in (await self._read())["commands"]:
            if command["operation"] == operation and command["at"] >= since:
                return float(command["at"])
        return None

    async def standing_at(self) -> float | None:
        """The simulator's present moment if the dome stands."""
        found = await self._read()
        return float(found["now"]) if not found["moving"] else None

    async def switch(self, fault: str, *, on: bool) -> None:
        await self._api("POST", "/faults", {"target": self._dome.farm_device, "fault": fault, "on": on})

    async def until(self, what: str, found: Callable[[], Awaitable[float | None]], page: PtzPage | None) -> float:
        """The first moment that is found. Raises HubError(TIMEOUT) with what the page was told last."""
        end = self._clock.monotonic() + DEADLINE
        while (at := await found()) is None:
            if self._clock.monotonic() > end:
                told = f"; the page was told: {page.error}" if page is not None and page.error else ""
                raise HubError(Kind.TIMEOUT, f"not within {DEADLINE:g} s: {what}{told}")
            await self._clock.sleep(_LOOK_EVERY)
        return at

    async def _read(self) -> dict[str, Any]:
        answer = await self._api("GET", "/ptz", target=self._dome.key)
        return {"now": answer["now"], **answer["domes"][self._dome.key]}


async def run(plan: PtzPlan, clock: Clock, lines: Lines) -> bool:
    """Measure, a line per figure. False when one missed its target. Raises HubError when a part does not start."""
    report = Report(lines, "ptz")
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as folder:
        async with (
            farm(1, plan.cameras, free_network(), Path(folder) / "pictures", _UNSEEN) as farmed,
            hub(Path(folder), clock, farmed) as site,
            browser(farmed.control) as control,
        ):
            dome = await _dome(site, farmed)
            simulated = _Simulated(control, dome, clock)
            async with ptz_page(site.api, dome.camera) as page:
                await _presses(plan.presses, page, simulated, clock, report, {})
                async with _asked(site.api, dome) as counted:
                    await _presses(plan.presses, page, simulated, clock, report, counted)
            for fault in STUBBORN:
                await _cuts(plan.cuts, fault, site, dome, simulated, clock, report)
    return report.met


async def _dome(site: Site, farmed: Farm) -> _Dome:
    camera = next(one for one in await site.api("GET", "/api/cameras") if one["ptz"])
    devices = await site.api("GET", "/api/devices")
    host = next(device["host"] for device in devices if device["id"] == camera["device_id"])
    device = next(one for village in farmed.villages for one in village.devices if one.host == host)
    return _Dome(camera["id"], camera["device_id"], device.key, f"{device.key}-{camera['number'] or 1}")


async def _presses(
    count: int, page: PtzPage, simulated: _Simulated, clock: Clock, report: Report, beside: dict[str, int]
) -> None:
    """Press and let go, again and again. `beside`: counts what is asked of the same device meanwhile."""
    pressed: list[float] = []
    stopped: list[float] = []
    for number in range(count):
        at = await page.move(clock, 0.4 if number % 2 else -0.4)
        pressed.append(await _until(simulated, "ContinuousMove", at, page) - at)
        await clock.sleep(number * 7 % 10 / 50)  # other moments of what the hub does besides
        at = await page.stop(clock)
        stopped.append(await _until(simulated, "Stop", at, page) - at)
        await clock.sleep(number * 3 % 10 / 50)
    kind = "busy" if beside else "idle"
    report.figure(f"press_{kind}_ms", _ms(pressed), PRESS_MS, beside=dict(beside))
    report.figure(f"release_{kind}_ms", _ms(stopped), beside=dict(beside))


async def _until(simulated: _Simulated, operation: str, since: float, page: PtzPage) -> float:
    return await simulated.until(f"{operation} reaches the dome", lambda: simulated.arrived(operation, since), page)


@asynccontextmanager
async def _asked(api: Api, dome: _Dome) -> AsyncIterator[dict[str, int]]:
    """While the block runs, the dome's device is described and its clock and settings are read, without a pause."""
    counted = {"described": 0, "clock_read": 0, "refused": 0}

    async def ask(name: str, method: str, path: str) -> None:
        while True:
            try:
                await api(method, path)
                counted[name] += 1
            except HubError:
                counted["refused"] += 1

    tasks = [
        asyncio.create_task(ask("described", "POST", f"/api/devices/{dome.device}/describe"), name="bench describe"),
        asyncio.create_task(
            ask("clock_read", "GET", f"/api/devices/{dome.device}/settings?fresh=true"), name="bench clock"
        ),
    ]
    try:
        yield counted
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _cuts(
    count: int, fault: str, site: Site, dome: _Dome, simulated: _Simulated, clock: Clock, report: Report
) -> None:
    """Pages that are cut off while they move the dome: seconds until it stands."""
    if fault:
        await simulated.switch(fault, on=True)
    taken: list[float] = []
    for number in range(count):
        async with ptz_page(site.api, dome.camera) as page:
            at = await page.move(clock, 0.4)
            await _until(simulated, "ContinuousMove", at, page)
            for _ in range(2):
                await clock.sleep(_KEEP_ALIVE)
                await page.move(clock, 0.4)
            await clock.sleep(number * 3 % 10 * _KEEP_ALIVE / 10)
            if await simulated.standing_at() is not None:
                raise HubError(Kind.INTERNAL, "the dome stood while it was steered")
            at = page.cut(clock)
            taken.append(await simulated.until("the dome stands", simulated.standing_at, None) - at)
    if fault:
        await simulated.switch(fault, on=False)
    longest = max(taken)
    report.line(
        {
            "figure": "cut_to_still_s",
            "fault": fault or None,
            "n": count,
            "first": taken[0],
            "max": longest,
            "bar_max": CUT_SECONDS,
            "met": longest <= CUT_SECONDS,
        }
    )


def _ms(seconds: Sequence[float]) -> list[float]:
    return [1000 * one for one in seconds]
