"""How many visible seconds the hub believes a page: never more than have passed by its own monotonic clock."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.patrol.runs.claims import (
    KNOWN,
    PAGES,
    TOLERANCE,
    VISITS,
    ClaimedSum,
    Claims,
    PageClaims,
    ReportingPage,
    Visit,
)
from camera_hub.patrol.runs.visibility import Sighting
from tests.patrol.centre import Centre, centre, clock

__all__ = ["centre", "clock"]

HERE, THERE = Visit(1, 0), Visit(1, 1)
SLACK = 1e-6


def report(page: PageClaims, visit: Visit, now: float, known: float = 0.0, **claimed: float) -> dict[int, float]:
    """What is believed of claims (`c7=3.0`: camera 7), which the page then has made."""
    found = {
        int(name[1:]): page.believed(visit, int(name[1:]), seconds, known, now) for name, seconds in claimed.items()
    }
    page.note(visit, found, dict.fromkeys(found, known), now)
    return found


def test_a_sum_grows_with_the_time_since_the_last_report() -> None:
    page = PageClaims(0.0)
    assert report(page, HERE, 5.0, c7=3.0) == {7: 3.0}
    assert report(page, HERE, 8.0, c7=60.0) == {7: 3.0 + 3.0 + TOLERANCE}
    assert report(page, HERE, 9.0, c7=61.0) == {7: 9.0}  # the tolerance is used up: one second has passed
    assert report(page, HERE, 9.0, c7=2.0) == {7: 9.0}  # a sum never gets smaller
    assert report(page, HERE, 19.0, c7=19.0) == {7: 19.0}
    assert report(page, HERE, 20.0, c7=60.0) == {7: 20.0}
    assert report(page, HERE, 50.0, c7=20.0) == {7: 20.0}  # what is not claimed gives the tolerance back, and no more
    assert report(page, HERE, 51.0, c7=60.0) == {7: 21.0 + TOLERANCE}


def test_cameras_that_are_told_of_later_count_from_the_beginning_of_the_visit() -> None:
    page = PageClaims(0.0)
    report(page, HERE, 100.0, c1=10.0)
    assert report(page, THERE, 103.0, c7=3.0) == {7: 3.0}
    assert report(page, THERE, 103.5, c8=3.4) == {8: 3.4}


def test_who_connects_gets_no_tolerance_for_the_time_before() -> None:
    assert report(PageClaims(50.0), HERE, 51.0, c7=60.0) == {7: 1.0}
    assert report(PageClaims(50.0), HERE, 51.0, known=20.0, c7=60.0) == {7: 21.0}  # another hub process was told 20 s


CLAIMS = st.lists(
    st.tuples(
        st.floats(0, 20),  # time passes
        st.integers(0, 2),  # page
        st.integers(0, 1),  # visit
        st.one_of(st.floats(0, 100), st.floats(-1e9, 1e9)),  # claimed
        st.sampled_from(["", "", "", "connects anew", "hub restarts"]),
    ),
    max_size=30,
)


@given(CLAIMS)
def test_no_hostile_page_gets_more_than_the_time_that_has_passed(
    events: Sequence[tuple[float, int, int, float, str]],
) -> None:
    """Pages that claim anything, connect anew as they like, share the work among them, and outlive the hub."""
    now, claims, opened = 0.0, Claims(), dict.fromkeys(range(3), 0.0)
    stored = dict.fromkeys((HERE, THERE), 0.0)  # what the database has of camera 7
    restarts, at_start = 0, dict(stored)
    reports: dict[tuple[int, Visit], list[tuple[float, float]]] = {}
    for passed, number, which, claimed, what in events:
        now += passed
        if what == "hub restarts":
            claims, opened, reports = Claims(), dict.fromkeys(range(3), now), {}
            restarts, at_start = restarts + 1, dict(stored)
        elif what == "connects anew":
            opened[number] = now
        page = claims.of(ReportingPage(1, f"page{number}", opened[number]))
        visit = (HERE, THERE)[which]
        known = claims.known(visit, {7: stored[visit]})
        believed = page.believed(visit, 7, claimed, known[7], now)
        page.note(visit, {7: believed}, known, now)
        told = reports.setdefault((number, visit), [])
        for at, seconds in told:  # of each two reports of a page
            assert believed - seconds <= now - at + TOLERANCE + SLACK
            assert believed >= seconds
        told.append((now, believed))
        stored[visit] = max(stored[visit], believed)
        # Of all pages together, since the hub has started, and since all began.
        assert stored[visit] - at_start[visit] <= now + TOLERANCE + SLACK
        assert stored[visit] <= now + (restarts + 1) * TOLERANCE + SLACK


@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 1), st.floats(0, TOLERANCE)), min_size=1, max_size=20),
    st.floats(0, TOLERANCE),
)
def test_nothing_of_an_honest_page_is_cut_whatever_the_network_keeps_back(
    reports: Sequence[tuple[float, float, float]], first: float
) -> None:
    """Its report on the visit before arrives, too, up to TOLERANCE late; reports arrive in the order of sending."""
    page = PageClaims(-1000.0)
    arrived = first
    report(page, HERE, arrived, c7=1.0)
    sent = seconds = 0.0
    for passed, share, late in reports:
        sent, seconds = sent + passed, seconds + passed * share
        arrived = max(arrived, sent + late)
        assert report(page, THERE, arrived, c7=seconds)[7] == pytest.approx(seconds)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 100)), max_size=40))
def test_a_sum_is_ahead_of_time_by_the_tolerance_at_most(claims: Sequence[tuple[float, float]]) -> None:
    now, one = 0.0, ClaimedSum(0.0, 0.0, 0.0)
    for passed, claimed in claims:
        now += passed
        before, one = one, one.grown(claimed, now)
        assert one.seconds >= before.seconds
        assert 0.0 <= one.ahead <= TOLERANCE + SLACK
        assert one.seconds <= now + TOLERANCE + SLACK
    assert one.grown(1e9, now - 5.0).seconds <= one.seconds + TOLERANCE + SLACK  # a clock that does step is none


def test_what_is_kept_of_pages_and_visits_is_bounded_and_forgetting_gains_nothing() -> None:
    page = PageClaims(0.0)
    for number in range(VISITS + 10):
        report(page, Visit(number, 0), 10.0, c7=1.0)
    assert report(page, Visit(0, 0), 10.0, c7=60.0) == {7: 0.0}  # forgotten: no second tolerance
    claims = Claims()
    for number in range(PAGES + 10):
        claims.of(ReportingPage(number, "page", 0.0))
    for number in range(KNOWN + 10):
        claims.known(Visit(number, 0), {})
    assert (len(claims._pages), len(claims._known)) == (PAGES, KNOWN)


@pytest.mark.parametrize("step", [-3600.0, -5.0, 5.0, 60.0, 86400.0])
async def test_a_step_of_the_hubs_clock_lets_no_page_claim_more_than_has_passed(centre: Centre, step: float) -> None:
    """Also before the loop, which looks every few seconds, has noticed it."""
    tour = await centre.tour(120)
    camera = centre.cameras[0]
    async with centre.engine() as on:
        page = centre.page(on.keeper)
        run = await on.runs.start(centre.actor, tour, loop=False)
        await centre.clock.walk(2)
        centre.clock.step_wall(step)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 3600.0)])
        steps, _ = await on.reader.record(centre.actor, run.id)
        assert steps[0].cameras[0].visible_s == pytest.approx(2.0)
        await centre.clock.walk(4)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 3600.0)])
        steps, _ = await on.reader.record(centre.actor, run.id)
        assert steps[0].cameras[0].visible_s == pytest.approx(6.0)


async def test_a_clock_that_was_set_while_the_hub_was_down_gives_no_page_that_time(centre: Centre) -> None:
    tour = await centre.tour(600)
    camera = centre.cameras[0]
    async with centre.engine() as on:
        run = await on.runs.start(centre.actor, tour, loop=False)
        page = centre.page(on.keeper)
        await centre.clock.walk(4)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 4.0)])
    centre.clock.step_wall(300.0)
    async with centre.engine() as on:
        page = centre.page(on.keeper)  # it connects anew, to another process
        await centre.clock.walk(2)
        await page.report(centre.actor, run.id, 0, [Sighting(camera, 3600.0)])
        steps, _ = await on.reader.record(centre.actor, run.id)
        assert steps[0].cameras[0].visible_s == pytest.approx(6.0)
