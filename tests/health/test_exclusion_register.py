"""Exclusions as people ask for them, approve, end and list them."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Actor, Role
from camera_hub.errors import HubError
from camera_hub.events import EventBus, ExclusionChanged
from camera_hub.health.exclusion_register import AT_ONCE, ExclusionQuery, ExclusionRegister, NewExclusion
from camera_hub.health.exclusion_terms import approved_terms
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

SHANGHAI = ZoneInfo("Asia/Shanghai")
TOWNSHIP = Actor(1, "admin", "镇管理员", Role.TOWNSHIP_ADMIN)
VILLAGE = Actor(2, "village", "村管理员", Role.VILLAGE_ADMIN, frozenset({1}))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def register(database: Database, bus: EventBus, clock: ManualClock) -> ExclusionRegister:
    return ExclusionRegister(database, bus, clock, SHANGHAI)


def wanted(clock: ManualClock, ids: list[int], level: str = "camera") -> NewExclusion:
    return NewExclusion(level, ids, "maintenance", "换电源", clock.now() - HOUR, clock.now() + DAY)


async def states(register: ExclusionRegister, actor: Actor = TOWNSHIP) -> list[str]:
    found = await register.listed(actor, ExclusionQuery())
    for one in found:  # what a filter finds is what the list calls by that name
        assert one.id in [each.id for each in await register.listed(actor, ExclusionQuery(states=(one.state,)))]
    assert await register.counts(actor) == {
        state: sum(one.state == state for one in found) for state in ("asked", "planned", "in_force")
    }
    return [one.state for one in reversed(found)]


async def test_a_village_asks_and_the_township_approves(
    database: Database, bus: EventBus, clock: ManualClock, register: ExclusionRegister
) -> None:
    first, second = await add_village(database, clock, "东村", 2)
    with bus.subscribe(ExclusionChanged) as told:
        asked = await register.ask(VILLAGE, wanted(clock, [first, second, first]))
        assert [(one.state, one.holds, one.cameras, one.village_name) for one in asked] == [
            ("asked", False, 1, "东村")
        ] * 2
        async with database.read() as session:
            assert await approved_terms(session, SHANGHAI, clock.now()) == []
        (approved,) = await register.approve(TOWNSHIP, [asked[0].id])
        assert (approved.state, approved.holds, approved.late, approved.approved_name) == (
            "in_force",
            True,
            True,
            "镇管理员",
        )
        assert await register.approve(TOWNSHIP, [asked[0].id]) == [approved]  # approved already: stays as it is
        assert len(await told.batch()) == 4
    async with database.read() as session:
        (term,) = await approved_terms(session, SHANGHAI, clock.now())
    assert (term.level, term.subject_id, term.holds(clock.now())) == ("camera", first, True)
    (withdrawn,) = await register.end(VILLAGE, [asked[1].id])
    assert withdrawn.state == "declined"
    with pytest.raises(HubError) as caught:
        await register.approve(TOWNSHIP, [asked[1].id])
    assert caught.value.reason == "exclusion_declined"
    assert await states(register) == ["in_force", "declined"]
    clock.move(60)
    (ended,) = await register.end(VILLAGE, [asked[0].id])
    assert (ended.state, ended.ended_at) == ("ended", clock.now())
    clock.move(60)
    assert await register.end(VILLAGE, [asked[0].id]) == [ended]


async def test_what_the_township_enters_holds_at_once_and_expires(
    database: Database, clock: ManualClock, register: ExclusionRegister
) -> None:
    (camera,) = await add_village(database, clock, "东村", 1)
    async with database.read() as session:
        device = await session.scalar(select(Camera.device_id).where(Camera.id == camera)) or 0
    await register.ask(TOWNSHIP, wanted(clock, [device], "device"))
    await register.ask(TOWNSHIP, wanted(clock, [1], "village"))
    later = wanted(clock, [camera])
    await register.ask(TOWNSHIP, replace(later, since=clock.now() + HOUR))
    await register.ask(VILLAGE, later)
    assert await states(register) == ["in_force", "in_force", "planned", "asked"]
    assert [one.level for one in await register.listed(VILLAGE, ExclusionQuery(camera_id=camera))] == [
        "camera",
        "camera",
        "village",
        "device",
    ]
    clock.move(2 * 86400)
    assert await states(register) == ["ended", "ended", "ended", "lapsed"]
    # What was asked for in time may still be approved.
    (last, *_) = await register.listed(TOWNSHIP, ExclusionQuery())
    await register.approve(TOWNSHIP, [last.id])
    assert await states(register) == ["ended"] * 4


async def test_the_list_is_narrowed_and_paged(
    database: Database, clock: ManualClock, register: ExclusionRegister
) -> None:
    cameras = await add_village(database, clock, "东村", 3)
    await add_village(database, clock, "西村", 1)
    rows = await register.ask(TOWNSHIP, wanted(clock, cameras))
    await register.ask(TOWNSHIP, wanted(clock, [2], "village"))
    assert len(await register.listed(VILLAGE, ExclusionQuery())) == 3
    page = await register.listed(VILLAGE, ExclusionQuery(limit=2))
    rest = await register.listed(VILLAGE, ExclusionQuery(limit=2, before=page[-1].id))
    assert [one.id for one in (*page, *rest)] == [one.id for one in reversed(rows)]
    now = clock.now()
    for begin, end, count in ((now + DAY, None, 0), (None, now - HOUR, 0), (now, now + HOUR, 4)):
        assert len(await register.listed(TOWNSHIP, ExclusionQuery(begin=begin, end=end))) == count
    assert await register.listed(TOWNSHIP, ExclusionQuery(kind="sleep")) == []
    assert len(await register.listed(TOWNSHIP, ExclusionQuery(village_id=2))) == 1
    for foreign in (
        register.listed(VILLAGE, ExclusionQuery(camera_id=cameras[-1] + 1)),
        register.ask(VILLAGE, wanted(clock, [cameras[0], cameras[-1] + 1])),
        register.ask(VILLAGE, wanted(clock, [2], "village")),
        register.end(VILLAGE, [rows[0].id, rows[-1].id + 1]),
    ):
        with pytest.raises(HubError) as caught:
            await foreign
        assert caught.value.kind == "not_found"
    assert len(await register.listed(TOWNSHIP, ExclusionQuery())) == 4  # all or none


async def test_times_that_cannot_be_are_refused(
    database: Database, clock: ManualClock, register: ExclusionRegister
) -> None:
    (camera,) = await add_village(database, clock, "东村", 1)
    good, now = wanted(clock, [camera]), clock.now()
    window = ([0], "10:00", "11:00")  # a Monday; now it is Monday, 16:00 in Shanghai
    for wrong, reason in (
        ({"until": good.since}, "exclusion_order"),
        ({"until": now + 500 * DAY}, "exclusion_too_long"),
        ({"since": now - 40 * DAY}, "exclusion_too_old"),
        ({"weekly": window}, "exclusion_no_window"),
        ({"subject_ids": []}, "invalid"),
        ({"subject_ids": list(range(1, AT_ONCE + 2))}, "invalid"),
    ):
        with pytest.raises(HubError) as caught:
            await register.ask(VILLAGE, replace(good, **wrong))
        assert caught.value.reason == reason
    (kept,) = await register.ask(TOWNSHIP, replace(good, until=now + 8 * DAY, weekly=window))
    assert (kept.weekly, kept.state, kept.holds) == ({"days": [0], "from": "10:00", "to": "11:00"}, "in_force", False)
