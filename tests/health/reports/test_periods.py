"""Service periods and observing periods: recorded while they happen, and made up for after a stop."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from camera_hub.events import CameraChanged, EventBus
from camera_hub.health.reports.periods import (
    BEAT_SECONDS,
    CameraUse,
    KnownPeriod,
    PeriodRecorder,
    carries_on,
    period_changes,
)
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, ObservingPeriod, ServicePeriod
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

T = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LASTS = KnownPeriod(5, 1, 3, T - 9 * HOUR, None)
ENDED = KnownPeriod(5, 1, 3, T - 9 * HOUR, T - 5 * HOUR)


@pytest.mark.parametrize(
    ("use", "last", "expected"),
    [
        # (in use, approved, retired, village, device), the last period, (closes, at, opens)
        ((True, T - HOUR, None, 1, 3), None, (None, T - HOUR)),
        ((True, T - HOUR, None, 1, 3), LASTS, None),
        ((True, T - HOUR, None, 1, 3), ENDED, (None, T - HOUR)),
        ((True, T - 8 * HOUR, None, 1, 3), ENDED, (None, T - 5 * HOUR)),  # never before the end of the one before
        ((True, None, None, 1, 3), None, (None, T)),
        ((True, T + HOUR, None, 1, 3), None, (None, T)),  # a clock that was wrong
        ((True, T - HOUR, None, 2, 3), LASTS, (T, T)),  # another village
        ((True, T - HOUR, None, 1, 4), LASTS, (T, T)),  # another device
        ((False, T - HOUR, T - 2 * HOUR, 1, 3), LASTS, (T - 2 * HOUR, None)),
        ((False, T - HOUR, T - 99 * HOUR, 1, 3), LASTS, (LASTS.since, None)),
        ((False, None, None, 1, 3), LASTS, (T, None)),  # waits for approval again
        ((False, None, None, 1, 3), ENDED, None),
        ((False, None, None, 1, 3), None, None),
    ],
)
def test_periods_follow_the_cameras_rows(
    use: tuple[bool, datetime | None, datetime | None, int, int],
    last: KnownPeriod | None,
    expected: tuple[datetime | None, datetime | None] | None,
) -> None:
    in_use, approved, retired, village, device = use
    camera = CameraUse(7, village, device, in_use, approved, retired)
    changes = period_changes([camera], {} if last is None else {7: last}, T)
    if expected is None:
        assert changes == []
        return
    (change,) = changes
    assert (change.at if change.closes is not None else None, change.opens) == expected


@pytest.mark.parametrize(
    ("wall", "elapsed", "expected"), [(30, 30, True), (80, 30, True), (95, 30, False), (-5, 30, True), (-40, 30, False)]
)
def test_a_machine_that_slept_or_whose_clock_was_set_did_not_observe(
    wall: float, elapsed: float, expected: bool
) -> None:
    assert carries_on(T, T + timedelta(seconds=wall), elapsed) is expected


async def test_they_are_recorded_while_the_hub_runs(database: Database, bus: EventBus, clock: ManualClock) -> None:
    begun = clock.now()
    first, second = await add_village(database, clock, "东村", 2)
    async with PeriodRecorder(database, bus, clock):
        assert await _periods(database) == [(first, begun, None), (second, begun, None)]
        clock.move(10)
        async with database.write() as session:
            row = await session.get_one(Camera, first)
            row.state, row.retired_at = "retired", clock.now()
        bus.publish(CameraChanged(first, 1))
        retired = clock.now()
        for _ in range(500):
            await clock.settle()
            if (await _periods(database))[0][2] is not None:
                break
        assert await _periods(database) == [(first, begun, retired), (second, begun, None)]
        await clock.advance(BEAT_SECONDS)
        clock.move(5)
    stopped = clock.now()
    assert await _observing(database) == [(begun, stopped)]
    clock.move(3600)  # it is off; meanwhile nothing changes
    async with PeriodRecorder(database, bus, clock):
        pass
    assert await _observing(database) == [(begun, stopped), (clock.now(), clock.now())]
    assert await _periods(database) == [(first, begun, retired), (second, begun, None)]


async def _periods(database: Database) -> list[tuple[int, datetime, datetime | None]]:
    async with database.read() as session:
        rows = await session.scalars(select(ServicePeriod).order_by(ServicePeriod.camera_id, ServicePeriod.id))
        return [(row.camera_id, row.since, row.until) for row in rows]


async def _observing(database: Database) -> list[tuple[datetime, datetime]]:
    async with database.read() as session:
        return [(row.since, row.until) for row in await session.scalars(select(ObservingPeriod))]
