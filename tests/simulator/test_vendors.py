"""Vendors' own interfaces and RTSP paths, and what they answer when they refuse."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Vendor
from camera_hub.simulator.testing import small_farm, small_plan
from camera_hub.simulator.vendors.paths import picture_of, snapshot_path, stream_of, stream_path
from tests.fakes.clock import ManualClock
from tests.simulator.peers import DEADLINE, RtspClient, digest

LOGIN = ("admin", "village-2024")
TITLES = "/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle"
TYPE = "/cgi-bin/magicBox.cgi?action=getDeviceType"
INFO = "/ISAPI/System/deviceInfo"


def of_vendor(vendor: Vendor, clock: ManualClock | None = None) -> Farm:
    """One recorder with eight channels."""
    plan = small_plan(1, 8)
    (village,) = plan.villages
    devices = tuple(replace(device, vendor=vendor) for device in village.devices)
    return small_farm(plan=replace(plan, villages=(replace(village, devices=devices),)), clock=clock)


@pytest.fixture
async def dahua() -> AsyncIterator[Farm]:
    async with of_vendor(Vendor.DAHUA) as farm:
        yield farm


def only(farm: Farm) -> Device:
    (device,) = farm.devices.values()
    return device


async def get(device: Device, path: str, login: tuple[str, str] = LOGIN) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*login)) as client:
        return await client.get(device.state.http_url(path))


async def described(client: RtspClient, url: str) -> int:
    """The status of a DESCRIBE, with the login once it is asked for."""
    reply = await client.ask("DESCRIBE", url)
    if reply.status == 401:
        signed = digest(reply.header("www-authenticate"), "DESCRIBE", url, *LOGIN)
        reply = await client.ask("DESCRIBE", url, Authorization=signed)
    return reply.status


@pytest.mark.parametrize("vendor", Vendor)
def test_paths_lead_back_to_their_channel_and_to_no_other_vendors(vendor: Vendor) -> None:
    channels = small_plan(1, 8).villages[0].devices[0].channels
    for channel in channels:
        for number in (1, 2):
            path = stream_path(vendor, channel, number)
            for url in (f"rtsp://10.0.0.1:554{path}", f"rtsp://10.0.0.1{path}/trackID=1"):
                assert stream_of(vendor, url) == (channel.number, number)
                assert all(stream_of(other, url) is None for other in Vendor if other is not vendor)
            assert picture_of(vendor, snapshot_path(vendor, channel, number)) == (channel.number, number)


@pytest.mark.parametrize("vendor", Vendor)
async def test_streams_are_at_the_vendors_own_paths_alone(vendor: Vendor) -> None:
    async with of_vendor(vendor) as farm:
        device = only(farm)
        at, channel = f"rtsp://{device.state.plan.address}:{device.state.rtsp_port}", device.state.plan.channels[7]
        client = await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)
        try:
            for other in Vendor:
                status = await described(client, at + stream_path(other, channel, 2))
                assert status == (200 if other is vendor else 404)
        finally:
            await client.close()


async def test_a_recorder_tells_what_it_is_in_lines(dahua: Farm) -> None:
    device = only(dahua)
    assert (await get(device, TYPE)).text == "type=VN-8016\r\n"
    titles = (await get(device, TITLES)).text.split("\r\n")
    assert titles[2] == "table.ChannelTitle[2].Name=文化广场"
    assert len(titles) == 9
    for path in (
        "/cgi-bin/magicBox.cgi?action=getSerialNo",
        "/cgi-bin/magicBox.cgi?action=getMachineName",
        "/cgi-bin/magicBox.cgi?action=getSoftwareVersion",
        "/cgi-bin/configManager.cgi?action=getConfig&name=Encode",
        "/cgi-bin/LogicDeviceManager.cgi?action=getCameraState&uniqueChannels[0]=-1",
        "/cgi-bin/global.cgi?action=getCurrentTime",
        "/cgi-bin/storageDevice.cgi?action=getDeviceAllInfo",
    ):
        reply = await get(device, path)
        assert reply.status_code == 200
        assert all("=" in line for line in reply.text.strip().split("\r\n"))
    assert (await get(device, "/cgi-bin/magicBox.cgi?action=reboot")).status_code == 400
    assert (await get(device, TITLES, ("admin", "wrong"))).status_code == 401
    assert (await get(device, INFO)).status_code == 404


async def test_titles_come_in_gbk_and_without_those_off_line_where_a_quirk_says_so(dahua: Farm) -> None:
    device = only(dahua)
    await dahua.set_fault(device.state.plan.key, Fault.GBK_TITLES)
    await dahua.set_fault(device.state.plan.key, Fault.ONLINE_CHANNELS_ONLY)
    await dahua.set_fault(device.state.plan.channels[1].key, Fault.DEAD)
    lines = (await get(device, TITLES)).content.decode("gbk").split()
    assert [line.partition("=")[0] for line in lines] == [
        f"table.ChannelTitle[{at}].Name" for at in (0, 2, 3, 4, 5, 6, 7)
    ]
    assert lines[1].endswith("文化广场")


REFUSALS = [
    (Vendor.HIKVISION, INFO, Fault.NOT_ACTIVATED, 403, "notActivated", 401),
    (Vendor.HIKVISION, INFO, Fault.LOCKED, 401, "<unlockTime>1800<", 401),
    (Vendor.HIKVISION, INFO, Fault.TOO_MANY_CONNECTIONS, 503, "Device Busy", 453),
    (Vendor.DAHUA, TYPE, Fault.NOT_ACTIVATED, 403, "not initialized", 403),
    (Vendor.DAHUA, TYPE, Fault.LOCKED, 403, "remainLockSecond=1800", 403),
    (Vendor.DAHUA, TYPE, Fault.TOO_MANY_CONNECTIONS, 503, "268632075", 503),
]


@pytest.mark.parametrize(("vendor", "path", "fault", "status", "words", "rtsp"), REFUSALS)
async def test_a_device_refuses_in_its_vendors_words(
    vendor: Vendor, path: str, fault: Fault, status: int, words: str, rtsp: int
) -> None:
    async with of_vendor(vendor, clock := ManualClock()) as farm:
        device = only(farm)
        await farm.set_fault(device.state.plan.key, fault)
        reply = await get(device, path)
        assert (reply.status_code, words in reply.text) == (status, True)
        url = device.state.stream_url(device.state.plan.channels[0], 2)
        client = await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)
        assert await described(client, url) == rtsp
        if fault is Fault.LOCKED:
            clock.move(1801)
            assert (await get(device, path)).status_code == 200
            assert await described(client, url) == 200
        await client.close()


async def test_a_device_without_a_password_says_so_without_a_login() -> None:
    async with of_vendor(Vendor.HIKVISION) as farm:
        await farm.set_fault("donggou-1", Fault.NOT_ACTIVATED)
        async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
            reply = await client.get(only(farm).state.http_url("/SDK/activateStatus"))
        assert "<Activated>false<" in reply.text


async def test_the_vendors_interface_can_be_off_while_rtsp_and_onvif_work(dahua: Farm) -> None:
    device = only(dahua)
    await dahua.set_fault(device.state.plan.key, Fault.VENDOR_HTTP_OFF)
    assert (await get(device, TYPE)).status_code == 404
    assert (await get(device, "/cgi-bin/snapshot.cgi?channel=1&type=1")).status_code == 200


async def test_marks_are_shared_where_a_maker_ships_one_for_all() -> None:
    async with small_farm(2, 2) as farm:
        for village in farm.plan.villages:
            for fault in (Fault.SHARED_SERIAL, Fault.SHARED_MAC, Fault.SHARED_ENDPOINT):
                await farm.set_fault(village.key, fault)
        one, other = farm.devices.values()
        assert (one.state.serial, one.state.mac, one.state.uuid) == (
            other.state.serial,
            other.state.mac,
            other.state.uuid,
        )
        assert (await get(one, INFO)).text.count(one.state.serial) == 1
