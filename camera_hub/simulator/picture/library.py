"""All loops there are, each encoded when it is first asked for, or taken from the shelf, in threads of its own."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from camera_hub.simulator.picture.encoder import Abandoned
from camera_hub.simulator.picture.loops import CaptionedLoop, DrawnLoop, Loop, ParameterSets, Unit
from camera_hub.simulator.picture.making import Recipe, frame_of, parameters, units
from camera_hub.simulator.picture.shelf import Shelf

_NICE = 10


class Library:
    """Makes each loop once. An async context manager that waits for its threads.

    A loop is handed out as soon as its first group of pictures is there; it grows faster than it is played.
    """

    def __init__(self, cache: Path | None = None, workers: int = 3) -> None:
        self._shelf = Shelf(cache) if cache else None
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulator-loops", initializer=_be_nice)
        self._stop = threading.Event()
        self._loops: dict[Recipe, asyncio.Future[Loop]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for future in self._loops.values():
            future.cancel()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def parameters(self, recipe: Recipe) -> ParameterSets:
        """What the loop's session description says; quick, whether or not the loop is encoded."""
        found = self._loops.get(recipe)
        if found is not None and found.done() and not found.cancelled():
            return found.result().parameters
        return (await asyncio.to_thread(_empty, recipe)).parameters

    async def loop(self, recipe: Recipe) -> Loop:
        """The loop, from the shelf or after encoding its beginning."""
        future = self._loops.get(recipe)
        if future is None:
            event_loop = asyncio.get_running_loop()
            future = self._loops[recipe] = event_loop.create_future()
            self._pool.submit(self._make, recipe, event_loop, future)
        return await asyncio.shield(future)

    def _make(self, recipe: Recipe, event_loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Loop]") -> None:
        """In a thread: hand out the loop when it has begun, and go on until it is whole."""
        try:
            loop = _empty(recipe)
            stored = self._shelf.get(repr(recipe)) if self._shelf else None
            made: list[Unit] = []
            for unit in stored or units(recipe, self._stop):
                loop.add(unit)
                made.append(unit)
                if loop.ready == recipe.gop:
                    event_loop.call_soon_threadsafe(_settle, future, loop)
            if self._shelf and stored is None:
                self._shelf.put(repr(recipe), made)
        except Abandoned:
            return
        except Exception as error:
            event_loop.call_soon_threadsafe(_settle, future, error)


def _be_nice() -> None:
    """Encoding gives way to whatever else the machine does. On Linux a priority is a thread's own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _settle(future: "asyncio.Future[Loop]", outcome: Loop | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _empty(recipe: Recipe) -> CaptionedLoop | DrawnLoop:
    if recipe.label:
        return DrawnLoop(recipe.spec.codec, parameters(recipe), recipe.length)
    return CaptionedLoop(frame_of(recipe.spec), parameters(recipe), recipe.length)
