"""What is set on a device: its clock, the texts in its pictures, its encoders; and devices that refuse or lie."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import av
import httpx
import pytest
from lxml import etree
from zeep.exceptions import Fault as SoapFault

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import FarmPlan
from camera_hub.simulator.onvif.soap import SPACES
from camera_hub.simulator.picture.latin import latin
from camera_hub.simulator.plan import Ports, default_farm
from camera_hub.simulator.settings import ClockSetting, DeviceSettings, parsed_zone
from camera_hub.simulator.testing import QUICK_MAIN, QUICK_SUB, own_network, small_farm
from tests.fakes.clock import ManualClock
from tests.simulator.peers import DEADLINE, RtspClient
from tests.simulator.soap import LOGIN, Onvif

UTC = datetime.UTC
HOURS = datetime.timedelta(hours=1)
NOON = {"Time": {"Hour": 12, "Minute": 0, "Second": 0}, "Date": {"Year": 2027, "Month": 5, "Day": 1}}


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(clock=ManualClock()) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


@pytest.fixture
def peer(device: Device) -> Onvif:
    return Onvif(device, token=None, digest=LOGIN)


async def media2(device: Device, operation: str, inside: str = "") -> etree._Element:
    """The response's element of a Media2 call, which the shipped WSDLs do not describe. Raises AssertionError."""
    spaces = f'xmlns:tr2="{SPACES["tr2"]}" xmlns:tt="{SPACES["tt"]}"'
    body = (
        f'<s:Envelope xmlns:s="{SPACES["s"]}" {spaces}><s:Body><tr2:{operation}>{inside}</tr2:{operation}>'
        "</s:Body></s:Envelope>"
    )
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*LOGIN)) as client:
        reply = await client.post(device.state.http_url("/onvif/Media2"), content=body.encode())
    assert reply.status_code == 200, reply.text
    return etree.fromstring(reply.content)[0][0]


def shift(device: Device) -> float:
    """Seconds by which the device's clock is wrong."""
    return (device.state.now() - device.state.clock.now()).total_seconds()


@pytest.mark.parametrize(
    ("fault", "value", "outcome"),
    [
        (None, None, "set"),
        (Fault.SETTINGS_REFUSED, 0, "not supported"),
        (Fault.SETTINGS_REFUSED, 1, "may not"),
        (Fault.SETTINGS_IGNORED, None, "kept"),
        (Fault.CLOCK_LIES, 0, "kept"),
        (Fault.CLOCK_LIES, 60, "falls back"),
    ],
)
async def test_a_clock_is_set_refused_or_lied_about(
    farm: Farm, device: Device, peer: Onvif, fault: Fault | None, value: float | None, outcome: str
) -> None:
    await farm.set_fault(device.state.plan.key, Fault.CLOCK_SKEW, value=-300)
    if fault is not None:
        await farm.set_fault(device.state.plan.key, fault, value=value)
    wanted: dict[str, Any] = {
        "DateTimeType": "Manual",
        "DaylightSavings": False,
        "TimeZone": {"TZ": "CST-8"},
        "UTCDateTime": NOON,
    }
    if outcome in ("not supported", "may not"):
        with pytest.raises(SoapFault, match=outcome):
            await peer.call("device", "SetSystemDateAndTime", **wanted)
        assert shift(device) == -300
        return
    await peer.call("device", "SetSystemDateAndTime", **wanted)
    is_set = device.state.now() == datetime.datetime(2027, 5, 1, 12, tzinfo=UTC)
    assert is_set is (outcome in ("set", "falls back"))
    clock = device.state.clock
    assert isinstance(clock, ManualClock)
    clock.move(61)
    assert (shift(device) == -300) is (outcome != "set")


async def test_time_zone_and_time_server_are_told_as_they_were_set(farm: Farm, device: Device, peer: Onvif) -> None:
    await farm.set_fault(device.state.plan.key, Fault.CLOCK_SKEW, value=90)
    await peer.call("device", "SetNTP", FromDHCP=False, NTPManual=[{"Type": "DNS", "DNSname": "ntp.town.example"}])
    assert shift(device) == 90
    await peer.call(
        "device", "SetSystemDateAndTime", DateTimeType="NTP", DaylightSavings=True, TimeZone={"TZ": "<+09>-9"}
    )
    assert shift(device) == 0
    told = await peer.call("device", "GetSystemDateAndTime")
    assert (told.DateTimeType, told.DaylightSavings, told.TimeZone.TZ) == ("NTP", True, "<+09>-9")
    assert (told.LocalDateTime.Time.Hour - told.UTCDateTime.Time.Hour) % 24 == 9
    (server,) = (await peer.call("device", "GetNTP")).NTPManual
    assert (server.Type, server.DNSname) == ("DNS", "ntp.town.example")
    await peer.call("device", "SetNTP", FromDHCP=True)
    told = await peer.call("device", "GetNTP")
    assert (told.FromDHCP, len(told.NTPFromDHCP), told.NTPManual) == (True, 1, [])
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (
            "SetSystemDateAndTime",
            {"DateTimeType": "NTP", "DaylightSavings": False, "TimeZone": {"TZ": "Peking"}},
            "zone",
        ),
        ("SetNTP", {"FromDHCP": False, "NTPManual": [{"Type": "IPv4", "IPv4Address": "10.0.0"}]}, "address"),
        ("SetNTP", {"FromDHCP": False, "NTPManual": [{"Type": "DNS", "DNSname": "a b"}]}, "address"),
        ("SetNTP", {"FromDHCP": False, "NTPManual": [{"Type": "IPv4", "IPv4Address": "10.0.0.1"}] * 3}, "too many"),
    ]
    for operation, values, said in wrong:
        with pytest.raises(SoapFault, match=said):
            await peer.call("device", operation, **values)


@pytest.mark.parametrize(
    ("zone", "offset", "summer"),
    [
        ("CST-8", 8, False),
        ("CST-08:00:00", 8, False),
        ("EST5EDT,M3.2.0,M11.1.0", -5, True),
        ("<+0530>-5:30", 5.5, False),
        ("UTC0", 0, False),
        ("Asia/Shanghai", None, None),
        ("CST-80", None, None),
        ("", None, None),
    ],
)
def test_a_posix_time_zone_is_read(zone: str, offset: float | None, summer: bool | None) -> None:
    found = parsed_zone(zone)
    assert found == (None if offset is None else (offset * HOURS, summer))


def test_the_line_in_the_picture_follows_zone_summer_time_and_room() -> None:
    plan = default_farm(1, 1)
    (device,) = plan.villages[0].devices
    (channel,) = device.channels
    settings, july = DeviceSettings(device), datetime.datetime(2026, 7, 1, tzinfo=UTC)
    assert settings.caption(channel, july, 80) == "DONGGOU CUNKOU  2026-07-01 08:00:00"
    settings.clock = ClockSetting(zone="CST-8CDT", daylight=True)
    assert settings.caption(channel, july, 26) == "DONGG  2026-07-01 09:00:00"
    assert latin("东沟村-1号球机") == "DONGGOUCUN-1HAOQIUJI"


async def test_texts_in_the_picture_are_listed_changed_made_and_removed(device: Device, peer: Onvif) -> None:
    stream = device.rtsp.streams[1, 2]
    name, clock = await peer.call("media", "GetOSDs")
    assert (name.TextString.Type, clock.TextString.Type) == ("Plain", "DateAndTime")
    assert name.TextString.PlainText == device.state.plan.channels[0].name
    assert stream.caption_now().startswith("DONGGOU CUNKOU  2026-11-23 16")
    options = await peer.call("media", "GetOSDOptions", ConfigurationToken="VideoSourceConfig_1")
    options = options.OSDOptions
    assert (options.MaximumNumberOfOSDs.Total, "Custom" in options.PositionOption) == (6, True)
    changed = {
        "token": name.token,
        "VideoSourceConfigurationToken": "VideoSourceConfig_1",
        "Type": "Text",
        "Position": {"Type": "Custom", "Pos": {"x": -0.5, "y": 0.9}},
        "TextString": {"Type": "Plain", "PlainText": "村口球机"},
    }
    await peer.call("media", "SetOSD", OSD=changed)
    told = await peer.call("media", "GetOSD", OSDToken=name.token)
    told = told.OSD
    assert (told.TextString.PlainText, told.Position.Pos.y) == ("村口球机", 0.9)
    assert stream.caption(device.state.now()).startswith("CUNKOUQIUJI  2026")
    await media2(device, "DeleteOSD", f"<tr2:OSDToken>{clock.token}</tr2:OSDToken>")
    assert stream.caption(device.state.now()) == "CUNKOUQIUJI"
    made = await media2(
        device,
        "CreateOSD",
        '<tr2:OSD token=""><tt:VideoSourceConfigurationToken>VideoSourceConfig_1</tt:VideoSourceConfigurationToken>'
        "<tt:Type>Text</tt:Type><tt:Position><tt:Type>UpperRight</tt:Type></tt:Position>"
        "<tt:TextString><tt:Type>Time</tt:Type></tt:TextString></tr2:OSD>",
    )
    token = made.findtext("tr2:OSDToken", namespaces=SPACES)
    listed = await media2(device, "GetOSDs", f"<tr2:OSDToken>{token}</tr2:OSDToken>")
    assert [one.findtext("tt:Position/tt:Type", namespaces=SPACES) for one in listed] == ["UpperRight"]
    assert stream.caption(device.state.now()) == "CUNKOUQIUJI  16:00:00"
    for operation, osd, said in (
        ("CreateOSD", changed | {"TextString": {"Type": "DateAndTime"}, "token": ""}, "too many"),
        ("SetOSD", changed | {"TextString": {"Type": "Plain", "PlainText": "长" * 33}}, "at most 32"),
        ("SetOSD", changed | {"Position": {"Type": "Middle"}}, "not supported"),
        ("SetOSD", changed | {"token": "OSD_7"}, "no such text"),
    ):
        with pytest.raises(SoapFault, match=said):
            await peer.call("media", operation, OSD=osd)


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Fault.OSD_READONLY, "not supported"), (Fault.SETTINGS_REFUSED, "not supported"), (Fault.SETTINGS_IGNORED, "")],
)
async def test_texts_of_stubborn_devices_stay(farm: Farm, device: Device, peer: Onvif, fault: Fault, said: str) -> None:
    await farm.set_fault(device.state.plan.key, fault)
    before = dict(device.state.settings.osds)
    name, _ = await peer.call("media", "GetOSDs")
    name.TextString.PlainText = "村口"
    if said:
        with pytest.raises(SoapFault, match=said):
            await peer.call("media", "SetOSD", OSD=name)
    else:
        await peer.call("media", "SetOSD", OSD=name)
        assert await peer.call("media", "CreateOSD", OSD=name)
    assert device.state.settings.osds == before


@pytest.fixture
async def camera() -> AsyncIterator[Device]:
    """A camera whose time passes, for its streams."""
    async with small_farm() as farm:
        yield next(iter(farm.devices.values()))


async def playing(device: Device) -> tuple[RtspClient, str]:
    state = device.state
    client = await RtspClient.connect(state.plan.address, state.rtsp_port)
    url = f"rtsp://{state.plan.address}:{state.rtsp_port}/Streaming/Channels/102"
    await client.play(url)
    await client.rtp()
    return client, url


async def ended(client: RtspClient) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await client.packet()
            except (asyncio.IncompleteReadError, ConnectionError, AssertionError):
                break
    await client.close()


def watched(url: str, count: int) -> tuple[str, list[bool]]:
    """The codec and, for that many pictures from a key frame on, whether each is a key frame."""
    address = url.replace("rtsp://", "rtsp://admin:village-2024@")
    with av.open(address, options={"rtsp_transport": "tcp", "timeout": "10000000"}) as container:
        packets = (packet for packet in container.demux(video=0) if packet.size)
        keys: list[bool] = []
        for packet in packets:
            if keys or packet.is_keyframe:
                keys.append(packet.is_keyframe)
            if len(keys) == count:
                break
        return container.streams.video[0].codec_context.name, keys


@pytest.mark.slow
async def test_codec_and_gov_length_of_a_running_stream_are_changed(camera: Device) -> None:
    client, url = await playing(camera)
    configuration = (
        '<tr2:Configuration token="VideoEncoder_102" GovLength="7" Profile="Main"><tt:Name>sub</tt:Name>'
        "<tt:UseCount>1</tt:UseCount><tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>320</tt:Width>"
        "<tt:Height>192</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>10</tt:FrameRateLimit>"
        "<tt:BitrateLimit>100</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality></tr2:Configuration>"
    )
    await media2(camera, "SetVideoEncoderConfiguration", configuration.format(codec="H265"))
    await ended(client)
    (told,) = await media2(
        camera, "GetVideoEncoderConfigurations", "<tr2:ConfigurationToken>VideoEncoder_102</tr2:ConfigurationToken>"
    )
    assert (told.get("GovLength"), told.findtext("tt:Encoding", namespaces=SPACES)) == ("7", "H265")
    peer = Onvif(camera)
    assert [one.token for one in await peer.call("media", "GetVideoEncoderConfigurations")] == ["VideoEncoder_101"]
    codec, keys = await asyncio.to_thread(watched, url, 9)
    assert codec == "hevc"
    assert [number for number, key in enumerate(keys) if key] == [0, 7]
    await media2(camera, "SetVideoEncoderConfiguration", configuration.format(codec="H264"))
    encoder = await peer.call("media", "GetVideoEncoderConfiguration", ConfigurationToken="VideoEncoder_102")
    encoder.H264.GovLength = 5
    encoder.RateControl.FrameRateLimit = 15
    client, _ = await playing(camera)
    await peer.call("media", "SetVideoEncoderConfiguration", Configuration=encoder, ForcePersistence=True)
    await ended(client)
    codec, keys = await asyncio.to_thread(watched, url, 11)
    assert codec == "h264"
    assert [number for number, key in enumerate(keys) if key] == [0, 5, 10]


@pytest.mark.parametrize("strict", [True, False])
async def test_what_is_out_of_range_is_refused_or_bent(farm: Farm, device: Device, peer: Onvif, strict: bool) -> None:
    options = await peer.call("media", "GetVideoEncoderConfigurationOptions", ConfigurationToken="VideoEncoder_102")
    assert (options.H264.GovLengthRange.Min, options.H264.FrameRateRange.Max) == (5, 15)
    both = await media2(device, "GetVideoEncoderConfigurationOptions")
    assert [one.findtext("tt:Encoding", namespaces=SPACES) for one in both] == ["H264", "H265"]
    if strict:
        await farm.set_fault(device.state.plan.key, Fault.ENCODER_RANGES)
    encoder = await peer.call("media", "GetVideoEncoderConfiguration", ConfigurationToken="VideoEncoder_102")
    encoder.H264.GovLength = 5000
    values: dict[str, Any] = {"Configuration": encoder, "ForcePersistence": True}
    if strict:
        with pytest.raises(SoapFault, match="out of range"):
            await peer.call("media", "SetVideoEncoderConfiguration", **values)
        assert device.state.settings.spec(1, 2) == QUICK_SUB
    else:
        await peer.call("media", "SetVideoEncoderConfiguration", **values)
        assert device.state.settings.spec(1, 2) == replace(QUICK_SUB, gov_length=400)
    encoder.Resolution.Width = 500
    with pytest.raises(SoapFault, match="resolution"):
        await peer.call("media", "SetVideoEncoderConfiguration", **values)


def with_direct() -> FarmPlan:
    return default_farm(
        1, 9, network=own_network(), ports=Ports(0, 0), main=QUICK_MAIN, sub=QUICK_SUB, h265=False, direct=1
    )


async def test_a_recorder_sets_the_clocks_of_its_cameras_every_minute() -> None:
    clock = ManualClock()
    async with small_farm(plan=with_direct(), clock=clock) as farm:
        recorder, _, camera = farm.devices.values()
        assert recorder.state.plan.channels[0].behind == camera.state.plan.address
        assert camera.state.plan.recorder == recorder.state.plan.key
        recorder.state.set_clock(clock.now() + 2 * HOURS)
        camera.state.set_clock(clock.now() - HOURS)
        assert shift(camera) == -3600
        await clock.advance(61)
        assert shift(camera) == 7200


async def test_a_device_keeps_its_settings_at_another_address(farm: Farm, device: Device) -> None:
    device.state.set_clock(device.state.now() + HOURS)
    device.state.settings.clock = ClockSetting(zone="UTC0")
    address = device.state.plan.address
    await farm.move(device.state.plan.key, address.rpartition(".")[0] + ".77")
    moved = farm.devices[device.state.plan.key]
    assert (moved is not device, shift(moved), moved.state.settings.clock.zone) == (True, 3600, "UTC0")
