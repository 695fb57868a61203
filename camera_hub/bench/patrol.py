"""`camera-hub bench patrol`: operators on running patrols; what the hub costs, and how true to its timetable it is.

Cameras (a source as in `bench wall`), hub and light viewers are processes of their own. Each operator has a page with a
WebSocket and one peer connection; it shows what the run shows, reports what was seen, and confirms each screen.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from camera_hub.bench import meter
from camera_hub.bench.crew import Crew, crew
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import feeding
from camera_hub.bench.memory import memory
from camera_hub.bench.plan import Picture, Watch
from camera_hub.bench.servers import LOOPBACK
from camera_hub.bench.view_report import Report
from camera_hub.bench.wall import hub_data
from camera_hub.bench.wall.figures import memory_fields
from camera_hub.bench.wall.hub_data import HubData
from camera_hub.bench.wall.hub_pages import Page, Pages, signed_in
from camera_hub.bench.wall.hub_process import hub_process
from camera_hub.bench.wall.measure import CpuShares
from camera_hub.bench.wall.plan import HubVariant
from camera_hub.clock import Clock
from camera_hub.demo.api import Api
from camera_hub.errors import HubError, Kind
from camera_hub.running import running

STEP_MS = 500.0
"""Bar of the p95 from the moment when a stop is due until the page has been told."""
REPORT_SECONDS = 2.0
CONFIRM_AFTER = 5.0
"""Seconds of a stop after which its operator confirms it."""
SUB = Picture(400_000, 640, 360, fps=15)


@dataclass(frozen=True, slots=True)
class PatrolPlan:
    """`tiles`: of each scene. Scenes follow each other over all cameras, so that stops of one run share none while
    there are cameras enough."""

    operators: int = 20
    cameras: int = 200
    tiles: int = 16
    dwell_s: int = 10
    warm_up: float = 30.0
    seconds: float = 90.0

    @property
    def stops(self) -> int:
        """Of each patrol: enough for the whole bench, so that none is over before its end."""
        return int((self.warm_up + self.seconds) / self.dwell_s) + 4


@dataclass(slots=True)
class Noted:
    """What operators have noted."""

    late_ms: list[float] = field(default_factory=list)
    live_ms: list[float] = field(default_factory=list)
    wrong: int = 0
    confirmed: int = 0
    refused: int = 0
    never_live: int = 0


class Operator:
    """One page on one patrol."""

    def __init__(self, plan: PatrolPlan, clock: Clock, page: Page, api: Api, noted: Noted) -> None:
        self._plan = plan
        self._clock = clock
        self._page = page
        self._api = api
        self._noted = noted
        self._run = 0
        self._began = clock.now()
        self._stops: list[list[int]] = []
        self._told: asyncio.Queue[tuple[datetime, dict[str, Any]]] = asyncio.Queue()
        page.heard = self._hear

    async def begin(self, tour: int) -> None:
        """Start the patrol and show its first stop."""
        run = await self._api("POST", "/api/runs", {"tour_id": tour})
        itinerary = await self._api("GET", f"/api/runs/{run['id']}/itinerary")
        self._stops = [[camera["id"] for camera in stop["cameras"] if camera] for stop in itinerary["stops"]]
        self._run, self._began = run["id"], datetime.fromisoformat(run["started_at"])
        await self._show(0)

    async def work(self) -> None:
        """Follow the patrol: show what it shows, report and confirm; for as long as the block runs."""
        at, run = self._clock.now(), await self._api("GET", f"/api/runs/{self._run}")
        while True:
            watching = asyncio.create_task(self._watch(run), name="bench stop")
            try:
                position = run["position"]
                while run["position"] == position:
                    at, run = await self._told.get()
            finally:
                watching.cancel()
                await asyncio.wait([watching])
            if not watching.cancelled() and (error := watching.exception()) is not None:
                raise error
            self._note(run, at)
            await self._show(run["position"])

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "changed" and (message["topic"], message["id"]) == ("run", self._run) and message["data"]:
            self._told.put_nowait((self._clock.now(), message["data"]))

    def _note(self, run: dict[str, Any], at: datetime) -> None:
        """How late the page was told, by the timetable: all stops are of one length, none is skipped."""
        due = self._began + timedelta(seconds=self._plan.dwell_s * run["position"])
        self._noted.late_ms.append(1000 * (at - due).total_seconds())
        self._noted.wrong += run["skipped"] > 0 or run["state"] != "running"

    async def _show(self, position: int) -> None:
        for track, camera in enumerate(self._stops[position]):
            await self._page.show(track, camera)

    async def _watch(self, run: dict[str, Any]) -> None:
        """Until the stop is over."""
        began = self._clock.monotonic()
        self._noted.never_live += 1
        await self._page.until(lambda page: all(state == "live" for state, _ in page.tiles()))
        self._noted.never_live -= 1
        self._noted.live_ms.append(1000 * (self._clock.monotonic() - began))
        shown, confirmed = self._clock.monotonic(), False
        while True:
            await self._clock.sleep(REPORT_SECONDS)
            seconds = self._clock.monotonic() - shown
            seen = [{"camera": camera, "seconds": seconds} for camera in self._stops[run["position"]]]
            await self._page.send({"type": "seen", "run": self._run, "step": run["step"], "cameras": seen})
            if seconds >= CONFIRM_AFTER and not confirmed:
                confirmed = True
                await self._confirm(run["position"])

    async def _confirm(self, position: int) -> None:
        try:
            await self._api(
                "POST",
                f"/api/runs/{self._run}/confirm",
                {"position": position, "camera_ids": None, "result": "normal"},
            )
            self._noted.confirmed += 1
        except HubError:
            self._noted.refused += 1


async def run(plan: PatrolPlan, clock: Clock, lines: Lines) -> bool:
    """Measure, a line per figure. False when one missed its target. Raises HubError when a part does not start."""
    report = Report(lines, "patrol")
    hub = HubVariant("hub", Path(sys.executable))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-patrol-"))) / "hub"
        source = await stack.enter_async_context(feeding(SUB))
        data = await hub_data.made(folder, clock, hub, source=source.port, cameras=plan.cameras, users=plan.operators)
        process = await stack.enter_async_context(hub_process(hub, folder, plan.operators))
        pages = await stack.enter_async_context(signed_in(process.url, data, per_user=1))
        clients = await stack.enter_async_context(crew(1, Watch(plan.operators, plan.tiles, "gcm"), checked=0))
        noted, operators = await _operators(plan, clock, data, pages, clients)
        async with AsyncExitStack() as working:
            for number, operator in enumerate(operators):
                await working.enter_async_context(running(operator.work(), f"operator {number}"))
            await clock.sleep(plan.warm_up)
            _forget(noted)
            used, busy, frames = CpuShares(clock), meter.machine(), await clients.counts()
            await clock.sleep(plan.seconds)
            percent, after = used.percent(), meter.machine()
            held = memory_fields(await asyncio.to_thread(memory, (process.pid,)), percent)
            shown = sum((await clients.counts()).per_stream.values()) - sum(frames.per_stream.values())
            family = meter.family(meter.read_stats(), (process.pid,))
        if not noted.late_ms:
            raise HubError(Kind.TIMEOUT, "no patrol has moved within the window")
        report.figure("told_late_ms", noted.late_ms, STEP_MS, wrong=noted.wrong)
        report.figure("all_live_ms", noted.live_ms or [float("inf")], never=noted.never_live)
        report.line(
            {
                "figure": "server",
                "operators": plan.operators,
                "tiles": plan.operators * plan.tiles,
                "cameras": plan.cameras,
                "steps": len(noted.late_ms),
                "confirmed": noted.confirmed,
                "refused": noted.refused,
                "cpu_percent": sum(percent.get(pid, 0.0) for pid in family),
                "frames_per_second": shown / plan.seconds,
                "machine_percent": 100 * after.share(busy),
                "cores": os.cpu_count(),
                "met": noted.wrong == 0,
                **held,
            }
        )
    return report.met


def _forget(noted: Noted) -> None:
    """What was noted while everything warmed up."""
    noted.late_ms.clear()
    noted.live_ms.clear()
    noted.wrong = noted.confirmed = noted.refused = 0


async def _operators(
    plan: PatrolPlan, clock: Clock, data: HubData, pages: Pages, clients: Crew
) -> tuple[Noted, list[Operator]]:
    """Pages that are connected, each on a patrol of its own; their starts are spread over one stop."""
    opened: dict[int, Page] = {}

    async def answer(viewer: int, offer: str) -> str:
        opened[viewer] = page = await pages.open()
        return await page.offer(offer)

    await clients.connect(answer, LOOPBACK)
    noted, operators = Noted(), list[Operator]()
    for number, page in sorted(opened.items()):
        operators.append(Operator(plan, clock, page, page.api, noted))
        await operators[-1].begin(await _tour(plan, page.api, data.cameras, number))
        await clock.sleep(plan.dwell_s / plan.operators)
    return noted, operators


async def _tour(plan: PatrolPlan, api: Api, cameras: Sequence[int], number: int) -> int:
    """A tour of scenes over the cameras in turn, each operator beginning elsewhere; its scenes are used again."""
    scenes = max(1, min(plan.stops, len(cameras) // plan.tiles))
    made = []
    for scene in range(scenes):
        first = (number * scenes + scene) * plan.tiles
        shown = [cameras[(first + tile) % len(cameras)] for tile in range(plan.tiles)]
        body = {"name": f"bench {number}.{scene}", "layout": "16" if plan.tiles > 9 else "9", "cameras": shown}
        made.append((await api("POST", "/api/scenes", body))["id"])
    stops = [{"scene_id": made[stop % scenes], "dwell_s": plan.dwell_s} for stop in range(plan.stops)]
    tour = await api("POST", "/api/tours", {"name": f"bench {number}", "stops": stops})
    return int(tour["id"])
