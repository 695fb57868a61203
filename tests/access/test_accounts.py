"""Users: made, changed, signed in; rights that are taken away act at once; one township admin is always left."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from camera_hub.access.accounts import MAX_GRANTS, Change
from camera_hub.access.grant_times import GrantTimes
from camera_hub.access.policy import Role, VillageGrant
from camera_hub.errors import HubError, Kind
from camera_hub.events import AccessChanged, EventBus
from camera_hub.store.database import Database
from camera_hub.store.tables import LoginFailure, Village
from tests.access.conftest import Room
from tests.fakes.clock import ManualClock

GOOD = "tK7-riverside"


HOUR = timedelta(hours=1)


async def _village(database: Database, clock: ManualClock, name: str = "东沟村") -> int:
    async with database.write() as session:
        village = Village(name=name, created_at=clock.now())
        session.add(village)
        await session.flush()
        return village.id


async def _sign_in(room: Room, username: str, password: str = GOOD) -> str:
    return (await room.sign_in(username, password, address="127.0.0.1", agent="")).token


async def test_names_are_unique_whatever_their_case(room: Room) -> None:
    account = await room.accounts.create("Wang", "王", Role.OPERATOR, GOOD)
    assert account.username == "wang"
    with pytest.raises(HubError) as caught:
        await room.accounts.create("WANG", "王", Role.OPERATOR, GOOD)
    assert (caught.value.kind, caught.value.reason) == (Kind.CONFLICT, "username_taken")
    assert await _sign_in(room, " wANG ")


async def test_a_village_admin_has_a_village_and_nobody_else_has(
    room: Room, database: Database, clock: ManualClock
) -> None:
    village = await _village(database, clock)
    with pytest.raises(HubError) as caught:
        await room.accounts.create("li", "李", Role.VILLAGE_ADMIN, GOOD)
    assert caught.value.reason == "village_needed"
    with pytest.raises(HubError, match="no such village"):
        await room.accounts.create("li", "李", Role.VILLAGE_ADMIN, GOOD, [VillageGrant(village + 1)])
    li = await room.accounts.create("li", "李", Role.VILLAGE_ADMIN, GOOD, [VillageGrant(village)])
    assert li.villages == (VillageGrant(village),)
    operator = await room.accounts.change(li.id, Change(role=Role.OPERATOR))
    assert operator.villages == li.villages  # who was bound stays bound until somebody says otherwise
    free = await room.accounts.change(li.id, Change(villages=None))
    assert free.villages is None
    with pytest.raises(HubError) as caught:
        await room.accounts.change(li.id, Change(role=Role.VILLAGE_ADMIN))
    assert caught.value.reason == "village_needed"
    with pytest.raises(HubError) as caught:
        await room.accounts.change(li.id, Change(villages=()))
    assert caught.value.reason == "village_needed"
    bound = await room.accounts.change(li.id, Change(villages=(VillageGrant(village),)))
    assert bound.villages == (VillageGrant(village),)
    leading = await room.accounts.change(li.id, Change(role=Role.TOWNSHIP_ADMIN))
    assert leading.villages is None


async def test_access_to_a_village_ends_after_it_begins(room: Room, database: Database, clock: ManualClock) -> None:
    village, now = await _village(database, clock), clock.now()
    with pytest.raises(HubError) as caught:
        await room.accounts.create("li", "李", Role.OPERATOR, GOOD, [VillageGrant(village, now, now)])
    assert caught.value.reason == "bad_period"
    with pytest.raises(HubError) as caught:
        await room.accounts.create("li", "李", Role.OPERATOR, GOOD, [VillageGrant(village)] * (MAX_GRANTS + 1))
    assert caught.value.reason == "too_many"


async def test_a_grant_begins_and_ends_on_time_in_a_session_that_goes_on(
    room: Room, database: Database, clock: ManualClock, bus: EventBus
) -> None:
    first, second = await _village(database, clock), await _village(database, clock, "西沟村")
    now = clock.now()
    grants = [VillageGrant(first, None, now + HOUR), VillageGrant(second, now + HOUR, now + 2 * HOUR)]
    contractor = await room.accounts.create("wei", "维保", Role.MAINTAINER, GOOD, grants)
    token = await _sign_in(room, "wei")

    async def villages() -> set[int]:
        actor = await room.sessions.actor(token)
        assert actor is not None
        assert actor.villages is not None
        return set(actor.villages)

    times = GrantTimes(database, clock, bus, room.sessions)
    with bus.subscribe(AccessChanged) as events:
        clock.move(3596)
        assert await villages() == frozenset({first})
        await times.check()
        clock.move(4)  # within the five seconds that an actor is remembered
        assert await villages() == frozenset({second})
        await times.check()
        assert await events.next() == AccessChanged(contractor.id)
        await times.check()
        clock.move(3600)
        await times.check()
        assert await events.next() == AccessChanged(contractor.id)
        assert await villages() == frozenset()  # bound still, to nothing
        room.accounts._publish(0)
        assert await events.next() == AccessChanged(0)  # each change was published once


async def test_whatever_is_wrong_the_answer_is_the_same(room: Room) -> None:
    li = await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    await room.accounts.create("admin", "管", Role.TOWNSHIP_ADMIN, GOOD)
    said = []
    for number, (username, password) in enumerate([("nobody", GOOD), ("li", "wrong")]):
        with pytest.raises(HubError) as caught:
            await room.sign_in(username, password, address=f"127.0.0.{number}", agent="")
        said.append(caught.value.body())
    await room.accounts.change(li.id, Change(disabled=True))
    with pytest.raises(HubError) as caught:
        await room.sign_in("li", GOOD, address="127.0.0.9", agent="")
    said.append(caught.value.body())
    assert said[0] == said[1] == said[2]
    assert said[0]["reason"] == "sign_in_failed"


async def test_too_many_failures_stop_even_the_right_password(room: Room, clock: ManualClock) -> None:
    await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    for _ in range(3):
        with pytest.raises(HubError, match="wrong"):
            await _sign_in(room, "li", "wrong")
    with pytest.raises(HubError) as caught:
        await _sign_in(room, "li")
    assert caught.value.kind is Kind.BUSY
    assert caught.value.params["retry_in"] == 5
    clock.move(5)
    assert await _sign_in(room, "li")


async def test_a_known_browser_signs_in_whatever_others_try_beside_it(room: Room, clock: ManualClock) -> None:
    await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    desk = (await room.sign_in("li", GOOD, address="127.0.0.1", agent="")).known
    for _ in range(3):
        with pytest.raises(HubError, match="wrong"):
            await _sign_in(room, "li", "wrong")
    with pytest.raises(HubError, match="too many"):
        await _sign_in(room, "li")
    signed_in = await room.sign_in("li", GOOD, address="127.0.0.1", agent="", known=desk)
    for _ in range(3):
        with pytest.raises(HubError, match="wrong"):
            await room.sign_in("li", "wrong", address="127.0.0.1", agent="", known=signed_in.known)
    with pytest.raises(HubError, match="too many"):
        await room.sign_in("li", GOOD, address="127.0.0.1", agent="", known=signed_in.known)


async def test_a_password_that_nobody_had_time_to_look_at_is_no_failure(room: Room) -> None:
    await room.accounts.create("li", "李", Role.OPERATOR, GOOD)

    async def sign_in(number: int) -> str:
        return (await room.sign_in("li", GOOD, address=f"198.51.{number}.1", agent="")).token

    found = await asyncio.gather(*(sign_in(number) for number in range(60)), return_exceptions=True)
    refused = [one for one in found if not isinstance(one, str)]
    assert refused, "more than may wait"
    assert all(isinstance(one, HubError) and one.kind is Kind.BUSY for one in refused)
    async with room.accounts._database.read() as session:
        assert not await session.scalar(select(func.sum(LoginFailure.failures)))


@pytest.mark.parametrize("change", [Change(disabled=True), Change(password="another-Password")])
async def test_disabling_and_a_new_password_end_the_sessions_at_once(room: Room, bus: EventBus, change: Change) -> None:
    await room.accounts.create("admin", "管", Role.TOWNSHIP_ADMIN, GOOD)
    li = await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    token = await _sign_in(room, "li")
    assert await room.sessions.actor(token) is not None
    with bus.subscribe(AccessChanged) as events:
        await room.accounts.change(li.id, change)
        assert await events.next() == AccessChanged(li.id)
    assert await room.sessions.actor(token) is None


async def test_another_role_acts_at_once_without_ending_the_session(room: Room) -> None:
    li = await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    token = await _sign_in(room, "li")
    assert await room.sessions.actor(token) is not None
    await room.accounts.change(li.id, Change(role=Role.LEADER))
    actor = await room.sessions.actor(token)
    assert actor is not None
    assert actor.role is Role.LEADER


@pytest.mark.parametrize("change", [Change(disabled=True), Change(role=Role.OPERATOR)])
async def test_the_last_township_admin_stays(room: Room, change: Change) -> None:
    admin = await room.accounts.create("admin", "管", Role.TOWNSHIP_ADMIN, GOOD)
    other = await room.accounts.create("other", "他", Role.TOWNSHIP_ADMIN, GOOD)
    await room.accounts.change(other.id, Change(disabled=True))
    with pytest.raises(HubError) as caught:
        await room.accounts.change(admin.id, change)
    assert caught.value.reason == "last_admin"
    assert (await room.accounts.get(admin.id)).role is Role.TOWNSHIP_ADMIN
    await room.accounts.change(other.id, Change(disabled=False))
    await room.accounts.change(admin.id, change)


async def test_two_admins_cannot_demote_each_other_at_the_same_moment(room: Room) -> None:
    admins = [await room.accounts.create(name, name, Role.TOWNSHIP_ADMIN, GOOD) for name in ("first", "second")]
    results = await asyncio.gather(
        *(room.accounts.change(admin.id, Change(role=Role.LEADER)) for admin in admins), return_exceptions=True
    )
    assert sum(isinstance(result, HubError) for result in results) == 1


async def test_ones_own_new_password_needs_the_old_and_ends_ones_other_sessions(room: Room) -> None:
    li = await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    here, there = await _sign_in(room, "li"), await _sign_in(room, "li")
    with pytest.raises(HubError) as caught:
        await room.accounts.new_password(li.id, "wrong", "another-Password", keep=here)
    assert caught.value.reason == "old_password_wrong"
    with pytest.raises(HubError, match="too short"):
        await room.accounts.new_password(li.id, GOOD, "short", keep=here)
    await room.accounts.new_password(li.id, GOOD, "another-Password", keep=here)
    assert await room.sessions.actor(here) is not None
    assert await room.sessions.actor(there) is None
    assert await _sign_in(room, "li", "another-Password")


async def test_no_secret_in_any_repr(room: Room) -> None:
    account = await room.accounts.create("li", "李", Role.OPERATOR, GOOD)
    signed_in = await room.sign_in("li", GOOD, address="", agent="")
    told = repr((account, signed_in, Change(password=GOOD)))
    assert GOOD not in told
    assert signed_in.token not in told
    assert "argon2" not in told
