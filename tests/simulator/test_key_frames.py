"""Whom a camera gives a key frame at once, on the wire: every receiver, the first, who asks for it, or nobody."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from camera_hub.simulator.device import Device
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import FarmPlan, KeyFrames
from camera_hub.simulator.plan import default_farm
from camera_hub.simulator.testing import QUICK_SUB, small_farm, small_plan
from tests.fakes.clock import ManualClock
from tests.simulator.peers import RtspClient
from tests.simulator.soap import LOGIN, Onvif
from tests.simulator.test_rtsp import encoded

STEP = 1 / QUICK_SUB.fps
FRAMES = QUICK_SUB.fps * QUICK_SUB.gop_seconds
MIDDLE = datetime(2026, 11, 23, 8, 0, 0, 350_000, tzinfo=UTC)


def planned(key_frames: KeyFrames) -> FarmPlan:
    """One camera with that setting."""
    plan = small_plan()
    (village,) = plan.villages
    (device,) = village.devices
    channels = tuple(dataclasses.replace(one, key_frames=key_frames) for one in device.channels)
    device = dataclasses.replace(device, channels=channels)
    return FarmPlan((dataclasses.replace(village, devices=(device,)),))


@dataclass
class Camera:
    """A farm of one camera, whose time passes frame by frame."""

    farm: Farm
    clock: ManualClock
    clients: list[RtspClient] = field(default_factory=list)

    @property
    def device(self) -> Device:
        return next(iter(self.farm.devices.values()))

    @property
    def name(self) -> str:
        return self.device.state.plan.channels[0].key

    async def receiver(self) -> "Player":
        state = self.device.state
        client = await RtspClient.connect(state.plan.address, state.rtsp_port)
        self.clients.append(client)
        await client.play(f"rtsp://{state.plan.address}:{state.rtsp_port}/Streaming/Channels/102")
        return Player(self, client)

    async def synchronize(self) -> None:
        peer = Onvif(self.device, token=None, digest=LOGIN)  # a token would carry the time, which stands still here
        await peer.call("media", "SetSynchronizationPoint", ProfileToken="Profile_102")


@dataclass
class Player:
    """A receiver that counts frames by their timestamps."""

    camera: Camera
    client: RtspClient

    async def frame(self) -> bool:
        """Read the next frame to its marker while time passes; whether it is a key frame."""
        key = False
        while True:
            packet = await self._rtp()
            key |= packet[12] & 0x1F == 24  # parameter sets, sent before each key frame
            if packet[1] & 0x80:
                return key

    async def until_key(self) -> int:
        """How many frames come before the next key frame."""
        for number in range(3 * FRAMES):
            if await self.frame():
                return number
        raise AssertionError(f"no key frame among {3 * FRAMES} frames")

    async def _rtp(self) -> bytes:
        while not self.client.frames:
            await self.camera.clock.advance(STEP)
            await self.client.ask("OPTIONS", "*")  # its answer comes after what was sent before
        while self.client.frames:
            channel, data = self.client.frames.pop(0)
            if channel == 0:
                return data
        return await self._rtp()


@asynccontextmanager
async def camera(key_frames: KeyFrames) -> AsyncIterator[Camera]:
    clock = ManualClock(MIDDLE)
    async with small_farm(plan=planned(key_frames), clock=clock) as farm:
        made = Camera(farm, clock)
        # Else time would fly while a thread still encodes, and sessions would end.
        await encoded(made.device.rtsp.streams[1, 2])
        try:
            yield made
        finally:
            for client in made.clients:
                await client.close()


async def first_waits(made: Camera) -> tuple[int, int]:
    """How many frames the first receiver gets before its key frame, and one that joins a little later."""
    one = await made.receiver()
    first = await one.until_key()
    for _ in range(3):
        assert not await one.frame()
    two = await made.receiver()
    return first, await two.until_key()


async def test_every_receiver_gets_one_at_once() -> None:
    async with camera(KeyFrames.AT_ONCE) as made:
        assert await first_waits(made) == (0, 0)


async def test_the_first_receiver_alone_gets_one_at_once() -> None:
    async with camera(KeyFrames.FIRST_ONLY) as made:
        first, second = await first_waits(made)
        assert first == 0
        assert 0 < second < FRAMES


@pytest.mark.parametrize("key_frames", [KeyFrames.ON_REQUEST, KeyFrames.WAIT])
async def test_all_receivers_wait_for_the_regular_one(key_frames: KeyFrames) -> None:
    async with camera(key_frames) as made:
        one = await made.receiver()
        waited = await one.until_key()
        assert 0 < waited < FRAMES
        assert [await one.until_key() for _ in range(2)] == [FRAMES - 1] * 2
        await one.frame()
        two = await made.receiver()
        assert 0 < await two.until_key() < FRAMES


@pytest.mark.parametrize(
    ("key_frames", "obeyed"),
    [
        (KeyFrames.AT_ONCE, True),
        (KeyFrames.FIRST_ONLY, True),
        (KeyFrames.ON_REQUEST, True),
        (KeyFrames.WAIT, False),
    ],
)
async def test_a_synchronization_point_brings_one_unless_all_must_wait(key_frames: KeyFrames, obeyed: bool) -> None:
    async with camera(key_frames) as made:
        one = await made.receiver()
        await one.until_key()
        await one.frame()
        await made.synchronize()
        waited = await one.until_key()
        assert (waited == 0) is obeyed
        assert made.device.state.stats.sync_points == 1, "it is answered in any case"


async def test_it_is_switched_while_the_camera_plays() -> None:
    async with camera(KeyFrames.FIRST_ONLY) as made:
        one = await made.receiver()
        await one.until_key()
        made.farm.set_key_frames(made.name, "at_once")
        await one.frame()
        assert await (await made.receiver()).until_key() == 0
        made.farm.set_key_frames(made.name, KeyFrames.WAIT)
        await one.until_key()
        assert await (await made.receiver()).until_key() > 0
        made.farm.set_key_frames(made.name, None)
        assert made.device.state.key_frames(made.device.state.plan.channels[0]) is KeyFrames.FIRST_ONLY


async def test_a_request_that_nobody_watched_is_forgotten() -> None:
    async with camera(KeyFrames.ON_REQUEST) as made:
        await made.synchronize()
        assert await (await made.receiver()).until_key() > 0


def test_a_whole_farm_has_one_setting_from_the_start() -> None:
    channels = [
        channel
        for _, device in default_farm(2, 9, key_frames=KeyFrames.AT_ONCE).devices()
        for channel in device.channels
    ]
    assert {channel.key_frames for channel in channels} == {KeyFrames.AT_ONCE}
    assert len(channels) == 9
