"""A long loop: its record, its pages and its API stay as cheap as those of a short one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import func, select, update

from camera_hub.api.schemas.runs import RunAnswer, RunStepAnswer
from camera_hub.patrol.runs.engine import Engine
from camera_hub.patrol.runs.rollup import AT_ONCE, DETAILED
from camera_hub.patrol.runs.run_events import KEPT_OF_LOOP, add_event
from camera_hub.patrol.runs.visibility import Sighting
from camera_hub.store.database import Database
from camera_hub.store.tables import Run, RunEvent, RunStep, RunStepCamera
from tests.patrol.centre import Centre, centre, clock

__all__ = ["centre", "clock"]

STOPS = 3
DWELL = 10


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The SQL statements that are executed meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sql_event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sql_event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def lengthen(centre: Centre, run_id: int, steps: int) -> None:
    """Give the run's record `steps` lines in all, as a loop would have written them before the stop that is on."""
    async with centre.database.write() as session:
        run = await session.get_one(Run, run_id)
        opened = await session.scalar(select(RunStep).where(RunStep.run_id == run_id, RunStep.ended_at.is_(None)))
        assert opened is not None
        more = steps - run.steps
        start = run.started_at - timedelta(seconds=DWELL * more)
        rows = [
            RunStep(
                run_id=run_id,
                sequence=n,
                lap=n // STOPS,
                position=n % STOPS,
                name=f"stop {n % STOPS}",
                outcome="shown",
                started_at=start + timedelta(seconds=DWELL * n),
                ended_at=start + timedelta(seconds=DWELL * (n + 1)),
                shown_s=float(DWELL),
            )
            for n in range(more)
        ]
        session.add_all(rows)
        opened.sequence = steps - 1
        run.steps, run.shown = steps, steps
        await session.flush()
        session.add_all(
            RunStepCamera(
                step_id=row.id,
                camera_id=centre.cameras[row.position],
                visible_s=8.0 if row.sequence % 2 else 0.0,
                why=None if row.sequence % 2 else "no_page",
            )
            for row in rows
        )


async def whole(centre: Centre, on: Engine, run: int) -> tuple[int, float, float]:
    """(steps, seconds on, seconds visible) over the whole record, read page by page."""
    after, times, shown, visible = -1, 0, 0.0, 0.0
    while True:
        steps, _ = await on.reader.record(centre.actor, run, after=after)
        if not steps:
            return times, shown, visible
        assert all(later.sequence > after for later in steps)
        after = steps[-1].sequence
        times += sum(step.times for step in steps)
        shown += sum(step.shown_s or 0 for step in steps)
        visible += sum(camera.visible_s or 0 for step in steps for camera in step.cameras)


@pytest.mark.slow
async def test_old_lines_are_summed_and_no_second_is_lost(centre: Centre) -> None:
    tour = await centre.tour(*[DWELL] * STOPS)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        await lengthen(centre, run.id, 10_000)
        before = await whole(centre, on, run.id)
        assert before == (10_000, 99_990.0, 8.0 * 5_000 - 8.0)  # the last line is open, and was seen by nobody
        for _ in range((10_000 - DETAILED) // AT_ONCE + 2):
            await centre.clock.walk(DWELL)
        view = await on.reader.get(centre.actor, run.id)
        times, shown, visible = await whole(centre, on, run.id)
        assert (times, shown) == (10_000 + 18, 99_990.0 + 18 * DWELL)
        assert (times, visible) == (view.shown, before[2])
        async with centre.database.read() as session:
            lines = await session.scalar(select(func.count()).select_from(RunStep).where(RunStep.run_id == run.id))
            orphans = await session.scalar(
                select(func.count()).select_from(RunStepCamera).where(RunStepCamera.step_id.not_in(select(RunStep.id)))
            )
        assert lines is not None
        assert lines <= DETAILED + AT_ONCE + STOPS * 3  # three days of the site
        assert orphans == 0
        steps, rolled_up = await on.reader.record(centre.actor, run.id, limit=STOPS)
        assert rolled_up == 8_000
        assert [step.position for step in steps] == [0, 1, 2]
        first = steps[0]
        assert first.times > 100
        assert {camera.why for camera in first.cameras} == {None, "no_page"}
        assert sum(camera.times for camera in first.cameras) == first.times


@pytest.mark.slow
async def test_ten_thousand_steps_cost_no_more_than_ten(centre: Centre) -> None:
    """Statements and bytes of a step, of a list and of a page of the record."""
    tour = await centre.tour(*[DWELL] * STOPS)
    costs = {}
    async with centre.engine() as on:
        for length in (10, 10_000):
            run = await on.runs.start(centre.actor, tour, loop=True)
            await lengthen(centre, run.id, length)
            async with centre.database.write() as session:
                await session.execute(update(Run).where(Run.id == run.id).values(rolled_up=max(0, length - DETAILED)))
            with counted(centre.database) as step:
                await on.runs.control(centre.actor, run.id, "next", run.revision)
                await centre.clock.asleep()  # the loop has looked at what has changed
            with counted(centre.database) as listing:
                listed = await on.reader.list(centre.actor, state="active")
            with counted(centre.database) as record:
                lines, _ = await on.reader.record(centre.actor, run.id, after=length - 11, limit=10)
            told = len(RunAnswer.model_validate(listed[0]).model_dump_json())
            page = sum(len(RunStepAnswer.model_validate(line).model_dump_json()) for line in lines)
            costs[length] = (len(step), len(listing), len(record), told, page)
            run = await on.reader.get(centre.actor, run.id)
            await on.runs.control(centre.actor, run.id, "stop", run.revision)
    short, long = costs[10], costs[10_000]
    # The loop's own look at the run may fall inside what is counted or not: one statement more or less.
    assert long[0] <= short[0] + 1, f"statements grow with the record: {costs}"
    assert long[1:3] == short[1:3], f"statements grow with the record: {costs}"
    assert long[0] <= 16
    assert long[1] <= 3
    assert long[2] <= 5
    assert long[3] <= short[3] + 16  # some more digits
    assert long[3] <= 900
    assert long[4] <= short[4] + 200


@pytest.mark.slow
async def test_a_late_report_on_a_summed_step_changes_nothing(centre: Centre) -> None:
    tour = await centre.tour(*[DWELL] * STOPS)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        await lengthen(centre, run.id, DETAILED + AT_ONCE)
        await centre.clock.walk(DWELL)
        before = await whole(centre, on, run.id)
        await centre.page().report(centre.actor, run.id, 0, [Sighting(centre.cameras[0], 9.0)])
        assert await whole(centre, on, run.id) == before


@pytest.mark.slow
async def test_of_a_loop_only_the_newest_events_are_kept(centre: Centre) -> None:
    tour = await centre.tour(*[DWELL] * STOPS)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        async with centre.database.write() as session:
            row = await session.get_one(Run, run.id)
            for _ in range(KEPT_OF_LOOP + 20):
                add_event(session, row, "next", centre.clock.now(), centre.actor)
        await lengthen(centre, run.id, DETAILED + AT_ONCE)
        await centre.clock.walk(DWELL)
        async with centre.database.read() as session:
            kept = (await session.scalars(select(RunEvent.kind).where(RunEvent.run_id == run.id))).all()
        assert kept == ["next"] * KEPT_OF_LOOP
