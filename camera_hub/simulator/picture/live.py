"""Pictures that no loop holds: what a dome sees while it looks away from its home position, encoded as it is sent.

A loop and the live pictures of the same stream have the same parameter sets (H.265: all but one flag; they come with
each key frame), so that a decoder goes from one to the other at a key frame and notices nothing. At most so many
streams are encoded at once; the others keep their loops.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from camera_hub.simulator.dome import Vector
from camera_hub.simulator.picture.encoder import PictureEncoder, be_nice
from camera_hub.simulator.picture.loops import captioned, drawn, whole
from camera_hub.simulator.picture.making import (
    LOOP_SECONDS,
    Recipe,
    encoder_of,
    frame_of,
    parameters,
    unit_of,
    with_bar,
    with_noise,
)
from camera_hub.simulator.picture.panorama import panorama
from camera_hub.simulator.picture.weather import Conditions
from camera_hub.simulator.rtsp.packets import Packet

MOST = 8
"""Streams that are encoded live at once."""
_FASTEST = {("h264", False): 15, ("h264", True): 13, ("h265", False): 12, ("h265", True): 4}
"""Live frames per second at most, by codec and whether the picture is large; a stream that has more leaves some out.
A live picture takes 5 ms of a core (640 × 360) or 11 ms (1280 × 720), with H.265 16 ms or 80 ms."""
_LARGE = 704
_NICE = 2
"""Somebody is waiting for these pictures, unlike for those of loops."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One live frame: its packets, and whether it is a key frame."""

    packets: tuple[Packet, ...]
    key: bool


class LiveView:
    """The live pictures of one stream. Used by one thread at a time."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        spec = recipe.spec
        self._frame = frame_of(spec)
        self._panorama = panorama(recipe.look, spec.width, self._frame.body_height)
        self._conditions = Conditions(recipe.look, spec.width, self._frame.body_height)
        self._drawn = 0
        self._encoder: PictureEncoder = encoder_of(recipe)
        self._parameters = whole(parameters(recipe), self._frame) if not recipe.label else parameters(recipe)
        self._random = np.random.default_rng(11)
        self._shown = ""
        self.every = max(1, -(-spec.fps // _FASTEST[spec.codec, spec.width > _LARGE]))
        """It has one frame where its loop has so many."""
        self._since_key = 0

    def shoot(self, position: Vector, seconds: float, caption: str, *, key: bool) -> Shot:
        """Draw and encode what is seen from a position. Takes some milliseconds."""
        recipe, frame = self._recipe, self._frame
        key = key or self._since_key * self.every >= recipe.gop
        turn = seconds / LOOP_SECONDS % 1
        picture = self._panorama.view(position, turn)
        self._conditions.draw(picture, turn, self._drawn)
        self._drawn += 1
        picture = with_bar(picture, frame, caption) if recipe.label else with_noise(picture, self._random)
        data, is_key = self._encoder.encode(picture, key=key)
        unit, _ = unit_of(recipe, data, 0, key=is_key)
        self._since_key = 1 if is_key else self._since_key + 1
        shown, self._shown = self._shown, caption
        if recipe.label:
            return Shot(drawn(recipe.spec.codec, unit), is_key)
        return Shot(captioned(frame, self._parameters, unit, shown, caption), is_key)


class LiveViews:
    """Makes live pictures in its own threads, with a low priority. An async context manager that waits for them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="simulator-live", initializer=be_nice, initargs=(_NICE,))
        self.running = 0
        self.refused = 0
        """Frames that were sent from their loop, because too many other streams were encoded."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def prepare(self, recipe: Recipe) -> None:
        """Draw in advance what is around a dome, so that its first live picture does not wait for that."""
        self._pool.submit(panorama, recipe.look, recipe.spec.width, frame_of(recipe.spec).body_height)

    async def open(self, recipe: Recipe) -> LiveView | None:
        """Begin to encode a stream; None: too many are encoded already. Who opens one closes it."""
        if self.running >= self._most:
            self.refused += 1
            return None
        self.running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, LiveView, recipe)
        except BaseException:
            self.running -= 1
            raise

    def close(self, view: LiveView) -> None:
        """End it. Views are not reused."""
        self.running -= 1

    async def shoot(self, view: LiveView, position: Vector, seconds: float, caption: str, *, key: bool) -> Shot:
        """One frame, made in a thread."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._pool, lambda: view.shoot(position, seconds, caption, key=key))
