"""What the benches of rounds share: a township of virtual cameras with a hub that looks at all of them."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from camera_hub.bench.view_site import Site, hub
from camera_hub.clock import Clock
from camera_hub.demo.farm import Farm, farm, free_network
from camera_hub.errors import HubError, Kind
from camera_hub.health.judging.verdict import Aspect, aspect_of

DATABASE = "camera_hub.sqlite3"
REST = 20.0
"""Pauses between two readings of a list take this many times as long as its answer took, at least: a hub that is asked
all the time would measure the bench."""


@dataclass(frozen=True, slots=True)
class HealthSite:
    """The farm, the hub, and where its database is."""

    farmed: Farm
    hub: Site
    database: Path

    async def switch(self, villages: Sequence[str], fault: str, *, on: bool) -> None:
        """Switch a fault of these villages, all at once."""
        async with httpx.AsyncClient(base_url=self.farmed.control, timeout=30.0, trust_env=False) as client:
            orders = ({"target": name, "fault": fault, "on": on} for name in villages)
            answers = await asyncio.gather(*(client.post("/faults", json=order) for order in orders))
            for answer in answers:
                answer.raise_for_status()

    async def device_stats(self) -> dict[str, dict[str, Any]]:
        """The counters of every virtual device, by its key."""
        async with httpx.AsyncClient(base_url=self.farmed.control, timeout=60.0, trust_env=False) as client:
            found: dict[str, dict[str, Any]] = (await client.get("/stats")).json()["devices"]
            return found

    async def cameras(self) -> list[dict[str, Any]]:
        """As the hub's pages list them."""
        found: list[dict[str, Any]] = await self.hub.api("GET", "/api/cameras")
        return found

    async def wait_for(self, clock: Clock, share: float, seconds: float, *, online: bool) -> float:
        """Wait until that share of the cameras is online, or is known not to be; answers how long it took. Raises
        HubError(TIMEOUT)."""
        began, found = clock.monotonic(), Counter[str]()
        while clock.monotonic() - began < seconds:
            asked = clock.monotonic()
            cameras = await self.cameras()
            rest = max(1.0, REST * (clock.monotonic() - asked))
            found = Counter(f"{camera['health']} {camera['cause'] or ''}".strip() for camera in cameras)
            if sum(is_online(camera) is online for camera in cameras) >= share * len(cameras):
                return clock.monotonic() - began
            await clock.sleep(rest)
        counted = ", ".join(f"{count} {words}" for words, count in found.most_common())
        wanted = "online" if online else "offline"
        detail = f"not {share:.0%} of the cameras became {wanted} within {seconds:g} s: {counted}"
        raise HubError(Kind.TIMEOUT, detail)

    def observed(self, since: datetime) -> list[tuple[int, datetime, float | None, int]]:
        """(camera, when, key frame in ms where a picture was scored, bytes) since then, the oldest first."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30.0)) as database:
            rows = database.execute(
                "SELECT camera_id, at, key_frame_ms, coalesce(received_bytes, 0), scores"
                " FROM observations WHERE at >= ? ORDER BY at",
                (since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),),
            )
            return [
                (camera, datetime.fromisoformat(at).replace(tzinfo=UTC), ms if json.loads(scores) else None, size)
                for camera, at, ms, size, scores in rows
            ]


@asynccontextmanager
async def health_site(
    folder: Path, clock: Clock, *, villages: int, cameras: int, more: Mapping[str, str]
) -> AsyncIterator[HealthSite]:
    """A site whose rounds run as they do by default; `more`: further environment of the hub. Raises HubError."""
    rounds = {
        "CAMERA_HUB_HEALTH__ROUND_SECONDS": "60",
        "CAMERA_HUB_HEALTH__PICTURE_SECONDS": "300",
        "CAMERA_HUB_MEDIA__LINGER": "10",
        **more,
    }
    async with (
        farm(villages, cameras, free_network(), folder / "pictures", ("--gop", "2", "--no-discovery")) as farmed,
        hub(folder, clock, farmed, more=rounds, rounds=True) as made,
    ):
        yield HealthSite(farmed, made, folder / "data" / DATABASE)


def is_online(camera: Mapping[str, Any]) -> bool | None:
    """Whether its media is well, as the pages list it, whatever is said of its picture; None: not known."""
    if camera["health"] == "unknown":
        return None
    return camera["health"] == "ok" or aspect_of(camera["cause"]) is not Aspect.MEDIA


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """How many of these spans of time overlap at most."""
    edges = sorted(edge for begin, end in spans for edge in ((begin, 1), (end, -1)))
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share of them lies; None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
