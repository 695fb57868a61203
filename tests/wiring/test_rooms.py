"""Rooms are stopped in the opposite order, whatever happens in between; nothing is given twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from camera_hub.wiring.rooms import Parts, Rooms, joined


class Site:
    """Rooms that keep what happens to them."""

    def __init__(self) -> None:
        self.happened: list[str] = []

    @asynccontextmanager
    async def room(self, name: str) -> AsyncIterator[str]:
        self.happened.append(f"{name} starts")
        try:
            yield name.upper()
        finally:
            await asyncio.sleep(0)  # ending takes its time: the room below waits for it
            self.happened.append(f"{name} has stopped")

    @asynccontextmanager
    async def broken(self) -> AsyncIterator[str]:
        self.happened.append("broken starts")
        raise OSError("no port")
        yield ""


ORDER = ["low starts", "high starts", "high has stopped", "low has stopped"]


async def test_the_room_that_was_started_last_is_stopped_first_and_waited_for() -> None:
    site = Site()
    async with Rooms() as rooms:
        assert await rooms.start("low", site.room("low")) == "LOW"
        assert await rooms.start("high", site.room("high")) == "HIGH"
        assert site.happened == ORDER[:2]
    assert site.happened == ORDER


async def test_a_room_that_cannot_start_stops_those_below_it() -> None:
    site = Site()

    async def hub() -> None:
        async with Rooms() as rooms:
            await rooms.start("low", site.room("low"))
            await rooms.start("broken", site.broken())

    with pytest.raises(OSError, match="no port"):
        await hub()
    assert site.happened == ["low starts", "broken starts", "low has stopped"]


async def test_rooms_are_stopped_when_the_hub_is_cancelled() -> None:
    site = Site()
    begun = asyncio.Event()

    async def hub() -> None:
        async with Rooms() as rooms:
            await rooms.start("low", site.room("low"))
            await rooms.start("high", site.room("high"))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hub())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert site.happened == ORDER


def test_nothing_is_given_twice() -> None:
    low: Parts = {int: 1}
    high: Parts = {str: "a"}
    assert joined(low, {}, high) == {int: 1, str: "a"}
    with pytest.raises(RuntimeError, match=r"given twice: <class 'int'>"):
        joined(low, high, low)
