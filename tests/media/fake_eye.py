"""`python -m tests.media.fake_eye --fd N`: an eye that only speaks. Key frames are words: hang, crash, broken, fine.

What it sees stands in the memory that it is given: "still 2" needs two more key frames to be called frozen.
"""

import argparse
import asyncio
import os
import signal
import socket

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Look, Seen
from camera_hub.wire import Pipe

WORDS = {"moved": 100.0, "still": 0.0}


def seen(look: Look) -> Seen:
    """What the fake sees."""
    if not look.scores:
        return Seen(64, 48)
    if look.memory is None:
        return Seen(64, 48, {"black": 100.0}, "day", "moved 0")
    word, more = look.memory.split()
    if int(more):
        return Seen(64, 48, {"black": 100.0}, "day", f"{word} {int(more) - 1}", again=True)
    return Seen(64, 48, {"black": 100.0, "frozen": WORDS[word]}, "day", look.memory)


async def serve(descriptor: int) -> None:
    """Answer over the socket until the hub closes it."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))
    try:
        while (request := await pipe.receive()) is not None:
            if request.type == "ready":
                await pipe.reply(request, {})
                continue
            match request.body:
                case b"hang":
                    await asyncio.Event().wait()
                case b"crash":
                    os.kill(os.getpid(), signal.SIGKILL)
                case b"broken":
                    await pipe.refuse(request, HubError(Kind.UNSUPPORTED, "no picture", reason=Reason.UNDECODABLE))
                case _:
                    look = Look.of(request.head)
                    await pipe.reply(request, seen(look).head("seen"), b"jpeg" if look.jpeg else b"")
    finally:
        await pipe.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fd", type=int, required=True)
    asyncio.run(serve(arguments.parse_args().fd))
