"""The register's roads against virtual villages: what each fault of a device looks like to the hub."""

from collections.abc import AsyncIterator

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.clock import SystemClock
from camera_hub.errors import HubError, Reason
from camera_hub.settings import DiscoverySettings
from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.testing import small_farm
from tests.fakes.reach import anywhere

PATIENT = DiscoverySettings(onvif_timeout=10.0)
"""For devices that answer, however busy the machine is."""
BRIEF = DiscoverySettings(onvif_timeout=0.8)
"""For devices that do not answer in any time."""


@pytest.fixture
async def onvif() -> AsyncIterator[Onvif]:
    async with Onvif(PATIENT, SystemClock(), check=anywhere) as onvif:
        yield onvif


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(1, 1) as farm:
        yield farm


def _only(farm: Farm) -> tuple[Device, DeviceLogin]:
    (device,) = farm.devices.values()
    return device, DeviceLogin(device.state.plan.username, device.state.plan.password)


async def test_a_recorder_of_eight_channels_comes_in_whole(onvif: Onvif) -> None:
    async with small_farm(1, 10) as farm:
        recorder = next(device for device in farm.devices.values() if len(device.state.plan.channels) == 8)
        plan = recorder.state.plan
        login = DeviceLogin(plan.username, plan.password)
        found = await onvif.describe(plan.address, recorder.state.http_port, login)
        uri = await onvif.stream_uri(
            OnvifTarget(plan.address, recorder.state.http_port, login=login), found.channels[7].main.profile
        )
    assert [channel.name for channel in found.channels] == [channel.name for channel in plan.channels]
    assert all(channel.sub is not None for channel in found.channels)
    assert found.identity.serial == plan.serial
    assert found.kind == "recorder"
    assert (
        uri == found.channels[7].main.url == f"rtsp://{plan.address}:{recorder.state.rtsp_port}/Streaming/Channels/801"
    )


@pytest.mark.parametrize("fault", ["digest_only", "token_only", "clock_skew", "nat_xaddr"])
async def test_a_quirk_does_not_keep_a_camera_out(onvif: Onvif, farm: Farm, fault: str) -> None:
    device, login = _only(farm)
    await farm.set_fault(device.state.plan.key, fault)
    found = await onvif.describe(device.state.plan.address, device.state.http_port, login)
    assert len(found.channels) == 1
    assert found.channels[0].main.url.startswith(f"rtsp://{device.state.plan.address}:{device.state.rtsp_port}/")
    assert found.clock_offset_s is not None
    assert (abs(found.clock_offset_s) > 86400) is (fault == "clock_skew")


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("wrong_password", {Reason.WRONG_PASSWORD}),
        ("onvif_off", {Reason.ONVIF_OFF}),
        ("redirect", {Reason.REDIRECTED}),
        ("giant_reply", {Reason.REPLY_TOO_LARGE}),
        ("slow_drip", {Reason.TIMED_OUT}),
        ("half_open", {Reason.TIMED_OUT}),
        ("dead", {Reason.PORT_CLOSED, Reason.UNREACHABLE}),
        ("village_down", {Reason.TIMED_OUT, Reason.UNREACHABLE}),
    ],
)
async def test_a_fault_has_its_own_reason_and_nothing_goes_astray(farm: Farm, fault: str, reasons: set[Reason]) -> None:
    device, login = _only(farm)
    await farm.set_fault(device.state.plan.key if fault != "village_down" else farm.plan.villages[0].key, fault)
    settings = BRIEF if Reason.TIMED_OUT in reasons else PATIENT
    async with Onvif(settings, SystemClock(), check=anywhere) as onvif:
        with pytest.raises(HubError) as caught:
            await onvif.describe(device.state.plan.address, device.state.http_port, login)
    assert caught.value.reason in reasons
    assert farm.canary.connections == 0


ODD = {
    "login_for_all": {},
    "login_hidden": {"login_hidden": "404"},
    "no_clock": {"no_clock": "refused"},
    "local_time_only": {"no_clock": "local time only"},
    "soap_11": {"soap11": "answers"},
    "undeclared_prefix": {"undeclared_prefix": "yes"},
    "broken_utf8": {"encoding": "gb18030"},
    "trailing_nul": {},
    "gb2312": {},
    "long_content_length": {"content_length": "long"},
    "uri_padded": {},
    "tls_xaddr": {},
    "realm_with_basic": {},
    "new_nonce": {},
}


@pytest.mark.parametrize(("fault", "learnt"), ODD.items())
async def test_an_odd_camera_is_described_and_what_is_odd_is_learnt(
    farm: Farm, fault: str, learnt: dict[str, str]
) -> None:
    device, login = _only(farm)
    plan = device.state.plan
    await farm.set_fault(plan.key, fault)
    async with Onvif(PATIENT, SystemClock(), check=anywhere) as onvif:
        found = await onvif.describe(plan.address, device.state.http_port, login)
    offered = {} if fault == "login_hidden" else {"digest_offered": "yes"}
    assert found.peculiarities == learnt | offered
    assert found.identity.serial == plan.serial
    assert found.channels[0].name.startswith(plan.channels[0].name)
    assert found.channels[0].main.url.startswith(f"rtsp://{plan.address}:{device.state.rtsp_port}/")


async def test_a_camera_that_shows_local_time_as_utc_is_signed_for_with_the_hubs(farm: Farm) -> None:
    device, login = _only(farm)
    plan = device.state.plan
    for fault in ("token_only", "utc_is_local"):
        await farm.set_fault(plan.key, fault)
    async with Onvif(PATIENT, SystemClock(), check=anywhere) as onvif:
        found = await onvif.describe(plan.address, device.state.http_port, login)
    assert found.peculiarities == {"clock_local_time": "+8 h"}


async def test_a_camera_that_speaks_tls_alone_is_described(farm: Farm) -> None:
    device, login = _only(farm)
    plan = device.state.plan
    await farm.set_fault(plan.key, "tls_only")
    async with Onvif(PATIENT, SystemClock(), check=anywhere) as onvif:
        found = await onvif.describe(plan.address, device.state.http_port, login)
    assert found.peculiarities.keys() == {"tls_only", "digest_offered"}


async def test_a_camera_that_can_be_steered_is_known_by_its_description(onvif: Onvif) -> None:
    async with small_farm(1, 10) as farm:
        said = {}
        for device in farm.devices.values():
            plan = device.state.plan
            login = DeviceLogin(plan.username, plan.password)
            found = await onvif.describe(plan.address, device.state.http_port, login)
            said[plan.key] = [channel.ptz for channel in found.channels]
    assert said == {
        device.state.plan.key: [one.ptz for one in device.state.plan.channels] for device in farm.devices.values()
    }
    assert any(any(found) for found in said.values())
