"""Every fault, on and off again, as a peer meets it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import numpy as np
import pytest
from zeep.exceptions import Fault as SoapFault

from camera_hub.sight.freeze import CERTAIN
from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm, UnknownTarget
from camera_hub.simulator.faults import DEFAULT_VALUES, INNER_ADDRESS, Fault, Switchboard
from camera_hub.simulator.picture.making import frame_of
from camera_hub.simulator.picture.scenes import Mood, Weather
from camera_hub.simulator.state import sleeps
from camera_hub.simulator.testing import QUICK_SUB, small_farm
from tests.fakes.clock import ManualClock
from tests.sight.scenes import kept, repetition
from tests.simulator.peers import DEADLINE, Picture, Reply, RtspClient, basic, pictures
from tests.simulator.soap import LOGIN, Onvif
from tests.simulator.test_rtsp import encoded

ALIVE = CERTAIN - 0.1
"""Share of samples that repeat below which two pictures are beyond doubt not the same one."""
BODY = frame_of(QUICK_SUB).body_height


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=1) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


def url(device: Device, number: int = 2) -> str:
    state = device.state
    return f"rtsp://{state.plan.address}:{state.rtsp_port}/Streaming/Channels/10{number}"


async def connect(device: Device) -> RtspClient:
    return await RtspClient.connect(device.state.plan.address, device.state.rtsp_port)


async def ask(device: Device, method: str, **headers: str) -> Reply:
    """One admitted request on a connection of its own."""
    client = await connect(device)
    try:
        header = await client.log_in(url(device), *LOGIN, method)
        return await client.ask(method, url(device), Authorization=header, **headers)
    finally:
        await client.close()


async def playing(device: Device) -> RtspClient:
    client = await connect(device)
    await client.play(url(device))
    await client.rtp()
    return client


async def refused(device: Device) -> bool:
    try:
        client = await connect(device)
    except ConnectionRefusedError:
        return True
    await client.close()
    return False


async def listen_for_ever(client: RtspClient) -> None:
    while True:
        await client.packet()


async def silence(client: RtspClient, seconds: float = 0.4) -> bool:
    """Whether nothing comes for a while (four frames' time), after what was on its way."""
    for _ in range(20):  # what was on its way may come in pieces; a stream that goes on has no end
        try:
            async with asyncio.timeout(seconds):
                await client.reader.read(1 << 20)
        except TimeoutError:
            return True
    return False


async def test_dead_refuses_connections_cuts_open_ones_and_comes_back(farm: Farm, device: Device) -> None:
    client = await playing(device)
    await farm.set_fault(device.state.plan.key, Fault.DEAD)
    assert await refused(device)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await listen_for_ever(client)
    await client.close()
    await farm.set_fault(device.state.plan.key, Fault.DEAD, on=False)
    assert (await ask(device, "DESCRIBE")).status == 200


async def test_a_dead_channel_is_not_found_and_its_device_lives(farm: Farm, device: Device) -> None:
    channel = device.state.plan.channels[0].key
    await farm.set_fault(channel, "dead")
    assert (await ask(device, "DESCRIBE")).status == 404
    assert await Onvif(device).call("device", "GetDeviceInformation")
    await farm.set_fault(channel, "dead", on=False)
    assert (await ask(device, "DESCRIBE")).status == 200


@pytest.mark.slow
async def test_a_village_that_is_down_neither_answers_nor_refuses(farm: Farm, device: Device) -> None:
    client = await playing(device)
    await farm.set_fault("东沟村", Fault.VILLAGE_DOWN)
    assert await silence(client), "the running stream stops without a word"
    for port in (device.state.rtsp_port, device.state.http_port):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.open_connection(device.state.plan.address, port)
    await farm.set_fault("东沟村", Fault.VILLAGE_DOWN, on=False)
    assert (await ask(device, "DESCRIBE")).status == 200
    assert await client.reader.read(1), "what was connected goes on"
    await client.close()


@pytest.mark.slow
async def test_half_open_accepts_and_says_nothing(farm: Farm, device: Device) -> None:
    running = await playing(device)
    await farm.set_fault(device.state.plan.key, Fault.HALF_OPEN)
    assert await silence(running)
    client = await connect(device)
    client.send("OPTIONS", url(device))
    assert await silence(client, 0.3)
    await farm.set_fault(device.state.plan.key, Fault.HALF_OPEN, on=False)
    async with asyncio.timeout(DEADLINE):
        assert (await client.reader.readline()).startswith(b"RTSP/1.0 200")
    await client.close()
    await running.close()


async def test_slow_drip_gives_one_byte_a_second() -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, Fault.SLOW_DRIP)
        client = await connect(device)
        client.send("OPTIONS", url(device))
        async with asyncio.timeout(DEADLINE):
            received = await client.reader.read(100)
            assert received == b"R"
            for _ in range(7):
                await clock.advance(1)
                received += await client.reader.read(100)
        assert received == b"RTSP/1.0"
        await client.close()


async def test_flapping_is_dead_and_alive_in_turn() -> None:
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        key = device.state.plan.key
        await farm.set_fault(key, Fault.FLAPPING, value=10)
        seen = []
        for _ in range(4):
            seen.append(await refused(device))
            await clock.advance(10)
        assert seen == [False, True, False, True]
        await clock.advance(10)
        assert await refused(device)
        await farm.set_fault(key, Fault.FLAPPING, on=False)
        assert not await refused(device)


async def test_a_solar_camera_sleeps_and_wakes_by_its_own_clock() -> None:
    assert [sleeps(datetime(2026, 1, 1, *time), 12) for time in ((5, 59), (6, 1), (12, 0), (17, 59), (18, 0))] == [
        True, False, False, False, True,
    ]  # fmt: skip
    clock = ManualClock()
    async with small_farm(clock=clock) as farm:
        device = next(iter(farm.devices.values()))
        await farm.set_fault(device.state.plan.key, Fault.SLEEPING, value=12)
        local = device.state.settings.local(clock.now())
        device.state.set_clock(device.state.now() + timedelta(hours=17 - local.hour, minutes=59 - local.minute))
        await clock.advance(1)
        assert not device.state.silent
        await clock.advance(61)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.open_connection(device.state.plan.address, device.state.http_port)
        device.state.set_clock(device.state.now() + timedelta(hours=12))
        await clock.advance(1)
        assert not await refused(device)


async def test_a_wrong_password_holds_for_every_door(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.WRONG_PASSWORD)
    assert (await ask(device, "DESCRIBE")).status == 401
    with pytest.raises(SoapFault, match="not authorized"):
        await Onvif(device).call("device", "GetDeviceInformation")
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*LOGIN)) as client:
        assert (await client.get(device.state.http_url("/ISAPI/System/deviceInfo"))).status_code == 401
    await farm.set_fault(device.state.plan.key, Fault.WRONG_PASSWORD, on=False)
    assert (await ask(device, "DESCRIBE")).status == 200


async def test_digest_only_and_token_only_devices_take_just_that(farm: Farm, device: Device) -> None:
    key = device.state.plan.key
    token, digest = Onvif(device), Onvif(device, token=None, digest=LOGIN)
    await farm.set_fault(key, Fault.DIGEST_ONLY)
    with pytest.raises(SoapFault, match="not authorized"):
        await token.call("device", "GetDeviceInformation")
    assert await digest.call("device", "GetDeviceInformation")
    await farm.set_fault(key, Fault.DIGEST_ONLY, on=False)
    await farm.set_fault(key, Fault.TOKEN_ONLY)
    assert await token.call("device", "GetDeviceInformation")
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        body = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
            '<GetScopes xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
        )
        reply = await client.post(device.state.http_url("/onvif/device_service"), content=body)
    assert reply.status_code == 400
    assert "ter:NotAuthorized" in reply.text
    assert "www-authenticate" not in reply.headers


async def test_clock_skew_spoils_tokens_made_with_the_true_time(farm: Farm, device: Device) -> None:
    true = device.state.now()
    await farm.set_fault(device.state.plan.key, Fault.CLOCK_SKEW)
    skew = timedelta(seconds=DEFAULT_VALUES[Fault.CLOCK_SKEW])
    assert timedelta(0) <= device.state.now() - skew - true <= datetime.now(UTC) - true
    shown = (await Onvif(device, token=None).call("device", "GetSystemDateAndTime")).UTCDateTime
    assert (shown.Date.Year, shown.Date.Month) == (device.state.now().year, device.state.now().month)
    with pytest.raises(SoapFault, match="not authorized"):
        await Onvif(device).call("device", "GetDeviceInformation")
    await farm.set_fault(device.state.plan.key, Fault.CLOCK_SKEW, value=-120)
    assert await Onvif(device).call("device", "GetDeviceInformation"), "two minutes are forgiven"


async def test_a_full_device_says_so(farm: Farm, device: Device) -> None:
    transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
    await farm.set_fault(device.state.plan.key, Fault.DEVICE_FULL)
    assert (await ask(device, "SETUP", Transport=transport)).status == 453
    await farm.set_fault(device.state.plan.key, Fault.DEVICE_FULL, on=False)
    assert (await ask(device, "SETUP", Transport=transport)).status == 200


async def test_tcp_can_be_refused_while_udp_is_taken(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.TCP_REFUSED)
    assert (await ask(device, "SETUP", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")).status == 461
    assert len(await pictures(url(device), 2, transport="udp")) == 2


async def test_onvif_off_leaves_rtsp_and_the_vendors_interface(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.ONVIF_OFF)
    async with httpx.AsyncClient(trust_env=False, auth=httpx.DigestAuth(*LOGIN)) as client:
        assert (await client.post(device.state.http_url("/onvif/device_service"), content=b"x")).status_code == 404
        assert (await client.get(device.state.http_url("/ISAPI/System/deviceInfo"))).status_code == 200
    assert (await ask(device, "DESCRIBE")).status == 200


async def test_a_redirect_leads_to_the_canary(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.REDIRECT)
    client = await connect(device)
    reply = await client.ask("DESCRIBE", url(device))
    await client.close()
    target = re.fullmatch(r"rtsp://([\d.]+):(\d+)/stolen", reply.header("location"))
    assert reply.status == 302
    assert target is not None
    foolish = await RtspClient.connect(target[1], int(target[2]))
    foolish.send("DESCRIBE", url(device), Authorization=basic(*LOGIN))
    async with asyncio.timeout(DEADLINE):
        assert await foolish.reader.read() == b""
    assert farm.stats()["canary_connections"] == 1
    assert b"Authorization" in farm.canary.heard[0]
    await foolish.close()
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as web:
        assert (await web.get(device.state.http_url("/onvif/device_service"))).status_code == 302


async def test_a_giant_reply_promises_one_and_a_half_gigabytes_and_begins(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.GIANT_REPLY)
    client = await connect(device)
    reply = await client.ask("DESCRIBE", url(device))
    assert int(reply.header("content-length")) == 1_500_000_000
    async with asyncio.timeout(DEADLINE):
        assert len(await client.reader.readexactly(1 << 20)) == 1 << 20
    await client.close()


async def test_nat_shows_the_inner_address_everywhere(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.NAT_XADDR)
    peer = Onvif(device)
    outer = f"http://{device.state.plan.address}:{device.state.http_port}/onvif/"
    services = await peer.call("device", "GetServices", at=f"{outer}device_service", IncludeCapability=False)
    assert all(INNER_ADDRESS in service.XAddr for service in services)
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    uri = await peer.call("media", "GetStreamUri", at=f"{outer}Media", ProfileToken="Profile_101", StreamSetup=setup)
    assert uri.Uri.startswith(f"rtsp://{INNER_ADDRESS}:")
    described = await ask(device, "DESCRIBE")
    assert INNER_ADDRESS in described.header("content-base")


@pytest.mark.slow
async def test_without_key_frames_none_is_sent(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.NO_KEY_FRAME)
    client = await connect(device)
    await client.play(url(device))
    kinds = set()
    for _ in range(25):
        packet = await client.rtp()
        kinds.add(packet[13] & 0x1F if packet[12] & 0x1F == 28 else packet[12] & 0x1F)
    assert kinds == {1}
    await farm.set_fault(device.state.plan.key, Fault.NO_KEY_FRAME, on=False)
    async with asyncio.timeout(DEADLINE):
        while (await client.rtp())[12] & 0x1F != 24:
            pass
    await client.close()


@pytest.mark.slow
async def test_b_frames_come_out_of_order(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.key, Fault.B_FRAMES)
    client = await connect(device)
    await client.play(url(device))
    stamps: list[int] = []
    while len(stamps) < 2 or stamps[-1] >= stamps[-2]:
        stamps.append(int.from_bytes((await client.rtp())[4:8], "big"))
    await client.close()
    assert len(await pictures(url(device), 4)) == 4


@pytest.mark.slow
async def test_a_frozen_channel_sends_one_picture_clock_and_all(farm: Farm, device: Device) -> None:
    channel = device.state.plan.channels[0].key
    await farm.set_fault(channel, Fault.FROZEN)
    shown = await pictures(url(device), 14)
    assert np.abs(shown[0].astype(int) - shown[-1]).max() < 24, "but for what the encoder makes of it"
    assert np.array_equal(shown[0][BODY:, 100:] > 128, shown[-1][BODY:, 100:] > 128), "the clock stands"
    await farm.set_fault(channel, Fault.FROZEN, on=False)
    shown = await pictures(url(device), 14)
    assert np.abs(shown[0].astype(int) - shown[-1]).max() > 100


@pytest.mark.slow
async def test_whoever_looks_twice_finds_a_healthy_channel_alive_and_a_frozen_one_frozen(
    farm: Farm, device: Device
) -> None:
    async def look() -> Picture:
        return (await pictures(url(device), 1))[0]

    await device.rtsp.streams[1, 2].loop()
    seen = [await look() for _ in range(4)]
    assert max(repetition(kept(one), kept(two)) for one, two in pairwise(seen)) < ALIVE
    await farm.set_fault(device.state.plan.channels[0].key, Fault.FROZEN)
    stands = [await look() for _ in range(3)]
    assert all(np.array_equal(stands[0], picture) for picture in stands), "caption and all"
    assert repetition(kept(stands[0]), kept(stands[1])) == 1.0
    await farm.set_fault(device.state.plan.channels[0].key, Fault.FROZEN, on=False)
    # Which part of the loop is met depends on the hour: samples of it may repeat though the picture goes on.
    assert repetition(kept(stands[0]), kept(await look())) < ALIVE


async def test_a_black_channel_is_black_but_for_its_caption(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.channels[0].key, Fault.BLACK)
    shown = await pictures(url(device), 2)
    assert shown[-1][:BODY].max() < 40
    assert shown[-1].mean() < 30
    assert shown[-1][BODY:].max() > 200


@pytest.mark.slow
async def test_a_clock_can_run_on_over_a_frozen_picture(farm: Farm, device: Device) -> None:
    await farm.set_fault(device.state.plan.channels[0].key, Fault.FROZEN_WITH_CLOCK)
    shown = await pictures(url(device), 14)
    edge = BODY - 4
    assert np.abs(shown[0][:edge].astype(int) - shown[-1][:edge]).max() < 24, "but for what the encoder makes of it"
    assert not np.array_equal(shown[0][BODY:, 100:] > 128, shown[-1][BODY:, 100:] > 128), "the clock runs"


async def test_a_channel_has_one_fault_of_the_picture_whatever_the_weather(farm: Farm, device: Device) -> None:
    channel, stream = device.state.plan.channels[0], device.rtsp.streams[1, 2]
    for fault, value in ((Fault.BLURRED, 20.0), (Fault.NOISY, None), (Fault.RAIN, None), (Fault.INFRARED, None)):
        await farm.set_fault(channel.key, fault, value=value)
    look = stream.look()
    assert (look.mood, look.strength, look.weather, look.infrared, look.night) == (
        Mood.BLURRED, 20.0, Weather.RAIN, True, True,
    )  # fmt: skip
    await farm.set_fault(channel.key, Fault.BLUE_SCREEN)
    assert stream.look().mood is Mood.BLUE_SCREEN


@pytest.mark.slow
async def test_a_low_frame_rate_is_sent_though_another_is_configured(farm: Farm, device: Device) -> None:
    stream = device.rtsp.streams[1, 2]
    await farm.set_fault(device.state.plan.key, Fault.LOW_FPS, value=2)
    await encoded(stream)
    client = await playing(device)
    times: set[int] = set()
    while len(times) < 4:
        times.add(int.from_bytes((await client.rtp())[4:8], "big"))
    await client.close()
    apart = np.diff(sorted(times))
    assert np.abs(apart - 45_000).max() < 900
    assert stream.spec.fps > 2


async def test_a_picture_fault_reaches_those_who_are_watching(farm: Farm, device: Device) -> None:
    client = await playing(device)
    await farm.set_fault(device.state.plan.key, Fault.BLACK)
    state = device.state
    stream = device.rtsp.streams[1, 2]
    assert (await stream.loop()).length == 120
    assert state.stats.sessions[stream.name] == 1
    while (await client.rtp())[12] & 0x1F != 24:
        pass
    await client.close()


@pytest.mark.parametrize(
    ("target", "key"),
    [("东沟村", "donggou"), ("donggou", "donggou"), ("donggou-1", "donggou-1"), ("donggou-1-1", "donggou-1-1")],
)
async def test_targets_go_by_key_or_name(farm: Farm, target: str, key: str) -> None:
    await farm.set_fault(target, "frozen")
    assert farm.describe()["faults"] == [{"target": key, "fault": "frozen", "value": 0.0}]


async def test_unknown_targets_and_faults_are_refused(farm: Farm) -> None:
    with pytest.raises(UnknownTarget, match="nowhere"):
        await farm.set_fault("nowhere", "dead")
    with pytest.raises(ValueError, match="sleepy"):
        await farm.set_fault("donggou", "sleepy")


def test_the_narrowest_target_decides_a_faults_value() -> None:
    board = Switchboard()
    board.switch("village", Fault.CLOCK_SKEW, on=True)
    board.switch("device", Fault.CLOCK_SKEW, on=True, value=5)
    assert board.active(("village", "device")) == {Fault.CLOCK_SKEW: 5}
    board.switch("device", Fault.CLOCK_SKEW, on=False)
    assert board.active(("village", "device")) == {Fault.CLOCK_SKEW: DEFAULT_VALUES[Fault.CLOCK_SKEW]}
