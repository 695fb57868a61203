"""`python -m camera_hub.relay --fd N`: a relay process at the hub's socket pair; ends when that closes."""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from camera_hub import logs
from camera_hub.clock import Clock, SystemClock
from camera_hub.errors import HubError
from camera_hub.relay.lean_imports import load_lean
from camera_hub.wire import Pipe

if TYPE_CHECKING:
    from camera_hub.relay.process.relay import Relay


async def serve(fd: int, relay: "Callable[[Pipe, Clock], Relay]") -> None:
    """Serve the inherited socket until the hub closes it."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    pipe = Pipe(reader, writer)
    try:
        await relay(pipe, SystemClock()).run()
    finally:
        await pipe.close()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed. Cameras wake a relay for each of their frames, and from there to our own code it
    takes a third to a half less time. None: asyncio's own event loop."""
    try:
        import uvloop
    except ImportError:  # there is none for this system
        return None
    return uvloop.new_event_loop


def main() -> None:
    parser = argparse.ArgumentParser(prog="camera_hub.relay", description="A relay process; started by the hub.")
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the hub")
    parser.add_argument("--log-level", default="INFO")
    options = parser.parse_args()
    logs.set_up(options.log_level, process="relay")
    load_lean()  # and only then what imports aiortc
    from camera_hub.relay.libraries import check_versions
    from camera_hub.relay.process import gc_control, relay  # all imports come before `take_control`

    try:
        check_versions()
    except HubError as error:
        sys.exit(f"camera_hub.relay: {error.detail}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the hub, which then closes the pipe
    gc_control.take_control()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(options.fd, relay.Relay))


if __name__ == "__main__":
    main()
