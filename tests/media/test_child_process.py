"""A helper process is ended whatever happens to whoever starts it."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from camera_hub.media.child_process import helper


class Started:
    """A process that runs until it is told to end."""

    pid = 1

    def __init__(self) -> None:
        self.returncode: int | None = None

    async def wait(self) -> int:
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        self.returncode = -15

    def kill(self) -> None:
        self.returncode = -9


async def test_a_process_whose_starter_gives_up_at_any_moment_is_ended() -> None:
    """The starter is cancelled after 0, 1, 2, … turns of the loop, until it has come to its block."""
    processes: list[Started] = []

    async def spawn(command: Sequence[str], theirs: socket.socket) -> Started:
        await asyncio.sleep(0)
        processes.append(Started())
        return processes[-1]

    async def run() -> None:
        async with helper(("fake",), spawn):
            in_block.set_result(None)
            await asyncio.Event().wait()

    for turns in range(100):
        in_block = asyncio.get_running_loop().create_future()
        starting = asyncio.create_task(run())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        if in_block.done():
            break
    else:
        raise AssertionError("it never came to its block")
    assert processes
    assert [process.returncode for process in processes if process.returncode is None] == []
