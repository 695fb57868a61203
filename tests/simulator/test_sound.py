"""The simulator's microphones, heard by FFmpeg as a foreign player."""

import asyncio
import dataclasses

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.simulator.farm import Farm
from camera_hub.simulator.model import FarmPlan, Sound
from camera_hub.simulator.rtsp.sound import pitch
from camera_hub.simulator.testing import small_farm, small_plan
from tests.simulator.peers import DEADLINE


def plan_with(sound: Sound) -> FarmPlan:
    plan = small_plan()
    village = plan.villages[0]
    device = village.devices[0]
    channels = tuple(dataclasses.replace(channel, sound=sound) for channel in device.channels)
    devices = (dataclasses.replace(device, channels=channels),)
    return dataclasses.replace(plan, villages=(dataclasses.replace(village, devices=devices),))


def loudest(url: str, transport: str) -> float:
    """The strongest frequency of half a second, in hertz."""
    heard: list[NDArray[np.float64]] = []
    with av.open(url, options={"rtsp_transport": transport}, timeout=DEADLINE) as player:
        rate = player.streams.audio[0].rate
        for frame in player.decode(audio=0):
            step = len(frame.layout.channels) if frame.format.is_packed else 1
            heard.append(frame.to_ndarray().astype(np.float64).reshape(-1)[::step])
            if sum(map(len, heard)) > rate:
                break
    samples = np.concatenate(heard)[rate // 2 : rate]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate / len(samples)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sound", "transport"),
    [(Sound.PCMA, "tcp"), (Sound.PCMA, "udp"), (Sound.PCMU, "tcp"), (Sound.OPUS, "tcp"), (Sound.AAC, "tcp")],
)
async def test_a_foreign_player_hears_the_channels_own_tone(sound: Sound, transport: str) -> None:
    async with small_farm(plan=plan_with(sound)) as farm:
        channel = next(iter(farm.devices.values())).state.plan.channels[0]
        found = await asyncio.to_thread(loudest, sub_url(farm), transport)
        assert abs(found - pitch(channel)) < 6
        assert farm.stats()["devices"][channel.key.rpartition("-")[0]]["plays"][f"{channel.key}/sound"] == 1


def sub_url(farm: Farm) -> str:
    device = farm.describe()["villages"][0]["devices"][0]
    return str(device["channels"][0]["sub_url"]).replace(
        "rtsp://", f"rtsp://{device['username']}:{device['password']}@"
    )
