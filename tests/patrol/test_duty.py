"""Of a patrol only what its operator's own pages showed is recorded as seen."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.patrol.runs.duty import OperatorChange, seconds_on_duty
from camera_hub.patrol.runs.visibility import Sighting
from tests.patrol.centre import Centre, centre, clock
from tests.patrol.test_patrols import person
from tests.patrol.test_visibility import seen

__all__ = ["centre", "clock"]

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("user", "changes", "seconds"),
    [
        (1, [], 10.0),
        (2, [], 0.0),
        (1, [(4, 2)], 4.0),
        (2, [(4, 2)], 6.0),
        (1, [(4, 2), (7, 1)], 7.0),  # it came back
        (3, [(4, 2), (7, 1)], 0.0),
        (1, [(-5, 2)], 0.0),  # long before the visit
        (2, [(-5, 2)], 10.0),
        (1, [(30, 2)], 10.0),  # after it: a report that is late
        (2, [(30, 2)], 0.0),
        (2, [(3600, 2)], 10.0),  # the clock was set back since: the present operator is heard
        (2, [(2, None), (5, 2)], 5.0),  # an account that is gone
    ],
)
def test_a_visit_counts_for_the_time_in_which_the_user_was_the_operator(
    user: int, changes: list[tuple[float, int | None]], seconds: float
) -> None:
    given = [OperatorChange(at(moment), who) for moment, who in changes]
    assert seconds_on_duty(user, 1, given, at(0), at(10), at(40)) == seconds


@given(st.lists(st.tuples(st.floats(-20, 60), st.integers(1, 4)), max_size=6))
def test_the_times_of_all_operators_add_up_to_the_visit(changes: list[tuple[float, int]]) -> None:
    given = [OperatorChange(at(moment), who) for moment, who in sorted(changes)]
    each = [seconds_on_duty(user, 1, given, at(0), at(10), at(60)) for user in range(1, 5)]
    assert sum(each) == pytest.approx(10.0, abs=1e-3)


async def test_who_looks_on_has_seen_nothing_for_the_record(centre: Centre) -> None:
    tour, li = await centre.tour(30), await person(centre, "li")
    camera, own, second = centre.cameras[0], centre.page(), centre.page(name="another window")
    others = centre.page(name="li", actor=li)
    async with centre.under_way(tour, 10) as (on, run):
        await others.report(li, run.id, 0, [Sighting(camera, 9.0)])
        await others.report(li, run.id, 0, [Sighting(camera, 0.0, "page_hidden")])
        assert await seen(centre, on, run.id) == [(0.0, "no_page")]
        assert centre.moments.wanted == []
        await own.report(centre.actor, run.id, 0, [Sighting(camera, 0.0, "page_hidden")])
        await second.report(centre.actor, run.id, 0, [Sighting(camera, 8.0)])
        assert await seen(centre, on, run.id) == [(8.0, None)], "any window of the operator"


async def test_of_a_presentation_any_page_counts(centre: Centre) -> None:
    tour, li = await centre.tour(30), await person(centre, "li")
    page = centre.page(name="li", actor=li)
    async with centre.under_way(tour, 10, loop=True) as (on, run):
        await page.report(li, run.id, 0, [Sighting(centre.cameras[0], 9.0)])
        assert await seen(centre, on, run.id) == [(9.0, None)]


async def test_a_patrol_that_is_handed_over_in_mid_stop_keeps_what_the_first_operator_saw(centre: Centre) -> None:
    tour, li = await centre.tour(60), await person(centre, "li")
    camera, first, second = centre.cameras[0], centre.page(), centre.page(name="li", actor=li)
    async with centre.under_way(tour, 2) as (on, run):
        await first.report(centre.actor, run.id, 0, [Sighting(camera, 1.5)])
        await centre.clock.walk(6)
        run = await on.runs.hand_over(centre.actor, run.id, li.user_id, "", run.revision)
        await centre.clock.walk(2)
        # Both pages showed it all the time; the first one's last report comes late.
        await second.report(li, run.id, 0, [Sighting(camera, 10.0)])
        assert await seen(centre, on, run.id) == [(2.0, "passed_over")]
        await first.report(centre.actor, run.id, 0, [Sighting(camera, 10.0)])
        assert await seen(centre, on, run.id) == [(8.0, None)]
        await second.report(li, run.id, 0, [Sighting(camera, 10.0, "page_hidden")])
        assert await seen(centre, on, run.id) == [(8.0, None)]
        events = await on.reader.events(centre.actor, run.id)
        assert [(one.kind, one.user_name, one.detail.get("to_name")) for one in events] == [
            ("started", "张三", None),
            ("handed_over", "张三", "li"),
        ], "who it was at which time the record says by its events"


async def test_what_was_on_when_a_patrol_was_handed_over_belongs_to_whom_it_was_shown(centre: Centre) -> None:
    tour, li = await centre.tour(10, 30), await person(centre, "li")
    camera, first, second = centre.cameras[0], centre.page(), centre.page(name="li", actor=li)
    async with centre.under_way(tour, 12) as (on, run):
        await on.runs.hand_over(centre.actor, run.id, li.user_id, "", run.revision)
        await second.report(li, run.id, 0, [Sighting(camera, 9.0)])
        assert (await seen(centre, on, run.id))[0] == (0.0, "no_page"), "it was over before"
        await first.report(centre.actor, run.id, 0, [Sighting(camera, 9.0)])
        assert (await seen(centre, on, run.id))[0] == (9.0, None)
