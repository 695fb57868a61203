"""The viewers of a relay: running, ended, counted."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from camera_hub.relay.ingest.feed import Feed
from camera_hub.relay.messages import ViewerState
from camera_hub.relay.peer.events import ViewerEvents
from camera_hub.relay.peer.viewer import Viewer
from camera_hub.relay.process.gc_control import GcControl
from camera_hub.relay.process.totals import Totals
from camera_hub.running import ended

log = logging.getLogger(__name__)


class ViewerTasks:
    """Runs each viewer as a task and reports its end."""

    def __init__(self, events: ViewerEvents, garbage: GcControl) -> None:
        self._events = events
        self._garbage = garbage
        self._totals = Totals()
        self._running: dict[str, tuple[Viewer, asyncio.Task[str]]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[Viewer]:
        return (viewer for viewer, _ in self._running.values())

    def get(self, name: str) -> Viewer | None:
        """The viewer of that name, while it runs."""
        found = self._running.get(name)
        return found[0] if found is not None else None

    async def start(self, viewer: Viewer) -> None:
        """Run it. No viewer of its name may be running."""
        task = asyncio.create_task(viewer.run(), name=f"viewer {viewer.name}")
        self._running[viewer.name] = (viewer, task)
        task.add_done_callback(lambda done: self._ended(viewer, done))
        await asyncio.sleep(0)  # it has begun: cancelled before its first step, it would never leave port and feeds

    async def close(self, name: str, reason: str = "closed") -> None:
        """End a viewer if it is there, and report why."""
        found = self._running.pop(name, None)
        if found is not None:
            await ended(found[1])
            self._count(found[0])
            self._events.on_viewer_state(ViewerState(name, "closed", reason))

    async def close_all(self, reason: str = "closed") -> None:
        """End every viewer."""
        for name in list(self._running):
            await self.close(name, reason)

    def feed_opened(self, feed: Feed) -> None:
        """Subscribe the tiles and listeners that wait for it."""
        for viewer in self:
            viewer.feed_opened(feed)

    def read_figures(self) -> dict[str, dict[str, Any]]:
        """Counters of each viewer that runs."""
        return {viewer.name: viewer.read_figures() for viewer in self}

    def read_totals(self, running: dict[str, dict[str, Any]]) -> dict[str, int]:
        """Sums over all viewers since the relay began; `running`: read_figures of those that run."""
        return self._totals.read(running.values())

    def _count(self, viewer: Viewer) -> None:
        viewer.leave()  # again: it may have been switched to a feed in the turn in which it ended
        self._totals.add_ended(viewer.read_figures())
        self._garbage.viewer_ended()

    def _ended(self, viewer: Viewer, task: asyncio.Task[str]) -> None:
        """A viewer has ended by itself; one that `close` ends has left the list already."""
        found = self._running.get(viewer.name)
        if found is None or found[1] is not task:
            return
        del self._running[viewer.name]
        self._count(viewer)
        reason = "closed"
        if not task.cancelled():
            if (error := task.exception()) is not None:
                log.error("viewer %s failed unexpectedly", viewer.name, exc_info=error)
                reason = "internal"
            else:
                reason = task.result()
        self._events.on_viewer_state(ViewerState(viewer.name, "closed", reason))
