"""The one watchdog: closed pipes, unanswered and unreadable pulses, memory, lag, and a watchdog that fails itself."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.media.relays.watchdog import LAG_SECONDS, UNREADABLE_PULSES, RelayWatchdog
from camera_hub.relay.messages import RelayPulse
from tests.fakes.clock import ManualClock

FINE = RelayPulse(50, 0.001, 0.002)
LATE = HubError(Kind.TIMEOUT, "no reply")
GARBLED = HubError(Kind.INVALID, "a pulse cannot be read")


@dataclass
class Process:
    """Answers its pulses from a list, and then well for ever."""

    answers: list[RelayPulse | Exception] = field(default_factory=list)
    killed: int = 0
    asked: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def pulse(self, *, readings: bool, deadline: float) -> RelayPulse:
        self.asked.append(readings)
        answer = self.answers.pop(0) if self.answers else FINE
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self) -> None:
        self.killed += 1


class Dog:
    """A watchdog over one process."""

    def __init__(self, clock: ManualClock, answers: Sequence[RelayPulse | Exception]) -> None:
        self.clock = clock
        self.process = Process(list(answers))
        self.grown = 0
        watchdog = RelayWatchdog("relay 0", clock, 100, self._grow)
        self.task = asyncio.create_task(watchdog.watch(self.process))

    def _grow(self) -> None:
        self.grown += 1

    async def after(self, seconds: int) -> "Dog":
        for _ in range(seconds):
            await self.clock.settle()
            await self.clock.advance(1)
        await self.clock.settle()
        return self


async def test_a_well_process_is_asked_each_second_and_for_all_readings_each_fifth(clock: ManualClock) -> None:
    dog = await Dog(clock, []).after(9)
    assert dog.process.asked == [True, *[False] * 4] * 2
    assert not dog.task.done()
    dog.process.closed.set_result(None)
    await clock.settle()
    assert dog.task.done()
    assert dog.process.killed == 0


async def test_one_late_answer_is_forgiven_and_two_are_not(clock: ManualClock) -> None:
    dog = await Dog(clock, [LATE, FINE]).after(3)
    assert not dog.task.done()
    dog.process.answers = [LATE, LATE]
    await dog.after(2)
    assert dog.task.done()
    assert dog.process.killed == 1


async def test_pulses_that_cannot_be_read_do_not_end_the_watch_and_some_in_a_row_end_the_process(
    clock: ManualClock,
) -> None:
    dog = await Dog(clock, [GARBLED, FINE, GARBLED, FINE]).after(5)
    assert not dog.task.done()
    dog.process.answers = [GARBLED] * UNREADABLE_PULSES
    await dog.after(UNREADABLE_PULSES + 1)
    assert dog.task.done()
    assert dog.process.killed == 1


async def test_a_watchdog_that_fails_itself_is_seen_and_its_process_replaced(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    dog = await Dog(clock, [FINE, ZeroDivisionError()]).after(2)
    assert dog.task.done()
    assert dog.task.exception() is None
    assert dog.process.killed == 1
    assert "ZeroDivisionError" in caplog.text


async def test_memory_is_replaced_in_order_once_in_a_while_and_at_once_far_beyond_the_limit(clock: ManualClock) -> None:
    dog = await Dog(clock, [RelayPulse(120, 0, 0)] * 5).after(5)
    assert (dog.grown, dog.process.killed) == (1, 0)
    dog.process.answers = [RelayPulse(151, 0, 0)]
    await dog.after(2)
    assert dog.task.done()
    assert dog.process.killed == 1


async def test_a_loop_that_lags_is_named_once_and_goes_on(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        dog = await Dog(clock, [RelayPulse(50, LAG_SECONDS * 2, 1.0)] * 3 + [FINE]).after(5)
    assert caplog.text.count("pictures stutter") == 1
    assert not dog.task.done()
    dog.task.cancel()
    await asyncio.wait([dog.task])
