"""A helper process is ended whatever happens to whoever starts it."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence

import pytest

from camera_hub.media.child_process import Process, helper, spawn_process


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


class Slow(Started):
    """One that takes its time to end."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.over = asyncio.Event(), asyncio.Event()

    async def wait(self) -> int:
        self.asked.set()
        await self.over.wait()
        return await super().wait()


async def test_who_is_cancelled_again_while_a_process_ends_still_waits_for_its_end() -> None:
    process, in_block = Slow(), asyncio.Event()

    async def spawn(command: Sequence[str], theirs: socket.socket) -> Process:
        return process

    async def run() -> None:
        async with helper(("fake",), spawn):
            in_block.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(run())
    await in_block.wait()
    running.cancel()
    await process.asked.wait()
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not running.done()
    process.over.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert process.returncode is not None


@pytest.mark.parametrize("turns", range(6))
async def test_a_process_whose_start_is_given_up_twice_has_ended_before_that_is_told(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    process, begun, go_on = Slow(), asyncio.Event(), asyncio.Event()
    process.over.set()

    async def create(*_: object, **__: object) -> Process:
        begun.set()
        await go_on.wait()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", create)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        starting = asyncio.create_task(spawn_process(("fake",), theirs))
        await begun.wait()
        starting.cancel()
        go_on.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert process.returncode == -9
