"""The one-time link of the first start."""

import asyncio

import pytest

from camera_hub.access.policy import Role
from camera_hub.errors import HubError
from tests.access.conftest import Room
from tests.fakes.clock import ManualClock

GOOD = "tK7-riverside"


async def _reason(room: Room, token: str) -> str:
    with pytest.raises(HubError) as caught:
        await room.setup.redeem(token, "admin", "管理员", GOOD)
    return caught.value.reason


async def test_the_link_makes_the_first_township_admin_once(room: Room) -> None:
    assert await room.setup.needed()
    token = await room.setup.new_token()
    assert token is not None
    account = await room.setup.redeem(token, "admin", "管理员", GOOD)
    assert account.role is Role.TOWNSHIP_ADMIN
    assert not await room.setup.needed()
    assert await room.setup.new_token() is None
    assert await _reason(room, token) == "setup_link_bad"


async def test_a_link_ends_with_its_time_and_with_the_next_one(room: Room, clock: ManualClock) -> None:
    first = await room.setup.new_token()
    second = await room.setup.new_token()
    assert first is not None
    assert second is not None
    assert await _reason(room, first) == "setup_link_bad"
    assert await _reason(room, "guess") == "setup_link_bad"
    clock.move(3600)
    assert await _reason(room, second) == "setup_link_bad"


async def test_a_weak_password_does_not_use_the_link_up(room: Room) -> None:
    token = await room.setup.new_token()
    assert token is not None
    with pytest.raises(HubError, match="too short"):
        await room.setup.redeem(token, "admin", "管理员", "short")
    assert await room.setup.redeem(token, "admin", "管理员", GOOD)


async def test_of_two_at_the_same_moment_one_becomes_admin(room: Room) -> None:
    token = await room.setup.new_token()
    assert token is not None
    results = await asyncio.gather(
        *(room.setup.redeem(token, f"admin{number}", "管理员", GOOD) for number in range(2)), return_exceptions=True
    )
    assert sum(isinstance(result, HubError) for result in results) == 1
    assert await room.accounts.count() == 1
