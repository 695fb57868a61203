"""Turns of the event loop, and what is measured of it."""

import asyncio
import selectors
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from camera_hub.event_loop import LoopMeter, TurnSelector, loop_with
from tests.fakes.clock import ManualClock

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Eight sockets that can be read: something was written at the other end."""
    with ExitStack() as stack:
        made = [socket.socketpair() for _ in range(8)]
        for ours, theirs in made:
            stack.callback(ours.close)
            stack.callback(theirs.close)
            theirs.send(b"x")
        yield made


@pytest.fixture
def selector() -> Iterator[TurnSelector]:
    made = TurnSelector(at_once=2)
    yield made
    made.close()


def _register(selector: TurnSelector, pairs: list[Pair]) -> None:
    for ours, _ in pairs:
        selector.register(ours.fileno(), selectors.EVENT_READ)


def test_a_turn_is_short_and_everybody_has_one(selector: TurnSelector, pairs: list[Pair]) -> None:
    _register(selector, pairs)
    turns = [[key.fd for key, _ in selector.select(0)] for _ in range(4)]
    assert [len(turn) for turn in turns] == [2, 2, 2, 2]
    assert {fd for turn in turns for fd in turn} == {ours.fileno() for ours, _ in pairs}


def test_a_preferred_descriptor_is_part_of_every_turn_in_which_it_can_be_read(
    selector: TurnSelector, pairs: list[Pair]
) -> None:
    hub, theirs = pairs[-1]
    selector.prefer(hub.fileno())
    _register(selector, pairs)
    for _ in range(6):
        assert hub.fileno() in [key.fd for key, _ in selector.select(0)]
    hub.recv(1)
    assert hub.fileno() not in [key.fd for _ in range(8) for key, _ in selector.select(0)]
    theirs.send(b"y")
    assert hub.fileno() in [key.fd for key, _ in selector.select(0)]


def test_a_descriptor_is_heard_for_what_it_asks_for_alone_and_until_it_leaves(
    selector: TurnSelector, pairs: list[Pair]
) -> None:
    ours, _ = pairs[0]
    selector.prefer(ours.fileno())
    selector.register(ours, selectors.EVENT_WRITE, "data")
    assert [(key.data, events) for key, events in selector.select(0)] == [("data", selectors.EVENT_WRITE)]
    selector.modify(ours, selectors.EVENT_READ | selectors.EVENT_WRITE, "both")
    assert selector.select(0)[0][1] == selectors.EVENT_READ | selectors.EVENT_WRITE
    selector.unregister(ours)
    assert selector.select(0) == []
    gone, other = socket.socketpair()
    selector.register(gone.fileno(), selectors.EVENT_READ)
    number = gone.fileno()
    gone.close()
    other.close()
    selector.unregister(number)
    assert selector.select(0) == []


def test_asyncio_runs_on_it_and_the_time_without_work_is_counted(pairs: list[Pair]) -> None:
    selector = TurnSelector(at_once=2)

    async def work() -> bytes:
        reader, writer = await asyncio.open_connection(sock=pairs[0][0].dup())
        pairs[0][1].send(b"yz")
        asyncio.get_running_loop().call_later(0.02, pairs[0][1].send, b"!")
        read = await reader.readexactly(4)
        writer.close()
        await writer.wait_closed()
        return read

    with asyncio.Runner(loop_factory=loop_with(selector)) as runner:
        assert runner.run(work()) == b"xyz!"
    assert selector.waited > 0


class Loop:
    """A loop whose time is a value: so much of it is waited for, so much is CPU time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.waited = self.cpu = 0.0
        self.meter = LoopMeter(self.clock, lambda: self.waited, lambda: self.cpu)

    async def run(self, seconds: int, *, waited: float, cpu: float, late: float = 0.0) -> None:
        """Of each tenth of a second so much is waited and worked; each wake is so late."""
        for _ in range(seconds * 10):
            self.waited += waited / 10
            self.cpu += cpu / 10
            self.clock.move(late)
            await self.clock.advance(0.1 - late)


async def test_the_share_of_time_that_is_busy_counts_what_the_machine_withholds() -> None:
    loop = Loop()
    task = asyncio.create_task(loop.meter.run())
    await loop.clock.settle()
    assert (loop.meter.busy, loop.meter.cpu, loop.meter.late) == (0.0, 0.0, 0.0)
    await loop.run(5, waited=0.25, cpu=0.5)
    assert loop.meter.busy == pytest.approx(0.75, abs=0.02)
    assert loop.meter.cpu == pytest.approx(0.5, abs=0.02)
    await loop.run(5, waited=0.9, cpu=0.1)
    assert loop.meter.busy == pytest.approx(0.1, abs=0.02), "what was before is over after some seconds"
    task.cancel()


async def test_a_loop_that_does_not_count_its_waits_is_as_busy_as_its_cpu_time() -> None:
    clock, spent = ManualClock(), 0.0
    meter = LoopMeter(clock, cpu=lambda: spent)
    task = asyncio.create_task(meter.run())
    await clock.settle()
    for _ in range(40):
        spent += 0.15
        await clock.advance(0.1)
    assert meter.cpu == pytest.approx(1.5, abs=0.05), "threads count, too"
    assert meter.busy == 1.0
    task.cancel()


async def test_one_late_wake_is_no_lateness_but_some_are() -> None:
    loop = Loop()
    task = asyncio.create_task(loop.meter.run())
    await loop.clock.settle()
    await loop.run(5, waited=0.5, cpu=0.5)
    loop.clock.move(0.6)
    await loop.clock.advance(0.1)
    assert loop.meter.longest == pytest.approx(0.6, abs=0.1)
    assert loop.meter.late < 0.1
    for _ in range(3):
        loop.clock.move(0.6)
        await loop.clock.advance(0.1)
    assert loop.meter.late == pytest.approx(0.6, abs=0.1)
    task.cancel()
