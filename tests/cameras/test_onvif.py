"""Describing devices over real connections: field quirks, and devices that mean harm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.onvif import wsdl
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.running import running
from camera_hub.settings import DiscoverySettings
from tests.cameras.fake_onvif import FakeDevice
from tests.fakes.clock import ManualClock
from tests.fakes.ports import closed_port
from tests.fakes.reach import anywhere

LOGIN = DeviceLogin("admin", "village-1")


@pytest.fixture
async def onvif(clock: ManualClock) -> AsyncIterator[Onvif]:
    async with Onvif(
        DiscoverySettings(onvif_timeout=2.0, host_timeout=0.5, reply_bytes=65536), clock, check=anywhere
    ) as onvif:
        yield onvif


@pytest.mark.parametrize("auth", ["none", "digest", "token"])
async def test_a_camera_is_described_whatever_proof_it_wants(onvif: Onvif, auth: str) -> None:
    async with FakeDevice(auth=auth) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.kind == "camera"
    assert found.identity.serial == "SN20240001"
    assert found.identity.mac == "02:00:00:00:00:01"
    assert [channel.name for channel in found.channels] == ["村口"]
    assert found.channels[0].main.url == "rtsp://127.0.0.1:8554/ch1/main"
    assert found.channels[0].sub is not None
    assert found.channels[0].sub.width == 640
    assert set(device.proofs) == ({auth} if auth != "none" else set())


async def test_the_login_is_not_sent_before_it_is_asked_for(onvif: Onvif) -> None:
    async with FakeDevice(auth="none") as device:
        await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert device.proofs == []
    assert device.calls[0] == "GetSystemDateAndTime"


@pytest.mark.parametrize("skew", [timedelta(days=-183), timedelta(hours=1), timedelta(seconds=8)])
async def test_a_wrong_clock_does_not_break_the_login(onvif: Onvif, skew: timedelta) -> None:
    async with FakeDevice(skew=skew) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.clock_offset_s == pytest.approx(skew.total_seconds(), abs=1.5)


async def test_a_recorder_yields_all_its_cameras_with_their_names(onvif: Onvif) -> None:
    async with FakeDevice(sources=8, names=("村口", "大桥北"), scope_name="NVR%20%E4%B8%9C%E6%B2%9F") as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.kind == "recorder"
    assert len(found.channels) == 8
    assert [channel.name for channel in found.channels[:3]] == ["村口", "大桥北", "NVR 东沟 3"]
    assert len({channel.main.profile for channel in found.channels}) == 8


async def test_the_name_in_the_picture_wins(onvif: Onvif) -> None:
    async with FakeDevice(osd=True) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].name == "画面1号"


async def test_a_device_with_media2_alone_is_described(onvif: Onvif) -> None:
    async with FakeDevice(media1=False, media2=True, h265_main=True) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        url = await onvif.stream_uri(OnvifTarget("127.0.0.1", device.port, login=LOGIN), found.channels[0].main.profile)
    assert found.channels[0].main.codec == "h265"
    assert url == "rtsp://127.0.0.1:8554/ch1/main"


async def test_media2_tells_the_codec_that_media1_has_no_word_for(onvif: Onvif) -> None:
    async with FakeDevice(media2=True, h265_main=True) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].main.codec == "h265"
    assert found.channels[0].sub is not None
    assert found.channels[0].sub.codec == "h264"


async def test_a_double_port_in_the_stream_address_is_mended(onvif: Onvif) -> None:
    async with FakeDevice(stream="rtsp://192.168.1.64:8554:8554/ch{source}/{role}") as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].main.url == "rtsp://127.0.0.1:8554/ch1/main"


@pytest.mark.parametrize(
    "stream",
    ["file:///etc/passwd", "http://127.0.0.1/{source}{role}", "rtsp://a b/{source}{role}", "", "-i {source}{role}"],
)
async def test_a_stream_address_that_is_none_is_dropped_but_the_camera_is_kept(onvif: Onvif, stream: str) -> None:
    async with FakeDevice(stream=stream) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].main.url == ""


@pytest.mark.parametrize("auth", ["digest", "token"])
async def test_a_wrong_password_is_tried_once_per_call_and_twice_in_all(
    onvif: Onvif, clock: ManualClock, auth: str
) -> None:
    async with FakeDevice(auth=auth) as device:
        for _ in range(4):
            with pytest.raises(HubError) as caught:
                await onvif.describe("127.0.0.1", device.port, DeviceLogin("admin", "wrong"))
            assert caught.value.reason == Reason.WRONG_PASSWORD
        assert len(device.proofs) == 2
        clock.move(31 * 60)
        with pytest.raises(HubError):
            await onvif.describe("127.0.0.1", device.port, DeviceLogin("admin", "wrong"))
        clock.move(31 * 60)
        with pytest.raises(HubError):
            await onvif.describe("127.0.0.1", device.port, DeviceLogin("admin", "wrong"))
        assert len(device.proofs) == 3
        await onvif.describe("127.0.0.1", device.port, LOGIN)


async def test_many_askers_with_one_wrong_password_try_it_twice_in_all(onvif: Onvif) -> None:
    async with FakeDevice(auth="digest") as device:
        target = OnvifTarget("127.0.0.1", device.port, login=DeviceLogin("admin", "wrong"))
        told = await asyncio.gather(
            *(onvif.stream_uri(target, f"profile_{n}_sub") for n in range(1, 9)), return_exceptions=True
        )
        assert {error.reason for error in told if isinstance(error, HubError)} == {Reason.WRONG_PASSWORD}
        assert len(told) == 8
        assert len(device.proofs) == 2


@pytest.mark.parametrize("auth", ["digest", "token"])
async def test_a_chinese_login_name_is_carried(onvif: Onvif, auth: str) -> None:
    async with FakeDevice(auth=auth, username="管理员", password="村口-1") as device:
        found = await onvif.describe("127.0.0.1", device.port, DeviceLogin("管理员", "村口-1"))
    assert found.identity.serial == "SN20240001"


async def test_an_asker_waits_no_longer_than_its_patience_for_a_device_that_hangs(onvif: Onvif) -> None:
    async with FakeDevice(mode="silent") as device:
        target = OnvifTarget("127.0.0.1", device.port)
        async with running(_ignored(onvif.clock("127.0.0.1", device.port, timeout=2.0)), "hangs"):
            await asyncio.wait_for(device.called.wait(), 60)
            with pytest.raises(HubError) as caught:
                await onvif.stream_uri(target, "profile_1_sub", timeout=0.1)
    assert (caught.value.kind, caught.value.reason) == (Kind.BUSY, Reason.BUSY)


async def test_what_media2_says_is_cut_to_what_is_kept(onvif: Onvif) -> None:
    async with FakeDevice(media1=False, media2=True, source_token="s" * 500) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert len(found.channels[0].token) == 128


async def test_a_refusal_of_media2_is_told(onvif: Onvif) -> None:
    async with FakeDevice(media1=False, media2=True, refused=("SetSynchronizationPoint",)) as device:
        with pytest.raises(HubError) as caught:
            await onvif.sync_point(OnvifTarget("127.0.0.1", device.port, login=LOGIN), "profile_1_sub")
    assert caught.value.reason == Reason.SOAP_FAULT


async def test_no_login_is_told_apart_from_a_wrong_one(onvif: Onvif) -> None:
    async with FakeDevice() as device:
        with pytest.raises(HubError) as caught:
            await onvif.describe("127.0.0.1", device.port)
    assert caught.value.reason == Reason.LOGIN_NEEDED


async def test_a_lock_out_is_named(onvif: Onvif) -> None:
    async with FakeDevice(refusal="NotAuthorized: user locked, try again later") as device:
        with pytest.raises(HubError) as caught:
            await onvif.describe("127.0.0.1", device.port, DeviceLogin("admin", "wrong"))
    assert caught.value.reason == Reason.LOCKED_OUT


DEADLINE = 40.0

HOSTILE = {
    "silent": Reason.TIMED_OUT,
    "drip": Reason.TIMED_OUT,
    "302": Reason.REDIRECTED,
    "307": Reason.REDIRECTED,
    "giant": Reason.REPLY_TOO_LARGE,
    "announced": Reason.REPLY_TOO_LARGE,
    "gzip": Reason.REPLY_TOO_LARGE,
    "xxe": Reason.BAD_REPLY,
    "bomb": Reason.BAD_REPLY,
    "deep": Reason.BAD_REPLY,
    "html": Reason.BAD_REPLY,
    "empty": Reason.BAD_REPLY,
    "no_http": Reason.BAD_REPLY,
    "404": Reason.ONVIF_OFF,
}


@pytest.mark.parametrize(("mode", "reason"), HOSTILE.items())
async def test_a_hostile_device_is_given_up_in_time_with_its_reason(clock: ManualClock, mode: str, reason: str) -> None:
    seconds = 0.4 if reason == Reason.TIMED_OUT else DEADLINE  # the others are found out by what they say
    async with (
        FakeDevice() as canary,
        FakeDevice(mode=mode, canary=f"http://127.0.0.1:{canary.port}/") as device,
        Onvif(DiscoverySettings(onvif_timeout=seconds, reply_bytes=65536), clock, check=anywhere) as onvif,
        asyncio.timeout(DEADLINE / 2),
    ):
        with pytest.raises(HubError) as caught:
            await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert caught.value.reason == reason
        assert canary.connections == 0


async def test_a_closed_port_is_told(onvif: Onvif) -> None:
    with closed_port() as port, pytest.raises(HubError) as caught:
        await onvif.clock("127.0.0.1", port)
    assert caught.value.reason == Reason.PORT_CLOSED


async def test_without_a_port_the_usual_ones_are_tried(clock: ManualClock) -> None:
    async with FakeDevice() as gone:
        closed = gone.port
    async with FakeDevice() as device:
        settings = DiscoverySettings(ports=(closed, device.port))
        async with Onvif(settings, clock, check=anywhere) as onvif:
            found = await onvif.describe("127.0.0.1", None, LOGIN)
    assert found.port == device.port


async def test_a_stream_address_is_asked_with_few_calls_once_the_device_is_known(onvif: Onvif) -> None:
    async with FakeDevice(auth="none") as device:
        await onvif.describe("127.0.0.1", device.port)
        device.calls.clear()
        await onvif.stream_uri(OnvifTarget("127.0.0.1", device.port), "profile_1_sub")
        await onvif.sync_point(OnvifTarget("127.0.0.1", device.port), "profile_1_sub")
    assert device.calls == ["GetStreamUri", "SetSynchronizationPoint"]


async def test_calls_of_other_modules_get_the_device_its_services_and_its_login(onvif: Onvif) -> None:
    async def serial_and_media(device: OnvifDevice, services: Mapping[str, str]) -> tuple[str, str]:
        answer = await device.call(wsdl.DEVICE, device.path, "GetDeviceInformation")
        return answer.SerialNumber, services[MEDIA1]

    async with FakeDevice(auth="token") as device:
        target = OnvifTarget("127.0.0.1", device.port, login=LOGIN)
        found = [await onvif.talk(target, 2.0, serial_and_media) for _ in range(2)]
        assert found == [("SN20240001", "/onvif/media")] * 2
        assert device.proofs == ["token"] * 2
        assert device.calls.count("GetServices") == 1


async def test_what_other_modules_ask_in_vain_has_the_services_asked_again(onvif: Onvif) -> None:
    async def ask(device: OnvifDevice, services: Mapping[str, str]) -> None:
        await device.call(wsdl.MEDIA, services[MEDIA1], "GetOSDs")

    async with FakeDevice(auth="none", osd=True) as device:
        target = OnvifTarget("127.0.0.1", device.port, login=LOGIN)
        await onvif.talk(target, 2.0, ask)
        device.refused = ("GetOSDs",)
        with pytest.raises(HubError) as caught:
            await onvif.talk(target, 2.0, ask)
        assert caught.value.reason == Reason.SOAP_FAULT
        device.refused = ()
        await onvif.talk(target, 2.0, ask)
        assert device.calls.count("GetServices") == 2


def test_passwords_do_not_show() -> None:
    assert "village-1" not in repr(LOGIN)
    assert "village-1" not in repr(OnvifTarget("127.0.0.1", 80, login=LOGIN))


async def _ignored(work: Awaitable[object]) -> None:
    with suppress(HubError):
        await work
