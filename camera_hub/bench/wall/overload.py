"""`bench wall --overload`: more tiles than the machine bears. What the first ones lose, and what the others are told.

The given load runs on the whole hub. Then further walls come, one after the other, each with cameras of its own. When
all have come the first half is measured; then the others leave, and the first half is watched until all is well again,
CALM seconds in a row: every tile live, nothing lost, no track slower than FRAMES of its rate, the latency near what it
was. At last a tile is asked for once more.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from camera_hub.bench.crew import Crew, crew
from camera_hub.bench.lines import Lines
from camera_hub.bench.measuring import Feeding, feeding
from camera_hub.bench.plan import Watch
from camera_hub.bench.wall import hub_data
from camera_hub.bench.wall.hub_pages import SETTLED, Page, Pages, told, users_for
from camera_hub.bench.wall.measure import connected, measured, watched
from camera_hub.bench.wall.plan import Load, OverloadPlan, per_viewer
from camera_hub.bench.wall.run import described, machine
from camera_hub.bench.wall.servers import WholeHub, whole_hub
from camera_hub.clock import Clock
from camera_hub.errors import HubError

CALM = 3
FRAMES = 0.9
LATER_MS = 10.0
"""By how much the p95 of the latency may differ from what it was, where twice that is less."""

FIRST_HALF = (
    "loss", "lost", "delivered_share", "fps_min", "tracks_silent", "client_drops", "latency_p50_ms", "latency_p95_ms",
    "cpu_percent", "machine_percent", "stolen_percent", "source_dropped",
)  # fmt: skip
"""Figures of the first half that the summary repeats."""


@dataclass(frozen=True, slots=True)
class FirstHalf:
    """The load that must not suffer, on a running hub."""

    clock: Clock
    source: Feeding
    hub: WholeHub
    clients: Crew
    load: Load

    async def measured(self, seconds: float) -> dict[str, Any]:
        """The fields of a window, and what its tiles are told."""
        fields = await measured(self.clock, self.source, self.hub, self.clients, self.load, seconds)
        return fields | {"told": self.told()}

    async def watched(self, seconds: float) -> dict[str, Any]:
        """The same without memory."""
        return await watched(self.clock, self.source, self.hub, self.clients, self.load, seconds)

    def told(self) -> dict[str, int]:
        """How many of its tiles are in each state."""
        return told(list(self.hub.opened.values()))


async def run(plan: OverloadPlan, clock: Clock, lines: Lines) -> bool:
    """Write the lines before, during and after, one for each wall that comes, and a summary. False when it fails."""
    base = {"bench": "wall", "server": plan.hub.name, **described(plan.load), "more": plan.more}
    try:
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-wall-"))
            source = await stack.enter_async_context(feeding(plan.load.picture))
            summary = await _run(plan, clock, lines, base, source, Path(folder) / "hub")
    except HubError as error:
        lines.write(base | {"failed": error.detail})
        return False
    lines.write(base | {"overload": "summary", **summary, **machine()})
    return True


def walls(plan: OverloadPlan) -> list[range]:
    """The cameras of each further wall, as numbers behind those of the first half."""
    size, first = plan.load.tiles_per_viewer, plan.load.feeds
    return [range(first + at, first + min(at + size, plan.more)) for at in range(0, plan.more, size)]


async def _run(
    plan: OverloadPlan, clock: Clock, lines: Lines, base: dict[str, Any], source: Feeding, folder: Path
) -> dict[str, Any]:
    further = walls(plan)
    viewers = -(-plan.load.tiles // per_viewer(plan.load)) + len(further) + 1  # and the one that asks at the end
    data = await hub_data.made(
        folder, clock, plan.hub, source=source.port, cameras=plan.load.feeds + plan.more, users=users_for(viewers)
    )
    first_cameras = replace(data, cameras=data.cameras[: plan.load.feeds])
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(whole_hub(plan.hub, first_cameras, plan.load, viewers))
        clients = await stack.enter_async_context(crew(1, hub.watch, checked=0))
        first = FirstHalf(clock, source, hub, clients, plan.load)
        await connected(clock, hub, clients, plan.load)
        await clock.sleep(plan.spans.warm_up)
        before = await first.measured(plan.spans.seconds)
        lines.write(base | {"overload": "before", **before})
        async with crew(1, Watch(len(further), plan.load.tiles_per_viewer, plan.load.cipher), checked=0) as others:
            pages, refused = await _connect(hub.pages, others)
            for viewer, cameras in enumerate(further):
                if viewer in pages:
                    wall = await _wall(plan, clock, pages[viewer], [data.cameras[camera] for camera in cameras])
                    lines.write(base | {"overload": "wall", "wall": viewer, **wall})
            during, second = await _during(first, others, pages, plan.spans.seconds)
            second |= {"offers_refused": refused, "tiles_asked": plan.more}
            lines.write(base | {"overload": "during", **during, "second_half": second})
            left = clock.monotonic()
            await asyncio.gather(*(page.close() for page in pages.values()), return_exceptions=True)
        after = await _after(plan, first, before, left)
        after["new_tile_ms"] = await _new_tile(plan, clock, hub.pages, data.cameras[-1])
        lines.write(base | {"overload": "after", **after})
    return {
        "first_half": {"before": _picked(before), "during": _picked(during)},
        "second_half": second,
        "seconds_to_normal": after["seconds_to_normal"],
        "new_tile_ms": after["new_tile_ms"],
    }


def _picked(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in FIRST_HALF}


async def _connect(pages: Pages, others: Crew) -> tuple[dict[int, Page], dict[str, int]]:
    """Connect the pages of the further walls; returns them by viewer, and how many offers failed for which reason."""
    opened: dict[int, Page] = {}

    async def answer(viewer: int, offer: str) -> str:
        page = await pages.open()
        sdp = await page.offer(offer)
        opened[viewer] = page
        return sdp

    refused: dict[str, int] = {}
    for error in (await others.connect_each(answer, "127.0.0.1")).values():
        name = error.reason or error.detail
        refused[name] = refused.get(name, 0) + 1
    return opened, refused


async def _wall(plan: OverloadPlan, clock: Clock, page: Page, cameras: Sequence[int]) -> dict[str, Any]:
    """Show one more wall and wait until the hub has said something lasting of each tile, for a while."""
    began = clock.monotonic()
    try:
        for track, camera in enumerate(cameras):
            await page.show(track, camera)
        async with asyncio.timeout(plan.patience):
            await page.until(_settled)
    except (TimeoutError, HubError):
        pass  # what it is told by now is in the line
    return {"told": told([page]), "gone": page.gone, "ms": 1e3 * (clock.monotonic() - began)}


def _settled(page: Page) -> bool:
    return bool(page.gone) or all(state in SETTLED for state, _ in page.tiles())


async def _during(
    first: FirstHalf, others: Crew, pages: dict[int, Page], seconds: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of the first half, and those of the second: what it is told, and what its live tiles get."""
    before, began = await others.counts(), first.clock.monotonic()
    fields = await first.measured(seconds)
    counted, passed = (await others.counts()) - before, first.clock.monotonic() - began
    states = told(list(pages.values()))
    live = sum(count for state, count in states.items() if state.partition(":")[0] == "live")
    share = counted.payload * 8 / passed / (live * first.source.expected.bit_rate) if live else None
    second = {"told": states, "live": live, "live_delivered_share": share, "loss": counted.loss}
    return fields, second | {"gone": sorted({page.gone for page in pages.values() if page.gone})}


async def _after(plan: OverloadPlan, first: FirstHalf, before: dict[str, Any], left: float) -> dict[str, Any]:
    """Watch the first half second by second until it has been calm for some; None when it is not within the time."""
    calm, began, seconds = 0, left, 0
    while first.clock.monotonic() - left < plan.recovery:
        at = first.clock.monotonic()
        fields = await first.watched(1.0)
        seconds += 1
        if is_calm(fields, before, first.told(), plan.load.tiles):
            began = at if calm == 0 else began
            calm += 1
            if calm == CALM:
                return {"seconds_to_normal": began - left, "seconds_watched": seconds}
        else:
            calm = 0
    return {"seconds_to_normal": None, "seconds_watched": seconds}


def is_calm(fields: dict[str, Any], before: dict[str, Any], states: dict[str, int], tiles: int) -> bool:
    """Whether a second of the first half is as good as it was before the others came. Pure."""
    usual, now = before["latency_p95_ms"], fields["latency_p95_ms"]
    in_time = usual is not None and now is not None and now <= max(2 * usual, usual + LATER_MS)
    live = sum(count for state, count in states.items() if state.partition(":")[0] == "live")
    whole = fields["lost"] == 0 and fields["fps_min"] >= FRAMES * min(fields["fps"], before["fps_min"])
    return bool(in_time and whole and live == tiles)


async def _new_tile(plan: OverloadPlan, clock: Clock, pages: Pages, camera: int) -> float | None:
    """Milliseconds until a camera that is asked for now is live in a tile; None when it is not within the patience."""
    async with crew(1, Watch(1, 1, plan.load.cipher), checked=0) as client:
        opened, refused = await _connect(pages, client)
        if refused:
            return None
        began = clock.monotonic()
        try:
            await opened[0].show(0, camera)
            async with asyncio.timeout(plan.patience):
                await opened[0].until(lambda page: page.tiles()[0][0] == "live")
        except (TimeoutError, HubError):
            return None
        return 1e3 * (clock.monotonic() - began)
