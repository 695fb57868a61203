"""`python -m camera_hub.simulator`: a farm in its own process; it writes one line of JSON when it is ready."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from camera_hub.simulator.control import Control
from camera_hub.simulator.discovery import PORT
from camera_hub.simulator.farm import Discovery, Farm
from camera_hub.simulator.fault_words import listed
from camera_hub.simulator.model import MAIN, SUB, KeyFrames
from camera_hub.simulator.plan import DEMO_FAULTS, Ports, default_farm, demo_faults

_EPILOG = """Faults are switched while the farm runs, at its control port (`"control"` in the line that it writes):
  curl -d '{"target": "donggou-1", "fault": "stray_bytes", "on": true, "value": 40}' http://127.0.0.1:9000/faults
The target is the key or the name of a village, a device or a channel; GET /farm tells them, GET /faults all faults.

"""


def parser() -> argparse.ArgumentParser:
    """The simulator's command line options."""
    options = argparse.ArgumentParser(
        prog="camera-hub simulate",
        description="A farm of virtual villages.",
        epilog=_EPILOG + listed(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--villages", type=int, default=16)
    options.add_argument("--cameras", type=int, default=64, help="in all villages together, at least one in each")
    options.add_argument(
        "--faults",
        type=int,
        default=0,
        help=f"number of demo faults that are on from the start (0 to {len(DEMO_FAULTS)})",
    )
    options.add_argument(
        "--h265-only",
        type=int,
        default=0,
        metavar="N",
        help="first device of the first N villages sends H.265 in both streams",
    )
    options.add_argument(
        "--gop", type=int, choices=range(1, 31), metavar="SECONDS", help="interval between key frames (default: 2)"
    )
    options.add_argument(
        "--key-frames",
        type=KeyFrames,
        choices=list(KeyFrames),
        default=KeyFrames.FIRST_ONLY,
        help="who gets a key frame at once: every receiver, the first of a stream (default), who asks by "
        "SetSynchronizationPoint, nobody",
    )
    options.add_argument("--network", default="127.20", help="first two octets of the devices' addresses")
    options.add_argument("--http-port", type=int, default=8080, help="0: chosen by the system")
    options.add_argument("--rtsp-port", type=int, default=8554, help="0: chosen by the system")
    options.add_argument(
        "--onvif-off", action="store_true", help="ONVIF is off at one healthy recorder, as makers deliver them"
    )
    options.add_argument(
        "--direct", type=int, default=0, metavar="N", help="first camera of the first N recorders is a device, too"
    )
    options.add_argument(
        "--domes", action="store_true", help="cameras that can be steered are named so and have presets"
    )
    options.add_argument("--sound", action="store_true", help="cameras have microphones, as most real ones do")
    options.add_argument("--cold", action="store_true", help="encode no picture before a client asks for it")
    options.add_argument("--no-discovery", action="store_true", help="do not answer WS-Discovery")
    options.add_argument(
        "--cache", type=Path, metavar="DIR", help="where encoded pictures are cached for the next start"
    )
    options.add_argument(
        "--with-stdin", action="store_true", help="exit when standard input is closed (for use as a child process)"
    )
    options.add_argument("--control", metavar="HOST:PORT", type=_loopback, default=("127.0.0.1", 0))
    return options


def _loopback(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host.startswith("127.") or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError("must be a loopback address and a port, such as 127.0.0.1:9000")
    return host, int(port)


async def run(options: argparse.Namespace) -> None:
    """Run the farm until SIGTERM or SIGINT."""
    plan = default_farm(
        options.villages,
        options.cameras,
        faults=options.faults,
        h265_only=options.h265_only,
        network=options.network,
        ports=Ports(options.http_port, options.rtsp_port),
        sound=options.sound,
        onvif_off=options.onvif_off,
        direct=options.direct,
        domes=options.domes,
        key_frames=options.key_frames,
        main=None if options.gop is None else replace(MAIN, gop_seconds=options.gop),
        sub=None if options.gop is None else replace(SUB, gop_seconds=options.gop),
    )
    done = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, done.set)
    if options.with_stdin:
        await _watch_stdin(done)
    discovery = Discovery(port=None if options.no_discovery else PORT, multicast=not options.no_discovery)
    async with (
        Farm(plan, discovery=discovery, cache=options.cache, warm=not options.cold) as farm,
        Control(farm, *options.control) as control,
    ):
        _say(
            {
                "ready": True,
                "control": control.address,
                "demo_faults": demo_faults(plan.villages),
                **farm.describe(),
            }
        )
        await done.wait()


async def _watch_stdin(done: asyncio.Event) -> None:
    """Set the event when the process that started the farm has ended for whatever reason."""

    class Watch(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            done.set()

    await asyncio.get_running_loop().connect_read_pipe(Watch, sys.stdin)


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
