"""Whoever acquires something is cancelled after 0, 1, 2, … turns of the loop: nothing may be left behind at any."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from typing import Any

MOST_TURNS = 500


async def given_up_at_each_turn(work: Callable[[], Coroutine[Any, Any, object]], look: Callable[[], None]) -> None:
    """Run `work` again and again, cancelled a turn later each time, until it comes to its end. `look` sees each time
    what is left."""
    for turns in range(MOST_TURNS):
        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await some_turns()
        look()
        if ended:
            return
    raise AssertionError("it never came to its end")


async def some_turns() -> None:
    """Transports that were closed give back their sockets in the next turns."""
    for _ in range(5):
        await asyncio.sleep(0)


def open_sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set[str]()
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the folder itself
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
    return {one for one in found if one.startswith("socket:")}
