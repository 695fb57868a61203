"""Recorders whose ONVIF is off: the whole of them comes in by the vendor's interface, or by RTSP paths."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from camera_hub.cameras.bulk.login_asking import DeviceLoginAsker, StoredStreamUrls
from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.describing.device_describer import DeviceDescriber
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.register.devices import Registered
from camera_hub.errors import HubError, Reason
from camera_hub.events import EventBus
from camera_hub.simulator.model import Vendor
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, Stream
from tests.cameras.fakes import ADMIN, FakeVault
from tests.cameras.vendor_site import VendorSite, vendor_site
from tests.fakes.reach import anywhere, local

PATHS = {
    Vendor.HIKVISION: ("/Streaming/Channels/{}01", "/Streaming/Channels/{}02"),
    Vendor.DAHUA: ("/cam/realmonitor?channel={}&subtype=0", "/cam/realmonitor?channel={}&subtype=1"),
    Vendor.UNIVIEW: ("/unicast/c{}/s0/live", "/unicast/c{}/s1/live"),
}


@pytest.fixture(params=[Vendor.HIKVISION, Vendor.DAHUA])
async def site(request: pytest.FixtureRequest, database: Database, bus: EventBus) -> AsyncIterator[VendorSite]:
    async with vendor_site(database, bus, request.param) as site:
        yield site


async def _register(site: VendorSite, rtsp_port: int | None = None) -> Registered:
    plan, state = site.device.state.plan, site.device.state
    return await site.register.devices.register(
        ADMIN,
        site.village,
        plan.address,
        state.http_port,
        username=plan.username,
        password=plan.password,
        rtsp_port=rtsp_port,
    )


async def _addresses(site: VendorSite) -> list[str]:
    """Of all main and sub streams, as they would be pulled now."""
    async with site.database.read() as session:
        rows = (
            await session.execute(
                select(Stream, Device)
                .join(Camera, Camera.id == Stream.camera_id)
                .join(Device, Device.id == Camera.device_id)
                .order_by(Camera.number, Stream.role)
            )
        ).all()
    return [await site.addresses.address_of(stream, device, anywhere) for stream, device in rows]


async def test_with_onvif_off_all_channels_come_in_with_their_names_in_one_step(site: VendorSite) -> None:
    plan, state = site.device.state.plan, site.device.state
    await site.farm.set_fault(site.key, "onvif_off")
    await site.farm.set_fault(site.key, "gbk_titles")
    found = await _register(site)
    assert [camera.name for camera in found.cameras] == site.names
    assert [camera.number for camera in found.cameras] == list(range(1, 9))
    assert (found.device.via, found.device.name, found.device.kind) == (plan.vendor.value, plan.name, "recorder")
    assert (found.device.serial, found.device.mac) == (state.serial, state.mac)
    assert abs(found.device.clock_offset_s or 99.0) < 3
    assert [disk.state for disk in found.device.disks] == [{"hikvision": "ok", "dahua": "success"}[plan.vendor.value]]
    assert found.cameras[0].streams[0].width == plan.channels[0].main.width
    main, sub = PATHS[plan.vendor]
    begin = f"rtsp://{plan.address}:{state.rtsp_port}"
    expected = [begin + path.format(number) for number in range(1, 9) for path in (main, sub)]
    assert await _addresses(site) == expected
    assert site.device.state.stats.logins_failed == 0


async def test_a_recorder_that_lists_only_channels_on_line_renumbers_nothing(site: VendorSite) -> None:
    await site.farm.set_fault(site.key, "onvif_off")
    before = await _register(site)
    channels = site.device.state.plan.channels
    for channel in (channels[2], channels[4]):
        await site.farm.set_fault(channel.key, "dead")
    await site.farm.set_fault(site.key, "online_channels_only")
    fewer = await site.register.devices.describe(ADMIN, before.device.id)
    for channel in (channels[2], channels[4]):
        await site.farm.set_fault(channel.key, "dead", on=False)
    after = await site.register.devices.describe(ADMIN, before.device.id)
    for found in (fewer, after):
        assert [(one.id, one.number, one.name) for one in found.cameras] == [
            (one.id, one.number, one.name) for one in before.cameras
        ]


async def test_a_channel_that_is_off_line_says_so_until_it_is_back(database: Database, bus: EventBus) -> None:
    async with vendor_site(database, bus, Vendor.HIKVISION) as site:
        await site.farm.set_fault(site.key, "onvif_off")
        dead = site.device.state.plan.channels[2].key
        await site.farm.set_fault(dead, "dead")
        taken = await _register(site)

        async def proofs() -> dict[str | None, int]:
            async with database.read() as session:
                rows = await session.execute(select(Camera.number, Camera.proof_state, Camera.proof_reason))
                return {f"{state} {reason}": number or 0 for number, state, reason in rows if number == 3}

        assert await proofs() == {f"failed {Reason.CHANNEL_OFFLINE}": 3}
        assert {one.proof for one in taken.cameras} == {None, Reason.CHANNEL_OFFLINE}
        await site.farm.set_fault(dead, "dead", on=False)
        await site.register.devices.describe(ADMIN, taken.device.id)
        assert await proofs() == {"pending None": 3}


async def test_onvif_switched_on_later_meets_the_channels_that_are_there(site: VendorSite) -> None:
    await site.farm.set_fault(site.key, "onvif_off")
    before = await _register(site)
    with pytest.raises(HubError) as caught:
        await _register(site)
    assert caught.value.reason == Reason.DUPLICATE
    await site.farm.set_fault(site.key, "onvif_off", on=False)
    onvif = await site.register.devices.describe(ADMIN, before.device.id)
    assert (onvif.device.via, onvif.device.onvif_port) == ("onvif", site.device.state.http_port)
    assert [(one.id, one.number) for one in onvif.cameras] == [(one.id, one.number) for one in before.cameras]
    assert not [one for one in onvif.device.peculiarities if one.kind == "onvif_unused"]
    with pytest.raises(HubError) as caught:
        await _register(site)
    assert caught.value.reason == Reason.DUPLICATE
    await site.farm.set_fault(site.key, "onvif_off")
    again = await site.register.devices.describe(ADMIN, before.device.id)
    assert again.device.via == site.device.state.plan.vendor.value
    assert [(one.id, one.number) for one in again.cameras] == [(one.id, one.number) for one in before.cameras]
    assert again.device.place == before.device.place == before.device.approved_place


@pytest.mark.parametrize("vendor", [Vendor.HIKVISION, Vendor.DAHUA, Vendor.UNIVIEW])
async def test_without_any_interface_channels_are_counted_by_rtsp_paths(
    database: Database, bus: EventBus, vendor: Vendor
) -> None:
    async with vendor_site(database, bus, vendor) as site:
        state = site.device.state
        await site.farm.set_fault(site.key, "onvif_off")
        await site.farm.set_fault(site.key, "vendor_http_off")
        with pytest.raises(HubError) as caught:  # whose RTSP answers at the usual port, nobody can tell
            await _register(site)
        assert caught.value.reason == Reason.ONVIF_OFF
        before = await _register(site, rtsp_port=state.rtsp_port)
        assert (before.device.via, before.device.rtsp_port) == ("catalogue", state.rtsp_port)
        assert [camera.number for camera in before.cameras] == list(range(1, 9))
        main, sub = PATHS[vendor]
        begin = f"rtsp://{state.plan.address}:{state.rtsp_port}"
        assert await _addresses(site) == [begin + path.format(n) for n in range(1, 9) for path in (main, sub)]
        assert state.stats.logins_failed == 0
        await site.farm.set_fault(site.key, "onvif_off", on=False)
        await site.farm.set_fault(site.key, "vendor_http_off", on=False)
        with pytest.raises(HubError) as caught:
            await _register(site)
        assert caught.value.reason == Reason.DUPLICATE, "it is met at its RTSP port"


@pytest.mark.parametrize("faults", [(), ("onvif_off",), ("onvif_off", "vendor_http_off")])
async def test_a_wrong_password_is_tried_four_times_at_most(site: VendorSite, faults: tuple[str, ...]) -> None:
    plan, state = site.device.state.plan, site.device.state
    for fault in faults:
        await site.farm.set_fault(site.key, fault)
    for _ in range(5):
        with pytest.raises(HubError) as caught:
            await site.register.devices.register(
                ADMIN,
                site.village,
                plan.address,
                state.http_port,
                username="admin",
                password="wrong-1",
                rtsp_port=state.rtsp_port,
            )
        assert caught.value.reason == Reason.WRONG_PASSWORD
    assert 0 < state.stats.logins_failed <= 4


@pytest.mark.parametrize("slips", [0, 1])
async def test_onvif_with_users_of_its_own_does_not_keep_the_recorder_out(
    database: Database, bus: EventBus, slips: int
) -> None:
    async with vendor_site(database, bus, Vendor.HIKVISION) as site:
        plan, state = site.device.state.plan, site.device.state
        object.__setattr__(plan, "onvif_username", "onvif")
        object.__setattr__(plan, "onvif_password", "other-2024")
        for _ in range(slips):
            with pytest.raises(HubError):
                await site.register.devices.register(
                    ADMIN, site.village, plan.address, state.http_port, username="admin", password="a-slip"
                )
        found = await _register(site)
        assert (found.device.via, len(found.cameras)) == ("hikvision", 8)
        assert [(one.kind, one.value) for one in found.device.peculiarities] == [("onvif_unused", "own_user")]
        assert state.stats.logins_failed == 1 + 2 * slips
        again = await site.register.devices.describe(ADMIN, found.device.id)
        assert (again.device.via, len(again.cameras)) == ("hikvision", 8)
        assert [(one.kind, one.value) for one in again.device.peculiarities] == [("onvif_unused", "own_user")]
        assert state.stats.logins_failed == 1 + 2 * slips, "ONVIF is not told the ordinary login again"
        describer = site.register.devices._describer
        assert isinstance(describer, DeviceDescriber)
        assert isinstance(describer._onvif, Onvif)
        urls = StoredStreamUrls(database, FakeVault())
        asker = DeviceLoginAsker(describer, describer._onvif, site.budget, urls, DeviceChecks(database, local))
        async with database.read() as session:
            row = await session.get_one(Device, found.device.id)
        assert await asker.ask(row, DeviceLogin("onvif", "other-2024"), "onvif"), "asked where only its user is known"
        await site.register.devices.change(
            ADMIN, found.device.id, purpose="onvif", username="onvif", password="other-2024"
        )
        onvif = await site.register.devices.describe(ADMIN, found.device.id)
        assert (onvif.device.via, len(onvif.cameras)) == ("onvif", 8)


@pytest.mark.parametrize(
    ("fault", "reason", "params"),
    [
        ("not_activated", Reason.NOT_ACTIVATED, {}),
        ("locked", Reason.LOCKED_OUT, {"minutes": 30, "cause": "timed"}),
        ("too_many_connections", Reason.DEVICE_FULL, {}),
    ],
)
async def test_refusals_have_their_own_reason(
    site: VendorSite, fault: str, reason: Reason, params: dict[str, object]
) -> None:
    await site.farm.set_fault(site.key, "onvif_off")
    await site.farm.set_fault(site.key, fault)
    with pytest.raises(HubError) as caught:
        await _register(site, rtsp_port=site.device.state.rtsp_port)
    assert caught.value.reason == reason
    assert params.items() <= caught.value.params.items()
    assert site.device.state.stats.logins_failed <= 1, "some say that they are locked only to a login"


async def test_typed_ports_count_for_more_than_reported_ones(site: VendorSite) -> None:
    """The recorder reports the ports that it has behind its router; only those of the router can be reached."""
    outside = 10_554
    before = await _register(site, rtsp_port=outside)
    assert (before.device.rtsp_port, before.device.rtsp_port_typed) == (outside, True)
    assert {url.split("/")[2].rpartition(":")[2] for url in await _addresses(site)} == {str(outside)}
    again = await site.register.devices.describe(ADMIN, before.device.id)
    assert (again.device.rtsp_port, again.device.rtsp_port_typed) == (outside, True)
    moved = await site.register.devices.change(ADMIN, before.device.id, rtsp_port=10_555)
    assert (moved.rtsp_port, moved.rtsp_port_typed) == (10_555, True)
    assert {url.split("/")[2].rpartition(":")[2] for url in await _addresses(site)} == {"10555"}
    await site.register.devices.change(ADMIN, before.device.id, rtsp_port=0)
    left = await site.register.devices.describe(ADMIN, before.device.id)
    assert (left.device.rtsp_port, left.device.rtsp_port_typed) == (site.device.state.rtsp_port, False)
