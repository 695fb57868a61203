"""`python -m tests.e2e.flood PORT COUNT`: holds COUNT unfinished requests open until standard input is closed.

Prints a line once as many have been opened, and what it has counted at the end.

Four shapes: nothing at all, half a head, a head that trickles in, a body that does. Who is hung up on comes back.
Loopback only.
"""

import asyncio
import json
import resource
import sys

_HALF = b"GET /api/session HTTP/1.1\r\nhost: hub.test\r\n"
_BODY = (
    b"POST /api/session HTTP/1.1\r\nhost: hub.test\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n"
)
SHAPES = ((b"", b""), (_HALF, b""), (_HALF, b"a"), (_BODY, b" "))
"""What is sent at once, and what follows each second."""


class Flood:
    """`opened`: connections made in all; `held`: those that are open now, and `most` at any time."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.opened = self.held = self.most = self.answered = 0
        self.all_opened = asyncio.Event()
        self.count = count

    async def hold(self, number: int) -> None:
        """Keep one unfinished request open."""
        first, then = SHAPES[number % len(SHAPES)]
        source = f"127.0.{1 + number % 4}.{1 + number % 200}"
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
            except OSError:
                await asyncio.sleep(1.0)
                continue
            self.opened += 1
            self.held += 1
            self.most = max(self.most, self.held)
            if self.opened >= self.count:
                self.all_opened.set()
            try:
                writer.write(first)
                while True:
                    try:
                        async with asyncio.timeout(1.0):
                            said = await reader.read(1000)
                    except TimeoutError:
                        writer.write(then)
                        continue
                    self.answered += bool(said)
                    break
            except OSError:
                pass  # hung up on
            finally:
                self.held -= 1
                writer.transport.abort()
            await asyncio.sleep(2.0)


async def main(port: int, count: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    flood = Flood(port, count)
    tasks = [asyncio.create_task(flood.hold(number)) for number in range(count)]
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, over.set)  # readable: closed, as nobody writes to it
    await flood.all_opened.wait()
    say("opened")
    await over.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    say(json.dumps({"opened": flood.opened, "most": flood.most, "answered": flood.answered}))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
