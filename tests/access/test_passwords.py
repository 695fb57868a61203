"""What a new password must be, and that checking costs the same for everybody."""

import asyncio
import threading
import time
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher

from camera_hub.access.passwords import SLOTS, STRANGERS_WAITING, WAITING, Passwords, _Places, weakness
from camera_hub.errors import HubError, Kind
from tests.access.conftest import cheap_passwords


@pytest.mark.parametrize(
    ("password", "lack"),
    [
        ("short", "password_short"),
        ("x" * 257, "password_long"),
        ("operator-wang", "password_username"),
        ("Operator-Wang2026", "password_username"),
        ("aaaaaaaaaaaa", "password_trivial"),
        ("abababababab", "password_trivial"),
        ("1234567890", "password_trivial"),
        ("0987654321", "password_trivial"),
        ("abcdefghijkl", "password_trivial"),
        ("qwertyuiop", "password_trivial"),
        ("123456123456", "password_trivial"),
        ("password2026", "password_trivial"),
        ("Admin@123456", "password_trivial"),
        ("石桥村的老井水很甜呀", None),
        ("correct horse", None),
        ("tK7-riverside", None),
    ],
)
def test_easy_passwords_are_refused_with_their_reason(password: str, lack: str | None) -> None:
    assert weakness(password, "operator-wang", 10) == lack


def test_the_refusal_says_what_to_do_and_not_what_was_typed() -> None:
    with pytest.raises(HubError) as caught:
        cheap_passwords().require_good("hunter2", "wang")
    assert caught.value.kind is Kind.INVALID
    assert "at least 10 characters" in caught.value.detail
    assert "hunter2" not in caught.value.detail


async def test_a_hash_is_argon2id_and_verifies_only_its_password() -> None:
    passwords = Passwords(10)
    stored = await passwords.hash("tK7-riverside")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, "tK7-riverside")
    assert not await passwords.verify(stored, "tK7-riversidf")
    assert not await passwords.verify("no hash", "tK7-riverside")


async def test_an_unknown_user_costs_one_hash_as_a_known_one_does() -> None:
    counted: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            counted.append(str(hash)[:9])
            return super().verify(hash, password)

    passwords = Passwords(10, Counting(time_cost=1, memory_cost=8, parallelism=1))
    stored = await passwords.hash("tK7-riverside")
    assert not await passwords.verify(stored, "wrong")
    assert not await passwords.verify(None, "wrong")
    assert counted == ["$argon2id", "$argon2id"]


async def test_a_flood_is_refused_instead_of_queued_without_end() -> None:
    passwords = cheap_passwords()
    results = await asyncio.gather(
        *(passwords.hash("tK7-riverside") for _ in range(SLOTS + WAITING + 5)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, HubError)]
    assert len(refused) == 5
    assert {error.kind for error in refused} == {Kind.BUSY}
    assert await passwords.hash("tK7-riverside")


async def test_strangers_wait_for_one_another_and_leave_time_to_all_others() -> None:
    """While they fill their place and their queue, somebody who is known does not wait behind them."""
    begun: list[str | bytes] = []
    stranger, release = threading.Event(), threading.Event()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
            begun.append(password)
            if password == "stranger":
                stranger.set()
                release.wait(60)
            return super().verify(hash, password)

    passwords = Passwords(10, Slow(time_cost=1, memory_cost=8, parallelism=1))
    stored = await passwords.hash("tK7-riverside")
    strangers = [
        asyncio.create_task(passwords.verify(stored, "stranger", stranger=True)) for _ in range(STRANGERS_WAITING + 1)
    ]
    await asyncio.sleep(0)
    with pytest.raises(HubError) as caught:
        await passwords.verify(stored, "stranger", stranger=True)
    assert caught.value.kind is Kind.BUSY
    assert await passwords.verify(stored, "tK7-riverside")
    assert await asyncio.to_thread(stranger.wait, 60), "its thread may begin later than that of who is known"
    assert sorted(map(str, begun)) == ["stranger", "tK7-riverside"], "one stranger's, and the known one's"
    release.set()
    assert not any(await asyncio.gather(*strangers))


async def test_a_place_rests_for_as_long_as_is_said() -> None:
    """The semaphore is free again only when three times the work's length has passed."""
    delays: list[float] = []
    places = _Places(1, 1, 3.0)
    loop = asyncio.get_running_loop()
    later = loop.call_later
    with pytest.MonkeyPatch.context() as patch:

        def at_once(delay: float, *rest: Any) -> asyncio.TimerHandle:
            delays.append(delay)
            return later(0, *rest)

        patch.setattr(loop, "call_later", at_once)
        began = loop.time()
        await places.run(time.sleep, 0.02)  # type: ignore[arg-type]  # any work
        took = loop.time() - began
    assert 0.06 <= delays[-1] <= 3 * took


def test_hashes_of_other_costs_are_outdated() -> None:
    stored = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("tK7-riverside")
    assert Passwords(10).outdated(stored)
    assert not cheap_passwords().outdated(stored)
