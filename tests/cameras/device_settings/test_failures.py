"""Settings while something else fails: the database, the hub's own clock, another person at the same device."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_settings.applying import SettingsChanges
from camera_hub.cameras.device_settings.clock_checks import ClockCheck, ClockLimits, judged
from camera_hub.cameras.device_settings.links import VillageLinks
from camera_hub.cameras.device_settings.nightly import NightlyClockChecks
from camera_hub.cameras.device_settings.previews import SettingsPreviews
from camera_hub.cameras.device_settings.reading import SettingsReadings
from camera_hub.cameras.device_settings.store import SettingsStore
from camera_hub.cameras.device_settings.values import (
    BehindRecorder,
    ClockState,
    Facts,
    Part,
    PlannedItem,
    SettingsDevice,
    SettingsReading,
    WantedChange,
    WantedClock,
)
from camera_hub.cameras.jobs import Jobs, JobView
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.events import EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, Village
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock

NOW = WantedChange(WantedClock(set_now=True))
ZONE = WantedChange(WantedClock(zone="CST-8"))


@dataclass
class ScriptedWay:
    """A device whose clock is off by `offset_s`, until it is set; `error`: why it does not answer."""

    offset_s: float = 120.0
    source: str = "manual"
    zone: str = "UTC0"
    error: HubError | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    settings: int = 0

    def __post_init__(self) -> None:
        self.answers.set()

    async def read(self, device: SettingsDevice, parts: Collection[Part]) -> SettingsReading:
        return SettingsReading(await self.clock(device), (), ("clock", "ntp"))

    async def clock(self, device: SettingsDevice) -> ClockState:
        if self.error is not None:
            raise self.error
        found = ClockState(
            "ntp" if self.source == "ntp" else "manual", None, self.offset_s, self.zone, 28800 * (self.zone != "UTC0")
        )
        self.answered.set()
        await self.answers.wait()
        return found

    async def set(self, device: SettingsDevice, item: PlannedItem) -> Facts:
        self.settings += 1
        self.zone = str(item.after.get("zone") or self.zone)
        if item.after["offset_s"] != item.before["offset_s"]:
            self.offset_s = 0.0
        state = await self.clock(device)
        return {
            "offset_s": state.offset_s,
            "source": state.source,
            "zone": state.zone,
            "zone_offset_s": state.zone_offset_s,
            "daylight": False,
        }


class NoLists:
    async def of(self, device: SettingsDevice) -> Collection[BehindRecorder]:
        return ()


class BusyStore(SettingsStore):
    """A store whose database takes nothing while it is `busy`."""

    busy = False

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.found = asyncio.Event()

    async def device(self, actor: Actor, device_id: int) -> SettingsDevice:
        found = await super().device(actor, device_id)
        self.found.set()
        return found

    async def keep(self, *args: Any) -> None:
        self._free()
        await super().keep(*args)

    async def keep_check(self, *args: Any) -> None:
        self._free()
        await super().keep_check(*args)

    def _free(self) -> None:
        if self.busy:
            raise HubError(Kind.UNAVAILABLE, "the database is busy", reason=Reason.DATABASE_BUSY)


@dataclass
class Site:
    way: ScriptedWay
    store: BusyStore
    readings: SettingsReadings
    previews: SettingsPreviews
    changes: SettingsChanges
    nightly: NightlyClockChecks
    jobs: Jobs
    clock: ManualClock
    device_id: int
    preview_id: str = ""

    async def preview(self, change: WantedChange) -> JobView:
        job = await self._ended(await self.previews.start(ADMIN, change, device_ids=[self.device_id]))
        self.preview_id = job.id
        return job

    async def apply(self) -> list[tuple[bool, str | None]]:
        job = await self._ended(self.changes.start(ADMIN, self.preview_id))
        return [(one.ok, one.reason) for one in job.verdicts]

    async def check(self) -> ClockCheck | None:
        return await self.store.check_of(self.device_id)

    async def _ended(self, job: JobView) -> JobView:
        task = self.jobs._jobs[job.id].task
        assert task is not None
        await asyncio.wait([task])
        return self.jobs.get(ADMIN, job.id)


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    clock, bus, way = ManualClock(), EventBus(), ScriptedWay()
    async with database.write() as session:
        village = Village(name="董家村", position=1, created_at=clock.now())
        session.add(village)
        await session.flush()
        device = Device(village_id=village.id, name="村口", host="192.0.2.7", onvif_port=80)
        device.created_at = clock.now() - timedelta(days=2)
        session.add(device)
    async with Jobs(clock, bus) as jobs:
        store, links = BusyStore(database), VillageLinks(8, 8)
        readings = SettingsReadings(store, {"onvif": way}, NoLists(), links, bus, clock, ClockLimits(5.0, 30.0))
        previews = SettingsPreviews(store, readings, jobs, clock, 8)
        changes = SettingsChanges(store, readings, previews, links, jobs, 8)
        nightly = NightlyClockChecks(store, readings, clock, "02:30", ZoneInfo("Asia/Shanghai"), 8)
        yield Site(way, store, readings, previews, changes, nightly, jobs, clock, device.id)


async def test_a_device_that_was_set_is_told_so_though_the_database_is_busy(site: Site) -> None:
    await site.preview(NOW)
    site.store.busy = True
    assert await site.apply() == [(True, None)]
    assert (site.way.settings, site.way.offset_s) == (1, 0.0)


async def test_a_device_that_a_preview_cannot_read_stands_in_the_list_of_clocks(site: Site) -> None:
    site.way.error = HubError(Kind.UNREACHABLE, "nobody answers", reason=Reason.UNREACHABLE)
    assert (await site.preview(NOW)).failed == 1
    (found,) = await site.store.checks(ADMIN)
    assert (found.check.verdict, found.check.reason) == ("unknown", "unreachable")


async def test_a_wrong_clock_whose_zone_alone_was_set_does_not_count_as_set(site: Site) -> None:
    site.way.source = "ntp"
    await site.preview(ZONE)
    assert await site.apply() == [(True, None)]
    check = await site.check()
    assert check is not None
    assert (check.verdict, check.reason, check.set_at) == ("wrong", "clock_ntp_unheard", None)


async def test_what_was_read_before_a_clock_was_set_makes_no_liar_of_it(site: Site) -> None:
    await site.preview(NOW)
    site.way.answered.clear()
    site.way.answers.clear()
    reading = asyncio.create_task(site.readings.fresh(ADMIN, site.device_id))
    await site.way.answered.wait()  # it has said that it is wrong, and another person sets it right now
    site.store.found.clear()
    applying = asyncio.create_task(site.apply())
    await site.store.found.wait()
    await site.clock.settle()  # it waits for its turn at the device
    site.way.answers.set()
    await asyncio.gather(reading, applying)
    check = await site.check()
    assert check is not None
    assert (check.verdict, check.set_at) == ("ok", site.clock.now())


async def test_checks_of_a_day_that_has_not_come_yet_do_not_count(site: Site) -> None:
    wrong = site.clock.now() + timedelta(days=400)  # the hub's clock, until somebody set it right
    await site.store.keep_check(site.device_id, ClockCheck(wrong, 0.1, "manual", "ok"))
    assert await site.nightly.check_due() == 1
    assert await site.nightly.check_due() == 0


def test_a_clock_that_the_hub_set_by_a_wrong_clock_of_its_own_does_not_lie() -> None:
    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    before = ClockCheck(at + timedelta(days=400), 0.1, "manual", "ok", set_at=at + timedelta(days=400))
    check = judged(before, ClockState("manual", offset_s=400 * 86400.0), at, ClockLimits(5.0, 30.0))
    assert (check.verdict, check.since) == ("wrong", at)
    assert (
        judged(
            replace(check, since=at + timedelta(days=1)),
            ClockState("manual", offset_s=60.0),
            at,
            ClockLimits(5.0, 30.0),
        ).since
        == at
    )
