"""The right alarm, once: what drops, in which order, and which alarms that makes. Through rounds, in injected time."""

import os
from collections.abc import Sequence

import pytest

from camera_hub.store.database import Database
from tests.health.township import Township, township

TOWN = (40, 20, 20, 10)
LONG = bool(os.environ.get("CAMERA_HUB_LONG"))
pytestmark = pytest.mark.slow


async def seconds_until_alarms(place: Township, count: int, limit: float) -> float:
    """Let time pass until so many alarms have been opened; how long that took."""
    for passed in range(0, round(limit) + 1, 2):
        if len(place.raised()) >= count:
            return float(passed)
        await place.walk(2)
    raise AssertionError(f"after {limit:g} s: {place.raised()}")


async def test_40_of_40_cameras_are_one_alarm_within_a_minute_that_names_them_and_one_recovery(
    database: Database,
) -> None:
    async with township(database, TOWN) as place:
        dead = place.villages[0]
        place.cut(dead)
        assert await seconds_until_alarms(place, 1, 60) <= 60
        await place.walk(600)
        assert place.raised() == [("village", "village_link", 40)]
        assert place.alarms[0].members == set(dead)
        place.mend(dead)
        await place.walk(300)
        assert [(one.level, one.ending) for one in place.alarms] == [("village", "recovered")]


async def test_40_cameras_that_drop_one_by_one_over_90_seconds_are_still_one(database: Database) -> None:
    async with township(database, TOWN) as place:
        for camera in place.villages[0]:
            place.cut([camera])
            await place.walk(90 / 40)
        await place.walk(120)
        assert place.raised() == [("village", "village_link", 40)]
        assert all(one.ending == "merged" for one in place.alarms[:-1]), "those of the first seconds are taken over"


@pytest.mark.parametrize(
    ("dead", "raised"),
    [(1, [("camera", "timed_out", 1)]), (3, [("camera", "timed_out", 1)] * 3), (39, [("village", "village_link", 39)])],
)
async def test_what_drops_is_named_at_its_level(
    database: Database, dead: int, raised: list[tuple[str, str, int]]
) -> None:
    async with township(database, TOWN) as place:
        place.cut(place.villages[0][:dead])
        await place.walk(180)
        assert place.raised(merged=True) == raised


async def test_all_villages_at_once_are_the_hubs_uplink(database: Database) -> None:
    async with township(database, (6,) * 16) as place:
        everything = [camera for village in place.villages for camera in village]
        place.cut(everything)
        await place.walk(120)
        assert place.raised() == [("hub", "hub_uplink", 96)]
        place.network.asked.clear()
        place.mend(everything)
        await place.walk(20)
        assert {place.hosts[camera] for camera in everything} <= set(place.network.asked), "the first asks for all"
        await place.walk(280)
        assert [(one.level, one.ending) for one in place.alarms] == [("hub", "recovered")]


async def test_a_blip_of_ten_seconds_is_none_wherever_it_falls(database: Database) -> None:
    async with township(database, (20, 10)) as place:
        for gap in (37, 43, 51, 59, 61, 67):
            place.cut(place.villages[0])
            await place.walk(10)
            place.mend(place.villages[0])
            await place.walk(gap * 3)
        assert place.alarms == []


async def test_a_camera_that_stays_down_after_its_village_recovers_has_its_own_within_two_minutes(
    database: Database,
) -> None:
    async with township(database, TOWN) as place:
        dead = place.villages[0]
        place.cut(dead)
        await place.walk(300)
        place.mend(dead[1:])
        await place.walk(120)
        assert place.raised(open=True) == [("camera", "timed_out", 1)]
        assert place.alarms[-1].members == {dead[0]}
        assert place.raised() == [("village", "village_link", 40), ("camera", "timed_out", 1)]


@pytest.mark.parametrize(
    ("who", "down", "up", "flaps"),
    [
        ("a camera", 30, 30, False),
        ("its village", 30, 30, False),
        ("a camera", 50, 40, True),
        ("its village", 50, 40, True),
    ],
)
async def test_what_toggles_for_two_hours_gives_few_alarms_and_ends(
    database: Database, who: str, down: int, up: int, flaps: bool
) -> None:
    """Toggled once a minute it is looked at in the same state each time: a fault that lasts, or none."""
    async with township(database, (5, 4), tick=2.0) as place:
        flapping = place.villages[0][:1] if who == "a camera" else place.villages[0]
        before = place.record.states
        for _ in range(7200 // (down + up)):
            place.cut(flapping)
            await place.walk(down)
            place.mend(flapping)
            await place.walk(up)
        raised = place.raised()
        assert 1 <= len(raised) <= 3, raised
        assert {level for level, *_ in raised} == {"camera" if who == "a camera" else "village"}
        assert place.alarms[-1].flapping is flaps
        assert (place.record.states - before) / len(flapping) <= 14, "no flood of states either"
        await place.walk(2400)
        assert place.raised(open=True) == []
        assert len(place.raised()) == len(raised)


def windows(seed: int, count: int, span: float, longest: float) -> Sequence[tuple[float, float]]:
    """`count` outages (begin, end) within `span` seconds, one after the other, the same for the same seed."""
    part = span / count
    found = []
    for n in range(count):
        share = (seed * 0.6180339887 + n * 0.7548776662) % 1.0
        length = 180.0 + longest * share
        begin = n * part + (part - length) * ((seed * 0.3247179572 + n * 0.5698402910) % 1.0)
        found.append((begin, begin + length))
    return found


async def storm(database: Database, villages: int, cameras: int, hours: float, *, tick: float) -> Township:
    """Rolling outages of villages, and of single cameras in villages that are well: each is one alarm, no more."""
    span = hours * 3600.0
    async with township(database, (cameras,) * villages, tick=tick) as place:
        events: list[tuple[float, bool, tuple[int, ...]]] = []
        half = villages // 2
        for number, members in enumerate(place.villages):
            per_hours = max(1, round(hours / 3))
            if number < half:
                outages = [(window, tuple(members)) for window in windows(number + 1, per_hours, span, 1800.0)]
            else:
                outages = [
                    (window, (members[(n * 3) % cameras],))
                    for n, window in enumerate(windows(number + 1, 3 * per_hours, span, 900.0))
                ]
            for (begin, end), dead in outages:
                events += [(begin, True, dead), (end, False, dead)]
        expected = sum(is_cut for _, is_cut, _ in events)
        now = 0.0
        for at, is_cut, dead in sorted(events):
            if at - now >= tick:
                steps = (at - now) // tick * tick
                await place.walk(steps)
                now += steps
            (place.cut if is_cut else place.mend)(dead)
        await place.walk(span - now + 3600)
        assert place.raised(open=True) == []
        news = [one for one in place.alarms if one.ending == "recovered"]
        assert {(one.level, len(one.members)) for one in news} == {("village", cameras), ("camera", 1)}
        assert 0.9 * expected <= len(news) <= expected, "one that follows another soon joins it, as flapping"
        assert all(one.ending in ("recovered", "merged") for one in place.alarms)
        return place


async def test_a_storm_of_rolling_outages_makes_one_alarm_for_each(database: Database) -> None:
    """With CAMERA_HUB_LONG: a day of it, and 640 cameras."""
    villages, cameras, hours, tick = (16, 40, 24.0, 5.0) if LONG else (6, 8, 2.0, 2.0)
    place = await storm(database, villages, cameras, hours, tick=tick)
    assert place.record.looks > villages * cameras * hours * 55
