"""Tokens for RTSP out: what they open and for how long, and that their text is kept nowhere."""

from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from camera_hub.access.policy import Actor, Role
from camera_hub.access.stream_tokens import StreamTokens, Token, TokenScope, hashed, refusal
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus, StreamTokenChanged
from camera_hub.store.database import Database
from tests.fakes.clock import ManualClock
from tests.fakes.site import add_village

NOON = ManualClock().now()
ADMIN = Actor(1, "admin", "管理员", Role.TOWNSHIP_ADMIN)


def token(scope: TokenScope = TokenScope(), **values: object) -> Token:  # noqa: B008 (frozen)
    base = {"expires_at": None, "revoked_at": None, "used_at": None}
    return Token(1, "x", scope, 4, "管理员", NOON, **{**base, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        (TokenScope(), True),
        (TokenScope(village_id=2), True),
        (TokenScope(village_id=3), False),
        (TokenScope(cameras=(6, 7)), True),
        (TokenScope(cameras=(6,)), False),
        (TokenScope(cameras=()), False),
    ],
)
def test_a_token_opens_the_cameras_of_its_scope(scope: TokenScope, opens: bool) -> None:
    refused = refusal(token(scope), NOON, camera_id=7, village_id=2)
    assert (refused is None) == opens
    assert refused is None or refused.kind is Kind.NOT_FOUND


def test_an_expired_or_revoked_token_opens_nothing() -> None:
    short = token(expires_at=NOON + timedelta(hours=1))
    assert refusal(short, NOON + timedelta(minutes=59), 7, 2) is None
    expired = refusal(short, NOON + timedelta(hours=1), 7, 2)
    revoked = refusal(token(revoked_at=NOON), NOON, 7, 2)
    assert expired is not None
    assert revoked is not None
    assert (expired.reason, revoked.reason) == ("expired", "revoked")


@pytest.fixture
async def tokens(database: Database, clock: ManualClock, bus: EventBus) -> StreamTokens:
    async with database.write() as session:
        await session.execute(
            sql(
                "INSERT INTO users"
                " (id, username, display_name, role, all_villages, password_hash, disabled, created_at)"
                " VALUES (1, 'admin', '管理员', 'township_admin', NOT :no, '-', :no, :now)"
            ),
            {"no": False, "now": clock.now()},
        )
    return StreamTokens(database, clock, bus)


async def test_a_token_is_told_once_and_kept_as_a_hash(tokens: StreamTokens, database: Database, bus: EventBus) -> None:
    with bus.subscribe(StreamTokenChanged) as events:
        made, text = await tokens.create(ADMIN, "大屏", TokenScope(), expires_at=None, max_sessions=4)
        assert await events.next() == StreamTokenChanged(made.id)
    found = await tokens.of_hash(hashed(text))
    assert found == made
    assert await tokens.of_hash(hashed(text + "0")) is None
    async with database.read() as session:
        rows = (await session.execute(sql("SELECT * FROM stream_tokens"))).all()
    assert text not in str(rows)
    assert hashed(text) in str(rows)


async def test_revoking_is_for_ever_and_keeps_its_first_time(tokens: StreamTokens, clock: ManualClock) -> None:
    made, text = await tokens.create(ADMIN, "大屏", TokenScope(), expires_at=None, max_sessions=4)
    first = await tokens.revoke(made.id)
    clock.move(60)
    assert await tokens.revoke(made.id) == first == (await tokens.all())[0] == await tokens.of_hash(hashed(text))
    with pytest.raises(HubError, match="no such token"):
        await tokens.revoke(99)


async def test_a_scope_names_what_is_there(tokens: StreamTokens, database: Database, clock: ManualClock) -> None:
    cameras = await add_village(database, clock, "东村", 2)
    for scope in (
        TokenScope(village_id=99),
        TokenScope(cameras=(cameras[0], 99)),
        TokenScope(cameras=()),
        TokenScope(1, (cameras[0],)),
    ):
        with pytest.raises(HubError) as caught:
            await tokens.create(ADMIN, "x", scope, expires_at=None, max_sessions=1)
        assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "scope")
    with pytest.raises(HubError) as caught:
        await tokens.create(ADMIN, "x", TokenScope(), expires_at=clock.now(), max_sessions=1)
    assert caught.value.reason == "expires_in_past"
    made, _ = await tokens.create(ADMIN, "x", TokenScope(cameras=tuple(cameras)), expires_at=None, max_sessions=1)
    assert made.scope.cameras == tuple(cameras)
