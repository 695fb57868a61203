"""Looks become hours, and hours days: exactly, once, whatever happens in between; and long spans are read from them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, insert, select

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError, Kind
from camera_hub.health.expiry_rules import expiry_rules
from camera_hub.health.history import ObservationHistory
from camera_hub.health.rollup.rollup import RollUp
from camera_hub.health.rollup.tally import LOOK_COLUMNS, LookTally
from camera_hub.settings import HealthSettings
from camera_hub.store.database import Database
from camera_hub.store.retention import Retention
from camera_hub.store.tables import CameraState, Observation, ObservationDay, ObservationHour, RollUpMark
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

NOW = datetime(2026, 11, 23, 8, 40, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
OPERATOR = Actor(1, "operator", "operator", Role.OPERATOR)
SETTINGS = HealthSettings()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW, auto=True)


@pytest.fixture
def rolling(database: Database, clock: ManualClock) -> RollUp:
    return RollUp(database, clock, SHANGHAI, timedelta(days=3))


def look(at: datetime, camera: int, number: int) -> dict[str, Any]:
    draw = random.Random(number)
    bad = number % 17 == 0
    return {
        "camera_id": camera,
        "at": at,
        "reason": "timed_out" if bad else None,
        "reachable": "timed_out" if bad else "ok",
        "media": "timed_out" if bad else "ok" if number % 5 == 0 else None,
        "picture": "black" if number % 31 == 0 else None,
        "clock": None,
        "params": {},
        "scores": {"black": draw.uniform(0, 100)} if number % 5 == 0 else {},
        "signalling_ms": None if bad else draw.uniform(1, 90),
        "stream_ms": None,
        "key_frame_ms": draw.uniform(100, 900) if number % 5 == 0 else None,
        "clock_error_s": draw.uniform(-40, 40) if number % 7 == 0 else None,
        "fps": draw.uniform(5, 25) if number % 5 == 0 else None,
        "bitrate_kbit": None,
        "gop_seconds": None,
        "gaps": number % 3,
        "received_bytes": 3_000_000_000 if number % 5 == 0 else None,
    }


async def observe(
    database: Database, cameras: Sequence[int], hours: float, until: datetime = NOW
) -> list[dict[str, Any]]:
    """A look each ten minutes."""
    rows = [
        look(until - timedelta(minutes=10 * number), camera, number + 1000 * camera)
        for camera in cameras
        for number in range(round(hours * 6))
    ]
    async with database.write() as session:
        await session.execute(insert(Observation), rows)
    return rows


async def rolled(database: Database, table: type[ObservationHour] | type[ObservationDay]) -> list[dict[str, Any]]:
    async with database.read() as session:
        found = await session.execute(select(table.__table__).order_by(table.camera_id, table.at))
        return [dict(row) for row in found.mappings()]


def added_up(rows: Sequence[dict[str, Any]], camera: int, since: datetime, until: datetime) -> dict[str, Any]:
    """The same, from the looks themselves and without a tally."""
    found = [row for row in rows if row["camera_id"] == camera and since <= row["at"] < until]
    delays = [row["signalling_ms"] for row in found if row["signalling_ms"] is not None]
    errors = [row["clock_error_s"] for row in found if row["clock_error_s"] is not None]
    rates = [row["fps"] for row in found if row["fps"] is not None]
    return {
        "looks": len(found),
        "bad": sum(row["reason"] is not None for row in found),
        "media_good": sum(row["media"] == "ok" for row in found),
        "media_bad": sum(row["media"] not in (None, "ok") for row in found),
        "signalling_count": len(delays),
        "signalling_mean": pytest.approx(sum(delays) / len(delays)) if delays else None,
        "signalling_worst": max(delays, default=None),
        "clock_worst": max(errors, key=abs, default=None),
        "fps_worst": min(rates, default=None),
        "gaps": sum(row["gaps"] for row in found),
        "received_bytes": sum(row["received_bytes"] or 0 for row in found),
    }


@pytest.mark.slow
async def test_hours_and_days_are_what_their_looks_add_up_to(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    cameras = await add_village(database, clock, "东沟村", 3)
    looks = await observe(database, cameras, 60)
    await rolling.roll_up()
    hours, days = await rolled(database, ObservationHour), await rolled(database, ObservationDay)
    assert {row["at"] for row in hours} == {
        datetime(2026, 11, 20, 20, tzinfo=UTC) + timedelta(hours=n) for n in range(60)
    }, "the hour that ended 40 minutes ago is rolled up, the present one is not"
    assert {row["at"] for row in days} == {datetime(2026, 11, day, 16, tzinfo=UTC) for day in (20, 21)}, (
        "days begin at the site's midnight, and the present one is not over"
    )
    for length, rows in ((timedelta(hours=1), hours), (timedelta(days=1), days)):
        for row in rows:
            expected = added_up(looks, row["camera_id"], row["at"], row["at"] + length)
            if row["at"] == datetime(2026, 11, 20, 16, tzinfo=UTC):  # a day that began before the first look
                assert row["looks"] < 144
            assert {name: row[name] for name in expected} == expected


@pytest.mark.slow
async def test_rolling_up_again_and_after_a_crash_in_the_middle_doubles_nothing(
    database: Database, clock: ManualClock, rolling: RollUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = await add_village(database, clock, "东沟村", 45)
    await observe(database, cameras, 7)
    write, left = rolling._write, 7

    async def until_it_fails(*values: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise HubError(Kind.UNAVAILABLE, "the power fails")
        await write(*values)

    monkeypatch.setattr(rolling, "_write", until_it_fails)
    with pytest.raises(HubError):
        await rolling.roll_up()
    monkeypatch.undo()
    await rolling.roll_up()
    whole = await rolled(database, ObservationHour), await rolled(database, ObservationDay)
    assert sum(row["looks"] for row in whole[0]) == 45 * 7 * 6 - 45 * 5, "all but the present hour's"
    async with database.write() as session:
        for mark in await session.scalars(select(RollUpMark)):
            mark.until = NOW - timedelta(hours=20)
    await rolling.roll_up()
    assert (await rolled(database, ObservationHour), await rolled(database, ObservationDay)) == whole


@pytest.mark.slow
async def test_an_upgraded_hubs_weeks_are_rolled_up_before_they_are_deleted(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    cameras = await add_village(database, clock, "东沟村", 2)
    await observe(database, cameras, 5 * 24)
    retention = Retention(database, clock, expiry_rules(SETTINGS))
    rules = {rule.name: rule for rule in expiry_rules(SETTINGS)}
    assert await retention.apply(rules["observations"]) == 0, "nothing is rolled up yet"
    await rolling.roll_up()
    assert await retention.apply(rules["observations"]) == 2 * 2 * 144
    hours = await rolled(database, ObservationHour)
    assert sum(row["looks"] for row in hours) == 2 * (5 * 144 - 5)
    clock.move(86_400 * 70)
    assert await retention.apply(rules["hours of observations"]) > 0
    left = await rolled(database, ObservationHour)
    assert {row["at"] for row in left} == {
        row["at"] for row in hours if row["at"] >= datetime(2026, 11, 22, 16, tzinfo=UTC)
    }
    clock.move(86_400 * 400)
    assert await retention.apply(rules["days of observations"]) == 2 * 5
    assert await rolled(database, ObservationDay) == []


async def test_a_mark_that_a_wrong_clock_left_in_the_future_stops_nothing(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    cameras = await add_village(database, clock, "东沟村", 1)
    async with database.write() as session:
        session.add(RollUpMark(level="hours", until=NOW + timedelta(days=900)))
        session.add(RollUpMark(level="days", until=NOW + timedelta(days=900)))
    await observe(database, cameras, 10)
    await rolling.roll_up()
    assert sum(row["looks"] for row in await rolled(database, ObservationHour)) == 55


async def test_a_camera_that_is_deleted_meanwhile_costs_the_others_nothing(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    await rolling._write(ObservationHour, NOW, [camera, 99], {camera: LookTally(looks=1), 99: LookTally(looks=1)})
    assert [row["camera_id"] for row in await rolled(database, ObservationHour)] == [camera]


@pytest.mark.slow
async def test_long_spans_are_read_from_what_was_rolled_up_and_agree_with_the_looks(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    looks = await observe(database, [camera], 24 * 4)
    async with database.write() as session:
        session.add(
            CameraState(
                camera_id=camera,
                aspect="media",
                state="ok",
                since=NOW - timedelta(days=3),
                until=NOW - timedelta(days=2),
            )
        )
        session.add(
            CameraState(
                camera_id=camera, aspect="media", state="fault", cause="no_media", since=NOW - timedelta(days=2)
            )
        )
    wide = SETTINGS.model_copy(update={"look_days": 20.0})
    by_looks = await ObservationHistory(database, clock, wide).summary(OPERATOR, camera, 84)
    await rolling.roll_up()
    by_hours = await ObservationHistory(database, clock, SETTINGS).summary(OPERATOR, camera, 84)
    few = SETTINGS.model_copy(update={"hour_days": 3.0})
    by_days = await ObservationHistory(database, clock, few).summary(OPERATOR, camera, 84)
    assert (by_looks.level, by_hours.level, by_days.level) == ("looks", "hours", "days")
    since = NOW - timedelta(hours=84)
    first_hour, first_day = datetime(2026, 11, 19, 21, tzinfo=UTC), datetime(2026, 11, 20, 16, tzinfo=UTC)
    for found, begin in ((by_looks, since), (by_hours, first_hour), (by_days, first_day)):
        expected = added_up(looks, camera, begin, NOW + timedelta(seconds=1))
        assert (found.looks, found.bad, found.received_bytes) == tuple(
            expected[name] for name in ("looks", "bad", "received_bytes")
        )
        assert sum(point.looks for point in found.points) == found.looks
        assert [point.at for point in found.points] == sorted(point.at for point in found.points)
        assert len(found.points) <= 720
    assert by_hours.key_frame_median_ms is None
    assert by_looks.key_frame_median_ms is not None
    spans = [(span.aspect, span.reason, span.since) for span in by_hours.spans if span.since < NOW - timedelta(days=1)]
    assert spans == [("media", None, NOW - timedelta(days=3)), ("media", "no_media", NOW - timedelta(days=2))]


async def test_where_nobody_looked_for_hours_nothing_is_known(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    await observe(database, [camera], 10)
    await observe(database, [camera], 10, until=NOW - timedelta(days=5))
    async with database.write() as session:
        session.add(CameraState(camera_id=camera, aspect="media", state="ok", since=NOW - timedelta(days=6)))
    await rolling.roll_up()
    found = await ObservationHistory(database, clock, SETTINGS).summary(OPERATOR, camera, 24 * 7)
    known = [span for span in found.spans if span.aspect == "media" and span.reason is None]
    assert all(span.until - span.since < timedelta(hours=12) for span in known)
    assert min(span.since for span in known) < NOW - timedelta(days=5) < max(span.until for span in known)


def test_scores_and_reasons_of_one_stretch_are_bounded() -> None:
    tally = LookTally()
    for number in range(100):
        values = dict.fromkeys(LOOK_COLUMNS)
        values |= {"reason": f"reason {number}", "scores": {f"kind {number}": 50.0}}
        tally.add_look(list(values.values()))
    row = tally.row()
    assert len(row["reasons"]) == len(row["scores"]) == 32
    assert row["looks"] == row["bad"] == 100


async def test_rows_are_bounded_by_cameras_and_time_alone(
    database: Database, clock: ManualClock, rolling: RollUp
) -> None:
    cameras = await add_village(database, clock, "东沟村", 2)
    await observe(database, cameras, 5)
    for _ in range(3):
        await rolling.roll_up()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ObservationHour)) == 2 * 5
