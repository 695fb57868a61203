"""Who may open a camera now: those who are watched before looks, and a place that looks cannot take."""

import asyncio
from contextlib import AsyncExitStack

from camera_hub.relay.gate import Gate
from camera_hub.relay.messages import FeedSpec
from camera_hub.relay.permits import Permits
from camera_hub.running import ended

FREE = Permits(lambda head: None, asks=False)


def spec(name: str) -> FeedSpec:
    return FeedSpec(name, "rtsp://127.0.0.1/1", "127.0.0.1", 554, group="v1", device=name)


class Opening:
    """One feed on its way through the gate."""

    def __init__(self, gate: Gate, name: str, order: list[str], *, watched: bool = False) -> None:
        self.watched = watched
        self.done = asyncio.Event()
        self._order = order
        self._gate, self._name = gate, name
        self.task = asyncio.create_task(self._open(), name=name)

    async def _open(self) -> None:
        async with self._gate.opening(spec(self._name), lambda: self.watched):
            self._order.append(self._name)
            await self.done.wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_viewer_is_let_in_before_looks_that_came_earlier() -> None:
    gate, order = Gate(2, FREE), list[str]()
    async with AsyncExitStack() as stack:
        looks = [Opening(gate, f"look {number}", order) for number in range(3)]
        await settled()
        assert order == ["look 0"], "the last place is kept for a viewer"
        viewer = Opening(gate, "viewer", order, watched=True)
        for one in (*looks, viewer):
            stack.push_async_callback(ended, one.task)
        await settled()
        assert order == ["look 0", "viewer"]
        looks[2].watched = True
        gate.watched(spec("look 2"))
        looks[0].done.set()
        await settled()
        assert order == ["look 0", "viewer", "look 2"]
        viewer.done.set()
        looks[2].done.set()
        await settled()
        assert order[-1] == "look 1"


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    gate, order = Gate(1, FREE), list[str]()
    first, second, third = (Opening(gate, name, order) for name in ("first", "second", "third"))
    await settled()
    await ended(second.task)
    first.done.set()
    await settled()
    assert order == ["first", "third"]
    await ended(third.task)
    last = Opening(gate, "last", order)
    last.done.set()
    await asyncio.wait_for(last.task, 5)
