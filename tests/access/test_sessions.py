"""Sessions: opaque, ended absolutely, revoked within 5 s."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Role
from camera_hub.access.sessions import CACHE_SECONDS, SESSIONS_PER_USER, Sessions
from camera_hub.store.database import Database
from camera_hub.store.tables import User, UserSession
from tests.fakes.clock import ManualClock


async def _user(database: Database, clock: ManualClock, name: str = "wang") -> int:
    async with database.write() as session:
        user = User(
            username=name,
            display_name="王",
            role="operator",
            password_hash="-",
            created_at=clock.now(),
            all_villages=True,
        )
        session.add(user)
        await session.flush()
        return user.id


async def test_a_token_names_its_actor_and_only_its_hash_is_stored(database: Database, clock: ManualClock) -> None:
    sessions = Sessions(database, clock, 12)
    user_id = await _user(database, clock)
    token = await sessions.start(user_id, address="127.0.0.1", agent="x" * 999)
    actor = await sessions.actor(token)
    assert actor is not None
    assert (actor.user_id, actor.role, actor.display_name) == (user_id, Role.OPERATOR, "王")
    async with database.read() as session:
        row = (await session.scalars(select(UserSession))).one()
    assert token not in (row.token_hash, row.agent)
    assert len(token) >= 43
    assert await sessions.actor(token + "x") is None


async def test_a_session_ends_at_its_hour_even_when_used(database: Database, clock: ManualClock) -> None:
    sessions = Sessions(database, clock, 1)
    token = await sessions.start(await _user(database, clock))
    clock.move(3598)
    assert await sessions.actor(token) is not None
    clock.move(2.5)
    assert await sessions.actor(token) is None


async def test_a_user_disabled_by_another_process_is_out_within_5_seconds(
    database: Database, clock: ManualClock
) -> None:
    sessions = Sessions(database, clock, 12)
    token = await sessions.start(await _user(database, clock))
    assert await sessions.actor(token) is not None
    async with database.write() as session:
        await session.execute(update(User).values(disabled=True))
    clock.move(CACHE_SECONDS)
    assert await sessions.actor(token) is None


async def test_an_ended_session_is_out_at_once(database: Database, clock: ManualClock) -> None:
    sessions = Sessions(database, clock, 12)
    token = await sessions.start(await _user(database, clock))
    assert await sessions.actor(token) is not None
    await sessions.end(token)
    assert await sessions.actor(token) is None


async def test_a_request_that_crosses_the_end_of_its_session_does_not_revive_it(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = Sessions(database, clock, 12)
    token = await sessions.start(await _user(database, clock))
    read, ended = database.read, False

    @asynccontextmanager
    async def slow() -> AsyncIterator[AsyncSession]:
        nonlocal ended
        async with read() as session:
            yield session
        if not ended:
            ended = True
            await sessions.end(token)

    monkeypatch.setattr(database, "read", slow)
    assert await sessions.actor(token) is not None, "it was read before the end"
    assert await sessions.actor(token) is None


async def test_all_of_a_users_sessions_end_but_the_one_kept(database: Database, clock: ManualClock) -> None:
    sessions = Sessions(database, clock, 12)
    user_id = await _user(database, clock)
    other = await sessions.start(await _user(database, clock, "li"))
    kept, gone = await sessions.start(user_id), await sessions.start(user_id)
    assert await sessions.actor(gone) is not None
    async with database.write() as session:
        await sessions.end_all(session, user_id, keep=kept)
    sessions.forget(user_id)
    assert await sessions.actor(gone) is None
    assert await sessions.actor(kept) is not None
    assert await sessions.actor(other) is not None


async def test_a_user_s_oldest_sessions_end_when_there_are_too_many(database: Database, clock: ManualClock) -> None:
    sessions = Sessions(database, clock, 12)
    user_id, other = await _user(database, clock), await _user(database, clock, "zhao")
    others = await sessions.start(other)
    tokens = []
    for _ in range(SESSIONS_PER_USER):
        clock.move(1)
        tokens.append(await sessions.start(user_id))
    assert await sessions.actor(tokens[0]) is not None
    clock.move(1)
    newest = await sessions.start(user_id)
    assert await sessions.actor(tokens[0]) is None, "also of what was remembered a moment ago"
    for token in (tokens[1], newest, others):
        assert await sessions.actor(token) is not None
