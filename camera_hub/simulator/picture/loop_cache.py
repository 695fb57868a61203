"""All loops, each encoded when it is first requested, or read from the disk cache, in separate threads."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from camera_hub.simulator.picture.encoder import Abandoned, be_nice
from camera_hub.simulator.picture.loops import CaptionedLoop, DrawnLoop, Loop, ParameterSets, Unit
from camera_hub.simulator.picture.making import Recipe, frame_of, parameters, units
from camera_hub.simulator.picture.shelf import Shelf


class LoopCache:
    """Encodes each loop once. An async context manager that waits for its threads.

    A loop is returned as soon as its first group of pictures is ready; it grows faster than it is played.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._shelf = Shelf(cache) if cache else None
        self._beginning = ThreadPoolExecutor(2, thread_name_prefix="simulator-begins", initializer=be_nice)
        self._growing = ThreadPoolExecutor(2, thread_name_prefix="simulator-loops", initializer=be_nice)
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
        for pool in (self._beginning, self._growing):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def parameters(self, recipe: Recipe) -> ParameterSets:
        """The loop's parameter sets; quick, whether or not the loop is encoded yet."""
        found = self._loops.get(recipe)
        if found is not None and found.done() and not found.cancelled():
            return found.result().parameters
        return (await asyncio.to_thread(_empty, recipe)).parameters

    async def loop(self, recipe: Recipe) -> Loop:
        """The loop, from the disk cache or after encoding its beginning."""
        future = self._loops.get(recipe)
        if future is None:
            event_loop = asyncio.get_running_loop()
            future = self._loops[recipe] = event_loop.create_future()
            self._beginning.submit(self._begin, recipe, event_loop, future)
        return await asyncio.shield(future)

    def _begin(self, recipe: Recipe, event_loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Loop]") -> None:
        """In a thread: read the loop from the disk cache, or encode its first group of pictures."""
        try:
            loop = _empty(recipe)
            stored = self._shelf.get(repr(recipe)) if self._shelf else None
            work = _Work(recipe, loop, iter(stored or units(recipe, self._stop)), stored is not None)
            whole = _add_group(work)
            event_loop.call_soon_threadsafe(_settle, future, loop)
            self._later(work, whole=whole)
        except Abandoned:
            return
        except Exception as error:
            event_loop.call_soon_threadsafe(_settle, future, error)

    def _go_on(self, work: "_Work") -> None:
        """In a thread: encode one more group. Loops grow in turns, so that none waits until others are complete."""
        with contextlib.suppress(Abandoned):
            self._later(work, whole=_add_group(work))

    def _later(self, work: "_Work", *, whole: bool) -> None:
        if not whole:
            with contextlib.suppress(RuntimeError):  # the pool has been shut down meanwhile
                self._growing.submit(self._go_on, work)
        elif self._shelf and not work.stored:
            self._shelf.put(repr(work.recipe), work.made)


@dataclass(slots=True)
class _Work:
    """A loop that is being encoded, by one thread at a time."""

    recipe: Recipe
    loop: CaptionedLoop | DrawnLoop
    rest: Iterator[Unit]
    stored: bool
    made: list[Unit] = field(default_factory=list)


def _add_group(work: _Work) -> bool:
    """Add frames up to the end of the next group of pictures; all, if stored. True when the loop is complete."""
    for unit in work.rest:
        work.loop.add(unit)
        work.made.append(unit)
        if not unit.again and not work.stored and work.loop.ready % work.recipe.cycle == 0:
            return False
    return True


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
