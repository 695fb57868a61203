"""Runs over a real database: they walk by the timetable, record what was shown, and survive the hub."""

import asyncio
import sqlite3
from collections.abc import Callable
from itertools import pairwise

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import text

from camera_hub.errors import HubError
from camera_hub.events import RunChanged
from camera_hub.patrol.runs.keeper import RunMoved
from camera_hub.patrol.runs.views import RunView, SkippedCamera
from camera_hub.patrol.tours.scenes import NewScene
from camera_hub.patrol.tours.stops import NewStop
from camera_hub.patrol.tours.tours import TourDraft
from tests.patrol.centre import Centre, centre, clock
from tests.store.test_failures import pragma

__all__ = ["centre", "clock"]


async def test_a_run_walks_its_stops_and_keeps_the_record(centre: Centre) -> None:
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert (run.state, run.position, run.time_left_s, run.next_position, run.revision) == ("running", 0, 10, 1, 0)
        await centre.clock.walk(15)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s, run.next_position, run.revision) == (1, 15, 2, 1)
        await centre.clock.walk(45)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.state, run.step, run.next_position, run.shown) == ("closing", None, None, 3)
        assert (run.progress.done, run.progress.total, run.progress.left_s) == (3, 3, 0)
        run = await on.runs.submit(centre.actor, run.id, "", run.revision)
        assert (run.state, run.end_reason, run.ended_at) == ("ended", "submitted", centre.clock.now())
        assert await centre.lines(on, run.id) == [
            (0, "shown", None, 10),
            (1, "shown", None, 20),
            (2, "shown", None, 30),
        ]


async def test_dead_cameras_are_skipped_and_named(centre: Centre) -> None:
    dead = centre.cameras[1]
    scene = await centre.scenes.create(centre.actor, NewScene("桥", "4", [dead, centre.cameras[4], None]))
    tour = await centre.tour(10, 10, 10, scene=scene.id)
    await centre.kill(dead, cause="wrong_password")
    await centre.kill(centre.cameras[2], cause="frozen")
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert run.next_position == 2
        await centre.clock.walk(25)
        steps, _ = await on.reader.record(centre.actor, run.id)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.dead) == (3, (SkippedCamera(dead, "wrong_password"),))
        await centre.clock.walk(10)
        assert [line[:3] for line in await centre.lines(on, run.id)] == [
            (0, "shown", None),
            (1, "skipped", "wrong_password"),
            (2, "shown", None),
            (3, "shown", None),
        ]
        assert [(camera.id, camera.village, camera.name, camera.why) for camera in steps[-1].cameras] == [
            (dead, "东沟村", "东沟村摄像机2", "wrong_password"),
            (centre.cameras[4], "西沟村", "西沟村摄像机1", "no_page"),
        ]


async def test_what_a_running_feed_knows_beats_the_last_round(centre: Centre) -> None:
    tour = await centre.tour(10, 10, 10)
    await centre.kill(centre.cameras[1])
    centre.media.feeds = {centre.cameras[1]: ("live", None), centre.cameras[2]: ("failed", "stalled")}
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert (run.dead, run.next_position) == ((), 1)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert run.next_position is None


async def test_a_tour_of_dead_cameras_ends_at_once_with_its_record(centre: Centre) -> None:
    tour = await centre.tour(10, 10)
    await centre.kill(*centre.cameras)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        assert (run.state, run.end_reason, run.skipped) == ("ended", "all_dead", 2)
        other = await centre.tour(10, 10)
        await centre.kill(*centre.cameras, cause="frozen")
        run = await on.runs.start(centre.actor, other, loop=True)
        await centre.clock.walk(5)
        await centre.kill(*centre.cameras)
        await centre.clock.walk(30)
        assert (await on.reader.get(centre.actor, run.id)).end_reason == "all_dead"


async def test_pause_next_previous_jump_stop(centre: Centre) -> None:
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(4)
        run = await on.runs.control(centre.actor, run.id, "pause", run.revision)
        assert (run.state, run.time_left_s) == ("paused", 6)
        await centre.clock.walk(100)
        run = await on.runs.control(centre.actor, run.id, "resume", run.revision)
        await centre.clock.walk(5)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s) == (0, 1)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert (run.position, run.time_left_s) == (1, 20)
        run = await on.runs.control(centre.actor, run.id, "previous", run.revision)
        run = await on.runs.control(centre.actor, run.id, "jump", run.revision, 2)
        assert (run.position, run.time_left_s) == (2, 30)
        with pytest.raises(HubError, match="stops 0 to 2"):
            await on.runs.control(centre.actor, run.id, "jump", run.revision, 7)
        await centre.clock.walk(3)
        run = await on.runs.control(centre.actor, run.id, "stop", run.revision)
        assert (run.state, run.end_reason) == ("ended", "stopped")
        assert await centre.lines(on, run.id) == [
            (0, "shown", None, 109),
            (1, "shown", None, 0),
            (0, "shown", None, 0),
            (2, "shown", None, 3),
        ]


async def test_of_two_operators_at_once_the_later_is_told(centre: Centre) -> None:
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        results = await asyncio.gather(
            *(on.runs.control(centre.actor, run.id, "next", run.revision) for _ in range(2)), return_exceptions=True
        )
        won = [result for result in results if isinstance(result, RunView)]
        lost = [result for result in results if isinstance(result, RunMoved)]
        assert [(r.position, r.revision) for r in won] == [(1, 1)]
        assert [(r.view.position, r.view.revision) for r in lost] == [(1, 1)]


async def test_an_order_that_meets_the_change_of_stops_is_told_so(centre: Centre) -> None:
    """The stop changed while the operator clicked: `next` must not jump over the stop that just began."""
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.asleep()
        centre.clock.move(10.2)
        with pytest.raises(RunMoved) as moved:
            await on.runs.control(centre.actor, run.id, "next", run.revision)
        assert moved.value.view.position == 1
        assert moved.value.view.time_left_s == pytest.approx(19.8)
        assert await centre.lines(on, run.id) == [(0, "shown", None, 10), (1, "shown", None, None)]


async def test_a_reader_ahead_of_the_loop_sees_the_stop_of_the_timetable(centre: Centre) -> None:
    """A page asks in the moment of a change, or just after a restart, before the loop has woken up."""
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.asleep()
        centre.clock.move(10.2)
        seen = await on.reader.get(centre.actor, run.id)
        assert (seen.position, seen.revision) == (1, 1)
        assert seen.time_left_s == pytest.approx(19.8)
        centre.clock.move(20.3)
        (seen,) = await on.reader.list(centre.actor, state="active")
        assert (seen.position, seen.revision) == (2, 2)
        assert seen.time_left_s == pytest.approx(29.5)
        assert [line[:2] for line in await centre.lines(on, run.id)] == [(0, "shown"), (1, "shown"), (2, "shown")]


async def test_a_restart_goes_on_at_the_right_stop(centre: Centre) -> None:
    tour = await centre.tour(10, 20, 30, 40)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(13)
    centre.clock.move(4)
    async with centre.engine() as on:
        await centre.clock.asleep()
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s, run.revision) == (1, 13, 1)
        await centre.clock.walk(14)
        assert await centre.lines(on, run.id) == [
            (0, "shown", None, 10),
            (1, "shown", None, 20),
            (2, "shown", None, None),
        ]


async def test_after_a_long_absence_the_record_says_what_nobody_saw(centre: Centre) -> None:
    tour = await centre.tour(10, 20, 30, 40)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(5)
    centre.clock.move(60)
    async with centre.engine() as on:
        await centre.clock.asleep()
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s) == (3, 35)
        await centre.clock.walk(36)
        assert await centre.lines(on, run.id) == [
            (0, "shown", "hub_away", None),
            (1, "skipped", "hub_away", 0),
            (2, "skipped", "hub_away", 0),
            (3, "shown", None, 35),
        ]


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_a_step_of_the_wall_clock_changes_no_stop(centre: Centre, step: float) -> None:
    tour = await centre.tour(10, 20, 30)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(12)
        centre.clock.step_wall(step)
        await centre.clock.walk(6)
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s) == (1, 12)
        await centre.clock.walk(13)
        assert await centre.lines(on, run.id) == [
            (0, "shown", None, 10),
            (1, "shown", None, 20),
            (2, "shown", None, None),
        ]


async def test_a_clock_set_back_while_the_hub_was_down_begins_the_stop_anew(centre: Centre) -> None:
    tour = await centre.tour(10, 20)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(12)
    centre.clock.step_wall(-86_400)
    async with centre.engine() as on:
        await centre.clock.asleep()
        run = await on.reader.get(centre.actor, run.id)
        assert (run.position, run.time_left_s) == (1, 20)


async def test_the_next_stop_is_warmed_before_the_change_and_the_present_one_is_kept(centre: Centre) -> None:
    scene = await centre.scenes.create(centre.actor, NewScene("桥", "4", [centre.cameras[4], centre.cameras[5]]))
    await centre.kill(centre.cameras[5])
    tour = await centre.tour(20, scene=scene.id)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        await centre.clock.walk(14)
        assert {holder for _, holder, _ in centre.media.warmed} == {f"run-{run.id}-now"}
        assert {cameras for cameras, _, _ in centre.media.warmed} == {(centre.cameras[0],)}
        await centre.clock.walk(2)
        assert centre.media.warmed[-1] == ((centre.cameras[4],), f"run-{run.id}-next", 15.0)
        run = await on.reader.get(centre.actor, run.id)
        await on.runs.control(centre.actor, run.id, "stop", run.revision)
        await centre.clock.walk(1)
        centre.media.warmed.clear()
        await centre.clock.walk(20)
        assert centre.media.warmed == []


async def test_the_next_stop_of_a_patrol_is_warm_as_soon_as_it_may_be_asked_for(centre: Centre) -> None:
    tour = await centre.tour(60, 60)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(2)
        assert {holder for _, holder, _ in centre.media.warmed} == {f"run-{run.id}-now"}
        await centre.clock.walk(1.5)
        assert centre.media.warmed[-1] == ((centre.cameras[1],), f"run-{run.id}-next-ahead", 15.0)
        run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        await centre.clock.walk(56)
        assert run.next_position is None
        assert {cameras for cameras, _, _ in centre.media.warmed} == {(centre.cameras[0],), (centre.cameras[1],)}


async def test_editing_a_tour_changes_no_run_under_way(centre: Centre) -> None:
    tour = await centre.tour(10, 20)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.tours.change(
            centre.actor, tour, TourDraft("改名", [NewStop(centre.cameras[5], None, 60, "")]), revision=1
        )
        run = await on.reader.get(centre.actor, run.id)
        itinerary = await on.reader.itinerary(centre.actor, run.id)
        assert (run.tour_name, [stop.dwell_s for stop in itinerary]) == ("重点路段", [10, 20])


async def test_a_locked_database_delays_a_step_and_the_loop_recovers(centre: Centre) -> None:
    if not centre.database.is_sqlite:
        return
    tour = await centre.tour(10, 20, 30)
    other = sqlite3.connect(str(centre.database.url.database), isolation_level=None)
    with pragma(centre.database, "busy_timeout=20"):
        async with centre.engine() as on:
            run = await on.runs.start(centre.actor, tour, loop=False)
            await centre.clock.walk(9)
            other.execute("BEGIN IMMEDIATE")
            await centre.clock.walk(4)
            assert (await on.reader.get(centre.actor, run.id)).position == 0
            with pytest.raises(HubError, match="locked"):
                await on.runs.control(centre.actor, run.id, "next", run.revision)
            other.execute("ROLLBACK")
            await centre.clock.walk(6)
            assert (await on.reader.get(centre.actor, run.id)).position == 1
    other.close()


async def test_a_run_that_was_moved_is_an_event_though_the_next_one_fails(centre: Centre) -> None:
    if not centre.database.is_sqlite:
        return
    tour = await centre.tour(10, 20)
    async with centre.engine() as on:
        first = await on.runs.start(centre.actor, tour, loop=False)
        second = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.asleep()
        fails = event_of(second.id)
        sql_event.listen(centre.database.engine.sync_engine, "before_cursor_execute", fails)
        with centre.bus.subscribe(RunChanged) as events:
            await centre.clock.walk(11)
            assert await events.next() == RunChanged(first.id)
        assert (await on.reader.get(centre.actor, second.id)).position == 0
        sql_event.remove(centre.database.engine.sync_engine, "before_cursor_execute", fails)
        assert (await on.reader.get(centre.actor, second.id)).position == 1


def event_of(run_id: int) -> Callable[..., None]:
    """A database that fails whenever this run is to be moved."""

    def fail(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        if statement.startswith("UPDATE runs") and parameters[-1] == run_id:
            raise sqlite3.OperationalError("disk I/O error")

    return fail


async def test_every_step_is_an_event(centre: Centre) -> None:
    tour = await centre.tour(10, 20)
    with centre.bus.subscribe(RunChanged) as events:
        async with centre.engine() as on:
            run = await on.runs.start(centre.actor, tour, loop=False)
            await centre.clock.walk(12)
            run = await on.reader.get(centre.actor, run.id)
            await on.runs.control(centre.actor, run.id, "stop", run.revision)
        assert [await events.next() for _ in range(3)] == [RunChanged(run.id)] * 3


async def test_steps_never_overlap_nor_leave_gaps(centre: Centre) -> None:
    tour = await centre.tour(3, 4, 5, 6)
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=True)
        await centre.clock.walk(60)
        view = await on.reader.get(centre.actor, run.id)
        steps, _ = await on.reader.record(centre.actor, run.id)
    assert all(before.ended_at == after.started_at for before, after in pairwise(steps))
    assert (view.lap, view.position) == (3, 1)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "tampered", ["itinerary = '{'", "itinerary = '[{}]'", "position = 77", "state = 'flying'", "anchor_at = 'rubbish'"]
)
async def test_a_run_that_was_tampered_with_holds_up_no_other_one(centre: Centre, tampered: str) -> None:
    first, second = await centre.tour(10, 10, 10), await centre.tour(10, 10, 10)
    async with centre.engine() as on:
        spoilt = (await on.runs.start(centre.actor, first, loop=False)).id
        sound = (await on.runs.start(centre.actor, second, loop=False)).id
    async with centre.database.write() as session:
        await session.execute(text(f"UPDATE runs SET {tampered} WHERE id = {spoilt}"))
    async with centre.engine() as on:
        await centre.clock.walk(15)
        assert (await on.reader.get(centre.actor, sound)).position == 1
        assert {run.id for run in await on.reader.list(centre.actor)} == {spoilt, sound}
