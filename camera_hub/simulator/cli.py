"""`python -m camera_hub.simulator`: a farm in a process of its own, which says on one line of JSON when it is ready."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence

from camera_hub.simulator.farm import Farm
from camera_hub.simulator.plan import Ports, default_farm


def parser() -> argparse.ArgumentParser:
    """Options of the simulator."""
    options = argparse.ArgumentParser(prog="camera-hub simulate", description="A farm of virtual villages.")
    options.add_argument("--villages", type=int, default=16)
    options.add_argument("--cameras", type=int, default=64, help="in all villages together, at least one in each")
    options.add_argument("--faults", type=int, default=0, help="how many demo faults are on from the start (0 to 5)")
    options.add_argument("--network", default="127.20", help="first two numbers of the devices' addresses")
    options.add_argument("--http-port", type=int, default=8080, help="0: chosen by the system")
    options.add_argument("--rtsp-port", type=int, default=8554, help="0: chosen by the system")
    return options


async def run(options: argparse.Namespace) -> None:
    """Run the farm until SIGTERM or SIGINT."""
    plan = default_farm(
        options.villages,
        options.cameras,
        faults=options.faults,
        network=options.network,
        ports=Ports(options.http_port, options.rtsp_port),
    )
    done = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, done.set)
    async with Farm(plan) as farm:
        _say({"ready": True, **farm.describe()})
        await done.wait()


def _say(value: object) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point, also for the hub's own command line."""
    options = parser().parse_args(argv)
    try:
        asyncio.run(run(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"camera-hub simulate: {error}\n")
        return 1
    return 0
