"""A simulator that is ended while it starts, or ends, leaves no port open."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from camera_hub.simulator.canary import Canary
from camera_hub.simulator.clock import SystemClock
from camera_hub.simulator.control import Control
from camera_hub.simulator.device import Device
from camera_hub.simulator.discovery import Responder
from camera_hub.simulator.farm import Farm
from camera_hub.simulator.faults import Switchboard
from camera_hub.simulator.picture.live import LiveViews
from camera_hub.simulator.picture.loop_cache import LoopCache
from camera_hub.simulator.rtsp.receiver import UdpOutlet
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.testing import own_network, small_plan
from tests.fakes.giving_up import given_up_at_each_turn, open_sockets


def states() -> list[DeviceState]:
    plan = small_plan(1, 2)
    parts = Switchboard(), SystemClock(), LoopCache(), LiveViews()
    return [DeviceState(village, device, *parts, "127.0.0.1:9") for village, device in plan.devices()]


PLACES: dict[str, Callable[[], AbstractAsyncContextManager[Any]]] = {
    "a device": lambda: Device(states()[0]),
    "discovery": lambda: Responder(states(), port=0, multicast=False),
    "the control port": lambda: Control(Farm(small_plan()), "127.0.0.1", 0),
    "the target of redirects": lambda: Canary(f"{own_network()}.0.1"),
}


@pytest.mark.parametrize("place", PLACES)
async def test_what_is_ended_while_it_starts_leaves_no_port_open(place: str) -> None:
    before = open_sockets()

    async def work() -> None:
        async with PLACES[place]():
            pass

    def look() -> None:
        assert open_sockets() == before

    await given_up_at_each_turn(work, look)


async def test_a_session_that_is_ended_while_its_ports_are_opened_leaves_none_open() -> None:
    before = open_sockets()

    async def work() -> None:
        outlet = UdpOutlet("127.0.0.1", ("127.0.0.1", 9), lambda: None)
        await outlet.open()
        outlet.close()

    def look() -> None:
        assert open_sockets() == before

    await given_up_at_each_turn(work, look)
