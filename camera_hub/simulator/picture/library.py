"""All loops there are, each encoded when it is first asked for, or taken from the shelf, in threads of its own."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.picture.loops import CaptionedLoop, DrawnLoop, Encoded, Loop
from camera_hub.simulator.picture.making import encode_body, encode_whole, frame_of
from camera_hub.simulator.picture.scenes import Look
from camera_hub.simulator.picture.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a loop is made from. Only a loop that cannot carry a written-in caption has a label."""

    look: Look
    spec: StreamSpec
    label: str = ""
    b_frames: bool = False


def recipe_for(look: Look, spec: StreamSpec, label: str, *, b_frames: bool) -> Recipe:
    """The recipe that shares as much as the codec allows."""
    if spec.codec == "h264" and not b_frames:
        return Recipe(look, spec)
    return Recipe(look, spec, label, b_frames)


class Library:
    """Makes each loop once. An async context manager that waits for its threads."""

    def __init__(self, cache: Path | None = None, workers: int = 3) -> None:
        self._shelf = Shelf(cache) if cache else None
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulator-loops")
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

    async def loop(self, recipe: Recipe) -> Loop:
        """The loop, from the shelf or after encoding it."""
        future = self._loops.get(recipe)
        if future is None:
            future = asyncio.get_running_loop().run_in_executor(self._pool, _make, recipe, self._shelf, self._stop)
            self._loops[recipe] = future
        return await asyncio.shield(future)


def _make(recipe: Recipe, shelf: Shelf | None, stop: threading.Event) -> Loop:
    encoded = shelf.get(repr(recipe)) if shelf else None
    if encoded is None:
        encoded = _encode(recipe, stop)
        if shelf:
            shelf.put(repr(recipe), encoded)
    return DrawnLoop(encoded) if recipe.label else CaptionedLoop(frame_of(recipe.spec), encoded)


def _encode(recipe: Recipe, stop: threading.Event) -> Encoded:
    if recipe.label:
        return encode_whole(recipe.look, recipe.spec, recipe.label, b_frames=recipe.b_frames, stop=stop)
    return encode_body(recipe.look, recipe.spec, stop)
