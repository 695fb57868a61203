"""A small farm for tests: free ports, short loops, no multicast, so that several farms can run at the same time.

async with small_farm(villages=2, cameras=3) as farm: …
"""

import itertools
import socket
from dataclasses import replace
from pathlib import Path

from camera_hub.simulator.clock import Clock
from camera_hub.simulator.farm import Discovery, Farm
from camera_hub.simulator.model import FarmPlan, StreamSpec
from camera_hub.simulator.plan import Ports, default_farm

QUICK_MAIN = StreamSpec(width=320, height=192, fps=10, bitrate=200_000, gop_seconds=1)
QUICK_SUB = StreamSpec(width=320, height=192, fps=10, bitrate=100_000, gop_seconds=1)
_FREE_PORTS = Ports(0, 0)
_FIRST_NETWORK, _EACH = 30, 10
"""127.30 to 127.229 are shared out among the processes that run tests, so many to each."""


def _claimed() -> range:
    """The second octets of this process's networks; none where all are taken.

    A name in Linux's abstract socket namespace says that they are taken: it is bound by one process at a time, and free
    again when that ends, however it does.
    """
    for number in range(200 // _EACH):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0camera_hub.simulator.testing.{number}")
        except OSError:
            claim.close()
            continue
        claim.detach()  # it stays open as long as the process lives
        first = _FIRST_NETWORK + number * _EACH
        return range(first, first + _EACH)
    return range(0)


_NETWORKS = itertools.cycle(_claimed())
"""Claimed while this is imported: a test that counts descriptors finds as many before as after."""


def own_network() -> str:
    """First two octets of a loopback network that no other process's farms use, nor the last few of this one.

    Raises RuntimeError where all are taken.
    """
    network = next(_NETWORKS, None)
    if network is None:
        raise RuntimeError("all loopback networks of tests are taken: 20 processes run them at once")
    return f"127.{network}"


def small_plan(villages: int = 1, cameras: int = 1, *, h265: bool = False, h265_only: int = 0) -> FarmPlan:
    """A few cameras with small pictures; with `h265` the last village's first main stream is H.265.

    The first device of each of the first `h265_only` villages has H.265 in both streams.
    """
    return default_farm(
        villages,
        cameras,
        network=own_network(),
        ports=_FREE_PORTS,
        main=QUICK_MAIN,
        sub=QUICK_SUB,
        h265=h265,
        h265_only=h265_only,
    )


def alike(count: int, sub: StreamSpec = QUICK_SUB) -> FarmPlan:
    """A village of that many cameras, which differ in their names and addresses alone."""
    plan = small_plan()
    (village,) = plan.villages
    (first,) = village.devices
    (channel,) = first.channels
    devices = tuple(
        replace(
            first,
            key=f"{village.key}-{number}",
            address=f"{first.address.rpartition('.')[0]}.{number}",
            channels=(replace(channel, key=f"{village.key}-{number}-1", sub=sub),),
        )
        for number in range(1, count + 1)
    )
    return replace(plan, villages=(replace(village, devices=devices),))


def small_farm(
    villages: int = 1,
    cameras: int = 1,
    *,
    h265: bool = False,
    plan: FarmPlan | None = None,
    clock: Clock | None = None,
    multicast: bool = False,
    cache: Path | None = None,
) -> Farm:
    """A farm to enter. Discovery is by unicast on free ports (`farm.discovery_port(key)`) unless `multicast`."""
    discovery = Discovery(multicast=True) if multicast else Discovery(port=0, multicast=False)
    return Farm(plan or small_plan(villages, cameras, h265=h265), clock=clock, discovery=discovery, cache=cache)
