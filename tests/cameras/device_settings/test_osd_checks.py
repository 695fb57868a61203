"""The nightly check of texts, by ONVIF and by the vendor's interface, and what health is told."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from camera_hub.cameras.device_settings.clock_checks import ClockLimits
from camera_hub.cameras.device_settings.osd_checks import OsdChecks, OsdNight, OsdStore
from camera_hub.cameras.device_settings.values import WantedChange, WantedOsd
from camera_hub.events import AspectFound, EventBus
from camera_hub.simulator.model import FarmPlan, Vendor
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Village
from tests.cameras.device_settings.site import SettingsSite, cameras_plan, recorder_plan, settings_site
from tests.cameras.fakes import ADMIN

ZONE = ZoneInfo("Asia/Shanghai")


def _parts(site: SettingsSite, database: Database, bus: EventBus) -> tuple[OsdStore, OsdChecks]:
    store = OsdStore(database, ZONE, site.clock, ClockLimits(5.0, 30.0))
    return store, OsdChecks(site.store, store, site.readings, bus, site.clock, OsdNight("03:30", ZONE, 8))


def _with_vendor(plan: FarmPlan, vendor: Vendor) -> FarmPlan:
    (village,) = plan.villages
    return FarmPlan((replace(village, devices=tuple(replace(one, vendor=vendor) for one in village.devices)),))


async def _approve(database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(Camera).values(state="approved"))
        await session.execute(update(Village).values(name="东沟村"))


@pytest.mark.parametrize(
    ("vendor", "onvif_off"), [(Vendor.UNIVIEW, False), (Vendor.HIKVISION, True), (Vendor.DAHUA, True)]
)
async def test_texts_are_read_and_judged(database: Database, vendor: Vendor, onvif_off: bool) -> None:
    bus = EventBus()
    plan = _with_vendor(recorder_plan(), vendor)
    async with settings_site(database, plan, onvif_off=onvif_off, bus=bus) as site:
        await _approve(database)
        (device_id,) = site.devices
        channels = site.devices[device_id].state.plan.channels
        for channel, fault in ((channels[1], "osd_no_name"), (channels[2], "osd_no_time")):
            await site.farm.set_fault(channel.key, fault, True)
        if not onvif_off:
            await site.farm.set_fault(channels[3].key, "osd_other_name", True)
        store, checks = _parts(site, database, bus)
        site.clock.ahead += timedelta(days=1)  # it was registered yesterday
        assert await checks.read_due() == 1
        assert await checks.read_due() == 0
        found = sorted(await store.listed(ADMIN), key=lambda one: one.camera_id)
        expected = ["", "osd_name_missing", "osd_time_missing", "" if onvif_off else "osd_name_wrong", "", "", "", ""]
        assert [",".join(one.found.faults) for one in found] == expected
        with bus.subscribe(AspectFound) as events:
            await checks.tell(device_id)
            told = [one for one in await events.batch() if isinstance(one, AspectFound)]
        assert [one.reason or "" for one in told] == expected
        assert {one.aspect for one in told} == {"osd"}


async def test_what_was_set_right_is_right_at_once(database: Database) -> None:
    bus = EventBus()
    async with settings_site(database, cameras_plan(1), bus=bus) as site:
        await _approve(database)
        (device_id,) = site.devices
        await site.fault(device_id, "osd_other_name")
        store, checks = _parts(site, database, bus)
        await checks.read_due()
        (found,) = await store.listed(ADMIN)
        assert found.found.faults == ("osd_name_wrong",)
        async with checks:
            with bus.subscribe(AspectFound) as events:
                await site.preview(WantedChange(osd=WantedOsd("camera_name", True)))
                verdicts = await site.apply()
                assert set(verdicts.values()) == {"ok"}
                while (event := await events.next()) and not (isinstance(event, AspectFound) and event.reason is None):
                    continue
        (found,) = await store.listed(ADMIN)
        assert (found.found.state, found.found.lines) == ("ok", 1)


async def test_what_no_protocol_tells_is_not_known(database: Database) -> None:
    bus = EventBus()
    async with settings_site(database, cameras_plan(1), bus=bus) as site:
        await _approve(database)
        (device_id,) = site.devices
        await site.fault(device_id, "dead")
        store, checks = _parts(site, database, bus)
        await checks.read_due()
        (found,) = await store.listed(ADMIN)
        assert (found.found.state, store.told(found)) == ("unknown", None)
