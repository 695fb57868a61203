"""Domes that look away: what they see, encoded live, in the stream and in snapshots."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import httpx
import numpy as np
import pytest

from camera_hub.simulator.device import Device
from camera_hub.simulator.dome import HOME, Vector
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.picture.live import LiveView, LiveViews
from camera_hub.simulator.picture.loops import whole
from camera_hub.simulator.picture.making import frame_of, parameters, recipe_for
from camera_hub.simulator.picture.panorama import Panorama
from camera_hub.simulator.picture.scenes import Look, Scene, SceneKind
from camera_hub.simulator.rtsp.packets import nals_of
from camera_hub.simulator.testing import QUICK_MAIN, QUICK_SUB, small_farm
from camera_hub.simulator.vendors.paths import stream_path
from tests.simulator.peers import DEADLINE, Picture, decode, pictures
from tests.simulator.soap import LOGIN, Onvif
from tests.simulator.test_picture import annex_b
from tests.simulator.test_rtsp import until

WIDTH, HEIGHT = QUICK_SUB.width, frame_of(QUICK_SUB).body_height
LOOK = Look(SceneKind.SQUARE, mirrored=True)
AWAY: Vector = (0.25, 0.2, 0.1)


def unlike(one: Picture, other: Picture) -> float:
    """Mean difference of luma without the caption bar and the lines at its edge."""
    return float(np.abs(one[: HEIGHT - 8].astype(int) - other[: HEIGHT - 8].astype(int)).mean())


def test_a_dome_sees_its_place_ahead_and_others_around_it() -> None:
    panorama = Panorama(LOOK, WIDTH, HEIGHT)
    home = Scene(LOOK, WIDTH, HEIGHT).drawn(0.3).y
    assert unlike(panorama.view(HOME, 0.3).y, home) < 2
    aside, half = panorama.view((0.25, 0, 0), 0.3).y, WIDTH // 2  # half a picture further to the right
    assert unlike(aside[:, :half], home[:, half:]) < 2
    assert unlike(aside[:, half:], home[:, :half]) > 10
    higher, quarter = panorama.view((0, 0.25, 0), 0.3).y, HEIGHT // 4
    assert np.abs(higher[quarter : HEIGHT - 8].astype(int) - home[: HEIGHT - 8 - quarter]).mean() < 2
    nearer = panorama.view((0, 0, 1 / 3), 0.3).y[::2, ::2]  # twice as large
    middle = home[HEIGHT // 4 : HEIGHT // 4 + HEIGHT // 2, WIDTH // 4 : WIDTH // 4 + half]
    assert np.abs(nearer[:-4].astype(int) - middle[:-4]).mean() < 4
    assert unlike(panorama.view((1, 0, 0), 0.3).y, panorama.view((-1, 0, 0), 0.3).y) < 2
    for corner in ((1.0, 1.0, 1.0), (-1.0, -1.0, 0.0), (0.99, -1.0, 0.5)):
        assert panorama.view(corner, 0.9).y.shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_live_pictures_decode_as_those_of_the_loop_do(codec: str) -> None:
    spec = type(QUICK_SUB)(codec, WIDTH, 192, 10, 200_000, 1)
    recipe = recipe_for(LOOK, spec, "HEDONG", b_frames=False)
    view = LiveView(recipe)
    shots = [view.shoot(AWAY, 3.0, f"HEDONG {number}", key=number == 4) for number in range(12)]
    assert [number for number, shot in enumerate(shots) if shot.key] == [0, 4]
    units = [nals_of(shot.packets, codec) for shot in shots]
    own = parameters(recipe)  # H.265's picture parameters differ a little: they come with each key frame
    known = whole(own, frame_of(spec)).sps if codec == "h264" else own.sps
    assert all(known in units[number] for number in (0, 4))
    seen = decode("hevc" if codec == "h265" else codec, [annex_b(nals) for nals in units])
    assert len(seen) == 12
    expected = Panorama(LOOK, WIDTH, HEIGHT).view(AWAY, 0.25).y
    assert unlike(seen[-1], expected) < 8
    assert seen[-1][HEIGHT + 2 :].std() > 15  # the caption


async def test_only_so_many_streams_are_encoded_at_once() -> None:
    recipe = recipe_for(LOOK, QUICK_SUB, "", b_frames=False)
    async with LiveViews(most=1) as views:
        first = await views.open(recipe)
        assert first is not None
        assert (await views.open(recipe), views.running, views.refused) == (None, 1, 1)
        views.close(first)
        second = await views.open(recipe)
        assert second is not None
        assert (await views.shoot(second, AWAY, 0.0, "", key=False)).key


@pytest.fixture
async def farm() -> AsyncIterator[Farm]:
    async with small_farm(villages=1, cameras=8) as farm:
        yield farm


@pytest.fixture
def device(farm: Farm) -> Device:
    return next(iter(farm.devices.values()))


def url(device: Device, number: int) -> str:
    state = device.state
    return (
        f"rtsp://{state.plan.address}:{state.rtsp_port}{stream_path(state.plan.vendor, state.plan.channels[2], number)}"
    )


async def until_still(device: Device) -> None:
    dome, clock = device.state.domes[3], device.state.clock
    await until(lambda: not dome.moving(clock.monotonic()))


@pytest.mark.slow
async def test_streams_and_snapshots_show_where_the_dome_looks(farm: Farm, device: Device) -> None:
    peer = Onvif(device)
    channel = device.state.plan.channels[2]
    look = Look(channel.scene, channel.night, channel.mirrored)
    panorama = Panorama(look, WIDTH, HEIGHT)
    home, away = panorama.view(HOME, 0.1).y, panorama.view(AWAY, 0.1).y
    (before,) = await pictures(url(device, 2), 1)
    assert unlike(before, home) < unlike(before, away) / 3
    position = {"PanTilt": {"x": AWAY[0], "y": AWAY[1]}, "Zoom": {"x": AWAY[2]}}
    await peer.call("ptz", "AbsoluteMove", ProfileToken="Profile_301", Position=position)
    await until_still(device)
    assert QUICK_MAIN.width == WIDTH
    for number in (1, 2):
        *_, seen = await pictures(url(device, number), 4)
        assert unlike(seen, away) < unlike(seen, home) / 3
    uri = (await peer.call("media", "GetSnapshotUri", ProfileToken="Profile_301")).Uri
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        (snapshot,) = decode("mjpeg", [(await client.get(uri, auth=httpx.DigestAuth(*LOGIN))).content])
    assert unlike(snapshot, away) < unlike(snapshot, home) / 3
    await peer.call("ptz", "GotoHomePosition", ProfileToken="Profile_301")
    await until_still(device)
    *_, seen = await pictures(url(device, 2), 3)
    assert unlike(seen, home) < unlike(seen, away) / 3
    await until(lambda: farm.stats()["live_views"] == 0)


@pytest.mark.slow
async def test_the_picture_moves_while_the_dome_does_and_stands_still_after_it(device: Device) -> None:
    """A running stream goes from its loop to live pictures in mid-group, and the decoder does not notice."""
    peer = Onvif(device)
    running = asyncio.create_task(pictures(url(device, 2), 30))
    stream = device.rtsp.streams[3, 2]
    await until(lambda: device.state.stats.frames[stream.name] >= 5)
    move = {"PanTilt": {"x": 0.8, "y": 0}}
    await peer.call("ptz", "ContinuousMove", ProfileToken="Profile_301", Velocity=move, Timeout=timedelta(seconds=1))
    seen = await running
    changes = [unlike(one, other) for one, other in pairwise(seen)]
    assert max(changes) > 3 * np.median(changes[-6:])
    assert max(changes[-6:]) < max(changes) / 2
