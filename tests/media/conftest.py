"""A Media with fake relays in processes of their own, real eyes, and rows to watch."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.media.child_process import Spawn
from camera_hub.media.engine import HelperCommands, MediaEngine
from camera_hub.media.interface import PageMessage, PullableStream, Quality, Sources, TileStatus
from camera_hub.media.interface import Role as StreamRole
from camera_hub.media.wall.pages import PageOutbox
from camera_hub.media.wall.viewer_session import ViewerSession
from camera_hub.relay.messages import FeedSpec, RtspLiveSource
from camera_hub.settings import EyeSettings, MediaSettings, ServerSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream, User, Village
from tests.fakes.clock import ManualClock

FAKE_RELAY = (sys.executable, "-m", "tests.media.fake_relay")
FAKE_EYE = (sys.executable, "-m", "tests.media.fake_eye")
NOON = ManualClock().now()
OPERATOR = Actor(1, "op", "Operator", Role.OPERATOR)


def engine(
    settings: Settings,
    bus: EventBus,
    database: Database,
    sources: Sources,
    spawn: Spawn | None = None,
    clock: Clock | None = None,
) -> MediaEngine:
    """The room on the machine's clock; with `spawn` its relay and eye only speak."""
    clock = clock or SystemClock()
    commands = HelperCommands(FAKE_RELAY, FAKE_EYE, spawn) if spawn is not None else HelperCommands()
    return MediaEngine(settings, clock, bus, database, sources, LoginBudget(clock), commands)


def fakes(spawn: Spawn) -> HelperCommands:
    """A relay and an eye that only speak."""
    return HelperCommands(FAKE_RELAY, FAKE_EYE, spawn)


@dataclass(frozen=True)
class FakeChosen:
    """As cameras.sources.Chosen."""

    stream_id: int
    camera_id: int
    village_id: int
    device_id: int
    role: StreamRole
    codec: str | None
    spec: FeedSpec
    in_service: bool = True


@dataclass
class FakeSources:
    """The contract of cameras.sources.StreamSources over a dictionary: camera → {role: path}."""

    paths: dict[int, dict[StreamRole, str]] = field(default_factory=dict)
    codecs: dict[int, str] = field(default_factory=dict)
    errors: dict[int, HubError] = field(default_factory=dict)
    credentials_version: int = 1
    device: str = ""  # all cameras are of this one; "" = each is on its own
    chosen: list[tuple[int, Quality]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)
    peculiarities: list[tuple[int, str, str]] = field(default_factory=list)
    addresses: list[tuple[str, int]] = field(default_factory=list)

    async def choose(self, camera_id: int, quality: Quality, codecs: frozenset[str]) -> FakeChosen:
        self.chosen.append((camera_id, quality))
        if (error := self.errors.get(camera_id)) is not None:
            raise error
        paths = self.paths.get(camera_id, {"sub": "live"})
        order: list[StreamRole] = ["main", "sub"] if quality == "main" else ["sub", "main"]
        fitting = [r for r in order if r in paths and self.codecs.get(self.stream(camera_id, r), "h264") in codecs]
        if not fitting:
            raise HubError(Kind.UNSUPPORTED, "no stream that this browser takes", reason=Reason.NO_H264)
        role = fitting[0]
        stream_id = self.stream(camera_id, role)
        spec = FeedSpec(
            feed=f"s{stream_id}",
            source=RtspLiveSource(f"rtsp://127.0.0.1/{paths[role]}", "127.0.0.1", 554, "admin", "secret"),
            device=self.device,
            credentials_version=self.credentials_version,
        )
        return FakeChosen(stream_id, camera_id, 1, 1, role, self.codecs.get(stream_id), spec)

    async def choose_all(
        self, camera_ids: Sequence[int], quality: Quality, codecs: frozenset[str]
    ) -> dict[int, PullableStream | HubError]:
        found: dict[int, PullableStream | HubError] = {}
        for camera_id in camera_ids:
            try:
                found[camera_id] = await self.choose(camera_id, quality, codecs)
            except HubError as error:
                found[camera_id] = error
        return found

    def plays(self, stream_id: int) -> None:
        self.addresses.append(("plays", stream_id))

    def doubt(self, stream_id: int) -> None:
        self.addresses.append(("doubt", stream_id))

    def rest(self, stream_id: int) -> None:
        self.addresses.append(("rest", stream_id))

    async def learned(self, stream_id: int, codec: str, width: int | None, height: int | None) -> None:
        self.codecs[stream_id] = codec

    async def peculiar(self, device_id: int, kind: str, value: str) -> None:
        self.peculiarities.append((device_id, kind, value))

    async def sync_point(self, stream_id: int) -> None:
        self.synced.append(stream_id)

    @staticmethod
    def stream(camera_id: int, role: StreamRole) -> int:
        return camera_id * 10 + (1 if role == "main" else 2)


@pytest.fixture
def sources() -> FakeSources:
    return FakeSources()


@pytest.fixture
async def site(database: Database) -> Database:
    """Two villages, one device each, cameras 1–4 approved in the first, 5 in the second, 6 waiting; an operator."""
    async with database.write() as session:
        session.add_all([Village(id=1, name="东村", created_at=NOON), Village(id=2, name="西村", created_at=NOON)])
        await session.flush()
        session.add_all([Device(id=n, village_id=n, host="127.0.0.1", created_at=NOON) for n in (1, 2)])
        await session.flush()
        for number in range(1, 7):
            village = 2 if number == 5 else 1
            session.add(
                Camera(
                    id=number,
                    device_id=village,
                    village_id=village,
                    channel=f"channel {number}",
                    name=f"camera {number}",
                    state="waiting" if number == 6 else "approved",
                    created_at=NOON,
                )
            )
        await session.flush()
        session.add(Stream(camera_id=1, role="sub", plain_uri="rtsp://127.0.0.1/live"))
        session.add(
            User(
                id=1,
                username="op",
                display_name="Operator",
                role="operator",
                all_villages=True,
                password_hash="-",
                created_at=NOON,
            )
        )
    return database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        server=ServerSettings(data_dir=tmp_path),
        media=MediaSettings(udp_port=0, load_limit=1.0),
        eye=EyeSettings(processes=1),
    )


@pytest.fixture
async def media(
    settings: Settings, bus: EventBus, site: Database, sources: FakeSources, spawn: Spawn
) -> AsyncIterator[MediaEngine]:
    """A Media on the machine's clock, with a relay and an eye that only speak."""
    async with engine(settings, bus, site, sources, spawn) as media:
        yield media


async def until(outbox: PageOutbox, wanted: Callable[[PageMessage], bool]) -> PageMessage:
    """The first news that is wanted; fails after some seconds, naming what came."""
    came: list[PageMessage] = []
    try:
        async with asyncio.timeout(60):
            async for news in outbox:
                came.append(news)
                if wanted(news):
                    return news
    except TimeoutError:
        pass
    raise AssertionError(f"it did not come; what came: {came}")


async def tile_in(outbox: PageOutbox, *states: str, serial: int | None = None) -> TileStatus:
    """The next tile in one of the states."""
    news = await until(
        outbox, lambda n: isinstance(n, TileStatus) and n.state in states and (serial is None or n.serial == serial)
    )
    assert isinstance(news, TileStatus)
    return news


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the answer is yes: for what happens in another process; fails after some seconds."""
    async with asyncio.timeout(60):
        while not await ask():  # noqa: ASYNC110 (the other process sets no event of ours)
            await asyncio.sleep(0.02)


def viewer_of(media: MediaEngine, viewer: str) -> ViewerSession:
    """The viewer as the hub keeps it."""
    found = media._tile_reports._sessions.get(viewer)
    assert found is not None
    return found
