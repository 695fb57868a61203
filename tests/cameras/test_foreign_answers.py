"""Devices that know half of ONVIF, as ipycam and go2rtc do (docs/foreign-devices.md): what is told of them."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.purposes import Purpose
from camera_hub.cameras.device_settings.onvif_way import OnvifSettingsWay
from camera_hub.cameras.device_settings.values import SettingsCamera, SettingsDevice
from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.ptz import PTZ
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.cameras.ptz.opening import PtzOpener
from camera_hub.cameras.ptz.presets import PtzPresets
from camera_hub.cameras.ptz.store import NO_PLAN, SteeredCamera
from camera_hub.cameras.reach import Check
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.settings import DiscoverySettings
from tests.cameras.fake_onvif import FakeDevice
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock
from tests.fakes.reach import anywhere

LOGIN = DeviceLogin("admin", "village-1")
PTZ_SERVICE = (
    "<tds:Service><tds:Namespace>http://www.onvif.org/ver20/ptz/wsdl</tds:Namespace>"
    "<tds:XAddr>http://192.168.1.64/onvif/ptz</tds:XAddr></tds:Service></tds:GetServicesResponse>"
)


@pytest.fixture
async def onvif(clock: ManualClock) -> AsyncIterator[Onvif]:
    settings = DiscoverySettings(onvif_timeout=4.0, host_timeout=1.0, reply_bytes=65536)
    async with Onvif(settings, clock, check=anywhere) as onvif:
        yield onvif


@dataclass
class CopyingDevice(FakeDevice):
    """Its SetPreset takes no token: whatever is stored becomes a new preset. `removes`: whether it knows that call."""

    removes: bool = True
    kept: dict[str, str] = field(default_factory=lambda: {"p1": "Gate"})

    def _operation(self, name: str, body: str, *, media2: bool) -> str | None:
        if name == "GetServices":
            said = super()._operation(name, body, media2=media2) or ""
            return said.replace("</tds:GetServicesResponse>", PTZ_SERVICE)
        if name == "GetPresets":
            listed = "".join(
                f'<ptz:Preset token="{token}"><tt:Name>{text}</tt:Name></ptz:Preset>'
                for token, text in self.kept.items()
            )
            return f"<ptz:GetPresetsResponse>{listed}</ptz:GetPresetsResponse>"
        if name == "SetPreset":
            token = f"p{len(self.kept) + 1}"
            self.kept[token] = (re.search(r"PresetName>([^<]*)<", body) or ["", ""])[1]
            return f"<ptz:SetPresetResponse><ptz:PresetToken>{token}</ptz:PresetToken></ptz:SetPresetResponse>"
        if name == "RemovePreset" and self.removes:
            self.kept.pop((re.search(r"PresetToken>([^<]*)<", body) or ["", ""])[1])
            return "<ptz:RemovePresetResponse/>"
        return super()._operation(name, body, media2=media2)


class OneSession:
    """Implements ptz.presets.SteeredSessions and PresetTargets for one camera whose pad is open."""

    def __init__(self, device: FakeDevice) -> None:
        self._target = OnvifTarget("127.0.0.1", device.port, login=LOGIN, check=anywhere)
        camera = SteeredCamera(1, 1, 1, "source1", "profile_1_main", ("127.0.0.1", device.port))
        facts = SimpleNamespace(profile="profile_1_main", capabilities=SimpleNamespace(presets=True))

        async def opened() -> Any:
            return facts

        self._session: Any = SimpleNamespace(camera=camera, plan=NO_PLAN, open=opened, claim=lambda _: None)

    async def session(self, *_: object) -> Any:
        return self._session

    async def replan(self, session: Any, plan: object) -> None:
        session.plan = plan

    async def target(self, camera: SteeredCamera) -> OnvifTarget:
        return self._target


@pytest.mark.parametrize(("removes", "left"), [(True, ["p1"]), (False, ["p1", "p2"])])
async def test_a_preset_that_is_copied_instead_of_replaced_is_told(
    onvif: Onvif, clock: ManualClock, removes: bool, left: list[str]
) -> None:
    async with CopyingDevice(auth="none", removes=removes) as device:
        site = OneSession(device)
        presets = PtzPresets(site, site, onvif, clock)
        with pytest.raises(HubError) as caught:
            await presets.change(ADMIN, 1, "p1", "Bridge", here=True)
    assert (caught.value.reason, list(device.kept)) == (Reason.PTZ_PRESET_COPIED, left)
    assert ("refuses to remove" in caught.value.detail) is not removes


async def test_a_device_that_cannot_remove_presets_is_told_so(onvif: Onvif, clock: ManualClock) -> None:
    async with CopyingDevice(auth="none", removes=False) as device:
        site = OneSession(device)
        with pytest.raises(HubError) as caught:
            await PtzPresets(site, site, onvif, clock).remove(ADMIN, 1, "p1")
    assert caught.value.reason == Reason.PTZ_PRESET_STAYS


async def test_a_device_whose_ptz_service_is_gone_is_told_so() -> None:
    """It was restarted with another configuration while it was steered."""

    class Opened:
        async def open(self, target: OnvifTarget, first: Any) -> Any:
            conversation = SimpleNamespace(services={})
            return conversation, await first(conversation)

        async def target(self, camera: SteeredCamera) -> OnvifTarget:
            return OnvifTarget("192.0.2.7", 80)

        async def note(self, device_id: int, kind: str, value: str) -> None: ...

    opened = Opened()
    known: Any = SimpleNamespace(profile="profile_1_main")
    with pytest.raises(HubError) as caught:
        await PtzOpener(opened, opened, opened).open(SteeredCamera(1, 1, 1, "s", "p", ("192.0.2.7", 80)), known)
    assert caught.value.reason == Reason.PTZ_NONE


@dataclass
class OldDevice(FakeDevice):
    """Older than GetServices."""

    def _operation(self, name: str, body: str, *, media2: bool) -> str | None:
        if name == "GetServices":
            return None
        if name == "GetCapabilities":
            services = "".join(
                f"<tt:{one}><tt:XAddr>http://192.168.1.64/onvif/{one}</tt:XAddr></tt:{one}>" for one in ("Media", "PTZ")
            )
            listed = f"<tds:Capabilities>{services}</tds:Capabilities>"
            return f"<tds:GetCapabilitiesResponse>{listed}</tds:GetCapabilitiesResponse>"
        return super()._operation(name, body, media2=media2)


async def test_the_ptz_service_of_a_device_older_than_getservices_is_found(onvif: Onvif) -> None:
    async def listed(_: OnvifDevice, services: Mapping[str, str]) -> Mapping[str, str]:
        return services

    async with OldDevice() as device:
        found = await onvif.talk(OnvifTarget("127.0.0.1", device.port, login=LOGIN, check=anywhere), 5.0, listed)
    assert found == {MEDIA1: "/onvif/Media", PTZ: "/onvif/PTZ"}


class SettingsParts:
    """Implements what OnvifSettingsWay needs of the register and the checks."""

    async def login(self, device_id: int, purpose: Purpose) -> DeviceLogin:
        return LOGIN

    async def of_device(self, device_id: int) -> Check:
        return anywhere


async def test_a_sub_stream_is_read_of_a_device_that_only_lists_profiles(onvif: Onvif, clock: ManualClock) -> None:
    """Neither GetProfile nor the encoder's options, NTP and OSD."""
    async with FakeDevice() as device:
        way = OnvifSettingsWay(onvif, SettingsParts(), SettingsParts(), clock, 10.0)
        camera = SettingsCamera(1, "村口", "source1", sub_profile="profile_1_sub")
        known = SettingsDevice(1, 1, "村口", "127.0.0.1", device.port, "/onvif/device_service", "onvif", (camera,))
        found = await way.read(known, ("clock", "ntp", "osd_name", "osd_time", "sub"))
    sub = found.cameras[0].sub
    assert sub is not None
    assert (sub.codec, sub.width, sub.height, sub.codecs) == ("h264", 640, 360, ())
    assert {one.part: one.reason for one in found.problems} == dict.fromkeys(
        ("ntp", "osd_name", "osd_time"), Reason.SETTING_UNSUPPORTED
    )


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (faults.of_fault("s:Receiver ter:ActionNotSupported optional action not implemented"), True),
        (faults.of_fault("s:Receiver Action not supported: "), True),  # ipycam
        (faults.of_fault("Method 'trt:GetOSDs' not implemented: method name or namespace not recognized"), True),
        (faults.without_fault(400), True),  # go2rtc
        (faults.without_fault(500), False),
        (faults.of_fault("s:Sender ter:InvalidArgVal ter:NoConfig"), False),
        (faults.of_fault("s:Receiver ter:Action the device is upgrading"), False),
        (HubError(Kind.TIMEOUT, "not supported", reason=Reason.TIMED_OUT), False),
    ],
)
def test_a_call_that_a_device_does_not_know_is_not_one_that_it_refuses(error: HubError, unknown: bool) -> None:
    assert faults.unknown_call(error) is unknown
