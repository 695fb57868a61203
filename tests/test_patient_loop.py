"""The time of the tests' own event loop."""

import asyncio

import pytest

from camera_hub.clock import SystemClock
from camera_hub.simulator.clock import SystemClock as SimulatorClock
from tests.fakes.patient_loop import STEP, TIME, PatientLoop, PatientTime, counted


class Machine:
    def __init__(self) -> None:
        self.now = 100.0
        self.time = PatientTime(lambda: self.now)

    def take(self, seconds: float) -> float:
        """So long nobody looks at the clock; the time that has passed on it."""
        before = self.time.monotonic()
        self.now += seconds
        return self.time.monotonic() - before


def test_what_the_machine_takes_counts_little_and_what_was_waited_for_in_full() -> None:
    machine = Machine()
    assert machine.take(STEP / 2) == pytest.approx(STEP / 2)
    assert machine.take(60.0) == pytest.approx(STEP)
    assert sum(machine.take(STEP / 5) for _ in range(500)) == pytest.approx(100 * STEP), "often looked at, it counts"
    before = machine.time.monotonic()
    machine.now += 7.0
    machine.time.waited(7.0)
    assert machine.time.monotonic() - before == pytest.approx(7.0)


def test_it_never_steps_back_nor_before_the_machine_s() -> None:
    machine = Machine()
    machine.take(60.0)
    before = machine.time.monotonic()
    machine.time.waited(5.0)  # which nobody has
    assert machine.time.monotonic() == before


@pytest.mark.parametrize(
    ("seconds", "wanted", "disturbed", "counts"),
    [
        (3.0, None, True, 3.0),
        (0.3, 1.0, True, 0.3),
        (1.0, 1.0, False, 1.0),
        (1.0 + STEP / 2, 1.0, True, 1.0),
        (9.0, 1.0, False, 1.0),
        (9.0, 1.0, True, 0.5),
        (9.0, 0.0, True, 0.0),
    ],
)
def test_a_wait_counts_as_long_as_it_was_meant(
    seconds: float, wanted: float | None, disturbed: bool, counts: float
) -> None:
    assert counted(seconds, wanted, disturbed=disturbed) == counts


async def test_loops_and_clocks_agree() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop)
    readings = [loop.time(), SystemClock().monotonic(), SimulatorClock().monotonic(), TIME.monotonic()]
    assert readings == sorted(readings)
    assert readings[-1] - readings[0] <= 3 * STEP
    loop.call_later(2 * STEP, (over := asyncio.Event()).set)
    before = loop.time()
    await over.wait()
    assert loop.time() - before >= STEP
