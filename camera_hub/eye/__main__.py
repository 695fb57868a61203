"""`python -m camera_hub.eye --fd N`: serve requests over the socket N until the hub closes it."""

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket

from camera_hub import logs
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.look import look
from camera_hub.eye.messages import MAX_FILE, Look, Photo
from camera_hub.eye.photo import photo
from camera_hub.wire import Pipe, PipeFrame

log = logging.getLogger("camera_hub.eye")


def main() -> None:
    """Set the limits of this process, then serve."""
    arguments = argparse.ArgumentParser(prog="camera_hub.eye")
    arguments.add_argument("--fd", type=int, required=True)
    arguments.add_argument("--nice", type=int, default=10)
    arguments.add_argument("--address-space", type=int, default=3 * 1024**3)
    given = arguments.parse_args()
    logs.set_up(process="eye")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the hub, which closes the pipe
    os.nice(given.nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (given.address_space, given.address_space))
    asyncio.run(serve(given.fd))


async def serve(descriptor: int) -> None:
    """Answer one request after the other; returns when the hub has closed the pipe. `descriptor`: a socket."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))
    parts = bytearray()
    try:
        while (request := await pipe.receive()) is not None:
            if request.type != "part":
                whole = PipeFrame(request.head, bytes(parts) + request.body) if parts else request
                parts.clear()
                await _answer(pipe, whole)
            elif len(parts) + len(request.body) <= MAX_FILE:
                parts += request.body
                await pipe.reply(request, {})
            else:
                parts.clear()
                await pipe.refuse(request, HubError(Kind.TOO_LARGE, f"a file may have {MAX_FILE >> 20} MiB"))
    finally:
        await pipe.close()


async def _answer(pipe: Pipe, request: PipeFrame) -> None:
    if request.type == "ready":
        await pipe.reply(request, {})
        return
    try:
        # In this thread on purpose: there is nothing else to serve, and the hub ends a process that hangs.
        if request.type == "image":
            seen, jpeg = photo(Photo.of(request.head), request.body)
        else:
            seen, jpeg = look(Look.of(request.head), request.body)
        await pipe.reply(request, seen.head("seen"), jpeg)
    except HubError as error:
        await pipe.refuse(request, error)
    except MemoryError:
        await pipe.refuse(
            request, _undecodable("it needs more memory than the decoder may use; lower the camera's resolution")
        )
    except Exception as error:
        log.exception("a look failed unexpectedly")
        await pipe.refuse(request, _undecodable(f"{type(error).__name__}; the decoder's log says why"))


def _undecodable(why: str) -> HubError:
    return HubError(Kind.UNSUPPORTED, f"the key frame cannot be decoded: {why}", reason=Reason.UNDECODABLE)


if __name__ == "__main__":
    main()
