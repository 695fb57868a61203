"""Tasks that nobody waits for, kept by name: they never outlive their owner and never fail unnoticed."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Self

from camera_hub.errors import HubError

log = logging.getLogger(__name__)


class Background:
    """An async context manager. One task per name: starting a name again ends the earlier task."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = {*self._tasks.values(), *self._ending}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else, instead of what runs under that name."""
        self.stop(name)
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._done)

    def stop(self, name: str) -> None:
        """End the task of that name, if there is one, without waiting for it."""
        task = self._tasks.pop(name, None)
        if task is not None and not task.done():
            self._ending.add(task)
            task.cancel()

    def stop_all(self, prefix: str) -> None:
        """End all tasks whose names begin so, without waiting for them."""
        for name in [name for name in self._tasks if name.startswith(prefix)]:
            self.stop(name)

    def runs(self, name: str) -> bool:
        """Whether a task of that name runs."""
        return name in self._tasks

    def _done(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if self._tasks.get(task.get_name()) is task:
            del self._tasks[task.get_name()]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, HubError):
            log.warning("%s: %s", task.get_name(), error)
        else:
            log.error("%s failed unexpectedly", task.get_name(), exc_info=error)
