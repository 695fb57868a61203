"""A patrol centre over a real database: cameras, an operator, tours, and runs that follow a stepped clock."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from camera_hub.access.policy import Actor, Role
from camera_hub.events import EventBus
from camera_hub.patrol.proof.sightings import ClockFollower, SightingReports
from camera_hub.patrol.runs.claims import ReportingPage
from camera_hub.patrol.runs.engine import Engine, RunSteering, engine
from camera_hub.patrol.runs.run_proof import NoProof, RunProof
from camera_hub.patrol.runs.views import RunView
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.patrol.tours.scenes import Scenes
from camera_hub.patrol.tours.stops import NewStop
from camera_hub.patrol.tours.tours import TourDraft, Tours
from camera_hub.settings import PatrolSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, User
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock

SETTINGS = PatrolSettings(warm_seconds=5.0)
ZONE = ZoneInfo("Asia/Shanghai")
NO_PROOF = NoProof()


@dataclass
class FakeMoments:
    """Notes of whom the hub was to take pictures: (run, stop, cameras)."""

    wanted: list[tuple[int, int, list[int]]] = field(default_factory=list)

    def take(self, run_id: int, position: int, cameras: Collection[int]) -> None:
        self.wanted.append((run_id, position, list(cameras)))


class NoSteps:
    """Nobody steps the clock."""

    async def follow_clock(self) -> None:
        return


@dataclass
class ReportingPageOf:
    """A page that is connected to the hub. `opened`: see ReportingPage."""

    reports: SightingReports
    user_id: int
    name: str
    opened: float

    async def report(self, actor: Actor, run: int, step: int, sightings: Sequence[Sighting]) -> None:
        page = ReportingPage(self.user_id, self.name, self.opened)
        await self.reports.report(actor, page, run, step, sightings)


@dataclass
class Centre:
    """What a run needs around it: six cameras of two villages and an operator."""

    database: Database
    clock: SteppedClock
    bus: EventBus
    actor: Actor
    cameras: list[int]
    media: FakeMedia = field(default_factory=FakeMedia)
    moments: FakeMoments = field(default_factory=FakeMoments)

    @property
    def tours(self) -> Tours:
        return Tours(SETTINGS, self.database, self.bus, self.clock)

    @property
    def scenes(self) -> Scenes:
        return Scenes(self.database, self.bus, self.clock)

    def page(
        self, follower: ClockFollower | None = None, name: str = "page", actor: Actor | None = None
    ) -> ReportingPageOf:
        """A page that reports what it shows; `follower`: the engine's keeper, where clocks are stepped; `actor`: whose
        it is, where not the operator's."""
        reports = SightingReports(self.database, self.bus, self.clock, self.moments, follower or NoSteps())
        return ReportingPageOf(reports, (actor or self.actor).user_id, name, self.clock.monotonic())

    @asynccontextmanager
    async def engine(self, proof: RunProof = NO_PROOF, steering: RunSteering | None = None) -> AsyncIterator[Engine]:
        parts = (SETTINGS, self.clock, self.bus, self.database, self.media, ZONE, proof, steering)
        async with engine(*parts) as running:
            yield running

    @asynccontextmanager
    async def under_way(
        self, tour: int, seconds: float = 0.0, *, loop: bool = False, steering: RunSteering | None = None
    ) -> AsyncIterator[tuple[Engine, RunView]]:
        """An engine, and a patrol of that tour that the operator has started and that has gone on for so long; with
        `loop` a presentation."""
        async with self.engine(steering=steering) as on:
            run = await on.runs.start(self.actor, tour, loop=loop)
            await self.clock.walk(seconds)
            yield on, await on.reader.get(self.actor, run.id)

    async def tour(self, *dwells: int, scene: int | None = None) -> int:
        """A tour over the cameras in turn; `scene` as one more stop at the end, of 10 s."""
        stops = [NewStop(self.cameras[n], None, dwell, "") for n, dwell in enumerate(dwells)]
        if scene is not None:
            stops.append(NewStop(None, scene, 10, "看桥栏"))
        return (await self.tours.create(self.actor, TourDraft("重点路段", stops))).id

    async def kill(self, *cameras: int, cause: str = "unreachable") -> None:
        async with self.database.write() as session:
            await session.execute(update(Camera).where(Camera.id.in_(cameras)).values(health="fault", cause=cause))

    async def lines(self, on: Engine, run: int) -> list[tuple[int, str, str | None, float | None]]:
        """(position, outcome, reason, seconds) of each line of the record."""
        steps, _ = await on.reader.record(self.actor, run)
        assert [step.sequence for step in steps] == list(range(len(steps)))
        return [(step.position, step.outcome, step.reason, step.shown_s) for step in steps]


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
async def centre(database: Database, clock: SteppedClock, bus: EventBus) -> Centre:
    cameras = await add_village(database, clock, "东沟村", 4) + await add_village(database, clock, "西沟村", 2)
    async with database.write() as session:
        user = User(
            username="zhang",
            display_name="张三",
            role="operator",
            all_villages=True,
            password_hash="-",
            created_at=clock.now(),
        )
        session.add(user)
        await session.flush()
        actor = Actor(user.id, "zhang", "张三", Role.OPERATOR)
    return Centre(database, clock, bus, actor, cameras)
