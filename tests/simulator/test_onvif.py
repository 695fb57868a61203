"""ONVIF against zeep with the WSDLs that ONVIF clients ship, and against requests made by hand."""

import datetime
from collections.abc import AsyncIterator

import httpx
import pytest
from zeep.exceptions import Fault as SoapFault

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.testing import small_farm
from tests.simulator.peers import DEADLINE, decode
from tests.simulator.soap import LOGIN, Onvif


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=8) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


async def test_identity_and_clock_are_told(device: Device) -> None:
    anonymous, peer = Onvif(device, token=None), Onvif(device)
    asked = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    clock = (await anonymous.call("device", "GetSystemDateAndTime")).UTCDateTime
    shown = datetime.datetime(
        clock.Date.Year, clock.Date.Month, clock.Date.Day, clock.Time.Hour, clock.Time.Minute, clock.Time.Second,
        tzinfo=datetime.UTC,
    )  # fmt: skip
    assert asked <= shown <= datetime.datetime.now(datetime.UTC)
    information = await peer.call("device", "GetDeviceInformation")
    assert information.SerialNumber == device.state.plan.serial
    (interface,) = await peer.call("device", "GetNetworkInterfaces")
    assert interface.Info.HwAddress == device.state.plan.mac
    assert interface.IPv4.Config.Manual[0].Address == device.state.plan.address
    scopes = [scope.ScopeItem for scope in await peer.call("device", "GetScopes")]
    assert "onvif://www.onvif.org/Profile/Streaming" in scopes
    assert (await anonymous.call("device", "GetHostname")).Name == device.state.plan.key
    assert (await peer.call("device", "GetNTP")).NTPManual[0].IPv4Address


async def test_services_and_capabilities_name_the_same_addresses(device: Device) -> None:
    anonymous = Onvif(device, token=None)
    services = await anonymous.call("device", "GetServices", IncludeCapability=False)
    addresses = {service.Namespace: service.XAddr for service in services}
    capabilities = await anonymous.call("device", "GetCapabilities", Category=["All"])
    assert addresses["http://www.onvif.org/ver10/media/wsdl"] == capabilities.Media.XAddr
    assert addresses["http://www.onvif.org/ver20/ptz/wsdl"] == capabilities.PTZ.XAddr
    assert "http://www.onvif.org/ver20/media/wsdl" in addresses
    assert capabilities.Events.WSPullPointSupport


async def test_a_recorder_lists_every_channel_as_a_video_source_of_its_own(device: Device) -> None:
    peer = Onvif(device)
    profiles = await peer.call("media", "GetProfiles")
    assert len(profiles) == 16
    assert len({profile.VideoSourceConfiguration.SourceToken for profile in profiles}) == 8
    assert len(await peer.call("media", "GetVideoSources")) == 8
    uri = await peer.call(
        "media", "GetStreamUri", ProfileToken="Profile_302",
        StreamSetup={"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
    )  # fmt: skip
    assert uri.Uri == device.state.stream_url(device.state.plan.channels[2], 2)
    encoder = profiles[1].VideoEncoderConfiguration
    assert (encoder.Encoding, encoder.Resolution.Width, encoder.H264.GovLength) == ("H264", 320, 10)


async def test_an_unknown_profile_is_a_fault_with_its_subcode(device: Device) -> None:
    with pytest.raises(SoapFault, match="no such profile") as caught:
        await Onvif(device).call("media", "GetProfile", ProfileToken="nothing")
    assert [code.localname for code in caught.value.subcodes] == ["InvalidArgVal", "NoProfile"]


async def test_http_digest_alone_is_enough(device: Device) -> None:
    peer = Onvif(device, token=None, digest=LOGIN)
    assert (await peer.call("device", "GetDeviceInformation")).Model == device.state.plan.model
    with pytest.raises(SoapFault, match="not authorized"):
        await Onvif(device, token=None, digest=("admin", "wrong")).call("device", "GetDeviceInformation")


async def test_without_or_with_a_wrong_login_nothing_is_told(device: Device) -> None:
    with pytest.raises(SoapFault, match="not authorized"):
        await Onvif(device, token=("admin", "wrong")).call("device", "GetDeviceInformation")
    with pytest.raises(SoapFault, match="not authorized"):
        await Onvif(device, token=None).call("device", "GetDeviceInformation")
    assert (device.state.stats.logins, device.state.stats.logins_failed) == (1, 1)


async def test_setting_the_clock_moves_it(device: Device) -> None:
    peer = Onvif(device)
    before = device.state.now()
    await peer.call(
        "device", "SetSystemDateAndTime", DateTimeType="Manual", DaylightSavings=False,
        UTCDateTime={
            "Time": {"Hour": before.hour, "Minute": before.minute, "Second": before.second},
            "Date": {"Year": before.year, "Month": before.month, "Day": 1 if before.day > 1 else 2},
        },
    )  # fmt: skip
    assert abs((device.state.now() - before).total_seconds()) > 80_000
    with pytest.raises(SoapFault):
        await peer.call("device", "GetDeviceInformation")


async def test_a_synchronization_point_brings_a_key_frame_request_to_the_stream(device: Device) -> None:
    await Onvif(device).call("media", "SetSynchronizationPoint", ProfileToken="Profile_102")
    assert device.state.stats.sync_points == 1


async def test_the_snapshot_is_a_picture_behind_digest(device: Device) -> None:
    uri = (await Onvif(device).call("media", "GetSnapshotUri", ProfileToken="Profile_102")).Uri
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        assert (await client.get(uri)).status_code == 401
        reply = await client.get(uri, auth=httpx.DigestAuth(*LOGIN))
    assert reply.headers["content-type"] == "image/jpeg"
    (picture,) = decode("mjpeg", [reply.content])
    assert picture.std() > 15


async def test_imaging_settings_are_kept_and_checked(device: Device) -> None:
    peer = Onvif(device)
    source = "VideoSource_1"
    await peer.call("imaging", "SetImagingSettings", VideoSourceToken=source, ImagingSettings={"Brightness": 70})
    settings = await peer.call("imaging", "GetImagingSettings", VideoSourceToken=source)
    assert (settings.Brightness, settings.Contrast) == (70, 50)
    options = await peer.call("imaging", "GetOptions", VideoSourceToken=source)
    assert options.Brightness.Max == 100
    with pytest.raises(SoapFault, match="between 0 and 100"):
        await peer.call("imaging", "SetImagingSettings", VideoSourceToken=source, ImagingSettings={"Brightness": 700})


async def test_events_come_by_pull_point_until_it_is_given_back(device: Device) -> None:
    peer = Onvif(device)
    made = await peer.call("events", "CreatePullPointSubscription", InitialTerminationTime="PT60S")
    at = made.SubscriptionReference.Address._value_1
    ten = datetime.timedelta(seconds=10)
    first = await peer.call("pullpoint", "PullMessages", at=at, Timeout=ten, MessageLimit=100)
    assert len(first.NotificationMessage) == 8
    device.http.onvif.events.publish("tns1:VideoSource/MotionAlarm", "VideoSource_1", "State", "true")
    second = await peer.call("pullpoint", "PullMessages", at=at, Timeout=ten, MessageLimit=100)
    (message,) = second.NotificationMessage
    items = {item.get("Name"): item.get("Value") for item in message.Message._value_1.iter("{*}SimpleItem")}
    assert items == {"Source": "VideoSource_1", "State": "true"}
    renewed = await peer.call("subscription", "Renew", at=at, TerminationTime="PT120S")
    assert renewed.TerminationTime > renewed.CurrentTime
    assert device.state.stats.pull_points == 1
    await peer.call("subscription", "Unsubscribe", at=at)
    assert device.state.stats.pull_points == 0
    with pytest.raises(SoapFault, match="no such subscription"):
        await peer.call("pullpoint", "PullMessages", at=at, Timeout=ten, MessageLimit=1)


async def test_pull_points_are_few(device: Device) -> None:
    peer = Onvif(device)
    for _ in range(device.state.plan.max_pull_points):
        await peer.call("events", "CreatePullPointSubscription")
    with pytest.raises(SoapFault, match="All pull points are taken"):
        await peer.call("events", "CreatePullPointSubscription")
    assert (await peer.call("events", "GetServiceCapabilities")).MaxPullPoints == device.state.plan.max_pull_points
    assert await peer.call("events", "GetEventProperties")


async def media2(device: Device, operation: str, inside: str) -> str:
    """A call of the second media service, for which no WSDL is shipped; by HTTP Digest."""
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tr2="http://www.onvif.org/ver20/media/wsdl">'
        f"<s:Body><tr2:{operation}>{inside}</tr2:{operation}></s:Body></s:Envelope>"
    )
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        address = device.state.http_url("/onvif/Media2")
        reply = await client.post(address, content=body, auth=httpx.DigestAuth(*LOGIN))
    assert reply.status_code == 200, reply.text
    return reply.text


async def test_only_the_second_media_service_knows_h265() -> None:
    async with small_farm(h265=True) as farm:
        device = next(iter(farm.devices.values()))
        main, sub = await Onvif(device).call("media", "GetProfiles")
        assert main.VideoEncoderConfiguration is None
        assert sub.VideoEncoderConfiguration.Encoding == "H264"
        profiles = await media2(device, "GetProfiles", "<tr2:Type>All</tr2:Type>")
        assert "<tt:Encoding>H265</tt:Encoding>" in profiles
        assert "VideoEncoder" not in await media2(device, "GetProfiles", "")
        uri = await media2(
            device, "GetStreamUri", "<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>Profile_101</tr2:ProfileToken>"
        )
        assert device.state.stream_url(device.state.plan.channels[0], 1) in uri
        assert 'GovLength="10"' in await media2(device, "GetVideoEncoderConfigurations", "")


@pytest.mark.parametrize(
    "body",
    [b"", b"<", b"<a/>", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
    ids=["empty", "cut short", "no envelope", "an outside entity"],
)
async def test_what_is_no_soap_gets_a_fault(device: Device, body: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        reply = await client.post(device.state.http_url("/onvif/device_service"), content=body)
    assert reply.status_code == 400
    assert "WellFormed" in reply.text


async def test_the_vendors_interface_lists_a_recorders_channels(device: Device) -> None:
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*LOGIN)) as client:
        information = await client.get(device.state.http_url("/ISAPI/System/deviceInfo"))
        channels = await client.get(device.state.http_url("/ISAPI/ContentMgmt/InputProxy/channels"))
        nothing = await client.get(device.state.http_url("/ISAPI/nothing"))
    assert device.state.plan.serial in information.text
    assert channels.text.count("<InputProxyChannel>") == 8
    assert "文化广场" in channels.text
    assert nothing.status_code == 404
