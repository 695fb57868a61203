"""What pages report to have shown: kept per camera, never more than can be true."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.access.policy import Actor, Role
from camera_hub.patrol.runs.engine import Engine
from camera_hub.patrol.runs.visibility import LATEST, Gap, Sighting, Visible, after, possible
from tests.patrol.centre import Centre, centre, clock

__all__ = ["centre", "clock"]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def seen(centre: Centre, on: Engine, run: int) -> list[tuple[float | None, str | None]]:
    """(seconds, why not) of each camera of the record."""
    steps, _ = await on.reader.record(centre.actor, run)
    return [(camera.visible_s, camera.why) for step in steps for camera in step.cameras]


async def test_a_camera_counts_as_seen_for_as_long_as_a_page_showed_it(centre: Centre) -> None:
    tour = await centre.tour(10, 20)
    first = centre.cameras[0]
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        assert run.step == 0
        await centre.clock.walk(5)
        await page.report(centre.actor, run.id, 0, [Sighting(first, 4.0)])
        await centre.clock.walk(6)
        await page.report(centre.actor, run.id, 0, [Sighting(first, 8.5)])
        assert await seen(centre, on, run.id) == [(8.5, None), (0.0, "no_page")]
        steps, _ = await on.reader.record(centre.actor, run.id)
        camera = steps[0].cameras[0]
        assert camera.seen_from is not None
        assert camera.seen_until is not None
        assert (camera.seen_from - run.started_at).total_seconds() == 1.0
        assert (camera.seen_until - run.started_at).total_seconds() == 10.0


async def test_arrow_keys_through_a_tour_leave_stops_that_nobody_saw(centre: Centre) -> None:
    tour = await centre.tour(10, 10, 10, 10)
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        for _ in range(3):
            run = await on.runs.control(centre.actor, run.id, "next", run.revision)
        await centre.clock.walk(4)
        await page.report(centre.actor, run.id, 3, [Sighting(centre.cameras[3], 3.0)])
        assert await seen(centre, on, run.id) == [(0.0, "no_page")] * 3 + [(3.0, None)]


async def test_of_two_screens_the_one_that_showed_more_counts(centre: Centre) -> None:
    tour = await centre.tour(30)
    camera = centre.cameras[0]
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(10)
        for seconds in (9.0, 7.0, 9.0):
            await page.report(centre.actor, run.id, 0, [Sighting(camera, seconds)])
        assert await seen(centre, on, run.id) == [(9.0, None)]


async def test_what_cannot_be_true_is_cut_or_ignored(centre: Centre) -> None:
    tour = await centre.tour(10, 30)
    first, second = centre.cameras[:2]
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(4)
        await page.report(centre.actor, run.id, 0, [Sighting(first, 3600.0), Sighting(second, 3.0), Sighting(999, 1.0)])
        assert await seen(centre, on, run.id) == [(4.0, None)]
        village = Actor(7, "v", "V", Role.VILLAGE_ADMIN, frozenset({1}))
        await centre.clock.walk(8)
        await page.report(village, run.id, 1, [Sighting(second, 2.0)])
        await page.report(centre.actor, run.id, 5, [Sighting(second, 2.0)])
        await page.report(centre.actor, 999, 0, [Sighting(second, 2.0)])
        await centre.clock.walk(LATEST)
        await page.report(centre.actor, run.id, 0, [Sighting(first, 10.0)])
        assert await seen(centre, on, run.id) == [(4.0, None), (0.0, "no_page")]


async def test_a_page_in_the_background_says_so_and_a_picture_takes_it_back(centre: Centre) -> None:
    tour = await centre.tour(30)
    camera = centre.cameras[0]
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(5)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 0.0, "page_hidden")])
        assert await seen(centre, on, run.id) == [(0.0, "page_hidden")]
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 0.0, "no_picture")])
        assert await seen(centre, on, run.id) == [(0.0, "no_picture")]
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 2.0)])
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 0.0, "page_hidden")])
        assert await seen(centre, on, run.id) == [(2.0, "passed_over")]
        await centre.clock.walk(1)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 3.0, "page_hidden")])
        assert await seen(centre, on, run.id) == [(3.0, None)]


async def test_a_picture_that_shows_nothing_is_not_seen_however_long_it_is_on(centre: Centre) -> None:
    """What the hub knows counts for more than a page."""
    tour = await centre.tour(30)
    camera = centre.cameras[0]
    await centre.kill(camera, cause="covered")
    page = centre.page()
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(10)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 10.0)])
        assert await seen(centre, on, run.id) == [(0.0, "covered")]
        await centre.kill(camera, cause="blurred")
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 10.0)])
        assert await seen(centre, on, run.id) == [(10.0, None)]


NOTHING = Visible(0.0, "no_page")


@pytest.mark.parametrize(
    ("known", "seconds", "gap", "fault", "after_it"),
    [
        (NOTHING, 3.0, None, None, Visible(3.0, None)),
        (NOTHING, 2.9, None, None, Visible(2.9, "passed_over")),
        (NOTHING, 0.2, None, None, Visible(0.2, "passed_over")),  # arrow keys: it was on, but not looked at
        (NOTHING, 0.0, None, None, Visible(0.0, "passed_over")),  # a page was there, however shortly
        (NOTHING, 0.0, "page_hidden", None, Visible(0.0, "page_hidden")),
        (NOTHING, 0.0, "covered", None, Visible(0.0, "page_covered")),
        (NOTHING, 0.0, "off_screen", None, Visible(0.0, "off_screen")),
        (NOTHING, 0.0, "frozen", None, Visible(0.0, "frozen")),
        (NOTHING, 1.0, "black", None, Visible(1.0, "black")),
        (Visible(1.0, "page_hidden"), 1.2, "page_hidden", None, Visible(1.0, "page_hidden")),  # too little to write
        (Visible(2.9, "passed_over"), 3.0, None, None, Visible(3.0, None)),  # … but not where it completes the time
        (Visible(1.0, "passed_over"), 0.0, "page_hidden", None, Visible(1.0, "passed_over")),  # another page
        (Visible(5.0, None), 4.0, "page_hidden", None, Visible(5.0, None)),
        (Visible(5.0, None), 5.2, None, None, Visible(5.0, None)),
        (Visible(5.0, None), 6.0, None, None, Visible(6.0, None)),
        (Visible(5.0, None), 9.0, None, "black", Visible(5.0, None)),  # it was seen before that
        (NOTHING, 9.0, None, "black", Visible(0.0, "black")),
        (NOTHING, 9.0, None, "no_signal", Visible(0.0, "no_signal")),
        (NOTHING, 9.0, None, "blurred", Visible(9.0, None)),  # bad, but something is to be seen
        (NOTHING, 9.0, None, "unreachable", Visible(9.0, None)),  # the last round says so, the page shows it
        (Visible(0.0, "no_signal"), 0.0, "page_hidden", None, Visible(0.0, "no_signal")),
        (Visible(0.0, "unreachable"), 4.0, None, None, Visible(4.0, None)),  # it came back
    ],
)
def test_what_a_report_adds_to_what_is_known(
    known: Visible, seconds: float, gap: Gap | None, fault: str | None, after_it: Visible
) -> None:
    assert after(known, seconds, gap, 3.0, fault) == after_it


@given(
    reports=st.lists(
        st.tuples(
            st.floats(0, 60),
            st.sampled_from([None, "page_hidden", "covered", "off_screen", "no_picture", "frozen", "black"]),
            st.sampled_from([None, "black", "frozen", "blurred", "unreachable"]),
        ),
        max_size=12,
    )
)
def test_no_report_takes_back_what_was_seen(reports: list[tuple[float, Gap | None, str | None]]) -> None:
    known = NOTHING
    for seconds, gap, fault in reports:
        new = after(known, seconds, gap, 3.0, fault)
        assert new.seconds >= known.seconds
        assert known.why is not None or new.why is None
        assert (new.seconds >= 3.0) == (new.why is None)
        known = new


@pytest.mark.parametrize("ended", [None, 20.0])
@given(claimed=st.floats(-1e9, 1e9), now=st.floats(-100, 1e6))
def test_seconds_are_bounded_by_the_wall(ended: float | None, claimed: float, now: float) -> None:
    end = None if ended is None else NOON + timedelta(seconds=ended)
    seconds = possible(claimed, NOON, end, NOON + timedelta(seconds=now))
    assert 0 <= seconds <= max(0.0, now if ended is None else min(now, ended)) + 1e-6
