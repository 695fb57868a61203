"""`bench pages`: what open pages cost the database when cameras drop, in SQL statements and milliseconds.

A separate hub with a new database (SQLite unless another is given) has cameras that nobody pulls. Its pages are real
WebSockets. Then cameras are set to faulty, at once or one after the other, and each page waits for its changes.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, update
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from camera_hub.access.accounts import Accounts
from camera_hub.access.policy import Role
from camera_hub.access.sessions import Sessions
from camera_hub.api.routing import COOKIE
from camera_hub.bench.lines import Lines
from camera_hub.clock import Clock
from camera_hub.errors import HubError, Kind
from camera_hub.events import CameraChanged, EventBus
from camera_hub.serving import Serving, serving
from camera_hub.settings import DatabaseSettings, HealthSettings, MediaSettings, ServerSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream, Village

VILLAGES = 16
PER_DEVICE = 16
APART = 0.02
"""Seconds between two changes that come one after the other, as rounds find them."""

DEADLINE = 120.0
_PASSWORD = "bench-of-pages-1"


@dataclass(frozen=True, slots=True)
class PagesPlan:
    """How many cameras exist, how many pages are open, and how many cameras drop."""

    cameras: int = 1000
    pages: int = 20
    drops: int = 40
    database_url: str = ""


async def run(plan: PagesPlan, clock: Clock, lines: Lines) -> bool:
    """Write a line for changes at once and one for changes one after the other. False when pages missed some."""
    async with _hub(plan, clock) as hub:
        cameras = await _fill(hub, plan, clock)
        async with _pages(hub, plan) as pages:
            whole = True
            for mode, apart in (("at once", 0.0), ("one by one", APART)):
                line = await _drop(hub, plan, cameras[: plan.drops], pages, apart, clock)
                lines.write({"bench": "pages", "mode": mode, **line})
                whole = whole and line["missed"] == 0
            return whole


@contextmanager
def statements(database: Database) -> Iterator[Counter[str]]:
    """Count the SQL statements executed during the block, by their first word; BEGIN and the like are left out."""
    counted: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        word = statement.split(None, 1)[0].upper()
        if word in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            counted[word] += 1

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", note)


@asynccontextmanager
async def _hub(plan: PagesPlan, clock: Clock) -> AsyncIterator[Serving]:
    with tempfile.TemporaryDirectory(prefix="camera-hub-bench-") as folder:
        settings = Settings(
            server=ServerSettings(port=0, data_dir=Path(folder)),
            database=DatabaseSettings(url=plan.database_url),
            media=MediaSettings(udp_port=0, rtsp_port=0),
            health=HealthSettings(round_seconds=86_400.0, picture_seconds=86_400.0),  # no rounds during the bench
        )
        async with serving(settings, clock) as hub:
            yield hub


async def _fill(hub: Serving, plan: PagesPlan, clock: Clock) -> list[tuple[int, int]]:
    """Add villages, devices and approved cameras with their sub streams; returns (camera, village) of each."""
    database: Database = hub.parts[Database]
    now = clock.now()
    async with database.write() as session:
        villages = [Village(name=f"bench {n}", position=n, created_at=now) for n in range(VILLAGES)]
        session.add_all(villages)
        await session.flush()
        devices = [
            Device(village_id=villages[n % VILLAGES].id, host=f"192.0.2.{n % 250}", created_at=now)
            for n in range(-(-plan.cameras // PER_DEVICE))
        ]
        session.add_all(devices)
        await session.flush()
        cameras = [
            Camera(
                device_id=devices[n // PER_DEVICE].id,
                village_id=devices[n // PER_DEVICE].village_id,
                channel=str(n),
                name=f"camera {n}",
                position=n,
                state="approved",
                health="ok",
                created_at=now,
            )
            for n in range(plan.cameras)
        ]
        session.add_all(cameras)
        await session.flush()
        streams = [
            {"camera_id": camera.id, "role": "sub", "source": "url", "plain_uri": "rtsp://192.0.2.1/", "details": {}}
            for camera in cameras
        ]
        await session.execute(insert(Stream), streams)
    return [(camera.id, camera.village_id) for camera in cameras]


@asynccontextmanager
async def _pages(hub: Serving, plan: PagesPlan) -> AsyncIterator[list[ClientConnection]]:
    """Pages of that many users, each after its hello message."""
    accounts: Accounts = hub.parts[Accounts]
    sessions: Sessions = hub.parts[Sessions]
    async with AsyncExitStack() as stack:
        pages = []
        for number in range(plan.pages):
            account = await accounts.create(f"bench{number}", f"bench {number}", Role.OPERATOR, _PASSWORD)
            cookie = {"Cookie": f"{COOKIE}={await sessions.start(account.id)}"}
            url = f"{hub.url.replace('http', 'ws', 1)}/api/live"
            offered = [Subprotocol("camera-hub"), Subprotocol(f"page.bench-{number:04}")]
            page = await stack.enter_async_context(
                connect(url, additional_headers=cookie, subprotocols=offered, proxy=None, max_queue=4096)
            )
            if json.loads(await page.recv())["type"] != "hello":
                raise HubError(Kind.INTERNAL, "a page got no hello message")
            pages.append(page)
        yield pages


async def _drop(
    hub: Serving,
    plan: PagesPlan,
    cameras: list[tuple[int, int]],
    pages: list[ClientConnection],
    apart: float,
    clock: Clock,
) -> dict[str, Any]:
    database: Database = hub.parts[Database]
    bus: EventBus = hub.parts[EventBus]
    cause = "unreachable" if apart else "timed_out"  # another one each time, so that every row changes
    async with database.write() as session:
        await session.execute(
            update(Camera).where(Camera.id.in_([camera for camera, _ in cameras])).values(health="fault", cause=cause)
        )
    wanted = {camera for camera, _ in cameras}
    with statements(database) as counted:
        began = clock.monotonic()
        waiting = [asyncio.create_task(_changes(page, wanted, cause), name="bench page") for page in pages]
        for camera, village in cameras:
            bus.publish(CameraChanged(camera, village))
            if apart:
                await clock.sleep(apart)
        got = await asyncio.gather(*waiting)
        passed = clock.monotonic() - began
    return {
        "cameras": plan.cameras,
        "pages": len(pages),
        "drops": len(cameras),
        "statements": sum(counted.values()),
        "ms": round(1000 * (passed - apart * len(cameras)), 1),
        "bytes_per_page": max(size for size, _ in got),
        "missed": sum(missed for _, missed in got),
    }


async def _changes(page: ClientConnection, wanted: set[int], cause: str) -> tuple[int, int]:
    """Bytes until every wanted camera was received with the new cause, and how many were not."""
    left, size = set(wanted), 0
    try:
        async with asyncio.timeout(DEADLINE):
            while left:
                text = await page.recv()
                message = json.loads(text)
                if message["type"] == "changed" and message["topic"] == "camera" and message["data"]["cause"] == cause:
                    size += len(text)
                    left.discard(message["id"])
    except TimeoutError:
        pass
    return size, len(left)
