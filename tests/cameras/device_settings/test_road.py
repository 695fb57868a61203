"""Settings on simulated devices: set in one batch with a preview, refused, ignored and lied about."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from camera_hub.cameras.credentials.retry_rules import TRIES_A_DAY
from camera_hub.cameras.device_settings.values import CAMERA_NAME, WantedChange, WantedClock, WantedOsd, WantedSub
from camera_hub.store.database import Database
from tests.cameras.device_settings.site import SettingsSite, cameras_plan, direct_plan, recorder_plan, settings_site
from tests.cameras.fakes import ADMIN

pytestmark = pytest.mark.slow


@pytest.fixture
async def site(database: Database) -> AsyncIterator[SettingsSite]:
    async with settings_site(database, cameras_plan(5)) as site:
        yield site


async def test_clocks_are_set_in_one_batch_and_each_verdict_is_right(site: SettingsSite) -> None:
    good, refuses, ignores, lies, right = site.devices
    for device_id in (good, refuses, ignores, lies):
        await site.fault(device_id, "clock_skew", 120.0)
    await site.fault(refuses, "settings_refused", 1.0)
    await site.fault(ignores, "settings_ignored")
    await site.fault(lies, "clock_lies", 2.0)
    change = WantedChange(WantedClock(set_now=True))

    items = await site.preview(change)
    assert [one.verdict for one in items] == ["change"] * 4 + ["same"]
    assert all(119 < float(str(one.before["offset_s"])) < 121 for one in items[:4])
    assert all(abs(site.off_by(one)) > 119 for one in (good, refuses, ignores, lies))  # nothing was set

    verdicts = await site.apply()
    assert verdicts == {
        f"{good}:clock": "ok",
        f"{refuses}:clock": "setting_refused",
        f"{ignores}:clock": "changed_nothing",
        f"{lies}:clock": "ok",  # it shows the right time for two seconds
    }
    assert abs(site.off_by(good)) < 0.2
    for device_id in (refuses, ignores):
        assert 119 < site.off_by(device_id) < 121
    left = {site.budget.pause(device_id).tries_left for device_id in site.devices}
    assert left == {TRIES_A_DAY}  # no refusal counts as a login's

    await site.clock.sleep(2.0)  # the liar's own time
    site.clock.ahead = timedelta(days=1)
    for device in site.devices.values():
        device.state.set_clock(device.state.now() + timedelta(days=1))
    assert await site.nightly.check_due() == 5
    found = {one.device_id: (one.check.verdict, one.check.reason) for one in await site.store.checks(ADMIN)}
    assert found == {
        good: ("ok", None),
        refuses: ("wrong", "clock_drifts"),
        ignores: ("wrong", "clock_drifts"),
        lies: ("lies", "clock_lies"),
        right: ("ok", None),
    }
    assert await site.nightly.check_due() == 0  # once a night


async def test_a_zone_is_set_without_touching_the_time(site: SettingsSite) -> None:
    device_id = next(iter(site.devices))
    await site.fault(device_id, "clock_skew", 120.0)
    change = WantedChange(WantedClock(zone="IST-5:30"))
    (item,) = await site.preview(change, [device_id])
    assert (item.verdict, item.before["source"]) == ("change", "manual")
    assert await site.apply() == {f"{device_id}:clock": "ok"}
    assert 119 < site.off_by(device_id) < 121
    (item,) = await site.preview(change, [device_id])
    assert item.verdict == "same"


async def test_names_in_the_picture_are_set_read_back_and_refused(site: SettingsSite) -> None:
    good, refuses, ignores, readonly, _ = site.devices
    await site.fault(refuses, "settings_refused")
    await site.fault(ignores, "settings_ignored")
    await site.fault(readonly, "osd_readonly")
    items = await site.preview(WantedChange(osd=WantedOsd(name=CAMERA_NAME, time=True, time_position="upper_left")))
    assert [one.verdict for one in items if one.part == "osd_time"] == ["change"] * 5
    verdicts = await site.apply()
    reasons = {key.split(":")[0] + key[-5:]: found for key, found in verdicts.items()}
    assert {reasons[f"{good}_time"], reasons[f"{refuses}_time"]} == {"ok", "setting_refused"}
    assert (reasons[f"{ignores}_time"], reasons[f"{readonly}_time"]) == ("changed_nothing", "setting_refused")
    stored = await site.store.stored(ADMIN, good)
    (camera,) = stored.reading.cameras
    assert {one.kind: (one.text, one.position) for one in camera.osd} == {
        "name": (stored.device.cameras[0].name, "lower_left"),
        "time": ("yyyy-MM-dd HH:mm:ss", "upper_left"),
    }
    assert {one.verdict for one in await site.preview(WantedChange(osd=WantedOsd(name=CAMERA_NAME)), [good])} == {
        "same"
    }


async def test_a_text_that_lacks_is_made(site: SettingsSite) -> None:
    good = next(iter(site.devices))
    site.devices[good].state.settings.osds.clear()
    items = await site.preview(WantedChange(osd=WantedOsd(name="东桥", time=True)), [good])
    assert [(one.before["shown"], one.after["shown"]) for one in items] == [(False, True), (False, True)]
    assert set((await site.apply()).values()) == {"ok"}
    texts = site.devices[good].state.settings.osds.values()
    assert {(one.kind, one.text, one.position) for one in texts} == {
        ("Plain", "东桥", "LowerLeft"),
        ("DateAndTime", "", "UpperLeft"),
    }
    await site.preview(WantedChange(osd=WantedOsd(time=False)), [good])
    assert set((await site.apply()).values()) == {"ok"}
    assert [one.kind for one in site.devices[good].state.settings.osds.values()] == ["Plain"]


async def test_time_server_and_zone_are_set(site: SettingsSite) -> None:
    good, ignores, *_ = site.devices
    await site.fault(ignores, "settings_ignored")
    change = WantedChange(WantedClock(zone="CST-8", ntp_server="ntp.example"))
    settings = site.devices[good].state.settings
    settings.clock = replace(settings.clock, zone="UTC0")
    items = await site.preview(change, [good, ignores])
    assert {one.key: one.verdict for one in items} == {
        f"{good}:clock": "change",
        f"{good}:ntp": "change",
        f"{ignores}:clock": "same",
        f"{ignores}:ntp": "change",
    }
    assert await site.apply() == {
        f"{good}:clock": "ok",
        f"{good}:ntp": "ok",
        f"{ignores}:ntp": "changed_nothing",
    }
    clock = (await site.store.stored(ADMIN, good)).reading.clock
    assert clock is not None
    assert (clock.source, clock.ntp_server, clock.zone, clock.zone_offset_s) == ("ntp", "ntp.example", "CST-8", 28800)


async def test_a_sub_stream_is_set_within_what_the_device_offers(site: SettingsSite) -> None:
    good, refuses, ignores, *_ = site.devices
    await site.fault(refuses, "settings_refused")
    await site.fault(ignores, "settings_ignored")
    items = await site.preview(WantedChange(sub=WantedSub("h265", 3.0)), [good, refuses, ignores])
    assert [(one.verdict, one.after["codec"], one.after["gov_length"]) for one in items] == [("change", "h265", 30)] * 3
    verdicts = await site.apply()
    assert [verdicts[one.key] for one in items] == ["ok", "setting_refused", "changed_nothing"]
    channel = site.devices[good].state.plan.channels[0]
    spec = site.devices[good].state.settings.spec(channel.number, 2)
    assert (spec.codec, spec.gov) == ("h265", 30)


async def test_a_recorders_channels_are_set_through_it(database: Database) -> None:
    async with settings_site(database, recorder_plan()) as site:
        (recorder,) = site.devices
        items = await site.preview(
            WantedChange(WantedClock(set_now=True), WantedOsd(name=CAMERA_NAME), WantedSub(fps=8))
        )
        assert len(items) == 17
        await site.preview(WantedChange(osd=WantedOsd(name="同名")))
        verdicts = await site.apply()
        assert len(verdicts) == 8
        assert set(verdicts.values()) == {"ok"}
        texts = site.devices[recorder].state.settings.osds.values()
        assert [one.text for one in texts if one.kind == "Plain"] == ["同名"] * 8


async def test_a_camera_that_its_recorder_lists_is_set_there(database: Database) -> None:
    async with settings_site(database, direct_plan()) as site:
        camera, recorder = sorted(site.devices, key=lambda one: len(site.devices[one].state.plan.channels))
        change = WantedChange(WantedClock(set_now=True))
        await site.fault(camera, "clock_skew", 60.0)
        (item,) = await site.preview(change, [camera])
        assert item.verdict == "change"  # nobody knows of it yet
        made = site.last
        await site.readings.check(await site.store.device(ADMIN, recorder))
        job = await site.ended(site.changes.start(ADMIN, made))
        assert [one.reason for one in job.verdicts] == ["set_by_recorder"]  # known by now
        (item,) = await site.preview(change, [camera])
        assert (item.verdict, item.reason, item.via_device_id) == ("cannot", "set_by_recorder", recorder)
        assert site.off_by(camera) > 59


async def test_a_device_that_does_not_answer_is_asked_once(site: SettingsSite) -> None:
    silent, good, *_ = site.devices
    for device_id in (silent, good):
        await site.fault(device_id, "clock_skew", 60.0)
    change = WantedChange(WantedClock(set_now=True, ntp_server="10.0.0.1"), WantedOsd(name="东桥"))
    assert len(await site.preview(change, [silent, good])) == 6
    await site.fault(silent, "dead")
    verdicts = await site.apply()
    assert {verdicts[key] for key in verdicts if key.startswith(f"{good}:")} == {"ok"}
    assert [verdicts[key] for key in verdicts if key.startswith(f"{silent}:")] == ["port_closed"] * 3
    items = await site.preview(change, [silent])
    assert [(one.verdict, one.reason) for one in items] == [("cannot", "port_closed")] * 3
    assert (await site.readings.check(await site.store.device(ADMIN, silent))).reason == "port_closed"
