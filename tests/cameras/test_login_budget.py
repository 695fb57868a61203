"""One account of login tries per device: at most six refusals a day, at least one try in six hours, whoever asks."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import Attempt, Kept, LoginBudget, LoginKey, device_account
from camera_hub.cameras.credentials.login_store import DatabaseLoginStore
from camera_hub.cameras.credentials.retry_rules import (
    FIRST_PAUSE,
    LATER_PAUSE,
    LoginStanding,
    Service,
    refused,
    resumed,
)
from camera_hub.cameras.register import views
from camera_hub.errors import HubError, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Device, Village
from tests.fakes.clock import ManualClock

HOUR = 3600.0
DAY = 24 * HOUR
NVR = device_account(1, 1)


class MemoryStore:
    """A store that survives a restart of the budget."""

    def __init__(self) -> None:
        self.rows: dict[int, Kept] = {}

    async def load(self) -> list[Kept]:
        return list(self.rows.values())

    async def save(self, kept: list[Kept]) -> None:
        for one in kept:
            if one.failures:
                self.rows[one.device_id] = one
            else:
                self.rows.pop(one.device_id, None)


async def refuse(budget: LoginBudget, service: Service, account: LoginKey = NVR) -> bool:
    """One try with a wrong password. Whether it was made."""
    try:
        attempt = await budget.begin(account, service)
    except HubError as error:
        if error.reason not in (Reason.WRONG_PASSWORD, Reason.LOCKED_OUT):
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
    "both": ["onvif", "rtsp"],
    "eight channels": ["rtsp"] * 8,
}
STEPS = st.lists(
    st.tuples(st.floats(0.0, 5 * HOUR), st.sampled_from([*ASKERS, "restart"])),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_any_interleaving_stays_within_six_tries_a_day_and_never_waits_beyond_six_hours(
    steps: Sequence[tuple[float, str]],
) -> None:
    async def day() -> list[float]:
        clock, store, tries = ManualClock(), MemoryStore(), list[float]()
        start = clock.monotonic()
        budget = await LoginBudget(clock, store).__aenter__()

        async def ask(*services: Service) -> None:
            made = await asyncio.gather(*(refuse(budget, service) for service in services))
            tries.extend([clock.monotonic() - start] * sum(made))

        for pause, what in steps:
            await ask("rtsp")  # somebody watches: the hub asks again as soon as it may
            left = pause
            while left > 0:
                step = min(left, budget.wait(NVR, "rtsp") or 60.0)
                clock.move(step)
                left -= step
                await ask("rtsp")
            if what == "restart":
                await budget.__aexit__()
                budget = await LoginBudget(clock, store).__aenter__()
            else:
                await ask(*ASKERS[what])
        await budget.__aexit__()
        return tries

    tries = asyncio.run(day())
    for began in tries:
        assert len([at for at in tries if began <= at < began + DAY]) <= 6
    for earlier, later in pairwise(tries):
        assert later - earlier <= LATER_PAUSE + 1


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
    third = await asyncio.wait_for(waiting[2], 5)
    assert isinstance(third, Attempt)
    third.end()
    assert await refuse(budget, "onvif")


async def test_a_changed_login_is_tried_at_once_and_the_old_one_no_more(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
    assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE)
    changed = device_account(1, 2)
    assert budget.wait(changed, "rtsp") == 0
    await take(budget, "rtsp", changed)
    with pytest.raises(HubError) as caught:
        await budget.begin(NVR, "rtsp")
    assert caught.value.reason == Reason.BUSY


async def test_a_door_that_takes_the_login_does_not_excuse_another_that_refuses_it(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    tries = 0
    for _ in range(int(DAY // 60)):  # a look each minute: ONVIF first, then the stream
        if budget.wait(NVR, "onvif") == 0:
            await take(budget, "onvif")
        tries += await refuse(budget, "rtsp")
        clock.move(60)
    assert tries == 6


async def test_a_device_that_says_locked_out_is_left_alone_after_the_first_word(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    attempt = await budget.begin(NVR, "onvif")
    attempt.refused(Reason.LOCKED_OUT)
    with pytest.raises(HubError) as caught:
        await budget.begin(NVR, "rtsp")
    assert (caught.value.reason, caught.value.params["minutes"]) == (Reason.LOCKED_OUT, 30)


async def test_a_login_typed_for_an_unknown_address_has_an_account_of_its_own(clock: ManualClock) -> None:
    budget = LoginBudget(clock)
    wrong, right = (budget.account(DeviceLogin("admin", word), "192.0.2.7:80") for word in ("wrong", "right"))
    assert [await refuse(budget, "onvif", wrong) for _ in range(3)] == [True, True, False]
    await take(budget, "onvif", right)


@pytest.mark.parametrize("step", [-400 * DAY, -HOUR, HOUR / 4, 400 * DAY])
async def test_a_step_of_the_wall_clock_neither_unlocks_a_running_hub_nor_locks_for_ever(
    clock: ManualClock, step: float
) -> None:
    store = MemoryStore()
    async with LoginBudget(clock, store) as budget:
        assert [await refuse(budget, "rtsp") for _ in range(3)] == [True, True, False]
        clock.step_wall(step)
        assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE)
    async with LoginBudget(clock, store) as budget:
        assert budget.wait(NVR, "rtsp") <= FIRST_PAUSE
        clock.move(FIRST_PAUSE)
        assert await refuse(budget, "rtsp")
        assert budget.wait(NVR, "rtsp") == pytest.approx(LATER_PAUSE), "what was counted before is not forgotten"


async def test_the_database_keeps_the_account_until_the_login_is_taken(database: Database, clock: ManualClock) -> None:
    async with database.write() as session:
        session.add(Village(id=1, name="东村", created_at=clock.now()))
        await session.flush()
        session.add(Device(id=1, village_id=1, host="192.0.2.7", created_at=clock.now()))
    store = DatabaseLoginStore(database)
    async with LoginBudget(clock, store) as budget:
        assert await refuse(budget, "onvif")
        assert await refuse(budget, "rtsp")
        assert await refuse(budget, "rtsp", device_account(99, 1)), "a device that is gone is no error"
    (kept,) = await store.load()
    assert kept == Kept(
        1, 1, {"onvif": 1, "rtsp": 1}, clock.now() + timedelta(seconds=FIRST_PAUSE), Reason.WRONG_PASSWORD
    )
    async with database.read() as session:
        (shown,) = await views.devices(session, Device.id == 1)
    assert shown.login_retry_at == kept.blocked_until
    clock.move(60)
    async with LoginBudget(clock, store) as budget:
        assert budget.wait(NVR, "rtsp") == pytest.approx(FIRST_PAUSE - 60)
        clock.move(FIRST_PAUSE)
        await take(budget, "rtsp")
        await take(budget, "onvif")
    assert await store.load() == []


def test_a_pause_that_was_kept_is_never_longer_than_its_length() -> None:
    assert resumed({"rtsp": 2}, 1e9, 10.0, Reason.WRONG_PASSWORD).until == 10.0 + FIRST_PAUSE
    assert resumed({"rtsp": 5}, 1e9, 10.0, Reason.WRONG_PASSWORD).until == 10.0 + LATER_PAUSE
    assert resumed({"rtsp": 5}, -5.0, 10.0, Reason.WRONG_PASSWORD).until == 0.0
    assert refused(LoginStanding(), "rtsp", 10.0).until == 0.0
