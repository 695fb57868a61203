"""The one retry loop, with time as a value."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.errors import HubError, Kind
from camera_hub.running import BEAT, Backoff, acquired, completed, ended, keep_running, running, to_beat
from tests.fakes.clock import ManualClock


class Enough(BaseException):
    """Ends keep_running from inside a test: it is no Exception."""


async def _attempts(clock: ManualClock, failures: list[Exception | float | None]) -> None:
    """Run keep_running over the listed outcomes: an exception, seconds of health, or a plain return."""
    outcomes = iter(failures)

    async def run_once() -> None:
        try:
            outcome = next(outcomes)
        except StopIteration:
            raise Enough from None
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            clock.move(outcome)

    with pytest.raises(Enough):
        await keep_running("test", run_once, clock=clock, draw=lambda: 1.0)


@pytest.mark.parametrize(
    ("failures", "draw", "pause"),
    [(1, 1.0, 1.0), (2, 1.0, 2.0), (5, 1.0, 16.0), (7, 1.0, 60.0), (9999, 1.0, 60.0), (3, 0.5, 2.0), (3, 0.0, 0.1)],
)
def test_pauses_grow_to_the_cap_with_full_jitter(failures: int, draw: float, pause: float) -> None:
    value: Callable[[], float] = lambda: draw  # noqa: E731 (a value, not a function worth a name)
    assert Backoff().pause(failures, value) == pause


async def test_pauses_grow_and_a_healthy_run_starts_anew() -> None:
    clock = ManualClock(auto=True)
    gone = HubError(Kind.UNREACHABLE, "gone")
    await _attempts(clock, [gone, gone, gone, 30.0, gone, None])
    assert clock.slept == [1.0, 2.0, 4.0, 1.0, 2.0, 4.0]


async def test_an_expected_failure_is_said_once_per_change(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(auto=True)
    with caplog.at_level(logging.WARNING):
        await _attempts(
            clock, [*[HubError(Kind.UNREACHABLE, "gone")] * 3, HubError(Kind.UNREACHABLE, "wrong password"), None]
        )
    assert [record.getMessage() for record in caplog.records] == ["test: gone", "test: wrong password"]
    assert all(record.exc_info is None for record in caplog.records)


async def test_an_unexpected_failure_has_its_traceback_each_time(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await _attempts(ManualClock(auto=True), [ZeroDivisionError(), ZeroDivisionError()])
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert all(record.exc_info is not None for record in caplog.records)


async def test_every_failure_is_shown_before_the_pause() -> None:
    clock, seen = ManualClock(), list[Exception]()

    async def fail() -> None:
        raise HubError(Kind.TIMEOUT, "late")

    work = keep_running("test", fail, clock=clock, on_failure=seen.append, draw=lambda: 1.0)
    async with running(work, "test"):
        await clock.settle()
        assert [str(error) for error in seen] == ["late"]
        await clock.advance(0.9)
        assert len(seen) == 1
        await clock.advance(0.2)
        assert len(seen) == 2


async def test_cancelling_ends_the_work_and_is_waited_for() -> None:
    unwound = False

    async def work() -> None:
        nonlocal unwound
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            unwound = True

    async with running(work(), "work") as task:
        await asyncio.sleep(0)
        assert task.get_name() == "work"
    assert unwound
    assert task.cancelled()


async def test_the_failure_of_an_ended_task_is_logged_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise ValueError("inside")

    task = asyncio.create_task(work(), name="work")
    await asyncio.sleep(0)
    await ended(task)
    assert "work ended with an error" in caplog.text
    assert "inside" in caplog.text


@pytest.mark.parametrize(("now", "seconds", "wait"), [(1000.0, 1.0, 1.0), (1000.03, 1.0, 1.07), (1000.1, 0.5, 0.5)])
def test_small_work_waits_for_a_common_beat_that_is_far_enough(now: float, seconds: float, wait: float) -> None:
    assert to_beat(now, seconds) == pytest.approx(wait, abs=1e-4)


@given(st.floats(0, 1e7), st.floats(0, 60))
def test_a_beat_is_never_early_and_at_most_one_beat_late(now: float, seconds: float) -> None:
    assert seconds - 1e-4 <= to_beat(now, seconds) <= seconds + BEAT + 1e-4


async def test_who_is_cancelled_while_it_ends_a_task_leaves_none_that_still_gives_back_what_it_has() -> None:
    given_back = asyncio.Event()
    may_end = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
            given_back.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    ending = asyncio.create_task(ended(task))
    await asyncio.sleep(0)
    ending.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not ending.done(), "it waits for the task"
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert given_back.is_set()


async def test_completed_work_gives_its_result_or_raises_its_failure() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    assert await completed(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ZeroDivisionError):
        await completed(fail())


async def test_work_is_completed_before_our_own_cancellation_is_raised() -> None:
    begun, go_on, steps = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await go_on.wait()
        steps.append("completed")

    task = asyncio.create_task(completed(work()))
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["completed"]


async def test_a_failure_of_work_that_was_completed_for_one_who_was_cancelled_is_not_lost() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        begun.set()
        await go_on.wait()
        raise ZeroDivisionError

    task = asyncio.create_task(completed(fail()))
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("turns", range(6))
async def test_what_was_acquired_for_one_who_was_cancelled_twice_is_given_back(turns: int) -> None:
    held, begun, go_on = [False], asyncio.Event(), asyncio.Event()

    async def acquire() -> str:
        begun.set()
        await go_on.wait()
        held[0] = True
        return "it"

    async def give_back(one: str) -> None:
        await asyncio.sleep(0)
        assert one == "it"
        held[0] = False

    task = asyncio.create_task(acquired(acquire(), give_back))
    await begun.wait()
    task.cancel()
    go_on.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held == [False]


async def test_what_was_acquired_is_kept_by_one_who_was_not_cancelled() -> None:
    async def give_back(_: str) -> None:
        raise AssertionError("it is his")

    assert await acquired(asyncio.sleep(0, "it"), give_back) == "it"
