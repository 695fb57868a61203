"""`python -m tests.media.fake_eye --fd N`: an eye that only speaks. Key frames are words: hang, crash, broken, fine."""

import argparse
import asyncio
import os
import signal
import socket

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.eye.messages import Seen
from camera_hub.wire import Pipe


async def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fd", type=int, required=True)
    given = arguments.parse_args()
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=given.fd)))
    try:
        while (request := await pipe.receive()) is not None:
            match request.body:
                case b"hang":
                    await asyncio.Event().wait()
                case b"crash":
                    os.kill(os.getpid(), signal.SIGKILL)
                case b"broken":
                    await pipe.refuse(request, HubError(Kind.UNSUPPORTED, "no picture", reason=Reason.UNDECODABLE))
                case _:
                    seen = Seen(64, 48)
                    if request.head.get("scores"):
                        # The second look at the same picture is told from the first by what it is compared with.
                        frozen = {"moved": 100.0, "still": 0.0, "looped": 0.0, "now": 0.0}.get(
                            str(request.head["previous"])
                        )
                        if request.head["previous"] == "looped now":
                            frozen = 90.0
                        signature = "looped now" if request.head["previous"] == "looped" else "now"
                        seen = Seen(64, 48, black=100.0, frozen=frozen, signature=signature)
                    await pipe.reply(request, seen.head("seen"), b"jpeg" if request.head.get("jpeg") else b"")
    finally:
        await pipe.close()


if __name__ == "__main__":
    asyncio.run(main())
