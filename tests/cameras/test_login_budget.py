"""Tries of logins at a device: at most six refusals a day, whoever asks; what is refused once more waits, what is right
does not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import PAUSES, WAITING, Attempt, LoginBudget, blocked
from camera_hub.cameras.credentials.login_memory import Kept, LoginKey
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.credentials.retry_rules import (
    FIRST_PAUSE,
    IN_HALF_HOUR,
    LATER_PAUSE,
    TRIES_A_DAY,
    LoginStanding,
    Service,
    refused,
    resumed,
)
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, Village
from tests.fakes.clock import ManualClock

HOUR = 3600.0
DAY = 24 * HOUR
HALF_HOUR = HOUR / 2
SECRET = b"test"
ADDRESS = "192.0.2.7"


def login(password: str = "wrong", *, device: int | None = 1, version: int = 1) -> DeviceLogin:
    return DeviceLogin("admin", password, version, device)


def key(budget: LoginBudget, password: str = "wrong", *, device: int | None = 1, version: int = 1) -> LoginKey:
    return budget.account(login(password, device=device, version=version), f"{ADDRESS}:80")


NVR = key(LoginBudget(ManualClock(), None, SECRET))


class MemoryStore:
    """A store that survives a restart of the budget."""

    def __init__(self) -> None:
        self.rows: dict[str, Kept] = {}
        self.saves = 0

    async def load(self) -> list[Kept]:
        return list(self.rows.values())

    async def save(self, kept: Sequence[Kept], gone: Sequence[str]) -> None:
        self.saves += 1
        await asyncio.sleep(0)
        for name in gone:
            self.rows.pop(name, None)
        for one in kept:
            self.rows[one.name] = one


class BrokenStore(MemoryStore):
    async def save(self, kept: Sequence[Kept], gone: Sequence[str]) -> None:
        raise HubError(Kind.STORAGE_FULL, "the disk is full", reason=Reason.STORAGE_FULL)


async def refuse(budget: LoginBudget, service: Service, account: LoginKey = NVR) -> bool:
    """One try with a wrong password. Whether it was made."""
    try:
        attempt = await budget.begin(account, service)
    except HubError as error:
        if error.reason not in PAUSES:
            raise
        return False
    attempt.refused()
    return True


async def take(budget: LoginBudget, service: Service, account: LoginKey = NVR) -> None:
    async with budget.trying(account, service) as attempt:
        attempt.accepted()


ASKERS: dict[str, list[Service]] = {
    "onvif": ["onvif"],
    "rtsp": ["rtsp"],
    "http": ["http"],
    "all": ["onvif", "rtsp", "http"],
    "eight channels": ["rtsp"] * 8,
}
STEPS = st.lists(
    st.tuples(
        st.floats(0.0, 9 * HOUR), st.sampled_from([*ASKERS, "restart", "crash", "typed", "typed again", "right"])
    ),
    max_size=60,
)


@pytest.mark.slow
@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_any_interleaving_stays_within_six_tries_a_day_and_the_stored_login_never_waits_beyond_its_pause(
    steps: Sequence[tuple[float, str]],
) -> None:
    """Somebody watches; others look, search, type logins, enter the stored one again; the hub restarts or crashes."""

    async def day() -> tuple[list[float], list[float]]:
        clock, store = ManualClock(), MemoryStore()
        tries, own = list[float](), list[float]()
        start = clock.monotonic()
        budget = await LoginBudget(clock, store, SECRET).__aenter__()
        crashed: list[LoginBudget] = []
        version, typed = 1, 0

        async def ask(account: LoginKey, *services: Service) -> None:
            made = await asyncio.gather(*(refuse(budget, service, account) for service in services))
            tries.extend([clock.monotonic() - start] * sum(made))
            if account.device_id is not None:
                own.extend([clock.monotonic() - start] * sum(made))

        def stored() -> LoginKey:
            return key(budget, version=version)

        for pause, what in steps:
            await ask(stored(), "rtsp")
            left = pause
            while left > 0:
                step = min(left, budget.wait(stored(), "rtsp") or 60.0)
                clock.move(step)
                left -= step
                await ask(stored(), "rtsp")
            if what == "restart":
                await budget.__aexit__()
                budget = await LoginBudget(clock, store, SECRET).__aenter__()
            elif (
                what == "crash"
            ):  # in the middle of a try: the camera has seen it, nobody has written down how it ended
                try:
                    await budget.begin(stored(), "rtsp")
                    tries.append(clock.monotonic() - start)
                except HubError:
                    pass
                crashed.append(budget)
                budget = await LoginBudget(clock, store, SECRET).__aenter__()
            elif what == "typed":
                typed += 1
                await ask(key(budget, f"guess {typed}", device=None), "onvif")
            elif what == "typed again":
                version += 1
                await ask(stored(), "onvif", "rtsp")
            elif what == "right":
                other = budget.account(DeviceLogin("viewer", "right", version, 1), ADDRESS, 554)
                try:
                    await take(budget, "rtsp", other)
                except HubError as error:
                    if error.reason not in PAUSES:
                        raise
            else:
                await ask(stored(), *ASKERS[what])
        for one in (budget, *crashed):
            await one.__aexit__()
        return tries, own

    tries, own = asyncio.run(day())
    for began in tries:
        assert len([at for at in tries if began <= at < began + DAY]) <= TRIES_A_DAY, [
            round(at - began) for at in tries
        ]
        assert len([at for at in tries if began <= at < began + HALF_HOUR]) <= IN_HALF_HOUR
    if len(tries) == len(own):  # nobody else has used the device's budget
        for earlier, later in pairwise(own):
            assert later - earlier <= DAY + 2


async def test_a_wrong_login_that_nobody_corrects_is_tried_four_times_a_day_and_then_twice(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    start, tries = clock.monotonic(), list[float]()
    for _ in range(int(3 * DAY // 60)):
        if await refuse(budget, "rtsp"):
            tries.append((clock.monotonic() - start) / HOUR)
        clock.move(60)
    assert tries == pytest.approx(
        [0, 1 / 60, 31 / 60, 12 + 31 / 60, 24 + 31 / 60, 36 + 31 / 60, 48 + 31 / 60, 60 + 31 / 60]
    )


async def test_eight_channels_with_a_wrong_password_cost_two_tries(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    made = await asyncio.gather(*(refuse(budget, "rtsp") for _ in range(8)), refuse(budget, "onvif"))
    assert sum(made) == 2


async def test_a_password_changed_at_the_camera_costs_two_tries_though_eight_channels_knew_it(
    clock: ManualClock,
) -> None:
    budget = LoginBudget(clock)
    await take(budget, "rtsp")
    await take(budget, "onvif")
    made = await asyncio.gather(*(refuse(budget, "rtsp") for _ in range(8)), *(refuse(budget, "onvif") for _ in "12"))
    assert sum(made) == 2


async def test_an_early_word_lets_the_next_channel_in_while_the_first_goes_on(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    first = await budget.begin(NVR, "rtsp")
    second = asyncio.create_task(budget.begin(NVR, "rtsp"))
    await clock.settle()
    assert not second.done()
    first.accepted()
    attempt = await second
    first.refused()  # the login is right, the stream is not allowed: that counts, too
    attempt.end()
    assert await refuse(budget, "rtsp")
    assert not await refuse(budget, "rtsp")


async def test_who_gives_up_while_waiting_leaves_its_turn_to_the_next(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    first = await budget.begin(NVR, "rtsp")
    waiting = [asyncio.create_task(budget.begin(NVR, "rtsp")) for _ in range(3)]
    await clock.settle()
    waiting[0].cancel()
    await clock.settle()
    first.end()
    waiting[1].cancel()  # in the very moment in which it has its turn
    third = await asyncio.wait_for(waiting[2], 60)
    assert isinstance(third, Attempt)
    third.end()
    assert await refuse(budget, "onvif")


async def test_too_many_who_wait_for_one_address_are_sent_away(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    first = await budget.begin(NVR, "rtsp")
    waiting = [asyncio.create_task(budget.begin(NVR, "rtsp")) for _ in range(WAITING)]
    await clock.settle()
    with pytest.raises(HubError) as caught:
        await budget.begin(NVR, "rtsp")
    assert caught.value.reason == Reason.BUSY
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    first.end()
    assert await refuse(budget, "rtsp")


async def test_a_changed_login_is_tried_at_once_and_the_old_one_no_more(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
    assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE)
    changed = key(budget, "right", version=2)
    assert budget.wait(changed, "rtsp") == 0
    await take(budget, "rtsp", changed)
    with pytest.raises(HubError) as caught:
        await budget.begin(NVR, "rtsp")
    assert caught.value.reason == Reason.BUSY


async def test_the_same_login_entered_again_has_a_try_at_once_and_it_counts(clock: ManualClock) -> None:
    """A maintainer has corrected the camera, not the hub, and says: try again."""
    budget = LoginBudget(clock)
    assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
    for version in (2, 3):
        again = replace(NVR, version=version)
        assert budget.wait(again, "rtsp") == 0
        assert [await refuse(budget, "rtsp", again) for _ in range(2)] == [True, False]
    assert budget.wait(replace(NVR, version=4), "rtsp") == pytest.approx(HALF_HOUR, abs=2), (
        "four in half an hour are enough"
    )
    clock.move(HALF_HOUR + 1)
    made = 0
    for version in range(4, 20):
        made += await refuse(budget, "rtsp", replace(NVR, version=version))
    assert made == 2
    assert budget.wait(replace(NVR, version=20), "rtsp") == pytest.approx(DAY - HALF_HOUR, abs=2)


async def test_a_door_that_takes_the_login_does_not_excuse_another_that_refuses_it(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    tries = 0
    for _ in range(int(DAY // 60)):  # a look each minute: ONVIF first, then the stream
        if budget.wait(NVR, "onvif") == 0:
            await take(budget, "onvif")
        tries += await refuse(budget, "rtsp")
        clock.move(60)
    assert tries == 4


async def test_a_device_that_says_locked_out_is_left_alone_after_the_first_word(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    attempt = await budget.begin(NVR, "onvif")
    attempt.refused(Reason.LOCKED_OUT)
    for account in (NVR, key(budget, "another", device=None), key(budget, "another", version=2)):
        with pytest.raises(HubError) as caught:
            await budget.begin(account, "rtsp")
        assert (caught.value.reason, caught.value.params["minutes"]) == (Reason.LOCKED_OUT, 30)


async def test_logins_typed_for_an_address_share_its_budget_whoever_types_and_wherever(clock: ManualClock) -> None:
    """Guessing is braked: other names, other ports, other spellings of the address and another protocol are one."""
    budget = LoginBudget(clock)
    spellings = (("192.0.2.7", 80), ("::ffff:192.0.2.7", 8080), ("[::FFFF:C000:207]", 554), ("192.0.2.7", 443))
    services: tuple[Service, ...] = ("onvif", "rtsp", "http")
    made, moments = 0, []
    for number in range(4000):
        address, port = spellings[number % 4]
        guess = budget.account(DeviceLogin(f"user{number % 3}", f"guess{number}"), address, port)
        if await refuse(budget, services[number % 3], guess):
            made += 1
            moments.append(clock.monotonic())
        clock.move(20)
        assert clock.monotonic() - moments[0] < DAY
    assert made == TRIES_A_DAY
    assert moments[IN_HALF_HOUR] - moments[0] >= HALF_HOUR
    with pytest.raises(HubError) as caught:
        await budget.begin(key(budget, "the right one", device=None), "onvif")
    assert caught.value.reason == Reason.LOGIN_PAUSED
    assert caught.value.params["tries_left"] == 0
    assert (
        caught.value.params["until"]
        == blocked(Reason.LOGIN_PAUSED, 0, clock.now() + timedelta(seconds=caught.value.params["retry_in"]), 0).params[
            "until"
        ]
    )


async def test_guessing_does_not_lock_out_the_login_that_the_device_accepts(clock: ManualClock) -> None:
    """And if that one turns wrong on the same day, the six hold all the same."""
    store = MemoryStore()
    async with LoginBudget(clock, store, SECRET) as budget:
        await take(budget, "rtsp", key(budget, "right"))
        made = 0
        for number in range(200):
            made += await refuse(budget, "onvif", key(budget, f"guess{number}", device=None))
            clock.move(60)
        assert made == TRIES_A_DAY - 1
    async with LoginBudget(clock, store, SECRET) as budget:
        right = key(budget, "right")
        for _ in range(100):
            await take(budget, "rtsp", right)
        assert await refuse(budget, "rtsp", right)
        assert not await refuse(budget, "rtsp", right)
        assert not await refuse(budget, "onvif", key(budget, "new", version=2))


async def test_two_devices_behind_a_router_have_a_budget_each_and_the_ports_of_one_share(clock: ManualClock) -> None:
    budget = LoginBudget(clock)

    def known(device: int, *ports: int) -> DeviceLogin:
        return DeviceLogin("admin", "wrong", 1, device, frozenset(ports), frozenset({f"serial {device}"}))

    first = budget.account(known(1, 8081, 5541), ADDRESS, 8081)
    assert [await refuse(budget, "onvif", first) for _ in range(3)] == [True, True, False]
    typed = budget.account(DeviceLogin("admin", "wrong"), ADDRESS, 8082)
    assert await refuse(budget, "onvif", typed), "one more of the same address, as far as is known"
    second = budget.account(known(2, 8082, 5542), ADDRESS, 8082)
    assert budget.pause(2).tries_left == TRIES_A_DAY - 1, "now it is known whose port that was"
    assert budget.pause(1).tries_left == TRIES_A_DAY - 2
    assert await refuse(budget, "onvif", second)
    stream = budget.account(DeviceLogin("admin", "wrong", 1, 2), ADDRESS, 5542)
    assert budget.wait(stream, "rtsp") == pytest.approx(FIRST_PAUSE)
    other = budget.account(DeviceLogin("admin", "other"), ADDRESS, 9000)
    assert await refuse(budget, "http", other)
    assert (budget.pause(1).tries_left, budget.pause(2).tries_left) == (4, 4), "of neither, as far as is known"
    # The first one's second row (registered by URL, in another village) is no device of its own.
    twin = budget.account(DeviceLogin("admin", "wrong", 1, 3, frozenset({5541})), ADDRESS, 5541)
    assert not await refuse(budget, "rtsp", replace(twin, login=first.login, device_id=1))
    assert await refuse(budget, "rtsp", twin)
    assert budget.pause(1).tries_left == TRIES_A_DAY - 3


async def test_an_unfinished_try_counts_after_a_crash_and_a_finished_one_does_not(clock: ManualClock) -> None:
    store = MemoryStore()
    crashed = await LoginBudget(clock, store, SECRET).__aenter__()
    over = await crashed.begin(NVR, "onvif")
    over.end()
    await crashed.begin(NVR, "rtsp")
    assert [row.under_way for row in store.rows.values()] == [{"rtsp": 1}], "before the camera has seen anything"
    async with LoginBudget(clock, store, SECRET) as budget:
        assert budget.pause(1).tries_left == TRIES_A_DAY - 1
        assert budget.wait(NVR, "rtsp") == 0, "it may well be right"
        await take(budget, "rtsp")
        assert budget.pause(1).tries_left == TRIES_A_DAY


async def test_a_relays_death_counts_as_a_try_unless_the_login_is_proved(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    (await budget.begin(NVR, "rtsp")).lost()
    assert budget.pause(1).tries_left == TRIES_A_DAY - 1
    await take(budget, "rtsp")
    (await budget.begin(NVR, "rtsp")).lost()
    assert budget.pause(1).tries_left == TRIES_A_DAY


async def test_a_second_signed_request_of_one_attempt_is_a_try_of_its_own(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    async with budget.trying(NVR, "onvif") as attempt:
        assert await attempt.again()
        assert not await attempt.again(), "the second refusal begins the pause"
    assert budget.pause(1).tries_left == TRIES_A_DAY - 2
    clock.move(FIRST_PAUSE)
    async with budget.trying(NVR, "onvif") as attempt:
        attempt.accepted()
    assert budget.pause(1) == budget.pause(99)


async def test_a_renewed_nonce_counts_as_a_refusal_unless_the_login_is_accepted_after_it(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    await take(budget, "onvif")
    for outcome, left in (("accepted", TRIES_A_DAY), ("end", TRIES_A_DAY - 1), ("refused", TRIES_A_DAY - 2)):
        attempt = await budget.begin(NVR, "onvif")
        attempt.accepted()
        attempt.doubted()
        getattr(attempt, outcome)()
        attempt.end()
        assert budget.pause(1).tries_left == left


async def test_a_login_that_is_not_proved_is_not_tried_while_nothing_can_be_stored(clock: ManualClock) -> None:
    async with LoginBudget(clock, MemoryStore(), SECRET) as budget:
        await take(budget, "rtsp")
        budget._writer._store = BrokenStore()  # the disk is full from now on
        await take(budget, "rtsp")
        with pytest.raises(HubError) as caught:
            await budget.begin(NVR, "onvif")
        assert caught.value.reason == Reason.STORAGE_FULL
        budget._writer._store = MemoryStore()
        await take(budget, "onvif")


async def test_proved_logins_are_written_once_and_many_new_ones_together(clock: ManualClock) -> None:
    store = MemoryStore()
    async with LoginBudget(clock, store, SECRET) as budget:
        devices = [budget.account(login("right", device=number), f"198.51.100.{number}", 80) for number in range(200)]
        await asyncio.gather(*(take(budget, "onvif", one) for one in devices))
        await clock.advance(2)
        after = store.saves
        assert after <= 4
        for one in devices:
            await take(budget, "onvif", one)
        await clock.advance(2)
        assert store.saves == after
    async with LoginBudget(clock, store, SECRET) as budget:
        await asyncio.gather(*(take(budget, "onvif", one) for one in devices))
    assert store.saves == after, "a restart asks nobody again"


async def test_a_flood_of_addresses_pushes_no_paused_login_out(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera_hub.cameras.credentials.login_memory.LIMIT", 50)
    budget = LoginBudget(clock)
    assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
    made = 0
    for number in range(200):
        flood = budget.account(DeviceLogin("admin", "x"), f"198.51.100.{number}", 80)
        try:
            made += await refuse(budget, "onvif", flood)
        except HubError as error:
            if error.reason != Reason.BUSY:
                raise
    assert made == 49
    assert not await refuse(budget, "rtsp")
    registered = budget.account(login("new", device=2), "203.0.113.9", 80)
    await take(budget, "onvif", registered)
    clock.move(DAY + 2)
    assert await refuse(budget, "onvif", budget.account(DeviceLogin("admin", "x"), "198.51.100.199", 80))
    assert len(budget._memory._at) <= 3, "what has lasted its day is forgotten"


async def test_what_says_nothing_about_a_login_leaves_nothing_behind(clock: ManualClock) -> None:
    store = MemoryStore()
    async with LoginBudget(clock, store, SECRET) as budget:
        for number in range(100):
            account = budget.account(DeviceLogin("admin", "x"), f"198.51.100.{number}", 80)
            async with budget.trying(account, "onvif") as attempt:
                if number % 2:
                    attempt.accepted()
            with pytest.raises(HubError):
                async with budget.trying(account, "rtsp"):
                    raise HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
        assert not budget._memory._at
        assert not budget._turns
    assert not store.rows


@pytest.mark.parametrize("step", [-400 * DAY, -HOUR, HOUR / 4, 400 * DAY])
async def test_a_step_of_the_wall_clock_neither_unlocks_a_running_hub_nor_locks_for_ever(
    clock: ManualClock, step: float
) -> None:
    store = MemoryStore()
    async with LoginBudget(clock, store, SECRET) as budget:
        assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
        clock.step_wall(step)
        assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE)
    async with LoginBudget(clock, store, SECRET) as budget:
        assert budget.wait(NVR, "rtsp") <= FIRST_PAUSE
        clock.move(FIRST_PAUSE)
        assert await refuse(budget, "rtsp")
        assert budget.wait(NVR, "rtsp") == pytest.approx(LATER_PAUSE), "what was counted before is not forgotten"


async def test_the_database_keeps_the_account_until_the_login_is_taken(database: Database, clock: ManualClock) -> None:
    async with database.write() as session:
        session.add(Village(id=1, name="东村", created_at=clock.now()))
        await session.flush()
        session.add(Device(id=1, village_id=1, host=ADDRESS, created_at=clock.now()))
    store = DatabaseLoginStore(database)
    until = clock.now() + timedelta(seconds=FIRST_PAUSE)
    async with LoginBudget(clock, store, SECRET) as budget:
        assert await refuse(budget, "onvif")
        assert await refuse(budget, "rtsp")
        gone = budget.account(login(device=99), "192.0.2.99", 80)
        assert await refuse(budget, "rtsp", gone), "a device that is gone is no error"
    stored = {one.key.address: one for one in await store.load()}
    kept = stored[ADDRESS]
    assert kept.key == NVR
    assert (kept.failures, kept.blocked_until, kept.under_way) == ({"onvif": 1, "rtsp": 1}, until, {})
    assert kept.refused_at == ((clock.now(), "onvif"), (clock.now(), "rtsp"))
    assert stored["192.0.2.99"].key.device_id is None
    clock.move(60)
    async with LoginBudget(clock, store, SECRET) as budget:
        assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE - 60)
        pause = budget.pause(1)
        assert (pause.until, pause.reason, pause.tries_left) == (until, Reason.WRONG_PASSWORD, 4)
        clock.move(FIRST_PAUSE)
        await take(budget, "rtsp")
        await take(budget, "onvif")
    kept = next(one for one in await store.load() if one.key.address == ADDRESS)
    assert not kept.failures
    assert not kept.refused_at
    assert kept.proved == {"onvif", "rtsp"}


async def test_a_device_deleted_and_registered_anew_has_no_more_tries(database: Database, clock: ManualClock) -> None:
    async with database.write() as session:
        session.add(Village(id=1, name="东村", created_at=clock.now()))
        await session.flush()
        session.add(Device(id=1, village_id=1, host=ADDRESS, created_at=clock.now()))
    store = DatabaseLoginStore(database)
    async with LoginBudget(clock, store, SECRET) as budget:
        assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
    async with database.write() as session:
        await session.delete(await session.get_one(Device, 1))
    async with LoginBudget(clock, store, SECRET) as budget:
        made = [await refuse(budget, "rtsp", key(budget, f"guess{number}", device=2)) for number in range(5)]
        assert made == [True, True, False, False, False]


def test_a_pause_that_was_kept_is_never_longer_than_its_length() -> None:
    assert resumed({"rtsp": 2}, 1e9, 10.0, Reason.WRONG_PASSWORD).until == 10.0 + FIRST_PAUSE
    assert resumed({"rtsp": 5}, 1e9, 10.0, Reason.WRONG_PASSWORD).until == 10.0 + LATER_PAUSE
    assert resumed({"rtsp": 5}, -5.0, 10.0, Reason.WRONG_PASSWORD).until == 0.0
    assert refused(LoginStanding(), "rtsp", 10.0).until == 0.0


@pytest.mark.parametrize(
    ("said", "wait", "kept"),
    [
        (Reason.NOT_ACTIVATED, 5.0, Reason.NOT_ACTIVATED),
        (Reason.LOCKED_OUT, 5.0, Reason.LOCKED_OUT),
        (Reason.LOCKED_OUT, 7200.0, Reason.WRONG_PASSWORD),  # it was open again
        (Reason.WRONG_PASSWORD, 5.0, Reason.WRONG_PASSWORD),
    ],
)
def test_what_one_service_says_of_the_device_explains_the_bare_refusal_of_another(
    said: Reason, wait: float, kept: Reason
) -> None:
    standing = refused(LoginStanding(), "onvif", 100.0, said)
    assert refused(standing, "rtsp", 100.0 + wait).reason == kept
