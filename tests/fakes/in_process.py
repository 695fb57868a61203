"""Helper processes that are none: the same code at the other end of the same socket pair, inside the test's process.

Spares a test that does not look at processes the second that an interpreter and its imports take.
"""

import asyncio
import importlib
import itertools
import logging
import os
import signal
import socket
from collections.abc import Sequence

from camera_hub.media.child_process import Process
from camera_hub.relay.process.relay import Relay

log = logging.getLogger(__name__)

_BEYOND_ALL_PROCESSES = 2**22 + 1
"""Linux gives out no such number: a test that kills one of these by mistake is told that it does not exist."""

_pids = itertools.count(_BEYOND_ALL_PROCESSES)


async def in_this_process(command: Sequence[str], theirs: socket.socket) -> Process:
    """Run what `command` (`python -m module …`) serves as a task; a `Spawn`, see camera_hub.media.child_process."""
    name = command[2]
    package = importlib.import_module(name)
    module = importlib.import_module(f"{name}.__main__") if hasattr(package, "__path__") else package
    parts = (Relay,) if name == "camera_hub.relay" else ()
    serving = module.serve(os.dup(theirs.fileno()), *parts)
    return _Task(asyncio.create_task(serving, name=f"{name} in the test's process"))


class _Task:
    """A task that is asked and ended like a process."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.pid = next(_pids)
        self._task = task
        task.add_done_callback(_tell)

    @property
    def returncode(self) -> int | None:
        if not self._task.done():
            return None
        if self._task.cancelled():
            return -signal.SIGKILL
        return 0 if self._task.exception() is None else 1

    async def wait(self) -> int:
        await asyncio.wait([self._task])
        assert self.returncode is not None
        return self.returncode

    def terminate(self) -> None:
        """Nothing: its pipe has been closed, and it has to end by that."""

    def kill(self) -> None:
        self._task.cancel()


def _tell(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended with an error", task.get_name(), exc_info=error)
