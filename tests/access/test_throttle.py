"""Failed sign-ins: the decision, its memory, and whom it slows down."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from camera_hub.access import throttle as rules
from camera_hub.access.known_browsers import DAYS, ENTRIES, KnownBrowsers
from camera_hub.access.throttle import (
    ACCOUNT_FACTOR,
    ADDRESS_FACTOR,
    SHARED_SECONDS,
    Brake,
    Count,
    SignInAttempt,
    Throttle,
    counted,
    network,
    pause,
    wait,
)
from camera_hub.errors import HubError, Kind
from camera_hub.store.database import Database
from camera_hub.store.tables import LoginFailure
from tests.fakes.clock import ManualClock

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BRAKE = Brake(3, 5.0, 900.0, timedelta(hours=24))


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0), (2, 0), (3, 5), (4, 10), (5, 20), (10, 640), (11, 900), (10_000, 900)]
)
def test_pauses_double_up_to_the_longest(failures: int, expected: float) -> None:
    assert pause(failures, BRAKE) == expected


@pytest.mark.parametrize(
    ("failures", "ago", "expected"),
    [(2, 0, 0), (3, 0, 5), (3, 4, 1), (3, 6, 0), (12, 100, 800), (12, -1000, 900), (12, 86_400, 0)],
)
def test_the_wait_runs_from_the_last_failure_and_no_stepped_clock_lengthens_it(
    failures: int, ago: int, expected: float
) -> None:
    assert wait(Count(failures, NOW - timedelta(seconds=ago)), NOW, BRAKE) == expected


def test_a_key_without_failures_never_waits() -> None:
    assert wait(None, NOW, BRAKE) == 0


def test_counting_starts_anew_after_a_day_without_failures() -> None:
    first = counted(None, NOW, BRAKE)
    second = counted(first, NOW + timedelta(hours=23), BRAKE)
    assert (first, second) == (Count(1, NOW), Count(2, NOW + timedelta(hours=23)))
    later = NOW + timedelta(hours=47)
    assert counted(second, later, BRAKE) == Count(1, later)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_64_bits(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


def _wang(address: str = "192.0.2.1", *, browser: str = "", inside: bool = False) -> SignInAttempt:
    return SignInAttempt("wang", address, browser, inside)


async def _attempts(throttle: Throttle, who: SignInAttempt, number: int) -> int:
    """How many of `number` attempts at one moment were let through."""
    results = await asyncio.gather(*(throttle.attempt(who) for _ in range(number)), return_exceptions=True)
    assert all(result is None or (isinstance(result, HubError) and result.kind is Kind.BUSY) for result in results)
    return sum(result is None for result in results)


async def _seconds(throttle: Throttle, who: SignInAttempt) -> int:
    with pytest.raises(HubError) as caught:
        await throttle.attempt(who)
    assert caught.value.reason == "too_many_failures"
    return int(caught.value.params["retry_in"])


async def test_attempts_at_one_moment_are_all_counted(database: Database, clock: ManualClock) -> None:
    throttle = Throttle(database, clock, 3, 15)
    assert await _attempts(throttle, _wang(), 8) == 3
    assert await _attempts(throttle, SignInAttempt("WANG", "::ffff:192.0.2.1"), 1) == 0
    clock.move(5)
    assert await _attempts(throttle, _wang(), 8) == 1
    assert await _seconds(throttle, _wang()) == 10


async def test_a_restart_forgets_nothing(database: Database, clock: ManualClock) -> None:
    await _attempts(Throttle(database, clock, 3, 15), _wang(), 3)
    assert await _seconds(Throttle(database, clock, 3, 15), _wang()) == 5


async def test_who_fails_elsewhere_keeps_nobody_out(database: Database, clock: ManualClock) -> None:
    """The only township admin, while a stranger tries from one address for hours."""
    throttle, made = Throttle(database, clock, 3, 15), 0
    for _ in range(4 * 12):
        made += await _attempts(throttle, _wang(), 1)
        clock.move(300)
    assert made < 4 * 6
    assert await _attempts(throttle, _wang("192.0.2.2"), 1) == 1
    assert await _attempts(throttle, _wang(browser="desk"), 1) == 1
    assert await _attempts(throttle, SignInAttempt("li", "192.0.2.1"), 1) == 1
    assert await _attempts(throttle, _wang(inside=True), 1) == 1


async def test_one_address_trying_many_names_is_slowed(database: Database, clock: ManualClock) -> None:
    throttle = Throttle(database, clock, 3, 15)
    for number in range(3 * ADDRESS_FACTOR):
        await throttle.attempt(SignInAttempt(f"user{number}", "192.0.2.1"))
    assert await _seconds(throttle, SignInAttempt("another", "192.0.2.1")) == 1
    assert await _attempts(throttle, SignInAttempt("another", "192.0.2.2"), 1) == 1
    made = 0
    for number in range(600):
        made += await _attempts(throttle, SignInAttempt(f"more{number}", "192.0.2.1"), 1)
        clock.move(1)
    assert made <= 600 / SHARED_SECONDS + 6
    assert await _attempts(throttle, _wang(browser="desk"), 1) == 1, "a known browser of the same office"


async def test_a_search_from_many_addresses_is_slowed_and_known_browsers_pass(
    database: Database, clock: ManualClock
) -> None:
    throttle, made = Throttle(database, clock, 3, 15), 0
    for number in range(600):
        made += await _attempts(throttle, _wang(f"2001:db8:0:{number:x}::1"), 1)
        made += await _attempts(throttle, _wang(f"198.51.{number // 250}.{number % 250}"), 1)
        clock.move(1)
    assert made <= 3 * ACCOUNT_FACTOR + 600 / SHARED_SECONDS + 6
    assert await _attempts(throttle, _wang("198.51.100.1", browser="desk"), 1) == 1
    assert await _seconds(throttle, _wang("203.0.113.1")) <= SHARED_SECONDS


async def test_a_known_browser_is_slowed_by_its_own_failures(database: Database, clock: ManualClock) -> None:
    throttle = Throttle(database, clock, 3, 15)
    assert await _attempts(throttle, _wang(browser="stolen"), 5) == 3
    assert await _seconds(throttle, _wang(browser="stolen")) == 5
    assert await _attempts(throttle, _wang(browser="desk"), 1) == 1


async def test_success_cleans_the_account_and_gives_the_address_its_attempt_back(
    database: Database, clock: ManualClock
) -> None:
    throttle = Throttle(database, clock, 3, 15)
    for _ in range(20):
        await throttle.attempt(_wang())
        await throttle.succeeded(_wang())
    assert await _attempts(throttle, _wang(), 5) == 3


async def test_a_password_that_was_not_looked_at_is_no_failure_and_a_new_one_ends_the_wait(
    database: Database, clock: ManualClock
) -> None:
    throttle = Throttle(database, clock, 3, 15)
    for _ in range(20):
        await throttle.attempt(_wang())
        await throttle.untold(_wang())
    assert await _attempts(throttle, _wang(), 5) == 3
    assert await _attempts(throttle, SignInAttempt("li", "192.0.2.1"), 5) == 3
    await throttle.clear("Wang")
    assert await _attempts(throttle, _wang(), 1) == 1
    assert await _seconds(throttle, SignInAttempt("li", "192.0.2.1")) == 5


async def test_the_table_is_bounded_and_a_paused_key_is_not_pushed_out(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MAX_ROWS", 30)
    monkeypatch.setattr(rules, "ROOM_EVERY", 1)
    throttle = Throttle(database, clock, 3, 15)
    await _attempts(throttle, _wang(), 3)
    for number in range(40):
        await throttle.attempt(SignInAttempt(f"user{number}", f"198.51.100.{number}"))
    async with database.read() as session:
        assert (await session.scalar(select(func.count()).select_from(LoginFailure)) or 0) <= 33
    assert await _seconds(Throttle(database, clock, 3, 15), _wang()) == 5
    clock.move(86_400)
    await throttle.attempt(_wang())
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(LoginFailure)) == 3


def test_a_browser_is_known_for_the_accounts_that_signed_in_there_and_for_no_other(clock: ManualClock) -> None:
    browsers = KnownBrowsers(bytes(32), clock)
    cookie = browsers.with_account("", "wang")
    assert browsers.browser(cookie, " WANG ")
    assert not browsers.browser(cookie, "li")
    assert "wang" not in cookie
    both = browsers.with_account(cookie, "li")
    assert browsers.browser(both, "wang") == browsers.browser(cookie, "wang") != browsers.browser(both, "li")
    assert not KnownBrowsers(bytes(31) + b"1", clock).browser(both, "li")
    again = browsers.with_account(both, "wang")
    assert len(again) == len(both)
    for number in range(20):
        again = browsers.with_account(again, f"user{number}")
    assert sum(bool(browsers.browser(again, f"user{number}")) for number in range(20)) == ENTRIES
    assert not browsers.browser(again, "wang")
    clock.move(DAYS * 86_400)
    assert not browsers.browser(both, "wang")


@pytest.mark.parametrize("cookie", ["", "A", "A" * 5000, "é", "=", "AAAA" * 12, "%00", "-_" * 30])
def test_a_forged_cookie_is_nothing(clock: ManualClock, cookie: str) -> None:
    browsers = KnownBrowsers(bytes(32), clock)
    assert not browsers.browser(cookie, "wang")
    assert browsers.browser(browsers.with_account(cookie, "wang"), "wang")
