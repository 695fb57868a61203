"""Failed sign-ins: the decision, and its memory."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from camera_hub.access.throttle import ADDRESS_FACTOR, Count, Throttle, counted, wait
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("failures", "ago", "expected"),
    [
        (2, 0, None),
        (3, 0, 15),
        (3, 5, 10),
        (9, 14, 1),
        (9, 15, None),
        (9, -1, None),  # the clock was set back
    ],
)
def test_the_limit_holds_for_the_rest_of_the_window(failures: int, ago: int, expected: int | None) -> None:
    pause = wait(Count(failures, NOW - timedelta(minutes=ago)), NOW, 3, WINDOW)
    assert pause == (None if expected is None else timedelta(minutes=expected))


def test_a_key_without_failures_never_waits() -> None:
    assert wait(None, NOW, 3, WINDOW) is None


def test_counting_starts_anew_after_the_window() -> None:
    first = counted(None, NOW, WINDOW)
    second = counted(first, NOW + timedelta(minutes=1), WINDOW)
    assert (first, second) == (Count(1, NOW), Count(2, NOW))
    later = NOW + timedelta(minutes=15)
    assert counted(second, later, WINDOW) == Count(1, later)


async def _attempts(throttle: Throttle, username: str, address: str, number: int) -> int:
    """How many of `number` attempts at one moment were let through."""
    results = await asyncio.gather(
        *(throttle.attempt(username, address) for _ in range(number)), return_exceptions=True
    )
    assert all(result is None or (isinstance(result, HubError) and result.kind is Kind.BUSY) for result in results)
    return sum(result is None for result in results)


async def test_attempts_at_one_moment_are_all_counted(database: Database, clock: ManualClock) -> None:
    throttle = Throttle(database, clock, 3, 15)
    assert await _attempts(throttle, "wang", "127.0.0.1", 8) == 3
    assert await _attempts(throttle, "WANG", "127.0.0.2", 1) == 0
    clock.move(15 * 60)
    assert await _attempts(throttle, "wang", "127.0.0.1", 1) == 1


async def test_a_restart_forgets_nothing(database: Database, clock: ManualClock) -> None:
    await _attempts(Throttle(database, clock, 3, 15), "wang", "127.0.0.1", 3)
    with pytest.raises(HubError) as caught:
        await Throttle(database, clock, 3, 15).attempt("wang", "127.0.0.9")
    assert (caught.value.reason, caught.value.params) == ("too_many_failures", {"minutes": 15})


async def test_one_address_trying_many_names_is_stopped(database: Database, clock: ManualClock) -> None:
    throttle = Throttle(database, clock, 3, 15)
    for number in range(3 * ADDRESS_FACTOR):
        await throttle.attempt(f"user{number}", "127.0.0.1")
    assert await _attempts(throttle, "another", "127.0.0.1", 1) == 0
    assert await _attempts(throttle, "another", "127.0.0.2", 1) == 1


async def test_success_cleans_the_account_and_gives_the_address_its_attempt_back(
    database: Database, clock: ManualClock
) -> None:
    throttle = Throttle(database, clock, 3, 15)
    for _ in range(20):
        await throttle.attempt("wang", "127.0.0.1")
        await throttle.succeeded("wang", "127.0.0.1")
    assert await _attempts(throttle, "wang", "127.0.0.1", 5) == 3
