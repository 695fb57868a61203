"""Rows end by their time: whatever their ids, whatever kinds of them there are, and whatever the clock once said."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, func, insert, select, text

from camera_hub.health.expiry_rules import expiry_rules
from camera_hub.running import running
from camera_hub.settings import HealthSettings, Settings
from camera_hub.store.database import Database
from camera_hub.store.retention import BATCH, SETTLE, ExpiryRule, Retention
from camera_hub.store.tables import (
    Alarm,
    AlarmMember,
    Base,
    CameraState,
    Notice,
    NoticeChannel,
    Observation,
    RollUpMark,
)
from camera_hub.store.tables.base import UtcDateTime
from camera_hub.wiring.retention import every_expiry_rule
from tests.fakes.clock import ManualClock
from tests.fakes.databases import Databases
from tests.fakes.site import add_village

SETTINGS = HealthSettings(keep_days=14, look_days=14, alarm_keep_days=400)
RULES = {rule.name: rule for rule in expiry_rules(SETTINGS)}


@pytest.fixture
async def retention(database: Database, clock: ManualClock) -> Retention:
    """All looks have been rolled up: those that have not would stay."""
    async with database.write() as session:
        session.add(RollUpMark(level="hours", until=clock.now() + timedelta(days=900)))
    return Retention(database, clock, list(RULES.values()))


async def count(database: Database, table: type[Base]) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def observe(database: Database, camera: int, times: list[datetime]) -> None:
    async with database.write() as session:
        await session.execute(insert(Observation), [{"camera_id": camera, "at": at, "scores": {}} for at in times])


async def test_500_rows_of_the_future_stop_nothing(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    """They came first, so their ids are the smallest; then 5,000 old ones and 100 of today, of two cameras in turn."""
    cameras = await add_village(database, clock, "东沟村", 2)
    now = clock.now()
    await observe(database, cameras[0], [now + timedelta(days=400, minutes=n) for n in range(500)])
    for camera in cameras:
        await observe(database, camera, [now - timedelta(days=14, minutes=1 + n) for n in range(2500)])
        await observe(database, camera, [now - timedelta(minutes=n) for n in range(50)])
    assert await retention.apply(RULES["observations"]) == 5500
    assert await count(database, Observation) == 100
    assert retention.deleted["observations"] == 5500
    assert await retention.apply(RULES["observations"]) == 0


async def test_mixed_times_go_by_their_time_and_not_by_their_ids(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    days = [1, 30, 2, 15, -0.5, 13.9, -2, 14.1, 400, 3]
    await observe(database, camera, [clock.now() - timedelta(days=day) for day in days])
    await retention.apply(RULES["observations"])
    async with database.read() as session:
        kept = (await session.scalars(select(Observation.at).order_by(Observation.id))).all()
    assert [(clock.now() - at) / timedelta(days=1) for at in kept] == pytest.approx([1, 2, -0.5, 13.9, 3])


async def test_notices_go_though_observations_went_too(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    now = clock.now()
    await observe(database, camera, [now - timedelta(days=20, minutes=n) for n in range(BATCH)])
    async with database.write() as session:
        channel, alarm = NoticeChannel(name="x", created_at=now), Alarm(level="hub", cause="hub_uplink", opened_at=now)
        session.add_all([channel, alarm])
        await session.flush()
        for age, delivered in ((20, True), (20, False), (1, True), (1, False), (-3, True)):
            at = now - timedelta(days=age)
            session.add(
                Notice(
                    channel_id=channel.id,
                    alarm_id=alarm.id,
                    kind="opened",
                    payload={},
                    created_at=at,
                    next_attempt_at=at,
                    delivered_at=at if delivered else None,
                )
            )
    for rule in RULES.values():
        await retention.apply(rule)
    assert (await count(database, Observation), await count(database, Notice)) == (0, 2)


async def test_closed_alarms_end_with_their_members_and_what_is_open_or_true_stays(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    now = clock.now()
    long_ago = now - timedelta(days=1000)
    async with database.write() as session:
        for until in (None, now - timedelta(days=401), now - timedelta(days=399)):
            alarm = Alarm(level="camera", cause="no_media", camera_id=camera, opened_at=long_ago, closed_at=until)
            session.add(alarm)
            await session.flush()
            session.add(AlarmMember(alarm_id=alarm.id, camera_id=camera, joined_at=long_ago, left_at=until))
            session.add(CameraState(camera_id=camera, aspect="media", state="ok", since=long_ago, until=until))
    for rule in RULES.values():
        await retention.apply(rule)
    assert [await count(database, table) for table in (Alarm, AlarmMember, CameraState)] == [2, 2, 2]


@pytest.mark.parametrize("year", [1970, 2000, 2025])
async def test_a_machine_whose_clock_starts_long_ago_deletes_nothing(database: Database, year: int) -> None:
    clock = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
    (camera,) = await add_village(database, clock, "东沟村", 1)
    await observe(database, camera, [clock.now()])
    wrong = ManualClock(datetime(year, 1, 1, tzinfo=UTC))
    assert await Retention(database, wrong, list(RULES.values())).apply(RULES["observations"]) == 0
    assert await count(database, Observation) == 1


async def test_a_clock_that_is_set_soon_after_the_start_costs_no_row(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    now = clock.now()
    await observe(database, camera, [now - timedelta(minutes=5), now - timedelta(days=20)])
    clock.step_wall(timedelta(days=365).total_seconds())  # as the machine started with it
    async with running(retention.run_once(), "retention"), asyncio.timeout(60):
        await clock.advance(SETTLE / 2)
        clock.step_wall(-timedelta(days=365).total_seconds())
        await clock.advance(SETTLE / 2)
        while not retention.deleted["observations"]:  # noqa: ASYNC110 (a database in a thread sets no event of ours)
            await asyncio.sleep(0.01)
    assert await count(database, Observation) == 1


async def test_one_transaction_deletes_a_bounded_number(
    database: Database, clock: ManualClock, retention: Retention
) -> None:
    (camera,) = await add_village(database, clock, "东沟村", 1)
    await observe(database, camera, [clock.now() - timedelta(days=20, minutes=n) for n in range(3 * BATCH + 1)])
    sizes: list[int] = []

    def note(connection: Connection, _: object, statement: str, parameters: object, *__: object) -> None:
        if statement.startswith("DELETE"):
            sizes.append(len(parameters) if isinstance(parameters, tuple | list | dict) else 1)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert await retention.apply(RULES["observations"]) == 3 * BATCH + 1
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert sizes == [BATCH, BATCH, BATCH, 1]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
async def test_old_rows_are_found_by_an_index(databases: Databases, rule: ExpiryRule) -> None:
    """Without one each pass reads the whole table: for a month of 1,000 cameras 40 million rows."""
    async with databases.sqlite() as url, Database(url) as database, database.read() as session:
        query = select(rule.at).where(rule.at < datetime(2026, 1, 1, tzinfo=UTC)).limit(BATCH)
        if rule.owner is not None:
            query = query.where(rule.owner.in_([1, 2, 3]))
        dialect = (await session.connection()).dialect
        compiled = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))).all()
    words = " ".join(str(row[-1]) for row in plan)
    time = str(rule.at).partition(".")[2]
    assert "USING" in words
    assert f"{time}<?" in words, words


def test_every_table_that_grows_with_time_has_its_end() -> None:
    """A new table with a time in it must be named here: with a rule, or with who ends its rows."""
    elsewhere = {
        "sessions": "access.sessions, at their expiry",
        "login_failures": "access.throttle, after their window",
        "setup_links": "access.setup, with the first set-up",
        "stream_sessions": "media.rtsp_out, after media.rtsp_keep_days",
        "stream_tokens": "media.rtsp_out, with their last session",
        "alarm_members": "with their alarm",
        "county_rows": "with their check",
        "rollup_marks": "one for each level",
        "runs": "patrol's record",
        "run_steps": "with their run",
        "run_step_cameras": "with their step",
        "run_events": "with their run; of a loop the newest (patrol.runs.run_events)",
        "run_results": "with their run",
        "run_pictures": "with their run",
        "run_reviews": "with their run",
        "findings": "with their run",
        "audit_links": "never: they are the proof",
        "audit_keys": "one for each key of the chain",
        "device_peculiarities": "a bounded number for each device, forgotten with it",
        "ptz_cameras": "one for each camera",
        "device_settings": "one for each device, the last reading",
        "camera_settings": "one for each camera, the last reading",
        "clock_checks": "one for each device, the last check",
        "base_pictures": "one at most",
        "reference_pictures": "two for each camera at most",
        "recording_checks": "one for each camera, the last check",
        "ledger_photos": "a bounded number for each camera",
    }
    people_made = {
        "cameras", "devices", "villages", "users", "favourites", "scenes", "tours", "notice_channels", "login_accounts",
        "user_villages", "device_logins", "login_profiles", "candidates", "ledger_files", "camera_replacements",
        "key_places", "plans", "special_periods", "occurrences", "screens",
    }  # fmt: skip
    ruled = {rule.table.__tablename__ for rule in every_expiry_rule(Settings())}
    timed = {
        name
        for name, table in Base.metadata.tables.items()
        if any(isinstance(column.type, UtcDateTime) for column in table.columns)
    }
    assert timed == ruled | elsewhere.keys() | people_made
