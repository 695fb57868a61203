"""A helper process at the other end of a socket pair: started with a clean environment, always ended."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from camera_hub import allocator
from camera_hub.running import acquired, completed
from camera_hub.wire import Pipe

log = logging.getLogger(__name__)

_PASSED_ON = (
    *("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"),
    "CAMERA_HUB_MEDIA__PLAIN_SENDING",  # the one switch that relays read themselves: tests and benches configure none
)
"""An allow-list: the environment may hold database passwords, which must not reach what parses hostile bytes."""

_TERMINATE_SECONDS = 5.0


class Process(Protocol):
    """What is needed of a running process (asyncio.subprocess.Process)."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None:
        """None while it runs."""

    async def wait(self) -> int:
        """Wait for its end; its status."""
        ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


Spawn = Callable[[Sequence[str], socket.socket], Awaitable[Process]]
"""Starts a command with its end of the pipe, which it must not close."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A running process and the pipe to it."""

    process: Process
    pipe: Pipe

    def kill(self) -> None:
        """End it at once; idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


async def spawn_process(command: Sequence[str], theirs: socket.socket) -> Process:
    """Start `command --fd N` as a child process. Who is cancelled meanwhile leaves none, however often it happens."""
    starting = asyncio.create_subprocess_exec(
        *command,
        "--fd",
        str(theirs.fileno()),
        pass_fds=(theirs.fileno(),),
        stdin=asyncio.subprocess.DEVNULL,
        env=environment(os.environ),
    )
    return await acquired(starting, _kill)


Launch = Callable[[], AbstractAsyncContextManager[Helper]]
"""Runs a helper process for the length of a block (`partial(helper, command, spawn)`)."""


@asynccontextmanager
async def helper(command: Sequence[str], spawn: Spawn = spawn_process) -> AsyncIterator[Helper]:
    """Run `command --fd N` while the block runs. On leaving: close the pipe, terminate, wait 5 s, kill."""
    ours, theirs = socket.socketpair()
    try:
        ours.setblocking(False)
        # Before the process is started: nothing may come between its start and the block that ends it.
        pipe = Pipe(*await asyncio.open_connection(sock=ours))
        try:
            process = await spawn(command, theirs)
        except BaseException:
            await pipe.close()
            raise
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    started = Helper(process, pipe)
    try:
        yield started
    finally:
        await _end(started)


def environment(ours: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """The environment of a helper process: nothing of ours that could be a secret."""
    passed = {name: ours[name] for name in _PASSED_ON if name in ours}
    # One thread per helper is what we plan for; BLAS would start one per core, each with its own address space.
    return {**passed, **allocator.environment(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


async def _end(started: Helper) -> None:
    try:
        await started.pipe.close()
        with contextlib.suppress(ProcessLookupError):
            started.process.terminate()
        async with asyncio.timeout(_TERMINATE_SECONDS):
            await started.process.wait()
    except TimeoutError:
        log.warning("process %d did not end by itself within %g s", started.process.pid, _TERMINATE_SECONDS)
    finally:
        await completed(_kill(started.process))


async def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
