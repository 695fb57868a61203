"""A township of pretended cameras under real rounds and real judging, whose ticks are kept in memory: hours of them in
seconds of a test, all in injected time."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy import select

from camera_hub.events import EventBus
from camera_hub.health.alarms import evaluator
from camera_hub.health.alarms.tick_writer import Tick, Written
from camera_hub.health.judging.alarm_changes import AlarmClosing, AlarmOpening, AlarmUpdate
from camera_hub.health.rounds import rounds as rounds_module
from camera_hub.health.rounds.rounds import Rounds
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device
from tests.fakes.media import FakeMedia
from tests.fakes.site import add_village
from tests.fakes.stepped import SteppedClock
from tests.health.fake_network import FakeNetwork


@dataclass
class RaisedAlarm:
    """An alarm from its opening on. `members`: all that it ever stood for."""

    level: str
    cause: str
    subject: int
    opened: datetime
    members: set[int]
    ending: str | None = None
    closed: datetime | None = None
    flapping: bool = False
    severity: str = ""


@dataclass
class Record:
    """What rounds would have written."""

    alarms: dict[int, RaisedAlarm] = field(default_factory=dict)
    states: int = 0
    looks: int = 0

    def write(self, tick: Tick) -> Written:
        """Take what one tick has to write; answers the ids of the alarms that it opened."""
        written = Written()
        self.looks += len(tick.looks)
        self.states += sum(not state.refines for state in tick.states)
        for change in tick.changes:
            if isinstance(change, AlarmOpening):
                number, new = len(self.alarms) + 1, change.alarm
                self.alarms[number] = RaisedAlarm(
                    new.key.level,
                    new.cause,
                    new.key.subject,
                    tick.now,
                    set(new.members),
                    severity=new.severity,
                    flapping=new.flapping,
                )
                written.opened[new.key] = number
            elif isinstance(change, AlarmUpdate):
                alarm = self.alarms[change.alarm_id]
                alarm.cause, alarm.flapping = change.cause, alarm.flapping or change.flapping
                alarm.members |= change.joined
            elif isinstance(change, AlarmClosing):
                alarm = self.alarms[change.alarm_id]
                alarm.closed, alarm.ending = tick.now, change.ending
        return written


@dataclass
class Township:
    """`villages`: their cameras' ids."""

    clock: SteppedClock
    media: FakeMedia
    network: FakeNetwork
    record: Record
    hosts: dict[int, str]
    villages: list[list[int]]
    step: float

    def cut(self, cameras: Collection[int]) -> None:
        """From now on the addresses of these cameras do not answer."""
        self.network.silent |= {self.hosts[camera] for camera in cameras}

    def mend(self, cameras: Collection[int]) -> None:
        """They answer again."""
        self.network.silent -= {self.hosts[camera] for camera in cameras}

    async def walk(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.walk(seconds, step=self.step)

    @property
    def alarms(self) -> list[RaisedAlarm]:
        """All that were opened, the oldest first."""
        return list(self.record.alarms.values())

    def raised(self, *, open: bool | None = None, merged: bool = False) -> list[tuple[str, str, int]]:
        """(level, cause, number of cameras) of alarms, merged ones left out."""
        return [
            (one.level, one.cause, len(one.members))
            for one in self.alarms
            if (open is None or (one.closed is None) is open) and (merged or one.ending != "merged")
        ]


@asynccontextmanager
async def township(
    database: Database,
    sizes: Collection[int],
    *,
    settings: HealthSettings | None = None,
    tick: float = 1.0,
    recorder: int = 0,
) -> AsyncIterator[Township]:
    """Villages with so many cameras each, well for the first round. `tick`: how finely time passes."""
    clock, bus = SteppedClock(), EventBus()
    villages = [
        await add_village(database, clock, f"村{number}", size, recorder=recorder) for number, size in enumerate(sizes)
    ]
    hosts = await addresses(database)
    media, network, record = FakeMedia(nap=clock.nap), FakeNetwork(clock), Record()
    with in_memory(database, record, tick):
        settings = settings or HealthSettings()
        async with Rounds(settings, clock, bus, database, media, network):
            place = Township(clock, media, network, record, hosts, villages, tick)
            await place.walk(settings.round_seconds + 30)
            assert place.alarms == []
            yield place


@contextmanager
def in_memory(database: Database, record: Record, tick: float) -> Iterator[None]:
    """Ticks go into the record instead of the database."""

    @asynccontextmanager
    async def nowhere() -> AsyncIterator[None]:
        yield None

    async def keep(_: object, written: Tick) -> Written:
        return record.write(written)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "write_tick", keep)
        patch.setattr(database, "write", nowhere)
        patch.setattr(rounds_module, "TICK", tick)
        yield


async def addresses(database: Database) -> dict[int, str]:
    """The address of each camera's device."""
    async with database.read() as session:
        query = select(Camera.id, Device.host).join(Device, Device.id == Camera.device_id)
        return {camera: host for camera, host in await session.execute(query)}
