"""The relay at the simulator's farm, cameras that share no line of code with it: recorders, faults by name."""

from dataclasses import replace
from typing import Any

import pytest

from camera_hub.errors import Reason
from camera_hub.relay.messages import FeedSpec, RtspLiveSource
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.testing import small_farm
from tests.relay.hub import Hub, relay
from tests.relay.peer import viewer


def specs(farm: Farm, quality: str = "sub_url") -> list[FeedSpec]:
    """One feed for each channel of the first device."""
    device: dict[str, Any] = farm.describe()["villages"][0]["devices"][0]
    return [
        FeedSpec(
            channel["key"],
            RtspLiveSource(
                channel[quality], device["host"], device["rtsp_port"], device["username"], device["password"]
            ),
            group="village",
            device=device["key"],
        )
        for channel in device["channels"]
    ]


async def opened(hub: Hub, spec: FeedSpec) -> None:
    await hub.pipe.call(spec.head("feed.open"))


async def test_all_channels_of_a_recorder_go_live_and_are_seen() -> None:
    async with small_farm(cameras=8) as farm, relay() as hub, viewer(hub, tracks=8) as peer:
        channels = specs(farm)
        for number, spec in enumerate(channels):
            await opened(hub, spec)
            await hub.call("track.show", viewer="v", track=number, feed=spec.feed, serial=1)
        for spec in channels:
            assert (await hub.state(spec.feed, "live"))["codec"] == "h264"
        assert [await peer.width(number) for number in range(8)] == [320] * 8


async def test_an_h265_main_stream_goes_live() -> None:
    async with small_farm(h265=True) as farm, relay() as hub:
        spec = specs(farm, "main_url")[0]
        await opened(hub, spec)
        live = await hub.state(spec.feed, "live")
        assert (live["codec"], live["width"] > 0) == ("h265", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.WRONG_PASSWORD, Reason.WRONG_PASSWORD),
        (Fault.DEVICE_FULL, Reason.DEVICE_FULL),
        (Fault.REDIRECT, Reason.REDIRECTED),
        (Fault.GIANT_REPLY, Reason.REPLY_TOO_LARGE),
        (Fault.HALF_OPEN, Reason.TIMED_OUT),
        (Fault.SLOW_DRIP, Reason.TIMED_OUT),
        (Fault.NO_KEY_FRAME, Reason.NO_KEY_FRAME),
    ],
)
async def test_each_fault_has_its_reason_and_nothing_reaches_the_canary(fault: Fault, reason: Reason) -> None:
    patience = 2.0 if reason is Reason.TIMED_OUT else 10.0
    async with small_farm() as farm, relay(open_timeout=patience, key_frame_timeout=2.0) as hub:
        (spec,) = specs(farm)
        await farm.set_fault(spec.device, fault)
        await opened(hub, spec)
        assert (await hub.state(spec.feed, "failed"))["reason"] == reason
        assert farm.canary.connections == 0


@pytest.mark.parametrize("fault", [Fault.TCP_REFUSED, Fault.NAT_XADDR])
async def test_what_can_be_got_around_is(fault: Fault) -> None:
    async with small_farm() as farm, relay() as hub:
        (spec,) = specs(farm)
        await farm.set_fault(spec.device, fault)
        await opened(hub, spec)
        await hub.state(spec.feed, "live")


async def test_a_device_that_comes_back_is_shown_again_by_itself() -> None:
    async with small_farm() as farm, relay(media_timeout=1.0) as hub:
        (spec,) = specs(farm)
        await opened(hub, spec)
        await hub.state(spec.feed, "live")
        await farm.set_fault(spec.device, Fault.DEAD)
        await hub.state(spec.feed, "failed")
        since = len(hub.said)
        await farm.set_fault(spec.device, Fault.DEAD, on=False)
        await hub.until("feed.state", lambda head: head["phase"] == "live", since=since)


@pytest.mark.slow
async def test_a_sub_stream_that_is_set_otherwise_while_it_is_watched_plays_on_in_its_tile() -> None:
    async with small_farm() as farm, relay() as hub, viewer(hub) as peer:
        (spec,) = specs(farm)
        (device,) = farm.devices.values()
        channel = device.state.plan.channels[0].number
        await opened(hub, spec)
        await hub.call("track.show", viewer="v", track=0, feed=spec.feed, serial=1)
        assert await peer.width(0) == 320
        before = device.state.settings.spec(channel, 2)
        since = len(hub.said)
        device.state.settings.encode(channel, 2, replace(before, width=352, height=288, gov_length=20))
        await hub.until("feed.state", lambda head: head["phase"] == "live" and head["width"] == 352, since=since)
        await peer.until_width(0, 352)
