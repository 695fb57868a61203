"""`python -m camera_hub.eye --fd N`: serve looks over the socket N until the hub closes it."""

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.look import look
from camera_hub.eye.messages import Look
from camera_hub.wire import Pipe, PipeFrame

log = logging.getLogger("camera_hub.eye")


def main() -> None:
    """Bound this process, then serve."""
    arguments = argparse.ArgumentParser(prog="camera_hub.eye")
    arguments.add_argument("--fd", type=int, required=True)
    arguments.add_argument("--nice", type=int, default=10)
    arguments.add_argument("--address-space", type=int, default=3 * 1024**3)
    given = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the hub's: it closes the pipe
    os.nice(given.nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (given.address_space, given.address_space))
    asyncio.run(serve(given.fd))


async def serve(descriptor: int) -> None:
    """Answer one request after the other; returns when the hub has closed the pipe."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))
    try:
        while (request := await pipe.receive()) is not None:
            await _answer(pipe, request)
    finally:
        await pipe.close()


async def _answer(pipe: Pipe, request: PipeFrame) -> None:
    if request.type == "ready":
        await pipe.reply(request, {})
        return
    try:
        # In this thread on purpose: there is nothing else to serve, and a hang is the hub's to end.
        seen, jpeg = look(Look.of(request.head), request.body)
        await pipe.reply(request, seen.head("seen"), jpeg)
    except HubError as error:
        await pipe.refuse(request, error)
    except MemoryError:
        await pipe.refuse(request, _failed("it needs more memory than an eye may have"))
    except Exception as error:
        log.exception("a look failed unexpectedly")
        await pipe.refuse(request, _failed(type(error).__name__))


def _failed(why: str) -> HubError:
    return HubError(Kind.UNSUPPORTED, f"the key frame cannot be looked at: {why}", reason=Reason.UNDECODABLE)


if __name__ == "__main__":
    main()
