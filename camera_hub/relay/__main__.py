"""`python -m camera_hub.relay --fd N`: a relay process at the hub's socket pair; ends when that closes."""

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable

from camera_hub.clock import SystemClock
from camera_hub.errors import HubError
from camera_hub.event_loop import LoopMeter, TurnSelector, loop_with
from camera_hub.relay.libraries import check_versions
from camera_hub.relay.process import gc_control
from camera_hub.relay.process.relay import Relay
from camera_hub.wire import Pipe


async def serve(fd: int, waited: Callable[[], float] | None = None) -> None:
    """Serve the inherited socket until the hub closes it. `waited`: seconds without anything to do, if known."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    pipe = Pipe(reader, writer)
    try:
        clock = SystemClock()
        await Relay(pipe, clock, LoopMeter(clock, waited)).run()
    finally:
        await pipe.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="camera_hub.relay", description="A relay process; started by the hub.")
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the hub")
    parser.add_argument("--log-level", default="INFO")
    options = parser.parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=options.log_level, format="%(asctime)s relay %(levelname)s %(name)s: %(message)s"
    )
    try:
        check_versions()
    except HubError as error:
        sys.exit(f"camera_hub.relay: {error.detail}")
    for verbose in ("aiortc", "aioice", "asyncio"):
        logging.getLogger(verbose).setLevel(logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the hub, which then closes the pipe
    gc_control.take_control()
    selector = TurnSelector()
    selector.prefer(options.fd)  # the hub is answered however many cameras send
    with asyncio.Runner(loop_factory=loop_with(selector)) as runner:
        runner.run(serve(options.fd, lambda: selector.waited))


if __name__ == "__main__":
    main()
